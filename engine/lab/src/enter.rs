//! The operator's side: programs inside the lab's network.

use std::{ffi::OsStr, fs, fs::File, path::Path, process::Command};

use nix::sched::{CloneFlags, setns};

use crate::{Error, Lab, Result, error::At};

impl Lab {
    /// The file that holds the namespace of the lab's network, as `nsenter --net=FILE` takes it.
    pub fn namespace(&self) -> &Path {
        &self.inner.bridge
    }

    /// A command that runs `program` inside the lab's network. All else of it is of this machine.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut handle = std::ffi::OsString::from("--net=");
        handle.push(self.namespace());
        let mut command = Command::new("nsenter");
        command.arg(handle).arg("--").arg(program);
        command
    }

    /// OpenSSH's client on its way to `user` on `host`, with the lab's own key and known hosts.
    ///
    /// # Errors
    /// `lab.absent`, `lab.host` when there is no such lab or host.
    pub fn ssh(&self, user: &str, host: &str) -> Result<Command> {
        let spec = self.inner.find(host)?.spec;
        let mut command = self.command("ssh");
        command
            .args(["-F", "none", "-o", "IdentitiesOnly=yes", "-p", &spec.port.to_string(), "-i"])
            .arg(self.identity())
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", self.known_hosts().display()))
            .arg(format!("{user}@{}", spec.address));
        Ok(command)
    }

    /// Moves this process into the lab's network, for good.
    ///
    /// # Errors
    /// `lab.absent` when the lab is not up, `lab.threads` when the process has threads already: they would
    /// stay outside.
    pub fn enter(&self) -> Result<()> {
        self.inner.load()?;
        let tasks = Path::new("/proc/self/task");
        if fs::read_dir(tasks).at("read", tasks)?.count() > 1 {
            return Err(Error::new("lab.threads", "a process with several threads cannot enter the lab")
                .hint("enter it before any thread is started"));
        }
        let file = File::open(self.namespace()).at("open", self.namespace())?;
        setns(file, CloneFlags::CLONE_NEWNET).at("enter", self.namespace())
    }
}
