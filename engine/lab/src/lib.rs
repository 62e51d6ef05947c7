//! Throw-away real hosts on this machine.
//!
//! A [`Lab`] is a handful of Debian hosts with systemd and sshd, with the names and addresses of somebody's
//! inventory. Each host is a network namespace and a `systemd-nspawn --boot` on an overlay of one base image,
//! so a host costs no disk and about a second. All of them hang on a bridge in a namespace of the lab's own:
//! nothing leaves the machine, and two labs may use the same addresses side by side. The operator's side runs
//! inside that namespace too (see [`Lab::command`] and [`Lab::enter`]).
//!
//! | file | what |
//! |---|---|
//! | spec, record | what a lab shall be; what is on disk of it |
//! | prepare, image | this machine's packages; the base image, built once for each recipe |
//! | lab, up, down, reap | the handle and the life of a lab |
//! | host, boot, network, cgroup, mounts, limits | one host: its layers, its processes, its cable, what it shares |
//! | power, snapshot, export, exec, enter, status | what can be done with a lab that is up |
//! | program, lock, progress, error | running a program; one change at a time; what is being done; what went wrong |
//!
//! All that lives of a lab can be found again from its name and its folder alone: mounts lie below the folder,
//! processes in control groups whose names are derived from it. So a lab whose creator was killed is taken
//! down like any other.

mod boot;
mod builder;
mod cgroup;
mod down;
mod enter;
mod error;
mod exec;
mod export;
mod host;
mod image;
pub mod kubernetes;
mod lab;
mod limits;
mod lock;
mod mounts;
mod network;
mod power;
mod prepare;
mod program;
mod progress;
mod reap;
mod record;
mod snapshot;
mod spec;
mod status;
mod up;

pub use error::{Error, Result};
pub use lab::Lab;
pub use progress::{Progress, quiet};
pub use reap::reap;
pub use spec::{HostSpec, LabSpec};
pub use status::{HostStatus, Status};
