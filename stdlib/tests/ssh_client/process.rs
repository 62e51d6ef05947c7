//! Commands on a channel of their own.

use std::time::{Duration, Instant};

use futures::future::join_all;
use haengine_kernel::secret::Secret;
use haengine_kernel::transport::{Command, Exit, Stream, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::sshd::{Sshd, sh};

/// Runs a command to its end with this input.
async fn finish(host: &dyn Transport, command: &Command, input: &[u8]) -> (Exit, Vec<u8>, Vec<u8>) {
    let Stream { mut stdin, mut stdout, mut stderr, exit } = host.stream(command).await.unwrap();
    let feed = async {
        stdin.write_all(input).await.unwrap();
        stdin.shutdown().await.unwrap();
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let ((), read_out, read_err, exit) =
        tokio::join!(feed, stdout.read_to_end(&mut out), stderr.read_to_end(&mut err), exit);
    read_out.unwrap();
    read_err.unwrap();
    (exit.unwrap(), out, err)
}

async fn count(host: &dyn Transport, pattern: &str) -> String {
    sh(host, &format!("pgrep -fx '{pattern}' | wc -l")).await.text().trim().to_owned()
}

async fn wait_until_none(host: &dyn Transport, pattern: &str, limit: Duration) {
    let started = Instant::now();
    while count(host, pattern).await != "0" {
        assert!(started.elapsed() < limit, "`{pattern}` still runs after {limit:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn streams_and_ends() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let script = Command::script("cat; printf 'e\\0' >&2; exit 255");
    let (exit, out, err) = finish(&*host, &script, b"a\0\xffb").await;
    assert_eq!((exit, out.as_slice(), err.as_slice()), (Exit::Status(255), &b"a\0\xffb"[..], &b"e\0"[..]));
    let (exit, ..) = finish(&*host, &Command::script("kill -KILL $$"), b"").await;
    assert_eq!(exit, Exit::Signal("KILL".into()));
    let (exit, ..) = finish(&*host, &Command::new("sh").arg("-c").arg("kill -USR2 $$"), b"").await;
    assert_eq!(exit, Exit::Signal("USR2".into()));
    let (exit, _, err) = finish(&*host, &Command::script("if then ("), b"").await;
    assert_eq!((exit, err.is_empty()), (Exit::Status(2), false));
    let (exit, ..) = finish(&*host, &Command::new("no-such-program"), b"").await;
    assert_eq!(exit, Exit::Status(127));
    let paths = finish(&*host, &Command::script("echo $PATH; echo \"$1\"").arg("it's"), b"").await;
    let text = String::from_utf8(paths.1).unwrap();
    assert!(text.contains(":/usr/sbin:/sbin\nit's\n"), "{text}");
}

#[tokio::test]
async fn input_given_with_the_command() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let Stream { mut stdout, exit, .. } =
        host.stream(&Command::new("cat").stdin(Secret::new("hush".into()))).await.unwrap();
    let mut text = String::new();
    stdout.read_to_string(&mut text).await.unwrap();
    assert_eq!((text.as_str(), exit.await.unwrap()), ("hush", Exit::Status(0)));
}

#[tokio::test]
async fn more_at_once_than_sshd_allows() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let commands: Vec<Command> = (0..60).map(|number| Command::script(format!("sleep 0.02; echo {number}"))).collect();
    let short = join_all((0..40).map(|_| sh(&*host, "sleep 0.02; echo")));
    let long = join_all(commands.iter().map(|command| finish(&*host, command, b"")));
    let (long, short) = tokio::join!(long, short);
    assert_eq!(short.len(), 40);
    for (number, (exit, out, _)) in long.into_iter().enumerate() {
        assert_eq!((exit, out), (Exit::Status(0), format!("{number}\n").into_bytes()));
    }
}

#[tokio::test]
async fn a_server_with_few_sessions() {
    let Some(sshd) = Sshd::with("MaxSessions 2\n") else { return };
    let host = sshd.connect().await;
    let commands: Vec<Command> = (0..10).map(|number| Command::script(format!("echo {number}"))).collect();
    for (exit, ..) in join_all(commands.iter().map(|command| finish(&*host, command, b""))).await {
        assert_eq!(exit, Exit::Status(0));
    }
    let Some(sshd) = Sshd::with("MaxSessions 1\n") else { return };
    let host = sshd.connect().await;
    let error = host.stream(&Command::new("true")).await.err().unwrap();
    assert!(error.advice().unwrap().contains("MaxSessions"), "{error}");
    assert_eq!(sh(&*host, "echo in").await.text(), "in\n");
}

#[tokio::test]
async fn letting_go_ends_the_whole_group() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let script = "trap '' TERM; sh -c 'sleep 4721 & sleep 4721' & sleep 4721; echo";
    let stream = host.stream(&Command::script(script)).await.unwrap();
    while count(&*host, "sleep 4721").await != "3" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(stream);
    wait_until_none(&*host, "sleep 4721", Duration::from_secs(4)).await;
    // What is dropped before it has reported is ended too, and closing waits for that.
    let commands: Vec<Command> = (0..5).map(|_| Command::script("sleep 4722; :")).collect();
    let started = tokio::time::timeout(
        Duration::from_micros(1500),
        join_all(commands.iter().map(|command| host.stream(command))),
    );
    drop(started.await);
    let other = sshd.connect().await;
    host.close().await;
    assert_eq!(count(&*other, "sleep 4722").await, "0");
}

#[tokio::test]
async fn closing_ends_what_runs() {
    let Some(sshd) = Sshd::start() else { return };
    let (host, witness) = (sshd.connect().await, sshd.connect().await);
    let stream = host.stream(&Command::script("sleep 4723; :")).await.unwrap();
    let command = Command::script("sleep 4723; :");
    let started = Instant::now();
    let close = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        host.close().await;
    };
    let (exec, ()) = tokio::join!(host.exec(&command), close);
    assert!(exec.is_err());
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(count(&*witness, "sleep 4723").await, "0");
    assert_ne!(stream.exit.await.ok(), Some(Exit::Status(0)));
}

