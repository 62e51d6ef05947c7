//! Cables and sshd.

use std::time::{Duration, Instant};

use haengine_tests::site::{Site, differences, ended, possible};
use jiff::Timestamp;

use crate::scene::{Scene, said, told_after, well};

#[test]
fn a_cut_of_five_seconds_is_survived() {
    if !possible() {
        return;
    }
    let mut scene = Scene::new("blink", "");
    let child = scene.midway("site.yaml");
    scene.site.cut("m2", true);
    std::thread::sleep(Duration::from_secs(5));
    scene.site.cut("m2", false);
    let run = well(child).finished()["run"].as_str().unwrap().to_owned();
    scene.done_and_undone(&run);
}

#[test]
fn a_target_that_is_cut_off_for_good_is_told() {
    if !possible() {
        return;
    }
    let scene = Scene::new("cut", "");
    let (child, since) = (scene.midway("site.yaml"), Timestamp::now());
    scene.site.cut("m2", true);
    let failed = scene.failed(child, since, "m2", &["ssh.lost", "the connection was lost"]);
    let since = Instant::now();
    let again = scene.site.haengine(&["resume", &failed.run, "--json"]);
    assert!(since.elapsed() < Duration::from_secs(30), "it took {:?}", since.elapsed());
    assert_ne!(again.code, 0, "{}", again.out);
    assert!((again.out + &again.errors).contains("m2"), "it says which host still cannot be reached");
    scene.site.cut("m2", false);
    scene.mended(&failed, "site.yaml");
}

#[test]
#[ignore = "played by `make test-long`"]
fn a_source_that_is_cut_off_for_good_is_told() {
    if !possible() {
        return;
    }
    let mut scene = Scene::new("source", "");
    let (child, since) = (scene.midway("site.yaml"), Timestamp::now());
    scene.site.cut("m1", true);
    let given = ended(child).ended_with(1);
    said(&given, &["m1", "ssh.lost", "the host stopped answering"]);
    told_after(&given, since);
    let run = given.finished()["run"].as_str().unwrap().to_owned();
    scene.site.cut("m1", false);
    scene.site.haengine(&["resume", &run, "--json"]).ended_with(0);
    scene.done_and_undone(&run);
}

#[test]
#[ignore = "played by `make test-long`"]
fn a_restart_of_sshd_disturbs_nothing() {
    if !possible() {
        return;
    }
    let mut scene = Scene::new("sshd", "");
    let child = scene.midway("site.yaml");
    scene.site.on("m2", "systemctl restart ssh");
    let run = well(child).finished()["run"].as_str().unwrap().to_owned();
    scene.done_and_undone(&run);
}

#[test]
#[ignore = "played by `make test-long`"]
fn an_sshd_that_ends_its_sessions_is_told_at_once() {
    if !possible() {
        return;
    }
    let scene = Scene::new("sessions", "");
    let (child, since) = (scene.midway("site.yaml"), Timestamp::now());
    scene.site.on("m2", "systemctl stop ssh; pkill -x sshd; systemctl start ssh");
    let failed = scene.failed(child, since, "m2", &["ssh.lost"]);
    assert!(failed.took < Duration::from_secs(10), "it took {:?}", failed.took);
    scene.mended(&failed, "site.yaml");
}

/// 8 MB: more than a window of SSH and a pipe hold.
const LONG: &str = r#"
fn main(p) {
    let text = "0123456789abcde\n";
    for doubling in 0..19 { text += text; }
    file::put(host("m1"), "/srv/long", text);
}
"#;
/// Whoever writes there begins late.
const LATE: &str = r#"echo old >/srv/long; cat >/usr/local/bin/dd <<'END'
#!/bin/sh
case $* in *of=/proc/self/fd/8*) touch /run/began; sleep 2 ;; esac
exec /usr/bin/dd "$@"
END
chmod 755 /usr/local/bin/dd"#;

#[test]
fn a_text_of_which_a_part_has_arrived_is_not_placed() {
    if !possible() {
        return;
    }
    let site = Site::new("part", 1);
    site.write("long.rhai", LONG);
    site.on("m1", LATE);
    let before = site.manifest();
    let mut child = site.start(&["run", "long.rhai", "-i", "site.yaml"]);
    site.until("m1", "[ -e /run/began ]");
    child.kill().unwrap();
    child.wait().unwrap();
    site.until("m1", "! pgrep -f [o]f=/proc/self/fd/8");
    assert_eq!(site.on("m1", "wc -c </srv/long"), "4\n");
    let run = site.haengine(&["run", "long.rhai", "-i", "site.yaml", "--json"]).ended_with(0);
    assert_eq!(site.on("m1", "wc -c </srv/long"), "8388608\n");
    site.haengine(&["undo", run.finished()["run"].as_str().unwrap(), "--yes"]).ended_with(0);
    assert_eq!(differences(&before, &site.manifest()), "");
}
