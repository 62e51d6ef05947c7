//! The heart of a cluster's [`lock`](super::lock): the lease, renewed in the background for as long as the run lasts.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::guard::Hold;
use haengine_kernel::host::Host;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::lease::{LASTS, Leases};

/// From one renewal to the next.
const RENEWED: Duration = Duration::from_secs(5);
/// A change starts no later than this after the last renewal: a third of what the lease lasts.
const FRESH: Duration = Duration::from_secs(LASTS.unsigned_abs() as u64 / 3);
/// How long one API server is asked.
const ATTEMPT: Duration = Duration::from_secs(3);
/// After no API server answered.
const AGAIN: Duration = Duration::from_secs(1);
/// So long a change waits for a renewal: an API server that the run itself restarts is away for a while.
const PATIENCE: Duration = Duration::from_secs(60);

/// The lease of a run.
pub struct Heart {
    /// The same lease through each API server.
    ways: Vec<Leases>,
    host: Weak<Host>,
    beat: Mutex<Option<JoinHandle<()>>>,
    pulse: watch::Receiver<Pulse>,
}

/// What is known of the lease.
#[derive(Clone)]
struct Pulse {
    /// When the last renewal that succeeded was begun.
    renewed: Instant,
    /// Who has it by now, if it was lost.
    lost: Option<String>,
    /// Why the last renewal failed, if it did.
    why: Option<String>,
}

impl Heart {
    /// Keeps a lease that was just taken, through each of these ways in turn.
    pub fn of(ways: Vec<Leases>, host: &Arc<Host>) -> Heart {
        let first = Pulse { renewed: Instant::now(), lost: None, why: None };
        let (told, pulse) = watch::channel(first);
        let weak = Arc::downgrade(host);
        let beat = tokio::spawn(beat(ways.clone(), weak.clone(), told));
        Heart { ways, host: weak, beat: Mutex::new(Some(beat)), pulse }
    }
}

/// Renews until the lease is lost or the host is gone.
async fn beat(mut ways: Vec<Leases>, host: Weak<Host>, told: watch::Sender<Pulse>) {
    let mut pause = RENEWED;
    loop {
        tokio::time::sleep(pause).await;
        let Some(host) = host.upgrade() else { return };
        let begun = Instant::now();
        let renewed = renew(&mut ways, &host).await;
        pause = if renewed.is_ok() { RENEWED } else { AGAIN };
        told.send_modify(|pulse| match renewed {
            Ok(None) => (pulse.renewed, pulse.why) = (begun, None),
            Ok(other) => pulse.lost = other,
            // An API that is away for a while, such as one that this run restarts, costs no lock.
            Err(error) => pulse.why = Some(error.message().to_owned()),
        });
        if told.borrow().lost.is_some() {
            return;
        }
    }
}

/// Renews through the first API server that answers, which is asked first the next time. Gives who has the lease by now, if
/// that is somebody else.
async fn renew(ways: &mut [Leases], host: &Host) -> Result<Option<String>> {
    let mut failed = Err(silent());
    for index in 0..ways.len() {
        let asked = tokio::time::timeout(ATTEMPT, ways[index].renew(host)).await;
        match asked.unwrap_or_else(|_| Err(silent())) {
            Ok(other) => {
                ways.rotate_left(index);
                return Ok(other);
            }
            error if index == 0 => failed = error,
            Err(_) => {}
        }
    }
    failed
}

fn silent() -> Error {
    Error::new(Kind::Unreachable, "k8s.unreachable", format!("no answer within {} s", ATTEMPT.as_secs()))
}

impl Pulse {
    /// Whether the lease still stands; none while that is not sure.
    fn standing(&self) -> Option<Result<()>> {
        let is_sure = self.lost.is_some() || self.renewed.elapsed() <= FRESH;
        is_sure.then(|| self.lost())
    }

    fn lost(&self) -> Result<()> {
        let Some(other) = &self.lost else { return Ok(()) };
        Err(Error::new(Kind::Locked, "lock.lost", format!("the cluster's lock was lost: {other} has it now"))
            .hint("see what the other run does, then `haengine resume` this one"))
    }

    fn stale(&self) -> Error {
        let age = self.renewed.elapsed().as_secs();
        let message = format!("the cluster's lock was last renewed {age} s ago, so that no change starts");
        let why = self.why.as_deref().unwrap_or("no API server has answered since");
        Error::new(Kind::Locked, "lock.stale", message)
            .hint("see that an API server answers, then `haengine resume` this run")
            .because(why.to_owned())
    }
}

#[async_trait]
impl Hold for Heart {
    async fn check(&self) -> Result<()> {
        if let Some(standing) = self.pulse.borrow().standing() {
            return standing;
        }
        let Some(host) = self.host.upgrade() else { return Err(Error::cancelled()) };
        host.awaits("the cluster's lock to be renewed");
        let mut pulse = self.pulse.clone();
        let settled = async {
            let known = pulse.wait_for(|pulse| pulse.standing().is_some()).await;
            known.ok().and_then(|pulse| pulse.standing()).unwrap_or_else(|| Err(Error::cancelled()))
        };
        let waited = tokio::time::timeout(PATIENCE, host.waiting(settled)).await;
        waited.unwrap_or_else(|_| Err(self.pulse.borrow().stale()))
    }

    fn lost(&self) -> Result<()> {
        self.pulse.borrow().lost()
    }

    async fn release(&self) {
        let beat = self.beat.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(beat) = beat {
            beat.abort();
            let _ = beat.await;
        }
        let is_lost = self.pulse.borrow().lost.is_some();
        let Some(host) = self.host.upgrade().filter(|_| !is_lost) else { return };
        let mut last = None;
        for way in &self.ways {
            match way.delete(&host).await {
                Ok(()) => return,
                Err(error) => last = Some(error),
            }
        }
        if let Some(error) = last {
            tracing::warn!(host = host.name(), %error, "the cluster's lock stays until it ends by itself");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_old_lock_is_not_sure_and_a_lost_one_names_who_has_it() {
        let mut pulse = Pulse { renewed: Instant::now(), lost: None, why: None };
        tokio::time::advance(FRESH).await;
        assert!(pulse.standing().is_some_and(|standing| standing.is_ok()));
        tokio::time::advance(Duration::from_secs(57)).await;
        assert!(pulse.standing().is_none());
        let stale = pulse.stale();
        assert_eq!((stale.kind(), stale.code()), (Kind::Locked, "lock.stale"));
        assert_eq!(stale.message(), "the cluster's lock was last renewed 67 s ago, so that no change starts");
        pulse.lost = Some("run two of ann".to_owned());
        let lost = pulse.standing().unwrap().unwrap_err();
        assert_eq!(
            (lost.code(), lost.message()),
            ("lock.lost", "the cluster's lock was lost: run two of ann has it now")
        );
    }
}
