//! The SSH client against a real OpenSSH: sshd on a free loopback port, ssh-agent, ssh-keygen.
//!
//! sudo is proven on lab hosts, where it is the real one.

// A skipped test has to be heard.
#![allow(clippy::print_stderr, missing_docs)]
#![allow(clippy::unwrap_used)]

mod authentication;
mod exec;
mod host_key;
mod jump;
mod login_shell;
mod process;
mod reach;
mod sshd;
mod volume;
