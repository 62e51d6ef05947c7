//! A run of haengine 0.1.0, whose journal has version 1: it is taken back by the old proofs, and not gone on with.
//!
//! `fixtures/v1` is what such a run left: `run` is its folder, `host.tar.gz` what was on the host afterwards, `before.sh` how
//! the host was made before it.

use std::path::{Path, PathBuf};

use haengine_tests::site::{Site, differences, possible};

const ID: &str = "20261129-225424-rswn";

/// What the run did beside what the archive holds: two things were removed, one unit started and one stopped. A stamp
/// names the start of its unit by the clock of its boot.
const AFTER: &str = "rm -r /etc/old/absent /etc/old/folder; systemctl daemon-reload
    systemctl start old-one; systemctl stop old-two; stamp=/run/haengine/old-one.service.stamp
    start=$(systemctl show -p ActiveEnterTimestampMonotonic old-one) && sed -i \"1s/.*/${start#*=}/\" $stamp";

#[expect(clippy::disallowed_methods, reason = "a test asks where it is when it runs")]
fn fixture(name: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("fixtures/v1").join(name)
}

/// The run's folder as the operator has it.
fn keep(site: &Site) {
    let folder = site.path().join("state/runs").join(ID);
    std::fs::create_dir_all(folder.join("recipe")).unwrap();
    for name in ["journal.jsonl", "parameters.json", "recipe/snapshot.json", "recipe/0-old.rhai"] {
        std::fs::copy(fixture("run").join(name), folder.join(name)).unwrap();
    }
    let text = std::fs::read_to_string(fixture("run/inventory.json")).unwrap();
    let path = |path: &Path| path.display().to_string();
    let text =
        text.replace("IDENTITY", &path(&site.lab.identity())).replace("KNOWN_HOSTS", &path(&site.lab.known_hosts()));
    std::fs::write(folder.join("inventory.json"), text).unwrap();
}

/// Puts what the run left onto the host; the manifest of before.
fn leave(site: &Site) -> String {
    site.on("m1", &std::fs::read_to_string(fixture("before.sh")).unwrap());
    let before = site.manifest();
    let archive = std::fs::read(fixture("host.tar.gz")).unwrap();
    let octal: String = archive.iter().map(|byte| format!("\\{byte:03o}")).collect();
    site.on("m1", &format!("printf '{octal}' | tar -C / -xpzf -\n{AFTER}"));
    assert_eq!(site.on("m1", "systemctl is-active old-one old-two"), "active\ninactive\n");
    before
}

#[test]
fn a_run_of_the_first_version_is_taken_back_by_the_old_proofs() {
    if !possible() {
        return;
    }
    let site = Site::new("old", 1);
    keep(&site);
    let before = leave(&site);
    let given = site.haengine(&["undo", ID, "--yes"]).ended_with(0);
    assert!(given.out.contains("14 taken back"), "{}", given.out);
    assert_eq!(differences(&before, &site.manifest()), "", "everything is as before");
    assert_eq!(site.on("m1", "ls /run/haengine /var/lib/haengine 2>/dev/null"), "", "nothing is kept");
    assert_eq!(site.haengine(&["runs", "--json"]).ended_with(0).events()[0]["outcome"], "undone");
}

#[test]
fn what_somebody_changed_since_is_left_alone_by_the_old_proofs_too() {
    if !possible() {
        return;
    }
    let site = Site::new("oldtheirs", 1);
    keep(&site);
    leave(&site);
    site.on("m1", "echo theirs >/etc/old/replaced");
    site.haengine(&["undo", ID, "--yes"]).ended_with(1);
    assert_eq!(site.on("m1", "cat /etc/old/replaced"), "theirs\n");
    let back = "cat /etc/old/line /etc/old/folder/sub/two; systemctl is-active old-two";
    assert_eq!(site.on("m1", back), "old\nold\nactive\n", "it keeps nothing else");
}

#[test]
fn a_folder_of_the_first_version_goes_only_when_it_is_empty() {
    if !possible() {
        return;
    }
    let site = Site::new("oldfolder", 1);
    keep(&site);
    leave(&site);
    site.on("m1", "echo theirs >/srv/old/deep/folder/theirs");
    site.haengine(&["undo", ID, "--yes"]);
    assert_eq!(site.on("m1", "cat /srv/old/deep/folder/theirs"), "theirs\n");
}

#[test]
fn a_run_of_the_first_version_is_not_gone_on_with() {
    if !possible() {
        return;
    }
    let site = Site::new("oldgoeson", 1);
    keep(&site);
    let journal = site.path().join("state/runs").join(ID).join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    let unfinished: Vec<&str> = text.lines().filter(|line| !line.contains(r#""entry":"finished""#)).collect();
    std::fs::write(&journal, unfinished.join("\n") + "\n").unwrap();
    std::fs::copy(fixture("run/recipe/0-old.rhai"), site.path().join("old.rhai")).unwrap();
    // Its inventory had no groups.
    let inventory = std::fs::read_to_string(site.path().join("site.yaml")).unwrap();
    site.write("plain.yaml", inventory.split("groups:").next().unwrap());
    for words in [&["resume", ID][..], &["run", "old.rhai", "-i", "plain.yaml"]] {
        let given = site.haengine(words).ended_with(2);
        assert!(given.errors.contains("journal.old") && given.errors.contains("0.1.0"), "{words:?}: {}", given.errors);
    }
    assert_eq!(site.on("m1", "ls -d /etc/old 2>&1 | grep -c 'No such'"), "1\n");
    assert_eq!(site.haengine(&["runs", "--json"]).ended_with(0).events().len(), 1, "no new run was begun");
}