#[tokio::test]
async fn a_deadline_ends_the_group() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let command = Command::script("sleep 4724 & sleep 4724").deadline(Duration::from_millis(200));
    let started = Instant::now();
    let error = host.stream(&command).await.unwrap().exit.await.unwrap_err();
    assert_eq!((error.code(), error.host()), ("host.timeout", Some("node")));
    assert!(started.elapsed() < Duration::from_secs(4));
    assert_eq!(count(&*host, "sleep 4724").await, "0");
    let text = Secret::new("x".repeat(100_000));
    let long_input = Command::script("cat >/dev/null; sleep 4724").stdin(text).deadline(Duration::from_millis(200));
    assert_eq!(host.exec(&long_input).await.unwrap_err().code(), "host.timeout");
    assert_eq!(count(&*host, "sleep 4724").await, "0");
}

#[tokio::test]
async fn cut_input_is_not_taken_for_the_whole() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let (part, whole) = (sshd.path("part"), sshd.path("whole"));
    let script = format!("cat > {} && mv {} {}", part.display(), part.display(), whole.display());
    let mut stream = host.stream(&Command::script(script)).await.unwrap();
    stream.stdin.write_all(b"half").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(stream);
    host.close().await;
    assert_eq!(std::fs::read(&part).unwrap(), b"half");
    assert!(!whole.exists());
}

#[tokio::test]
async fn a_daemon_in_the_background_is_not_waited_for() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let started = Instant::now();
    let script = Command::script("setsid sleep 4725 & echo $! >&2; head -c 1000000 /dev/zero; exit 4");
    let (exit, out, pid) = finish(&*host, &script, b"").await;
    assert_eq!((exit, out.len()), (Exit::Status(4), 1_000_000));
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(count(&*host, "sleep 4725").await, "1");
    sh(&*host, &format!("kill {}", String::from_utf8_lossy(&pid))).await;
}

#[tokio::test]
async fn a_writer_is_told_that_nobody_reads() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let mut stream = host.stream(&Command::script("head -c 1 >/dev/null; exit 7")).await.unwrap();
    let write = async {
        let block = vec![0; 1 << 20];
        while stream.stdin.write_all(&block).await.is_ok() {}
    };
    tokio::time::timeout(Duration::from_secs(10), write).await.unwrap();
    assert_eq!(stream.exit.await.unwrap(), Exit::Status(7));
}
