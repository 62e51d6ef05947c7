//! This machine's own `sh` behind the kernel's transport: for the first look at a verb, in a temporary folder. The
//! proof of a verb is the laws on a lab host.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Stdio;
use std::sync::Arc;

use async_trait::async_trait;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::event::Events;
use haengine_kernel::host::{Host, Hosts};
use haengine_kernel::inventory::{Become, HostKeyPolicy, HostSpec, Inventory};
use haengine_kernel::transport::{Command, Connect, Duplex, Exit, Output, Stream, Transport};
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

/// This machine, as both hosts are it.
pub struct Local;

fn start(command: &Command) -> Result<tokio::process::Child> {
    tokio::process::Command::new("sh")
        .arg("-c")
        .arg(command.to_sh())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Error::new(Kind::Local, "local.sh", "cannot start sh").because(error))
}

fn exit(status: std::process::ExitStatus) -> Exit {
    status.code().map_or_else(|| Exit::Signal("unknown".to_owned()), Exit::Status)
}

#[async_trait]
impl Transport for Local {
    async fn exec(&self, command: &Command) -> Result<Output> {
        let mut child = start(command)?;
        let mut stdin = child.stdin.take().unwrap();
        let input = command.stdin.clone();
        let feed = tokio::spawn(async move {
            if let Some(text) = input {
                let _ = stdin.write_all(text.expose().as_bytes()).await;
            }
        });
        let output = child.wait_with_output().await.unwrap();
        feed.await.unwrap();
        Ok(Output { exit: exit(output.status), stdout: output.stdout, stderr: output.stderr })
    }

    async fn stream(&self, command: &Command) -> Result<Stream> {
        let mut child = start(command)?;
        Ok(Stream {
            stdin: Box::new(child.stdin.take().unwrap()),
            stdout: Box::new(child.stdout.take().unwrap()),
            stderr: Box::new(child.stderr.take().unwrap()),
            exit: Box::pin(async move { Ok(exit(child.wait().await.unwrap())) }),
        })
    }

    async fn open_tcp(&self, address: &str, port: u16) -> Result<Box<dyn Duplex>> {
        match tokio::net::TcpStream::connect((address, port)).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(Error::new(Kind::Failed, "ssh.forward", "the host cannot connect").because(error)),
        }
    }

    async fn close(&self) {}
}

#[async_trait]
impl Connect for Local {
    async fn connect(&self, _host: &HostSpec) -> Result<Arc<dyn Transport>> {
        Ok(Arc::new(Local))
    }
}

fn spec(name: &str) -> HostSpec {
    HostSpec {
        name: name.to_owned(),
        address: "127.0.0.1".to_owned(),
        port: 22,
        user: "root".to_owned(),
        identity_files: Vec::new(),
        passphrase: None,
        agent: false,
        known_hosts: "/dev/null".into(),
        host_key: HostKeyPolicy::Strict,
        escalation: Become::No,
        jump: None,
        node_name: None,
        connect_timeout: std::time::Duration::from_secs(5),
        vars: std::collections::BTreeMap::new(),
    }
}

/// The hosts `a` and `b`, both this machine.
#[allow(dead_code, reason = "not every file of tests needs both ways")]
pub fn hosts() -> (Arc<Hosts>, Arc<Host>) {
    let (events, _) = Events::channel();
    hosts_telling(events, CancellationToken::new())
}

/// The same with somebody who listens, and who may interrupt.
#[allow(dead_code, reason = "not every file of tests needs both ways")]
pub fn hosts_telling(events: Events, cancel: CancellationToken) -> (Arc<Hosts>, Arc<Host>) {
    hosts_through(Arc::new(Local), events, cancel)
}

/// The same, reached through another way.
pub fn hosts_through(
    connector: Arc<dyn Connect>,
    events: Events,
    cancel: CancellationToken,
) -> (Arc<Hosts>, Arc<Host>) {
    let inventory = Inventory { hosts: vec![spec("a"), spec("b")], ..Inventory::default() };
    let hosts = Hosts::new(Arc::new(inventory), connector, events, cancel);
    let host = hosts.get("a").unwrap();
    (hosts, host)
}
