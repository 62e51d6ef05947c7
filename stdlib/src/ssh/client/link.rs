//! An authenticated connection: one for each host of a run, and for each bastion.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use haengine_kernel::error::{Error, Kind, Result};
use russh::client::Handle;
use russh::{Channel, Disconnect};
use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::dial::{seconds, unreachable};
use super::handshake::{Fate, Warden};
use super::line::Line;

/// sshd allows ten sessions (MaxSessions) and frees one only after its CLOSE has arrived: six commands, three shells,
/// and one place for ending processes.
const COMMANDS: usize = 6;
const PATIENCE: Duration = Duration::from_secs(10);

/// Handshakes at once through one bastion. They share its connection, so its MaxStartups counts one; this is for its
/// processor and for the route behind it.
const HANDSHAKES: usize = 8;

/// How long ending processes may hold up the end of a run.
const FAREWELL: Duration = Duration::from_secs(5);

/// A connection that is logged in.
pub(super) struct Link {
    /// The host's name in the inventory.
    pub(super) host: String,
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
    spare: Mutex<Option<Line>>,
    users: AtomicUsize,
}

impl Link {
    pub(super) fn new(host: &str, handle: Handle<Warden>, fate: Arc<Fate>, via: Option<Arc<Link>>) -> Arc<Self> {
        if let Some(via) = &via {
            via.enter();
        }
        Arc::new(Link {
            host: host.to_owned(),
            runtime: runtime::Handle::current(),
            tasks: TaskTracker::new(),
            ending: CancellationToken::new(),
            handshakes: Semaphore::new(HANDSHAKES),
            handle,
            fate,
            via,
            commands: Arc::new(Semaphore::new(COMMANDS)),
            spare: Mutex::new(None),
            users: AtomicUsize::new(0),
        })
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

    /// A channel for a command; one that was opened beforehand if there is one.
    pub(super) async fn command_line(self: &Arc<Self>) -> Result<Line> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        let line = match spare {
            Some(line) => line,
            None => {
                let place = self.commands.clone().acquire_owned().await.map_err(|_| self.lost())?;
                self.line(Some(place)).await?
            }
        };
        self.prepare_spare();
        Ok(line)
    }

    /// Opens the channel of the next command while nobody waits for it.
    pub(super) fn prepare_spare(self: &Arc<Self>) {
        let is_there = self.spare.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if is_there || self.ending.is_cancelled() || self.commands.available_permits() < 2 {
            return;
        }
        let Ok(place) = self.commands.clone().try_acquire_owned() else { return };
        let link = self.clone();
        self.runtime.spawn(async move {
            if let Ok(channel) = link.handle.channel_open_session().await {
                let line = Line::new(channel, link.runtime.clone(), Some(place));
                *link.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
            }
        });
    }

    /// A new session channel. Opening goes on in a task of its own when the caller gives up, so that the channel is
    /// closed again instead of being forgotten.
    pub(super) async fn line(self: &Arc<Self>, place: Option<OwnedSemaphorePermit>) -> Result<Line> {
        let link = self.clone();
        let opening = self.runtime.spawn(async move {
            let channel = link.open_session().await?;
            Ok(Line::new(channel, link.runtime.clone(), place))
        });
        opening.await.map_err(|error| self.lost().because(error))?
    }

    async fn open_session(&self) -> Result<Channel<russh::client::Msg>> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(5);
        loop {
            match self.handle.channel_open_session().await {
                Ok(channel) => return Ok(channel),
                Err(russh::Error::ChannelOpenFailure(_)) if started.elapsed() < PATIENCE => {}
                Err(russh::Error::ChannelOpenFailure(_)) => return Err(self.no_session()),
                Err(_) => return Err(self.lost()),
            }
            let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
            drop(spare);
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }

    fn no_session(&self) -> Error {
        let message = format!("sshd refused another session for {}", seconds(PATIENCE));
        Error::new(Kind::Failed, "ssh.exec", message)
            .hint("raise `MaxSessions` in the host's sshd_config; 10 is enough")
            .on(&self.host)
    }

    /// A connection from this host to `address:port`, or what the host said instead.
    pub(super) async fn forward(self: &Arc<Self>, address: &str, port: u16) -> Result<Line, Option<String>> {
        let (link, address) = (self.clone(), address.to_owned());
        let opening = self.runtime.spawn(async move {
            match link.handle.channel_open_direct_tcpip(address, port.into(), "127.0.0.1", 0).await {
                Ok(channel) => Ok(Line::new(channel, link.runtime.clone(), None)),
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
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
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
