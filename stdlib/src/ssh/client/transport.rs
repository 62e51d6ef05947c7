//! The four verbs of the wire, over one SSH connection.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::transport::{Command, Cut, Duplex, OUTPUT, Output, Privilege, Stream, Transport, read_all};
use tokio::io::AsyncWriteExt;

use super::dial::too_much;
use super::link::Link;
use super::pool::Pool;
use super::process::Process;
use super::rights::{Escalation, Rights};
use super::starter::Starter;
use super::tunnel::tunnel;

/// Longer input goes over a channel of its own: a `sh` that is bash reads its commands byte by byte.
const SHORT_INPUT: usize = 16 * 1024;

/// A host, reached over SSH.
pub(super) struct SshTransport {
    link: Arc<Link>,
    escalation: Arc<Escalation>,
    login: Side,
    /// Root through sudo, where the inventory grants it.
    root: Option<Side>,
    folder: PathBuf,
}

/// What runs with the same rights.
struct Side {
    starter: Arc<Starter>,
    shells: Pool,
}

impl SshTransport {
    /// Takes its place on a connection and proves that it can work there: the first shell is started now.
    pub(super) async fn open(link: Arc<Link>, escalation: Escalation, folder: PathBuf) -> Result<Self> {
        let escalation = Arc::new(escalation);
        let side = |rights, most| {
            let starter = Starter::new(link.clone(), escalation.clone(), rights);
            Side { shells: Pool::new(starter.clone(), most), starter }
        };
        let (login, root) = match escalation.rights(Privilege::Host) {
            Rights::Login => (side(Rights::Login, 3), None),
            Rights::Root => (side(Rights::Login, 1), Some(side(Rights::Root, 2))),
        };
        link.enter();
        let side = root.as_ref().unwrap_or(&login);
        if let Err(error) = side.shells.shell().await {
            link.release().await;
            return Err(error);
        }
        side.starter.prepare();
        Ok(SshTransport { link, escalation, login, root, folder })
    }

    fn side(&self, privilege: Privilege) -> &Side {
        match self.escalation.rights(privilege) {
            Rights::Login => &self.login,
            Rights::Root => self.root.as_ref().unwrap_or(&self.login),
        }
    }

    async fn start(&self, command: &Command, script: String) -> Result<Stream> {
        let starter = self.side(command.privilege).starter.clone();
        Process { starter, folder: self.folder.clone(), script, command: command.clone() }.start().await
    }

    /// An op's command on a channel of its own, because of its long input.
    async fn alone(&self, command: &Command) -> Result<Output> {
        let input = command.stdin.as_ref().map(|input| input.expose()).unwrap_or_default();
        let script = format!("LC_ALL=C; export LC_ALL\n{}", whole(input.len(), &command.to_sh()));
        let Stream { mut stdin, stdout, stderr, exit } = self.start(command, script).await?;
        let feed = async {
            // A command need not read what it is given.
            if stdin.write_all(input.as_bytes()).await.is_ok() && stdin.write_all(WHOLE.as_bytes()).await.is_ok() {
                let _ended = stdin.shutdown().await;
            }
            Ok(())
        };
        // Output without an end ends the command; of a broken one, the exit tells more.
        let read = async {
            match tokio::try_join!(read_all(stdout, OUTPUT), read_all(stderr, OUTPUT)) {
                Err(Cut::TooMuch(_)) => Err(too_much(command)),
                Err(Cut::Broken(error)) => Ok(Err(error)),
                Ok(read) => Ok(Ok(read)),
            }
        };
        let ((), read, exit) = tokio::try_join!(feed, read, exit)?;
        let (stdout, stderr) = read.map_err(|error| {
            Error::new(Kind::Local, "ssh.exec", format!("the output of `{}` was lost", command.title()))
                .hint("free some space in the folder for temporary files")
                .because(error)
        })?;
        Ok(Output { exit, stdout, stderr })
    }
}

#[async_trait]
impl Transport for SshTransport {
    async fn exec(&self, command: &Command) -> Result<Output> {
        let is_short = command.stdin.as_ref().is_none_or(|input| input.expose().len() <= SHORT_INPUT);
        let shells = &self.side(command.privilege).shells;
        let result = if is_short { shells.exec(command).await } else { self.alone(command).await };
        result.map_err(|error| error.on(&self.link.host))
    }

    async fn stream(&self, command: &Command) -> Result<Stream> {
        let started = self.start(command, replacing(command)).await;
        let mut stream = started.map_err(|error| error.on(&self.link.host))?;
        if let Some(input) = command.stdin.clone() {
            let mut stdin = std::mem::replace(&mut stream.stdin, Box::new(tokio::io::sink()));
            self.link.runtime.spawn(async move {
                if stdin.write_all(input.expose().as_bytes()).await.is_ok() {
                    let _ended = stdin.shutdown().await;
                }
            });
        }
        Ok(stream)
    }

    async fn open_tcp(&self, address: &str, port: u16) -> Result<Box<dyn Duplex>> {
        match self.link.forward(address, port).await {
            Ok(line) => Ok(Box::new(tunnel(&self.link, line, &self.folder))),
            Err(None) => Err(self.link.lost()),
            Err(Some(said)) => Err(not_forwarded(address, port, &said).on(&self.link.host)),
        }
    }

    fn mark(&self) -> &str {
        &self.link.mark
    }

    fn host_key(&self) -> Option<String> {
        self.link.host_key()
    }

    async fn close(&self) {
        for side in std::iter::once(&self.login).chain(&self.root) {
            side.starter.stop();
        }
        self.link.leave().await;
    }
}

/// What follows a long input.
const WHOLE: &str = "whole\n";

/// The script with the first `length` bytes of its input. Where the connection breaks before all have arrived, its
/// process group is killed: the script would take the end of what came for the end of it all.
fn whole(length: usize, script: &str) -> String {
    format!(
        "{{ head -c {length} && {{ IFS= read -r whole; [ \"$whole\" = whole ] || kill -s KILL 0; }}; }} | (\n{script}\n)"
    )
}

/// A program takes the place of its shell, so that the signal that ends it is seen as what it is. A script, which begins
/// by setting its arguments, is the shell's own to run.
fn replacing(command: &Command) -> String {
    let text = command.to_sh();
    if text.starts_with("set --") { text } else { format!("exec {text}") }
}

fn not_forwarded(address: &str, port: u16, said: &str) -> Error {
    let (message, hint) = if said.contains("administratively prohibited") {
        (format!("sshd does not forward to {address}:{port}"), "set `AllowTcpForwarding yes` in its sshd_config")
    } else {
        (format!("the host cannot connect to {address}:{port}"), "check that something listens there")
    };
    let error = Error::new(Kind::Failed, "ssh.forward", message).hint(hint);
    if said.is_empty() { error } else { error.because(said.to_owned()) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command as Program, Stdio};

    use super::*;

    fn said(script: &str, input: &str) -> String {
        let mut shell = Program::new("sh");
        shell.args(["-c", script]).process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        shell.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        String::from_utf8(shell.wait_with_output().unwrap().stdout).unwrap()
    }

    #[test]
    fn a_part_of_an_input_is_not_taken_for_all_of_it() {
        let script = whole(9, "cat; echo; echo end");
        assert_eq!(said(&script, &format!("123456789{WHOLE}")), "123456789\nend\n");
        for part in ["12345", "123456789", "123456789who"] {
            assert!(!said(&script, part).contains("end"), "{part}");
        }
    }
}
