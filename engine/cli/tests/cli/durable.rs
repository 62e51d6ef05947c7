//! What a run keeps is on the disk before it begins: seen at the system's calls.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::Site;

/// The path in the first `<…>` of a line of `strace -y`.
fn path(line: &str) -> Option<&str> {
    Some(line.split_once('<')?.1.split_once('>')?.0)
}

/// What was synced before the journal's first line was, and everything that there is in the run's folder.
fn synced(trace: &str) -> BTreeSet<&str> {
    let calls = trace.lines().filter(|line| line.contains("fsync(") || line.contains("fdatasync("));
    calls.map_while(|line| path(line).filter(|path| !path.ends_with("journal.jsonl"))).collect()
}

fn everything(folder: &Path) -> Vec<String> {
    let mut found = vec![folder.display().to_string()];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(everything(&path)),
            false => found.push(path.display().to_string()),
        }
    }
    found
}

#[test]
fn what_a_run_keeps_is_on_the_disk_before_its_journal_begins() {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("SKIPPED: strace is not there");
        return;
    }
    let site = Site::new();
    site.write("other.rhai", "fn name() { \"other\" }\n");
    site.write("main.rhai", "import \"./other\" as other;\nfn main(p) { log(other::name()); }\n");
    let binary = assert_cmd::cargo::cargo_bin("haengine");
    let calls = "trace=fsync,fdatasync";
    let output = Command::new("strace")
        .args(["-f", "-y", "-qq", "-s", "0", "-e", calls, "-o", "trace"])
        .arg(binary)
        .args(["run", "./main.rhai", "--state-dir", "state"])
        .env_clear()
        .env("HOME", site.path(""))
        .current_dir(site.path(""))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let trace = std::fs::read_to_string(site.path("trace")).unwrap();
    let before = synced(&trace);
    let runs = site.path("state/runs");
    let all = everything(&runs);
    assert!(all.iter().any(|path| path.ends_with("-other.rhai")), "imports are kept: {all:?}");
    // A lock has no content, and the journal is synced line by line.
    let holds = |path: &&String| !["/alive", "/.lock", "/journal.jsonl"].iter().any(|name| path.ends_with(name));
    for path in all.iter().filter(holds) {
        // Files get their names once they are whole.
        let new = format!("{path}.new");
        assert!(before.contains(path.as_str()) || before.contains(new.as_str()), "{path} is not synced:\n{trace}");
    }
    assert!(before.contains(site.path("state").to_str().unwrap()), "the folder of all runs:\n{trace}");
}
