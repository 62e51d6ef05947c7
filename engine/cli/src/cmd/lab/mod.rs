//! `haengine lab`: throw-away real hosts on this machine.

mod host_keys;
mod identity;
mod inside;
mod kubernetes;
mod life;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::event::{Event, Level, Stamped};
use haengine_lab::{Lab, Progress};

use crate::context::Context;
use crate::exit::Exit;
use crate::report::{Out, json};
use crate::state;

/// Make throw-away real hosts on this machine, from an inventory
///
/// Each host runs its own systemd and sshd, with the name and the address that the inventory gives it, in a network that
/// exists on this machine only. `lab up` authorises the inventory's `identity_file` (and makes it if it is missing) and
/// writes the hosts' keys to the inventory's `known_hosts`, so the same inventory works unchanged inside the lab's network:
/// `haengine lab exec -- haengine run …`. Needs root and a Debian-like machine.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine lab up -i lab.yaml
  haengine lab exec -- haengine run time_sync -i lab.yaml hosts=all
  haengine lab exec master1 -- systemctl status chrony
  haengine lab snapshot clean       then break things, then:
  haengine lab restore clean
  haengine lab down")]
pub struct LabArgs {
    /// Which lab, where there are several
    #[arg(long, value_name = "NAME", default_value = "lab", global = true)]
    name: String,

    #[command(subcommand)]
    command: LabCommand,
}

#[derive(Subcommand)]
enum LabCommand {
    /// Bring up the hosts of the inventory; those that are up stay as they are
    #[command(after_help = "Examples:
  haengine lab up -i lab.yaml
  haengine lab up -i lab.yaml --kubernetes")]
    Up {
        /// Show Kubernetes' programs on the hosts, at /usr/local/lib/kubernetes/bin
        #[arg(long)]
        kubernetes: bool,
    },
    /// Find or build Kubernetes' programs for the lab's hosts, and print their folder
    ///
    /// The folder is $KUBE_BIN_DIR; without it, they are built once from Debian's source package and cached.
    #[command(after_help = "Examples:
  haengine lab kubernetes
  KUBE_BIN_DIR=/srv/kubernetes/bin haengine lab kubernetes")]
    Kubernetes,
    /// End and remove everything of the lab
    Down,
    /// Show the lab's hosts and snapshots
    Status,
    /// Run a command on this machine inside the lab's network, or as root on one of its hosts
    #[command(after_help = "Examples:
  haengine lab exec -- haengine plan time_sync -i lab.yaml hosts=all    inside the lab's network
  haengine lab exec master1 -- journalctl -b                            on a host, without SSH")]
    Exec {
        /// The host on which it runs; without one, this machine inside the lab's network
        #[arg(value_name = "HOST")]
        host: Option<String>,
        /// The command and its arguments
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<std::ffi::OsString>,
    },
    /// Open a shell on a host through its sshd
    #[command(after_help = "Examples:\n  haengine lab ssh master1\n  haengine lab ssh ops@master1 -- id")]
    Ssh {
        /// The host, with a user before it who is not root
        #[arg(value_name = "[USER@]HOST")]
        host: String,
        /// A command instead of the shell
        #[arg(last = true, value_name = "COMMAND")]
        command: Vec<std::ffi::OsString>,
    },
    /// Freeze the disks of all hosts under a name; the hosts restart
    Snapshot {
        /// The snapshot's name
        #[arg(value_name = "SNAPSHOT")]
        snapshot: String,
    },
    /// Go back to a snapshot; what was written since is lost
    Restore {
        /// The snapshot's name
        #[arg(value_name = "SNAPSHOT")]
        snapshot: String,
    },
}

/// Makes, uses and removes labs.
pub fn lab(context: &Context, args: LabArgs) -> Exit {
    let lab = match open(context, &args.name) {
        Ok(lab) => lab,
        Err(error) => return context.refuse(&error),
    };
    let done = match args.command {
        LabCommand::Up { kubernetes } => life::up(context, &lab, kubernetes),
        LabCommand::Kubernetes => kubernetes::kubernetes(context),
        LabCommand::Down => life::down(context, &lab),
        LabCommand::Status => life::status(context, &lab),
        LabCommand::Exec { host, command } => inside::exec(&lab, host.as_deref(), &command),
        LabCommand::Ssh { host, command } => inside::ssh(&lab, &host, &command),
        LabCommand::Snapshot { snapshot } => life::snapshot(context, &lab, &snapshot),
        LabCommand::Restore { snapshot } => life::restore(context, &lab, &snapshot),
    };
    match done {
        Ok(()) => Exit::Done,
        Err(error) => context.refuse(&error),
    }
}

/// Labs live in the state folder; base images in the cache, where all labs share them.
fn open(context: &Context, name: &str) -> Result<Lab> {
    let state = state::folder(context.global.state_dir.as_deref(), &context.environment)?.join("labs");
    Lab::open(&cache(context)?, &state, name).map_err(refused)
}

/// Where what all labs are made from is kept.
fn cache(context: &Context) -> Result<PathBuf> {
    let cache = context.environment.cache_home.as_ref().ok_or_else(|| {
        Error::new(Kind::Local, "lab.cache", "no folder is known for the lab's base image")
            .hint("set HOME or XDG_CACHE_HOME")
    })?;
    Ok(cache.join("haengine/lab"))
}

/// Tells what the lab does, a line each.
fn progress(context: &Context) -> Progress {
    let json = context.global.json;
    Arc::new(move |line: &str| {
        if json {
            let event = Event::Log { level: Level::Info, host: None, message: line.to_owned() };
            Out::stdout().write(&json::line(&Stamped { event, time: jiff::Timestamp::now() }));
        } else {
            Out::stderr().write(&format!("lab: {line}\n"));
        }
    })
}

/// The lab's errors in the kernel's form.
fn refused(error: haengine_lab::Error) -> Error {
    let mut told = Error::new(Kind::Refused, error.code, error.message);
    if let Some(hint) = error.hint {
        told = told.hint(hint);
    }
    match error.source {
        Some(source) => told.because(source),
        None => told,
    }
}
