//! What packages changed is put back without a loss of what somebody writes to it at the same time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

const SETTLE: &str = concat!(
    include_str!("../src/file/area.sh"),
    include_str!("../src/pkg/aside.sh"),
    include_str!("../src/pkg/settle.sh")
);

/// A file that packages changed, and in `programs` what stands before the system's programs.
fn bench() -> TempDir {
    let bench = tempfile::tempdir().unwrap();
    let folder = bench.path();
    let kept = format!("run/1{}/etc", folder.display());
    for name in ["programs", "etc", kept.as_str()] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    for name in ["run", "run/1"] {
        std::fs::set_permissions(folder.join(name), PermissionsExt::from_mode(0o700)).unwrap();
    }
    std::fs::write(folder.join("etc/conf"), "the packages'\n").unwrap();
    std::fs::write(folder.join(kept).join("conf"), "before\n").unwrap();
    bench
}

/// The program runs with `before` and `after` around it.
fn stand_before(bench: &Path, program: &str, before: &str, after: &str) {
    let path = bench.join("programs").join(program);
    let script =
        format!("#!/bin/sh\nPATH=${{PATH#*:}}\ncd {}\n{before}\n{program} \"$@\" || exit\n{after}\n", bench.display());
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// Puts the file back as it is now. Gives what is told of it.
fn settle(bench: &Path, shell: &str) -> String {
    let steps = "printf 'r%s\\t%s\\0' \"$(find \"$1\" -maxdepth 0 -printf '%y %m %U:%G %s %T@ %l')\" \"$1\"";
    let script = format!("run() {{\n{SETTLE}}}\nPATH=$2/programs:$PATH\n{steps} | (run dnf \"$2/run\" 1 '')");
    let mut command = Command::new(shell);
    command.arg("-c").arg(script).arg("sh").arg(bench.join("etc/conf")).arg(bench);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn conf(bench: &Path) -> String {
    std::fs::read_to_string(bench.join("etc/conf")).unwrap()
}

#[test]
fn what_was_kept_comes_back() {
    for shell in ["dash", "bash"] {
        let bench = bench();
        assert_eq!(settle(bench.path(), shell), "");
        assert_eq!(conf(bench.path()), "before\n");
        let kept: Vec<_> = std::fs::read_dir(bench.path().join("run/1")).unwrap().collect();
        assert_eq!(kept.len(), 1, "nothing is left beside it");
    }
}

#[test]
fn what_somebody_writes_while_it_is_put_back_stays() {
    let edits = [("cp", "", "echo theirs >etc/conf"), ("mv", "[ -e met ] || echo theirs >etc/conf; : >met", "")];
    for (program, before, after) in edits {
        let bench = bench();
        stand_before(bench.path(), program, before, after);
        let said = settle(bench.path(), "dash");
        assert!(said.contains("etc/conf\tsomebody else changed it\0"), "{program}: {said}");
        assert_eq!(conf(bench.path()), "theirs\n", "{program}");
    }
}

#[test]
fn what_a_try_that_broke_off_had_not_looked_at_again_is_kept() {
    let bench = bench();
    stand_before(bench.path(), "mv", "echo theirs >etc/conf; mv \"$@\"; kill -9 $PPID; exit", "");
    let broken = std::panic::catch_unwind(|| settle(bench.path(), "dash"));
    assert!(broken.is_err());
    std::fs::remove_file(bench.path().join("programs/mv")).unwrap();
    settle(bench.path(), "dash");
    let asides = std::fs::read_to_string(bench.path().join("run/1/asides")).unwrap();
    let place = asides.split('\t').nth(1).unwrap();
    assert_eq!(std::fs::read_to_string(place).unwrap(), "theirs\n");
}

#[test]
fn nothing_is_moved_to_a_mount_whose_root_others_may_write_to() {
    for (mode, moved) in [("755", true), ("1777", true), ("777", false)] {
        let bench = bench();
        let given = format!("mount -t tmpfs -o mode={mode} none \"$1/etc\" && echo x >\"$1/etc/new\" || exit 99");
        let steps = "printf 'ait appeared\\t%s\\0' \"$1/etc/new\"";
        let script =
            format!("run() {{\n{SETTLE}}}\n{given}\n{steps} | (run dnf \"$1/run\" 1 '')\nfind \"$1/etc\" -type f");
        let mut command = Command::new("unshare");
        let output = command.args(["-m", "sh", "-c", &script, "sh"]).arg(bench.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said.contains("etc/.haengine/run/aside/1/"), moved, "{mode}: {said}");
        assert_eq!(said.starts_with("left\t"), !moved, "{mode}: {said}");
    }
}
