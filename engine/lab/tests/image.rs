//! The base image, built for real. Takes two minutes and a mirror of Debian, so it runs on request only:
//! `cargo nextest run -p haengine-lab --run-ignored only`.
#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used, missing_docs)]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use haengine_lab::{Lab, quiet};

const BUILDER: &str = "HAENGINE_TEST_LAB_BUILDER";

fn lab(cache: &Path) -> Lab {
    Lab::open(cache, &cache.join("state"), "image").unwrap()
}

fn images(cache: &Path) -> usize {
    let names = fs::read_dir(cache).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter(|name| name.to_string_lossy().starts_with("base-")).count()
}

fn processes_in(cache: &Path) -> usize {
    let pids = fs::read_dir("/proc").unwrap().flatten();
    pids.filter(|pid| {
        let line = fs::read(pid.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(cache.join("building").to_str().unwrap())
    })
    .count()
}

/// Not a test: the process that the test kills.
#[tokio::test]
#[ignore = "run by the test that kills it"]
async fn builder() {
    let Some(cache) = std::env::var_os(BUILDER) else { return };
    lab(Path::new(&cache)).prepare(quiet()).await.unwrap();
}

#[tokio::test]
#[ignore = "takes two minutes and a mirror of Debian"]
async fn a_build_that_is_killed_is_never_taken_for_done() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("\n*** SKIPPED a_build_that_is_killed: a lab needs root ***\n");
        return;
    }
    let cache = tempfile::tempdir().unwrap();
    let cache = cache.path();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "builder", "--ignored"])
        .env(BUILDER, cache)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while !cache.join("building/root/etc/passwd").exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "the build does not get on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(processes_in(cache) > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!((processes_in(cache), images(cache)), (0, 0));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(cache.to_str().unwrap()), "a mount is left");

    let started = Instant::now();
    lab(cache).prepare(Arc::new(|line| eprintln!("lab: {line}"))).await.unwrap();
    eprintln!("built in {:?}", started.elapsed());
    assert_eq!(images(cache), 1);
    assert!(!cache.join("building").exists());
    let started = Instant::now();
    lab(cache).prepare(quiet()).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1), "an image that is there is built again");
}
