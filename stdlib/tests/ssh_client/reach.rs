//! Each way not to reach a host has a name of its own, and so has losing it.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::inventory::HostSpec;
use haengine_kernel::transport::{Command, Connect, Exit};

use crate::sshd::{Operator, Sshd, free_port, refused, sh};

async fn fails(host: &HostSpec) -> Error {
    let error = refused(&Operator::default(), host).await;
    assert_eq!(error.kind(), Kind::Unreachable);
    assert_eq!(error.host(), Some("node"));
    assert!(error.advice().is_some(), "{error}");
    error
}

/// A port that answers nothing any more, as behind a firewall: its queue of connections is full.
async fn full_listener() -> (TcpListener, Vec<tokio::net::TcpStream>, u16) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let listener = socket.listen(0).unwrap();
    let mut queue = Vec::new();
    while let Ok(connected) =
        tokio::time::timeout(Duration::from_millis(200), tokio::net::TcpStream::connect(address)).await
    {
        queue.push(connected.unwrap());
        assert!(queue.len() < 100);
    }
    (listener.into_std().unwrap(), queue, address.port())
}

#[tokio::test]
async fn names_routes_and_ports() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.host("node");
    let name = HostSpec { address: "no-such-host.invalid".into(), ..host.clone() };
    assert_eq!(fails(&name).await.code(), "ssh.name");
    let port = HostSpec { port: free_port(), ..host.clone() };
    assert_eq!(fails(&port).await.code(), "ssh.refused");
    let (_listener, _queue, port) = full_listener().await;
    let silent = HostSpec { port, connect_timeout: Duration::from_millis(300), ..host.clone() };
    assert_eq!(fails(&silent).await.code(), "host.timeout");
    let broadcast = HostSpec { address: "255.255.255.255".into(), ..host };
    assert_eq!(fails(&broadcast).await.code(), "ssh.route");
}

#[tokio::test]
async fn what_listens_and_is_no_sshd() {
    let Some(sshd) = Sshd::start() else { return };
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let host = HostSpec { port, connect_timeout: Duration::from_millis(300), ..sshd.host("node") };
    assert_eq!(fails(&host).await.code(), "host.timeout");
    std::thread::spawn(move || {
        for stream in silent.incoming().flatten() {
            drop(stream);
        }
    });
    let error = fails(&HostSpec { connect_timeout: Duration::from_secs(5), ..host }).await;
    assert_eq!(error.code(), "ssh.handshake");
    assert!(!error.causes().is_empty());
}

#[tokio::test]
async fn nothing_in_common() {
    let Some(sshd) = Sshd::with("Ciphers aes128-cbc\n") else { return };
    let error = fails(&sshd.host("node")).await;
    assert_eq!(error.code(), "ssh.handshake");
    assert!(error.causes().concat().contains("aes128-cbc"), "{:?}", error.causes());
}

#[tokio::test]
async fn a_user_without_a_shell() {
    let Some(sshd) = Sshd::with("ForceCommand echo this account is closed >&2; exit 1\n") else { return };
    let error = fails(&sshd.host("node")).await;
    assert_eq!(error.code(), "ssh.exec");
    assert_eq!(error.causes(), ["this account is closed"]);
}

#[tokio::test]
async fn a_host_that_goes_away_fails_everything_at_once() {
    let Some(mut sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let pids = sshd.path("pids");
    let command = Command::script("echo -$$ >> \"$1\"; sleep 4713").arg(pids.display().to_string());
    let stream = host.stream(&command).await.unwrap();
    let exec = host.exec(&command);
    let crash = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        sshd.kill_all();
        Instant::now()
    };
    let (exec, exit, crashed) = tokio::join!(exec, stream.exit, crash);
    assert!(crashed.elapsed() < Duration::from_secs(2));
    assert_eq!(exec.unwrap_err().code(), "ssh.lost");
    assert_eq!(exit.unwrap_err().code(), "ssh.lost");
    let later = host.exec(&Command::new("true")).await.unwrap_err();
    assert_eq!((later.code(), later.kind(), later.host()), ("ssh.lost", Kind::Unreachable, Some("node")));
    assert_eq!(host.stream(&Command::new("true")).await.err().unwrap().code(), "ssh.lost");
    host.close().await;
    for group in std::fs::read_to_string(pids).unwrap().lines() {
        crate::sshd::run("kill", &["-KILL", "--", group]);
    }
}

#[tokio::test]
async fn a_host_can_be_connected_again() {
    let Some(sshd) = Sshd::start() else { return };
    let spec = sshd.host("node");
    let connector = Operator::default().connector(std::slice::from_ref(&spec));
    for _ in 0..3 {
        let host = connector.connect(&spec).await.unwrap();
        assert_eq!(sh(&*host, "exit 255").await.exit, Exit::Status(255));
        host.close().await;
        assert_eq!(host.exec(&Command::new("true")).await.unwrap_err().code(), "ssh.lost");
    }
    let (one, two) = (connector.connect(&spec).await.unwrap(), connector.connect(&spec).await.unwrap());
    let port = "echo $SSH_CONNECTION";
    assert_eq!(sh(&*one, port).await.text(), sh(&*two, port).await.text());
}

#[tokio::test]
async fn a_host_that_falls_silent_is_given_up_within_half_a_minute() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    sshd.freeze();
    let started = Instant::now();
    let error = host.exec(&Command::new("true")).await.unwrap_err();
    let waited = started.elapsed().as_secs_f64();
    assert_eq!(error.code(), "ssh.lost");
    assert!(error.message().contains("stopped answering"), "{error}");
    assert!((19.0..31.0).contains(&waited), "{waited} s");
}
