//! What a verb promises. An op is a state op, an [`action`](crate::action::Action) or a [`read`](crate::read::Read).

use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::arguments::Arguments;
use crate::diff::Diff;
use crate::error::Result;
use crate::host::Host;
use crate::keep::Keep;
use crate::overlay::{Effect, Overlay};
use crate::patience::ANSWER;
use crate::remnant::Remains;
use crate::review::{Doubt, Written};
use crate::signature::Signature;
use crate::uses::Uses;

/// A state op: it describes how something on a host shall be.
///
/// The laws, which the tests check with each op's own examples: plan touches nothing; apply, then plan says
/// unchanged; twice is once; undo restores what observe saw; undo twice is once; a failure anywhere and then undo
/// is a clean slate; arguments and `Before` survive JSON; no secret reaches the journal, an event or an argument of
/// a process on the host.
#[async_trait]
pub trait Op: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// Module and verb, as the journal and the JSON output name it: `file.put`.
    const NAME: &'static str;
    /// What it does, in Markdown; the first line stands alone.
    const ABOUT: &'static str;
    /// What a call looks like.
    const SIGNATURE: Signature;
    /// Shown in the book and run by the tests of the laws.
    const EXAMPLES: &'static [Example];

    /// What is on the host, as far as this op is concerned.
    type State: Send + Sync;
    /// What undo needs to know. Journalled before anything is touched, so it holds no content, only hashes.
    type Before: Serialize + DeserializeOwned + Send + Sync;

    /// The ops of a call: one, or one for each of several targets.
    ///
    /// # Errors
    /// When the arguments do not go together.
    fn parse(arguments: &Arguments) -> Result<Vec<Self>>;

    /// What is not as it should be about a call, as far as the recipe writes it out.
    fn review(_written: &Written) -> Vec<Doubt> {
        Vec::new()
    }

    /// What it changes, known beforehand: a path, a unit, a package.
    fn target(&self) -> String;

    /// What it has to do with on its host: when a change cannot be taken back, what came before it and uses the same stays
    /// too.
    fn uses(&self) -> Uses {
        Uses::of(self.target())
    }

    /// The other hosts that observe will ask, by name.
    fn peers(&self) -> Vec<String> {
        Vec::new()
    }

    /// How long the host may take to be read, from when the connection stands.
    fn patience(&self) -> Duration {
        ANSWER
    }

    /// Reads the host. One round trip.
    ///
    /// # Errors
    /// When the host cannot be asked or does not answer as expected.
    async fn observe(&self, host: &Host) -> Result<Self::State>;

    /// Reads the host for an undo: what is there, and what it holds as proof of the change that `keep` belongs to.
    ///
    /// # Errors
    /// As [`observe`](Op::observe).
    async fn revisit(&self, host: &Host, _keep: &Keep) -> Result<Self::State> {
        self.observe(host).await
    }

    /// The state as it will be once the changes planned before this one are made.
    fn assume(&self, state: Self::State, _overlay: &Overlay) -> Self::State {
        state
    }

    /// What must change. Pure.
    ///
    /// # Errors
    /// Of kind `Refused` when the state is one that this op must not touch.
    fn plan(&self, state: &Self::State) -> Result<Plan<Self::Before>>;

    /// Makes the change. `before` is on disk in the journal by now.
    ///
    /// # Errors
    /// Of kind `Drift` when somebody else changed it since it was observed: it is as that one left it then, and is
    /// observed again once. Otherwise when the host did not do it. Undo will be asked to clean up whatever was done until then.
    async fn apply(&self, host: &Host, before: &Self::Before, keep: &Keep) -> Result<()>;

    /// Where a host stands between `before` and what apply makes.
    fn standing(&self, state: &Self::State, before: &Self::Before, keep: &Keep) -> Standing;

    /// Puts back what observe saw, from every state that a broken apply can leave. Nothing is taken away that is not
    /// proven to be the run's own; what stays for that is what it gives.
    ///
    /// # Errors
    /// When the host did not do it; it is then as it was found.
    async fn undo(&self, host: &Host, before: &Self::Before, keep: &Keep) -> Result<Remains>;

    /// False when nothing takes the change back, which is said before an undo starts: what was there cannot be made
    /// again.
    fn is_reversible(&self) -> bool {
        true
    }

    /// True when undo has to come back at the end: see [`settle`](Op::settle).
    const SETTLES: bool = false;

    /// The changes on the same host that [`settle`](Op::settle) waits for, by their targets: paths, and whatever is above
    /// or below one. It is called once they are taken back, before anything else is. Empty: all that is on the host.
    fn awaits(&self, _first: &Self::Before, _before: &Self::Before) -> Vec<String> {
        Vec::new()
    }

    /// Called after what it [awaits](Op::awaits) was taken back, on one host after the other; what awaits everything
    /// comes at the end, in the order in which it was changed. A service that was restarted with a new file runs with the old one
    /// again only if it is restarted once that file is back. `first` is what the run's first change of this target
    /// saw, so what was there before the run; it is `before` where there was but one. May be called again after a
    /// crash.
    ///
    /// # Errors
    /// When the host did not do it.
    async fn settle(
        &self,
        _host: &Host,
        _first: &Self::Before,
        _before: &Self::Before,
        _keep: &Keep,
    ) -> Result<Remains> {
        Ok(Remains::new())
    }
}

/// What an op would do.
pub enum Plan<B> {
    /// The host is as it shall be.
    Unchanged,
    /// Something must change.
    Change(Change<B>),
}

/// A change that an op would make.
pub struct Change<B> {
    /// What undo needs.
    pub before: B,
    /// What changes, in a few words: "create, 1.2 KiB".
    pub summary: String,
    /// What changes, line by line.
    pub diff: Option<Diff>,
    /// What later observations of a plan must take into account.
    pub effects: Vec<Effect>,
}

/// Where a host stands when a change is to be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As before the change; nothing to undo.
    AsBefore,
    /// As the change made it, or somewhere in between.
    Ours,
    /// As somebody else made it since; the text says how it differs.
    Foreign(String),
}

/// A call that the book shows and the tests run. `h` is a host.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// What it is for, in one sentence.
    pub about: &'static str,
    /// POSIX sh that prepares the host; run as root.
    pub given: &'static str,
    /// The recipe's line.
    pub code: &'static str,
    /// The result as JSON, or empty when it does not matter.
    pub gives: &'static str,
}
