//! Processes with the same rights on one host, one of them ready before it is needed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use haengine_kernel::error::{Error, Kind, Result};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep};

use super::dial::seconds;
use super::launch::Waiting;
use super::link::Link;
use super::rights::{Escalation, Rights};

/// How long sshd may refuse another session. It frees one only when the CLOSE of the last has arrived.
const PATIENCE: Duration = Duration::from_secs(5);

/// Starts processes.
pub(super) struct Starter {
    pub(super) link: Arc<Link>,
    escalation: Arc<Escalation>,
    rights: Rights,
    spare: Mutex<Option<Waiting>>,
    is_preparing: AtomicBool,
}

impl Starter {
    pub(super) fn new(link: Arc<Link>, escalation: Arc<Escalation>, rights: Rights) -> Arc<Self> {
        Arc::new(Starter { link, escalation, rights, spare: Mutex::default(), is_preparing: AtomicBool::new(false) })
    }

    /// A process for a command of the recipe; there are only so many of these at a time.
    pub(super) async fn for_command(self: &Arc<Self>) -> Result<Waiting> {
        if self.link.ending.is_cancelled() {
            return Err(self.link.lost());
        }
        let waiting = match self.take() {
            Some(spare) => spare,
            None => self.patiently(Some(self.link.place().await?)).await?,
        };
        self.prepare();
        Ok(waiting)
    }

    /// A process for the engine's own work: a shell, or the end of another process.
    pub(super) async fn for_us(self: &Arc<Self>) -> Result<Waiting> {
        let mut waiting = self.patiently(None).await?;
        // A spare has kept the place of a command.
        waiting.line.occupy(None);
        Ok(waiting)
    }

    async fn patiently(&self, place: Option<OwnedSemaphorePermit>) -> Result<Waiting> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(2);
        loop {
            if let Some(spare) = self.take() {
                return Ok(spare);
            }
            if let Some(mut line) = self.link.line().await? {
                line.occupy(place);
                return Waiting::start(&self.link, line, &self.escalation, self.rights).await;
            }
            if started.elapsed() > PATIENCE {
                return Err(self.no_session());
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    /// Starts the process of the next command while nobody waits for it.
    pub(super) fn prepare(self: &Arc<Self>) {
        if self.spare().is_some() || self.link.ending.is_cancelled() || self.is_preparing.swap(true, Ordering::SeqCst) {
            return;
        }
        let starter = self.clone();
        self.link.runtime.spawn(async move {
            let waiting = starter.without_waiting().await;
            if !starter.link.ending.is_cancelled() {
                *starter.spare() = waiting;
            }
            starter.is_preparing.store(false, Ordering::SeqCst);
        });
    }

    async fn without_waiting(&self) -> Option<Waiting> {
        let place = self.link.idle_place()?;
        let mut line = self.link.line().await.ok()??;
        line.occupy(Some(place));
        Waiting::start(&self.link, line, &self.escalation, self.rights).await.ok()
    }

    /// Lets the process go that nobody needed.
    pub(super) fn stop(&self) {
        self.spare().take();
    }

    fn take(&self) -> Option<Waiting> {
        self.spare().take().and_then(|mut spare| spare.is_there().then_some(spare))
    }

    fn spare(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn no_session(&self) -> Error {
        let message = format!("sshd refused another session for {}", seconds(PATIENCE));
        Error::new(Kind::Failed, "ssh.exec", message)
            .hint("raise `MaxSessions` in the host's sshd_config; 10 is enough")
            .on(&self.link.host)
    }
}
