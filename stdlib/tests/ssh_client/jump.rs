//! Hosts behind a bastion, and connections that start at a host.

use haengine_kernel::error::Kind;
use haengine_kernel::inventory::HostSpec;
use haengine_kernel::transport::{Command, Connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::sshd::{Operator, Sshd, free_port, sh};

fn behind(bastion: &str, host: HostSpec) -> HostSpec {
    HostSpec { jump: Some(bastion.to_owned()), ..host }
}

/// How sshd says that a connection is over; what it learns first decides.
const ENDS: [&str; 4] = ["Disconnected from user", "Connection closed by", "Connection reset", "Broken pipe"];

#[tokio::test]
async fn many_hosts_share_one_connection_to_their_bastion() {
    let (Some(bastion), Some(inner)) = (Sshd::start(), Sshd::start()) else { return };
    let mut hosts = vec![bastion.host("bastion")];
    hosts.extend((0..20).map(|number| behind("bastion", inner.host(&format!("node{number}")))));
    let connector = Operator::default().connector(&hosts);
    let nodes = futures::future::join_all(hosts.iter().map(|host| connector.connect(host))).await;
    for node in &nodes {
        assert_eq!(sh(&**node.as_ref().unwrap(), "echo here").await.text(), "here\n");
    }
    assert_eq!(bastion.log().matches("Accepted publickey").count(), 1);
    assert_eq!(inner.log().matches("Accepted publickey").count(), 20);
    // The bastion is a host of its own too: that it is done with does not cut off the others.
    nodes[0].as_ref().unwrap().close().await;
    assert_eq!(sh(&**nodes[20].as_ref().unwrap(), "echo still").await.text(), "still\n");
    for node in &nodes[1..] {
        node.as_ref().unwrap().close().await;
    }
    let is_over = || {
        let log = bastion.log();
        let since = log.rsplit("Accepted publickey").next().unwrap_or_default();
        ENDS.iter().any(|end| since.contains(end))
    };
    let started = std::time::Instant::now();
    while !is_over() {
        assert!(started.elapsed().as_secs() < 5, "{}", bastion.log());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_chain_of_bastions_and_the_key_of_each_is_checked() {
    let (Some(first), Some(second), Some(last)) = (Sshd::start(), Sshd::start(), Sshd::start()) else { return };
    let hosts = [first.host("first"), behind("first", second.host("second")), behind("second", last.host("last"))];
    let node = Operator::default().connector(&hosts).connect(&hosts[2]).await.unwrap();
    let connection = sh(&*node, "echo $SSH_CONNECTION").await.text();
    assert!(connection.trim().ends_with(&last.port.to_string()));
    node.close().await;
    second.know(&[]);
    let Err(error) = Operator::default().connector(&hosts).connect(&hosts[2]).await else { panic!("connected") };
    assert_eq!((error.code(), error.host()), ("ssh.host_key_unknown", Some("second")));
    assert!(error.advice().unwrap().contains(&second.public_key("ed25519")));
}

#[tokio::test]
async fn what_a_bastion_cannot_reach() {
    let Some(bastion) = Sshd::start() else { return };
    let gate = bastion.host("bastion");
    let operator = Operator::default();
    let fail = async |host: HostSpec| {
        let connector = operator.connector(&[gate.clone(), host.clone()]);
        let Err(error) = connector.connect(&host).await else { panic!("connected") };
        assert_eq!((error.kind(), error.host()), (Kind::Unreachable, Some("node")));
        error.code()
    };
    let node = behind("bastion", bastion.host("node"));
    assert_eq!(fail(HostSpec { port: free_port(), ..node.clone() }).await, "ssh.refused");
    assert_eq!(fail(HostSpec { address: "no-such-host.invalid".into(), ..node.clone() }).await, "ssh.name");
    assert_eq!(fail(HostSpec { address: "255.255.255.255".into(), ..node.clone() }).await, "ssh.route");
    let circle = [behind("node", bastion.host("bastion")), node.clone()];
    let Err(error) = operator.connector(&circle).connect(&node).await else { panic!("connected") };
    assert_eq!(error.kind(), Kind::Usage, "{error}");
    let Some(closed) = Sshd::with("AllowTcpForwarding no\n") else { return };
    let gate = closed.host("bastion");
    let Err(error) = operator.connector(&[gate, node.clone()]).connect(&node).await else { panic!("connected") };
    assert!(error.advice().unwrap().contains("AllowTcpForwarding"), "{error} {:?}", error.causes());
}

#[tokio::test]
async fn a_connection_that_starts_at_the_host() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let echo = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut text = Vec::new();
        socket.read_to_end(&mut text).await.unwrap();
        socket.write_all(&text).await.unwrap();
    });
    let mut socket = host.open_tcp("127.0.0.1", port).await.unwrap();
    let sent: Vec<u8> = (0..5_000_000u32).map(|number| number as u8).collect();
    socket.write_all(&sent).await.unwrap();
    socket.shutdown().await.unwrap();
    let mut received = Vec::new();
    socket.read_to_end(&mut received).await.unwrap();
    assert!(received == sent);
    echo.await.unwrap();
    let refused = host.open_tcp("127.0.0.1", free_port()).await.err().unwrap();
    assert_eq!((refused.code(), refused.causes().concat().contains("refused")), ("ssh.forward", true));
    assert_eq!(host.exec(&Command::new("true")).await.unwrap().stdout, b"");
}
