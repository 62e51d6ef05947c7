//! The socket: everything that can go wrong before SSH speaks, each with its own name.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::inventory::HostSpec;
use haengine_kernel::transport::{Command, OUTPUT};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A host that cannot be used, with the way in which it failed.
pub(super) fn unreachable(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(Kind::Unreachable, code, message)
}

/// Connects to the host's sshd from this machine.
pub(super) async fn dial(host: &HostSpec) -> Result<TcpStream> {
    let mut failure = None;
    for address in resolve(host).await? {
        match connect(address, host.connect_timeout).await {
            Ok(socket) => {
                if let Err(error) = socket.set_nodelay(true) {
                    tracing::debug!(%error, "no nodelay");
                }
                return Ok(socket);
            }
            // The last one would often be an IPv6 address without a route; the first says more.
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or_else(|| unknown_name(host)))
}

async fn resolve(host: &HostSpec) -> Result<Vec<SocketAddr>> {
    let lookup = tokio::net::lookup_host((host.address.as_str(), host.port));
    match timeout(host.connect_timeout, lookup).await {
        Ok(Ok(addresses)) => Ok(addresses.collect()),
        Ok(Err(error)) => Err(unknown_name(host).because(error)),
        Err(_) => Err(unreachable(
            "host.timeout",
            format!("the name `{}` was not resolved within {}", host.address, seconds(host.connect_timeout)),
        )
        .hint("check the name servers of this machine, or write an address in the inventory")),
    }
}

fn unknown_name(host: &HostSpec) -> Error {
    unreachable("ssh.name", format!("the name `{}` does not resolve", host.address))
        .hint("correct `address` in the inventory, or add the name to DNS or /etc/hosts")
}

async fn connect(address: SocketAddr, limit: Duration) -> Result<TcpStream> {
    match timeout(limit, TcpStream::connect(address)).await {
        Ok(Ok(socket)) => Ok(socket),
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Err(refused(&address.to_string())),
        Ok(Err(error)) if error.kind() == ErrorKind::TimedOut => Err(silent(&address.to_string(), limit)),
        Ok(Err(error)) => Err(no_route(&address.to_string()).because(error)),
        Err(_) => Err(silent(&address.to_string(), limit)),
    }
}

fn refused(address: &str) -> Error {
    unreachable("ssh.refused", format!("{address} refused the connection"))
        .hint("start sshd on the host, or correct `port` in the inventory")
}

fn silent(address: &str, limit: Duration) -> Error {
    unreachable("host.timeout", format!("{address} did not answer within {}", seconds(limit)))
        .hint("check that the host is up and that no firewall drops the port, or raise `connect_timeout`")
}

fn no_route(address: &str) -> Error {
    unreachable("ssh.route", format!("{address} cannot be reached"))
        .hint("check the route to the host (`ip route get`), or name a `jump` host in the inventory")
}

/// What a bastion said when it could not connect to the host behind it.
pub(super) fn behind(bastion: &str, host: &HostSpec, said: &str) -> Error {
    let address = format!("{}:{} (through `{bastion}`)", host.address, host.port);
    let lower = said.to_lowercase();
    let error = if lower.contains("refused") {
        refused(&address)
    } else if lower.contains("timed out") {
        silent(&address, host.connect_timeout)
    } else if lower.contains("unknown host") || lower.contains("name or service") || lower.contains("name resolution") {
        unreachable("ssh.name", format!("`{bastion}` cannot resolve the name `{}`", host.address))
            .hint("write an address in the inventory, or add the name on the jump host")
    } else if lower.contains("administratively prohibited") {
        unreachable("ssh.route", format!("`{bastion}` does not forward to {}:{}", host.address, host.port))
            .hint("set `AllowTcpForwarding yes` in the sshd_config of the jump host")
    } else {
        no_route(&address)
    };
    if said.is_empty() { error } else { error.because(said.to_owned()) }
}

/// Time as a person reads it.
pub(super) fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// The error for a command that printed more than is kept.
pub(super) fn too_much(command: &Command) -> Error {
    Error::new(
        Kind::Failed,
        "ssh.exec",
        format!(
            "`{}` printed more than {} MiB and was ended",
            command.title(),
            command.unread.unwrap_or(OUTPUT as u64) >> 20
        ),
    )
    .hint("let it write to a file on the host, and fetch that")
}

/// The error for a command that was ended because of its deadline.
pub(super) fn timed_out(command: &Command) -> Error {
    let limit = seconds(command.deadline.unwrap_or_default());
    Error::new(Kind::Failed, "host.timeout", format!("`{}` did not end within {limit} and was ended", command.title()))
        .hint("look at the host for what it waits for, or allow it more time")
}
