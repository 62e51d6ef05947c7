//! An action as a verb.

use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;

use crate::action::{Action, Performed};
use crate::arguments::Arguments;
use crate::error::Result;
use crate::host::Host;
use crate::journal::ChangeState;
use crate::keep::Keep;
use crate::op::Example;
use crate::run::{Place, Results, Run};
use crate::shape::Shape;
use crate::signature::Signature;
use crate::verb::encode;
use crate::verb::state::decode;
use crate::verb::{Kin, Sort, Undone, Verb};

/// See [`Action`].
pub struct ActionVerb<A>(PhantomData<fn() -> A>);

impl<A: Action> ActionVerb<A> {
    /// The verb of `A`.
    pub fn shared() -> Arc<dyn Verb> {
        Arc::new(ActionVerb::<A>(PhantomData))
    }
}

#[async_trait]
impl<A: Action> Verb for ActionVerb<A> {
    fn name(&self) -> &'static str {
        A::NAME
    }

    fn about(&self) -> &'static str {
        A::ABOUT
    }

    fn signature(&self) -> Signature {
        A::SIGNATURE
    }

    fn examples(&self) -> &'static [Example] {
        A::EXAMPLES
    }

    fn sort(&self) -> Sort {
        Sort::Action
    }

    fn gives(&self) -> Shape {
        A::GIVES
    }

    async fn call(&self, run: &Run, place: &Place, hosts: &[Arc<Host>], arguments: &Arguments) -> Result<Results> {
        Ok(run.act(place, hosts, &A::parse(arguments)?).await)
    }

    /// An action without an inverse stays; the caller has said so before. One that was repeated is taken back once.
    async fn undo(&self, host: &Host, change: &ChangeState, kin: Kin<'_>, _keep: &Keep) -> Result<Undone> {
        if kin.later.is_some_and(|later| later.reversible) {
            return Ok(Undone::already());
        }
        let action: A = decode(A::NAME, &change.arguments)?;
        action.undo(host, &Performed { before: &change.before, result: &change.result }).await?;
        Ok(Undone::restored(Vec::new()))
    }

    fn reread(
        &self,
        arguments: &serde_json::Value,
        before: &serde_json::Value,
    ) -> Result<(serde_json::Value, serde_json::Value)> {
        let action: A = decode(A::NAME, arguments)?;
        Ok((encode(A::NAME, &action)?, before.clone()))
    }
}
