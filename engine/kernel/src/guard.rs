//! Verbs that keep others away as long as a run lasts.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::arguments::Arguments;
use crate::error::Result;
use crate::host::Host;
use crate::lock::Holder;
use crate::op::Example;
use crate::signature::Signature;
use crate::steady::{steadily, steady};

/// A guard: it is taken before the first change of what it guards, and let go when the run ends. A plan takes none. It
/// is no change: nothing of it is left.
#[async_trait]
pub trait Guard: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync + 'static {
    /// Module and verb: `k8s.lock`.
    const NAME: &'static str;
    /// What it guards, in Markdown; the first line stands alone.
    const ABOUT: &'static str;
    /// What a call looks like.
    const SIGNATURE: Signature;
    /// Shown in the book and run by the tests.
    const EXAMPLES: &'static [Example];

    /// The guard of a call.
    ///
    /// # Errors
    /// When the arguments do not go together.
    fn parse(arguments: &Arguments) -> Result<Self>;

    /// Takes it.
    ///
    /// # Errors
    /// Of kind `Locked` when another run has it, naming that run, its operator and since when.
    async fn take(&self, host: &Arc<Host>, holder: &Holder) -> Result<Arc<dyn Hold>>;
}

/// A guard that was taken.
#[async_trait]
pub trait Hold: Send + Sync {
    /// Whether it still stands. Waits while that is not sure.
    ///
    /// # Errors
    /// When somebody else has it by now, or nobody can say who has.
    async fn check(&self) -> Result<()>;

    /// The same without waiting, for an undo: it goes on where nobody can say who has it.
    ///
    /// # Errors
    /// When somebody else has it by now.
    fn lost(&self) -> Result<()> {
        Ok(())
    }

    /// Lets it go.
    async fn release(&self);
}

/// What a run holds.
#[derive(Default)]
pub(crate) struct Guards(Mutex<Vec<(String, Arc<dyn Hold>)>>);

impl Guards {
    /// Whether one of this name is held; the name has the arguments, too.
    pub fn has(&self, name: &str) -> bool {
        self.list().iter().any(|(held, _)| held == name)
    }

    pub fn add(&self, name: String, hold: Arc<dyn Hold>) {
        self.list().push((name, hold));
    }

    /// Whether all of them still stand.
    ///
    /// # Errors
    /// The first that does not.
    pub async fn check(&self) -> Result<()> {
        let holds = self.list().clone();
        for (name, hold) in holds {
            steady(verb_of(&name), hold.check()).await?;
        }
        Ok(())
    }

    /// Whether none of them is known to be lost.
    ///
    /// # Errors
    /// The first that is.
    pub fn lost(&self) -> Result<()> {
        self.list().iter().try_for_each(|(name, hold)| steadily(verb_of(name), || hold.lost()))
    }

    /// Lets all of them go, the youngest first.
    pub async fn release(&self) {
        let all = std::mem::take(&mut *self.list());
        for (name, hold) in all.into_iter().rev() {
            let released = steady(verb_of(&name), async {
                hold.release().await;
                Ok(())
            });
            if let Err(error) = released.await {
                tracing::error!(%error, "it may be held until it lapses");
            }
        }
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<(String, Arc<dyn Hold>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The verb of a name that has its host and its arguments, too.
fn verb_of(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}
