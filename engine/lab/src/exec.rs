//! Running something on a host without ssh: for tests that must not depend on what they test.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, ExitStatus, Output, Stdio},
};

use crate::{Error, Lab, Result, cgroup, error::At, program::command};

impl Lab {
    /// Runs `argv` as root on `host` and returns its status and output.
    ///
    /// A future that is dropped ends the command.
    ///
    /// # Errors
    /// `lab.absent`, `lab.host`, `lab.off` when there is no such lab, host, or it has no power.
    /// A command that ends with another status than 0 is no error.
    pub async fn exec<A: AsRef<OsStr>>(&self, host: &str, argv: &[A]) -> Result<Output> {
        let mut command = tokio::process::Command::from(self.exec_command(host, argv)?);
        command.stdin(Stdio::null()).kill_on_drop(true);
        command.output().await.at("run", Path::new("nsenter"))
    }

    /// Like [`Lab::exec`], on this process's own standard streams.
    ///
    /// # Errors
    /// As [`Lab::exec`].
    pub async fn exec_inherited<A: AsRef<OsStr>>(&self, host: &str, argv: &[A]) -> Result<ExitStatus> {
        let mut command = tokio::process::Command::from(self.exec_command(host, argv)?);
        command.kill_on_drop(true).status().await.at("run", Path::new("nsenter"))
    }

    /// The command behind [`Lab::exec`], for a caller with its own idea of streams.
    ///
    /// # Errors
    /// As [`Lab::exec`].
    pub fn exec_command<A: AsRef<OsStr>>(&self, host: &str, argv: &[A]) -> Result<Command> {
        let found = self.inner.find(host)?;
        let leader = cgroup::leader(&found.machine)?.ok_or_else(|| {
            Error::new("lab.off", format!("host `{host}` has no power")).hint("run `haengine lab up`")
        })?;
        Ok(inside_host(leader, argv))
    }
}

/// Stays outside the host's process namespace and waits for the command inside it. nsenter could do that
/// itself, but it stops when its child is stopped, as every process is while a host shuts down, and nobody
/// would ever continue it: the host could then neither end nor reboot.
const WAIT: &str = r#"
    setpriv --bounding-set=-sys_time --pdeathsig=KILL env -i HOME=/root USER=root LANG=C.UTF-8 \
        TERM="${TERM:-dumb}" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
    exit $?"#;

/// A command in all namespaces of the host whose first process is `leader`.
///
/// It gives up the capability to set the clock, which a process that comes from outside still has and which
/// would set this machine's; and it ends with the one who asked for it.
pub(crate) fn inside_host<A: AsRef<OsStr>>(leader: i32, argv: &[A]) -> Command {
    let mut command = command("nsenter");
    command.args(["--target", &leader.to_string(), "--all", "--no-fork", "/bin/sh", "-c", WAIT, "exec"]).args(argv);
    command
}
