//! The target's disk fills.

use haengine_tests::site::possible;
use jiff::Timestamp;

use crate::scene::{Scene, said};

/// `/srv` of `m2` is a small disk of its own.
const SMALL: &str = "mount -t tmpfs -o size=260m none /srv";
const FILL: &str = "dd if=/dev/zero of=/srv/ballast bs=1M 2>/dev/null";

#[test]
#[ignore = "played by `make test-long`"]
fn a_disk_that_fills_during_the_copy_is_told() {
    if !possible() {
        return;
    }
    let scene = Scene::new("full", SMALL);
    let (child, since) = (scene.midway("site.yaml"), Timestamp::now());
    scene.site.on("m2", FILL);
    let failed = scene.failed(child, since, "m2", &["file.write_tree", "No space left on device", "free space"]);
    let left = "find /srv /var/lib/haengine -path '*.tree/*' | grep -c .";
    assert_eq!(scene.site.on("m2", left), "0\n", "what was sent of the copy takes no room any more");
    scene.site.on("m2", "rm /srv/ballast");
    scene.mended(&failed, "site.yaml");
}

#[test]
fn a_full_disk_takes_no_part_of_a_file() {
    if !possible() {
        return;
    }
    let mut scene = Scene::new("fuller", SMALL);
    let text = "a text that is longer than what is left on the disk\n".repeat(2000);
    scene
        .site
        .write("put.rhai", &format!("fn main(p) {{ file::put(group(\"masters\"), \"/srv/before\", `{text}`); }}"));
    scene.site.on("m2", &format!("{FILL}; truncate -s -20K /srv/ballast"));
    let given = scene.site.haengine(&["run", "put.rhai", "-i", "site.yaml", "--json"]).ended_with(1);
    said(&given, &["m2", "No space left on device"]);
    assert_eq!(scene.site.on("m2", "cat /srv/before; ls -A /srv"), "old\nballast\nbefore\ntree\n");
    assert_eq!(given.finished()["changed"], 2, "the other hosts have theirs: {}", given.out);
    scene.site.on("m2", "rm /srv/ballast");
    let run = given.finished()["run"].as_str().unwrap().to_owned();
    scene.site.haengine(&["resume", &run, "--json"]).ended_with(0);
    assert_eq!(scene.site.on("m2", "cat /srv/before"), text);
    scene.only_undone(&run);
}
