//! An authenticated connection: one for each host of a run, and for each bastion.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use haengine_kernel::error::{Error, Result};
use russh::Disconnect;
use russh::client::Handle;
use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::dial::{seconds, unreachable};
use super::handshake::{Fate, Warden};
use super::line::{Line, nonce};

/// sshd allows ten sessions (MaxSessions) and frees one only after its CLOSE has arrived: six commands, three shells,
/// and one place for ending processes.
const COMMANDS: usize = 6;

/// Handshakes at once through one bastion. They share its connection, so its MaxStartups counts one; this is for its
/// processor and for the route behind it.
const HANDSHAKES: usize = 8;

/// How long ending processes may hold up the end of a run.
const FAREWELL: Duration = Duration::from_secs(5);

/// A connection that is logged in.
pub(super) struct Link {
    /// The host's name in the inventory.
    pub(super) host: String,
    /// Begins the mark of each process that is started over it.
    pub(super) mark: String,
    /// Where our tasks live, also for what is dropped outside of it.
    pub(super) runtime: runtime::Handle,
    /// What has to end before the connection may.
    pub(super) tasks: TaskTracker,
    /// Cancelled when everything on the host shall end.
    pub(super) ending: CancellationToken,
    /// A place for each handshake that goes through here.
    pub(super) handshakes: Semaphore,
    handle: Handle<Warden>,
    fate: Arc<Fate>,
    via: Option<Arc<Link>>,
    commands: Arc<Semaphore>,
    users: AtomicUsize,
}

impl Link {
    pub(super) fn new(host: &str, handle: Handle<Warden>, fate: Arc<Fate>, via: Option<Arc<Link>>) -> Arc<Self> {
        if let Some(via) = &via {
            via.enter();
        }
        Arc::new(Link {
            host: host.to_owned(),
            mark: format!("haengine-{}", nonce()),
            runtime: runtime::Handle::current(),
            tasks: TaskTracker::new(),
            ending: CancellationToken::new(),
            handshakes: Semaphore::new(HANDSHAKES),
            handle,
            fate,
            via,
            commands: Arc::new(Semaphore::new(COMMANDS)),
            users: AtomicUsize::new(0),
        })
    }

    /// The fingerprint of the key by which the host was recognised.
    pub(super) fn host_key(&self) -> Option<String> {
        self.fate.host_key()
    }

    /// True while the connection is up.
    pub(super) fn is_up(&self) -> bool {
        !self.fate.gone.is_cancelled() && !self.handle.is_closed()
    }

    /// The error for what was under way when the connection went.
    pub(super) fn lost(&self) -> Error {
        unreachable("ssh.lost", format!("the connection was lost: {}", self.fate.reason()))
            .hint("check the host and the network, then run the recipe again: it continues where it stopped")
            .on(&self.host)
    }

    /// A place for a command, free of those that others have.
    pub(super) async fn place(&self) -> Result<OwnedSemaphorePermit> {
        self.commands.clone().acquire_owned().await.map_err(|_| self.lost())
    }

    /// A place for a command that nobody waits for yet; the last one is not given away for that.
    pub(super) fn idle_place(&self) -> Option<OwnedSemaphorePermit> {
        if self.commands.available_permits() < 2 {
            return None;
        }
        self.commands.clone().try_acquire_owned().ok()
    }

    /// A new session channel, or `None` where sshd has no place for another. Opening goes on in a task of its own when
    /// the caller gives up, so that the channel is closed again instead of being forgotten.
    pub(super) async fn line(self: &Arc<Self>) -> Result<Option<Line>> {
        let link = self.clone();
        let opening = self.runtime.spawn(async move {
            match link.handle.channel_open_session().await {
                Ok(channel) => Ok(Some(Line::new(channel, link.runtime.clone()))),
                Err(russh::Error::ChannelOpenFailure(_)) => Ok(None),
                Err(_) => Err(link.lost()),
            }
        });
        opening.await.map_err(|error| self.lost().because(error))?
    }

    /// A connection from this host to `address:port`, or what the host said instead.
    pub(super) async fn forward(self: &Arc<Self>, address: &str, port: u16) -> Result<Line, Option<String>> {
        let (link, address) = (self.clone(), address.to_owned());
        let opening = self.runtime.spawn(async move {
            match link.handle.channel_open_direct_tcpip(address, port.into(), "127.0.0.1", 0).await {
                Ok(channel) => Ok(Line::new(channel, link.runtime.clone())),
                Err(russh::Error::ChannelOpenFailure(_)) => {
                    // The explanation is handed over after the refusal: a round trip later it is there.
                    link.settle().await;
                    Err(Some(link.fate.refusal()))
                }
                Err(_) => Err(None),
            }
        });
        opening.await.unwrap_or(Err(None))
    }

    /// One round trip, after which everything that the host had sent before it has arrived.
    pub(super) async fn settle(&self) {
        if self.handle.send_ping().await.is_err() {
            tracing::debug!(host = self.host, "no answer to a ping");
        }
    }

    /// Says that somebody uses this connection; [`leave`](Link::leave) takes it back.
    pub(super) fn enter(&self) {
        self.users.fetch_add(1, Ordering::SeqCst);
    }

    /// Ends what was started here and, after its last user, the connection and its way through the bastion.
    pub(super) async fn leave(&self) {
        self.ending.cancel();
        self.tasks.close();
        if timeout(FAREWELL, self.tasks.wait()).await.is_err() {
            tracing::warn!(host = self.host, "processes on the host did not end within {}", seconds(FAREWELL));
        }
        self.release().await;
    }

    /// Takes one [`enter`](Link::enter) back without ending anything else.
    pub(super) async fn release(&self) {
        let mut link = self;
        while link.users.fetch_sub(1, Ordering::SeqCst) == 1 {
            let goodbye = link.handle.disconnect(Disconnect::ByApplication, "", "en");
            if timeout(Duration::from_secs(1), goodbye).await.is_ok() {
                let _late = timeout(Duration::from_secs(1), link.fate.gone.cancelled()).await;
            }
            let Some(via) = &link.via else { return };
            link = via;
        }
    }
}
