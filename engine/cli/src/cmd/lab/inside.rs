//! Commands inside the lab: on the operator's side of its network, and on its hosts.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::signature::nearest;
use haengine_lab::{HostStatus, Lab};

use crate::cmd::lab::{life, refused};

/// Becomes the command: its output, its signals and its exit code are its own.
pub fn exec(lab: &Lab, host: Option<&str>, command: &[OsString]) -> Result<()> {
    let started = match host {
        Some(host) => lab.exec_command(host, command).map_err(refused)?,
        None => outside(lab, command)?,
    };
    Err(become_it(started))
}

/// Becomes an ssh client with the lab's key.
pub fn ssh(lab: &Lab, host: &str, command: &[OsString]) -> Result<()> {
    let (user, name) = host.split_once('@').unwrap_or(("root", host));
    let host = find(lab, name)?;
    let mut ssh = lab.command("ssh");
    let mut known_hosts = OsString::from("UserKnownHostsFile=");
    known_hosts.push(lab.known_hosts());
    ssh.arg("-F").arg("none").arg("-i").arg(lab.identity()).arg("-o").arg(known_hosts);
    ssh.args(["-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes", "-p", &host.port.to_string()]);
    ssh.args(["-l", user, &host.address.to_string()]).args(command);
    Err(become_it(ssh))
}

/// A command of this machine in the lab's network. `haengine` there is the haengine that is asked.
fn outside(lab: &Lab, command: &[OsString]) -> Result<Command> {
    present(lab)?;
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| Error::new(Kind::Usage, "lab.command", "no command is given").hint("write it after `--`"))?;
    let ours = std::env::current_exe().ok().filter(|_| program == "haengine");
    let mut inside = lab.command(ours.map_or_else(|| program.clone(), Into::into));
    inside.args(arguments);
    Ok(inside)
}

fn find(lab: &Lab, name: &str) -> Result<HostStatus> {
    let hosts = present(lab)?;
    let unknown = || {
        let error = Error::new(Kind::Usage, "lab.host", format!("the lab has no host `{name}`"));
        match nearest(name, hosts.iter().map(|host| host.name.as_str())) {
            Some(near) => error.hint(format!("write `{near}`, or see `haengine lab status`")),
            None => error.hint("see `haengine lab status`"),
        }
    };
    hosts.iter().find(|host| host.name == name).cloned().ok_or_else(unknown)
}

fn present(lab: &Lab) -> Result<Vec<HostStatus>> {
    life::wait(lab.status())?.map(|status| status.hosts).ok_or_else(|| {
        Error::new(Kind::Refused, "lab.absent", format!("there is no lab `{}`", lab.name()))
            .hint("bring it up with `haengine lab up -i FILE`")
    })
}

/// Only returns when it could not be started.
fn become_it(mut command: Command) -> Error {
    let error = command.exec();
    let program = command.get_program().display().to_string();
    Error::new(Kind::Local, "lab.command", format!("cannot start `{program}`")).because(error)
}
