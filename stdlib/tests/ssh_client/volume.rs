//! Much data, little memory, and nobody who waits for ever.

use std::path::PathBuf;
use std::time::Duration;

use haengine_kernel::transport::{Command, Connect, Exit, Stream, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::sshd::{Operator, Sshd, sh};

const MIB: usize = 1 << 20;

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_megabytes_each_way() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let before = resident();
    let Stream { mut stdout, exit, .. } = host.stream(&Command::script("head -c 209715200 /dev/zero")).await.unwrap();
    let (mut block, mut total) = (vec![0; MIB], 0);
    loop {
        let length = stdout.read(&mut block).await.unwrap();
        if length == 0 {
            break;
        }
        total += length;
    }
    assert_eq!((total, exit.await.unwrap()), (200 * MIB, Exit::Status(0)));
    let Stream { mut stdin, mut stdout, exit, .. } = host.stream(&Command::script("wc -c")).await.unwrap();
    for _ in 0..200 {
        stdin.write_all(&block).await.unwrap();
    }
    stdin.shutdown().await.unwrap();
    let mut text = String::new();
    stdout.read_to_string(&mut text).await.unwrap();
    assert_eq!((text.trim(), exit.await.unwrap()), ("209715200", Exit::Status(0)));
    let grown = resident() - before;
    assert!(grown < 100, "memory grew by {grown} MiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_stops_nobody_and_costs_no_memory() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let before = resident();
    let command = Command::script("head -c 209715200 /dev/zero").unread(209_715_200);
    let stream = host.stream(&command).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(sh(&*host, "echo alive").await.text(), "alive\n");
    assert_eq!(stream.exit.await.unwrap(), Exit::Status(0));
    let grown = resident() - before;
    assert!(grown < 100, "memory grew by {grown} MiB");
}

/// A host that talks without end to somebody who does not listen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_reads_ends_at_a_bound() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    for stream in ["stdout", "stderr"] {
        let script = format!(
            "exec 3>&{}; cat /dev/zero >&3 & echo $! >{}; wait",
            if stream == "stdout" { 1 } else { 2 },
            sshd.path("pid").display()
        );
        let mut stream = host.stream(&Command::script(script)).await.unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(30), &mut stream.exit).await.expect("it goes on");
        let error = ended.unwrap_err();
        assert_eq!((error.code(), error.host()), ("ssh.exec", Some("node")));
        assert!(error.message().contains("more than 64 MiB"), "{error}");
        assert_eq!(sh(&*host, "kill -0 $(cat ".to_owned().as_str()).await.text(), "");
        // One that nobody waits for has no words any more.
        let gone = format!("grep -qs . /proc/\"$(cat {})\"/cmdline || echo gone", sshd.path("pid").display());
        assert_eq!(sh(&*host, &gone).await.text(), "gone\n", "what it started ends with it");
    }
    assert_eq!(sh(&*host, "echo alive").await.text(), "alive\n");
}

/// Copies through this machine, from one process to another, with a slow one at the end.
async fn copy(from: &dyn Transport, to: &dyn Transport, slow: PathBuf) {
    std::fs::write(&slow, "while head -c 4194304 | wc -c | grep -qv '^0'; do sleep 0.02; done").unwrap();
    let Stream { mut stdout, exit: sent, .. } =
        from.stream(&Command::script("head -c 104857600 /dev/zero").unread(104_857_600)).await.unwrap();
    let Stream { mut stdin, exit: taken, .. } =
        to.stream(&Command::new("sh").arg(slow.display().to_string())).await.unwrap();
    let all = async {
        let length = tokio::io::copy(&mut stdout, &mut stdin).await.unwrap();
        stdin.shutdown().await.unwrap();
        assert_eq!(length, 100 * MIB as u64);
        assert_eq!((sent.await.unwrap(), taken.await.unwrap()), (Exit::Status(0), Exit::Status(0)));
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("the copy stands still");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_within_one_host_does_not_stand_still() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    copy(&*host, &*host, sshd.path("slow")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_between_two_hosts_behind_one_bastion_does_not_stand_still() {
    let (Some(bastion), Some(inner)) = (Sshd::start(), Sshd::start()) else { return };
    let mut hosts = vec![bastion.host("bastion")];
    for name in ["one", "two"] {
        let mut host = inner.host(name);
        host.jump = Some("bastion".to_owned());
        hosts.push(host);
    }
    let connector = Operator::default().connector(&hosts);
    let (one, two) = (connector.connect(&hosts[1]).await.unwrap(), connector.connect(&hosts[2]).await.unwrap());
    copy(&*one, &*two, inner.path("slow")).await;
}
