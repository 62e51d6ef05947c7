//! How an attempt to connect ended.

use std::time::Duration;

use haengine_kernel::error::{Error, Result};
use haengine_kernel::host::Host;
use haengine_kernel::transport::Duplex;

/// How it ended, but for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// Somebody is there, and nobody listens.
    Refused,
    /// Nobody answered in time.
    TimedOut,
    /// No way leads there, or nobody has the address.
    Unreachable,
}

impl Closed {
    pub(super) fn word(self) -> &'static str {
        match self {
            Closed::Refused => "refused",
            Closed::TimedOut => "timeout",
            Closed::Unreachable => "unreachable",
        }
    }

    /// What sshd says of a connection that it could not make is the system's own text.
    fn of(error: &Error) -> Option<Closed> {
        let said = error.causes().join("\n").to_lowercase();
        match () {
            () if said.contains("refused") => Some(Closed::Refused),
            () if said.contains("timed out") => Some(Closed::TimedOut),
            () if said.contains("no route") || said.contains("unreachable") => Some(Closed::Unreachable),
            () => None,
        }
    }
}

/// Connects from a host; the outer error is one of the way to the host, or of sshd's own refusal to forward.
pub(super) async fn connect(
    host: &Host,
    address: &str,
    port: u16,
    patience: Duration,
) -> Result<Result<Box<dyn Duplex>, Closed>> {
    match tokio::time::timeout(patience, host.open_tcp(address, port)).await {
        Err(_) => Ok(Err(Closed::TimedOut)),
        Ok(Ok(stream)) => Ok(Ok(stream)),
        Ok(Err(error)) if error.code() == "ssh.forward" => Closed::of(&error).map(Err).ok_or(error),
        Ok(Err(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use haengine_kernel::error::Kind;

    #[test]
    fn the_systems_words_are_understood() {
        let closed = |said: &str| Closed::of(&Error::new(Kind::Failed, "ssh.forward", "no").because(said.to_owned()));
        assert_eq!(closed("connect failed: Connection refused"), Some(Closed::Refused));
        assert_eq!(closed("Connection timed out"), Some(Closed::TimedOut));
        assert_eq!(closed("No route to host"), Some(Closed::Unreachable));
        assert_eq!(closed("Network is unreachable"), Some(Closed::Unreachable));
        assert_eq!(closed("administratively prohibited: open failed"), None);
    }
}
