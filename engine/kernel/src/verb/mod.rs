//! Verbs of all sorts behind one interface: what scripts call, help describes and undo finds again.

mod action;
mod guard;
mod read;
mod state;

use async_trait::async_trait;

use crate::arguments::Arguments;
use crate::error::Result;
use crate::host::Host;
use crate::journal::ChangeState;
use crate::keep::Keep;
use crate::op::Example;
use crate::remnant::Remains;
use crate::review::{Doubt, Written};
use crate::run::{Place, Results, Run};
use crate::shape::Shape;
use crate::signature::Signature;
use crate::uses::Uses;

pub use action::ActionVerb;
pub use guard::GuardVerb;
pub use read::ReadVerb;
pub use state::StateVerb;
pub(crate) use state::encode;

use std::sync::Arc;

/// What a verb is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// It describes how something shall be.
    State,
    /// It does something once.
    Action,
    /// It only looks.
    Read,
    /// It keeps others away as long as the run lasts.
    Guard,
}

/// What became of an undo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// False when the host was as before the change already.
    pub restored: bool,
    /// What was not taken away.
    pub remains: Remains,
}

impl Undone {
    /// The host was as before the change already.
    pub fn already() -> Undone {
        Undone::default()
    }

    /// It is now, but for what remains.
    pub fn restored(remains: Remains) -> Undone {
        Undone { restored: true, remains }
    }
}

/// Changes that other attempts of the run made by the same call of the recipe.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kin<'a> {
    /// The one before.
    pub earlier: Option<&'a ChangeState>,
    /// The one after.
    pub later: Option<&'a ChangeState>,
}

/// A verb, whatever its sort.
#[async_trait]
pub trait Verb: Send + Sync {
    /// Module and verb: `file.put`.
    fn name(&self) -> &'static str;
    /// What it does, in Markdown; the first line stands alone.
    fn about(&self) -> &'static str;
    /// What a call looks like.
    fn signature(&self) -> Signature;
    /// Calls that the book shows and the tests run.
    fn examples(&self) -> &'static [Example];
    /// What it is.
    fn sort(&self) -> Sort;
    /// What it gives for one host.
    fn gives(&self) -> Shape {
        Shape::Anything
    }
    /// What is not as it should be about a call, as far as the recipe writes it out.
    fn review(&self, _written: &Written) -> Vec<Doubt> {
        Vec::new()
    }

    /// Calls it on hosts, all in parallel; every host has its own result.
    ///
    /// # Errors
    /// When the arguments do not go together; nothing was asked of any host then.
    async fn call(&self, run: &Run, place: &Place, hosts: &[Arc<Host>], arguments: &Arguments) -> Result<Results>;

    /// Takes a journalled guard again, for an undo.
    ///
    /// # Errors
    /// When it cannot be taken; of kind `Locked` when another run has it.
    async fn guard(&self, _run: &Run, _host: &Arc<Host>, _arguments: &serde_json::Value) -> Result<()> {
        Ok(())
    }

    /// Takes a journalled change back, and verifies that it is back. The changes of later attempts are taken back by now.
    ///
    /// # Errors
    /// Of kind `Drift` when somebody else changed it since; otherwise when the host did not do it.
    async fn undo(&self, host: &Host, change: &ChangeState, kin: Kin<'_>, keep: &Keep) -> Result<Undone>;

    /// True when [`settle`](Verb::settle) has something to do.
    fn settles(&self) -> bool {
        false
    }

    /// The targets of the changes that [`settle`](Verb::settle) waits for; empty for all on its host.
    ///
    /// # Errors
    /// When a record cannot be read.
    fn awaits(&self, _first: &ChangeState, _change: &ChangeState) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Finishes what undo had to leave until what it awaits was back. `first` is the run's first change of
    /// the same target.
    ///
    /// # Errors
    /// When the host did not do it.
    async fn settle(&self, _host: &Host, _first: &ChangeState, _change: &ChangeState, _keep: &Keep) -> Result<Remains> {
        Ok(Remains::new())
    }

    /// What a journalled change uses on its host.
    fn uses(&self, _change: &ChangeState) -> Uses {
        Uses::Everything
    }

    /// What a journalled change is, read back and written again: the law of the JSON round trip.
    ///
    /// # Errors
    /// When the record cannot be read.
    fn reread(
        &self,
        arguments: &serde_json::Value,
        before: &serde_json::Value,
    ) -> Result<(serde_json::Value, serde_json::Value)>;
}
