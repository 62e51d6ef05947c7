//! The wire: how a host is asked to do something. Four verbs, nothing about SSH.

mod bounds;
mod command;
mod lacking;
mod open_tcp;
mod output;
mod stream;

pub use bounds::{Cut, OUTPUT, read_all, too_much};
pub use command::{Command, Privilege, quote};
pub use lacking::lacking;
pub use open_tcp::Duplex;
pub use output::{Exit, Output};
pub use stream::Stream;

use async_trait::async_trait;

use crate::error::Result;

/// A live way to one host. One instance serves a whole run; every method may be called many times at once.
///
/// Dropping a future or a [`Stream`] ends what it started on the host; [`close`](Transport::close)
/// waits until that is done.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Runs a short command of an op and returns all of its output. One round trip.
    ///
    /// # Errors
    /// When the host could not be asked, or `command.deadline` passed. A command that ran and failed is an
    /// [`Output`] with its exit status, never an error.
    async fn exec(&self, command: &Command) -> Result<Output>;

    /// Starts a command in a process group of its own, with its input and output as streams.
    ///
    /// # Errors
    /// When the host could not be asked.
    async fn stream(&self, command: &Command) -> Result<Stream>;

    /// Opens a TCP connection from the host to `address:port`.
    ///
    /// # Errors
    /// When the host could not be asked, or refuses to forward, or the far side refuses.
    async fn open_tcp(&self, address: &str, port: u16) -> Result<Box<dyn Duplex>>;

    /// A word that the arguments of each of its shells on the host have, by which they are found there once nobody waits
    /// for them any more. Empty where there are none.
    fn mark(&self) -> &str {
        ""
    }

    /// The fingerprint of the key by which the host was recognised when we connected; none where there is no such key.
    fn host_key(&self) -> Option<String> {
        None
    }

    /// Ends what still runs on the host for us and closes the connection. Bounded in time.
    async fn close(&self);
}

/// Makes the connection to a host when it is first needed.
#[async_trait]
pub trait Connect: Send + Sync {
    /// Connects to and authenticates at `host`; the hosts before it in `jumps` are already connected.
    ///
    /// # Errors
    /// Of kind `Unreachable`, with a code of its own for each way to fail: name, route, refused, handshake, host key,
    /// authentication, sudo.
    async fn connect(&self, host: &crate::inventory::HostSpec) -> Result<std::sync::Arc<dyn Transport>>;
}
