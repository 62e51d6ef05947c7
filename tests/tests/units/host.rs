//! One real host of a lab behind the kernel's transport, entered from this machine instead of over SSH: the way to the
//! host is not what is tested here.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use async_trait::async_trait;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::inventory::{Become, HostKeyPolicy, HostSpec};
use haengine_kernel::transport::{Command, Connect, Duplex, Exit, Output, Stream, Transport};
use haengine_lab::{Lab, LabSpec};
use tokio::io::AsyncWriteExt;

/// The one host.
pub const NAME: &str = "m1";

/// Boots the host; none where this machine cannot have one.
pub async fn boot(state: &std::path::Path, name: &str) -> Option<Lab> {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("\n*** SKIPPED {name}: a lab needs root ***\n");
        return None;
    }
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("haengine/lab");
    haengine_tests::interrupted::takes_down(&cache, state, name);
    let lab = Lab::open(&cache, state, name).unwrap().ephemeral();
    let host = haengine_lab::HostSpec::new(NAME, std::net::Ipv4Addr::new(192, 168, 2, 11));
    let spec = LabSpec { hosts: vec![host], authorized_key: None };
    lab.up(&spec, Arc::new(|line| eprintln!("lab: {line}"))).await.unwrap();
    Some(lab)
}

/// The inventory's entry of the host.
pub fn spec() -> HostSpec {
    HostSpec {
        name: NAME.to_owned(),
        address: "192.168.2.11".to_owned(),
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

/// The way into the host.
pub struct Door(pub Lab);

#[async_trait]
impl Connect for Door {
    async fn connect(&self, _host: &HostSpec) -> Result<Arc<dyn Transport>> {
        Ok(Arc::new(Inside(self.0.clone())))
    }
}

struct Inside(Lab);

impl Inside {
    fn start(&self, command: &Command) -> tokio::process::Child {
        let mut inside =
            tokio::process::Command::from(self.0.exec_command(NAME, &["sh", "-c", &command.to_sh()]).unwrap());
        inside.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap()
    }
}

fn exit(status: std::process::ExitStatus) -> Exit {
    status.code().map_or_else(|| Exit::Signal("unknown".to_owned()), Exit::Status)
}

#[async_trait]
impl Transport for Inside {
    async fn exec(&self, command: &Command) -> Result<Output> {
        let mut child = self.start(command);
        let (mut stdin, input) = (child.stdin.take().unwrap(), command.stdin.clone());
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
        let mut child = self.start(command);
        Ok(Stream {
            stdin: Box::new(child.stdin.take().unwrap()),
            stdout: Box::new(child.stdout.take().unwrap()),
            stderr: Box::new(child.stderr.take().unwrap()),
            exit: Box::pin(async move { Ok(exit(child.wait().await.unwrap())) }),
        })
    }

    async fn open_tcp(&self, _address: &str, _port: u16) -> Result<Box<dyn Duplex>> {
        Err(Error::new(Kind::Failed, "test.tcp", "not in this test"))
    }

    async fn close(&self) {}
}
