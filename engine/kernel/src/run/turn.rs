//! Which of two runs that start at once goes first.

use std::sync::{Arc, OnceLock};

use futures::future::join;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Kind, Result};
use crate::host::Host;
use crate::lock::Holder;
use crate::run::Run;

/// The hosts of a call: the first of them is locked before the others, so that of two runs of the same hosts one gets
/// all of them and the other none. Else each would hold some of them, and both would fail half-way.
pub(super) struct Turn {
    first: Option<String>,
    /// Cancelled when the first host's lock was taken, or not.
    decided: CancellationToken,
    /// Who has it, in words.
    held: OnceLock<String>,
}

impl Turn {
    pub(super) fn of(hosts: &[Arc<Host>]) -> Turn {
        let first = hosts.first().filter(|_| hosts.len() > 1).map(|host| host.name().to_owned());
        Turn { first, decided: CancellationToken::new(), held: OnceLock::new() }
    }

    /// Takes the lock of a host when it is its turn.
    pub(super) async fn lock(&self, run: &Run, host: &Host, holder: &Holder) -> Result<()> {
        if self.is_first(host) {
            let locked = run.enter(host, holder).await;
            if let Some(error) = locked.as_ref().err().filter(|error| error.kind() == Kind::Locked) {
                let _ = self.held.set(error.message().to_owned());
            }
            self.over(host);
            return locked;
        }
        if self.first.is_some() && !host.is_locked() {
            let decided = async {
                self.decided.cancelled().await;
                Ok(())
            };
            let (reached, decided) = join(host.reach(), host.interruptible(decided)).await;
            reached.and(decided)?;
            self.go()?;
        }
        run.enter(host, holder).await
    }

    /// What this host did is done: if it is the first, nobody waits for it any more.
    pub(super) fn over(&self, host: &Host) {
        if self.is_first(host) {
            self.decided.cancel();
        }
    }

    fn is_first(&self, host: &Host) -> bool {
        self.first.as_deref() == Some(host.name())
    }

    fn go(&self) -> Result<()> {
        match (self.held.get(), &self.first) {
            (Some(held), Some(first)) => {
                let message = format!("left alone, since on {first} {held}");
                Err(Error::new(Kind::Locked, "lock.held", message).hint("wait until that run has ended"))
            }
            _ => Ok(()),
        }
    }
}
