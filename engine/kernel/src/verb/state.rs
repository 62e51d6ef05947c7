//! A state op as a verb.

use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use serde::de::DeserializeOwned;

use crate::arguments::Arguments;
use crate::error::{Error, Kind, Result};
use crate::host::Host;
use crate::journal::{ChangeState, Phase};
use crate::keep::Keep;
use crate::op::{Example, Op, Standing};
use crate::patience::answered;
use crate::remnant::Remains;
use crate::review::{Doubt, Written};
use crate::run::{Place, Results, Run};
use crate::shape::Shape;
use crate::signature::Signature;
use crate::uses::Uses;
use crate::verb::{Kin, Sort, Undone, Verb};

/// See [`Op`].
pub struct StateVerb<O>(PhantomData<fn() -> O>);

impl<O: Op> StateVerb<O> {
    /// The verb of `O`.
    pub fn shared() -> Arc<dyn Verb> {
        Arc::new(StateVerb::<O>(PhantomData))
    }
}

impl<O: Op> StateVerb<O> {
    /// True when what a later attempt made is taken back with what an earlier one made: that one knows the host as its
    /// own still, and has all that it kept. What somebody did in between need not come back for a moment then.
    async fn is_left_to_earlier(host: &Host, change: &ChangeState, kin: Kin<'_>, keep: &Keep) -> Result<bool> {
        let Some(earlier) = kin.earlier.filter(|earlier| earlier.made && change.made) else { return Ok(false) };
        let foreign = matches!(Self::standing_of(host, earlier, keep).await?, Standing::Foreign(_));
        Ok(!foreign)
    }

    /// True when the host is as a later attempt of the run found it. The run itself has changed that, so that nobody's
    /// work is lost by going back further.
    async fn is_as_found(host: &Host, kin: Kin<'_>, keep: &Keep) -> Result<bool> {
        let Some(later) = kin.later else { return Ok(false) };
        Ok(Self::standing_of(host, later, keep).await? == Standing::AsBefore)
    }

    async fn standing_of(host: &Host, change: &ChangeState, keep: &Keep) -> Result<Standing> {
        let op: O = decode(O::NAME, &change.arguments)?;
        let before: O::Before = decode(O::NAME, &change.before)?;
        let keep = change.keep(&keep.run);
        Ok(op.standing(&revisit(host, &op, &keep).await?, &before, &keep))
    }
}

#[async_trait]
impl<O: Op> Verb for StateVerb<O> {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn about(&self) -> &'static str {
        O::ABOUT
    }

    fn signature(&self) -> Signature {
        O::SIGNATURE
    }

    fn examples(&self) -> &'static [Example] {
        O::EXAMPLES
    }

    fn sort(&self) -> Sort {
        Sort::State
    }

    fn gives(&self) -> Shape {
        Shape::Map(&[("changed", Shape::Boolean)])
    }

    fn review(&self, written: &Written) -> Vec<Doubt> {
        O::review(written)
    }

    async fn call(&self, run: &Run, place: &Place, hosts: &[Arc<Host>], arguments: &Arguments) -> Result<Results> {
        Ok(run.ensure(place, hosts, &O::parse(arguments)?).await)
    }

    async fn undo(&self, host: &Host, change: &ChangeState, kin: Kin<'_>, keep: &Keep) -> Result<Undone> {
        if Self::is_left_to_earlier(host, change, kin, keep).await? {
            return Ok(Undone::already());
        }
        let op: O = decode(O::NAME, &change.arguments)?;
        let before: O::Before = decode(O::NAME, &change.before)?;
        let restored = match op.standing(&revisit(host, &op, keep).await?, &before, keep) {
            Standing::AsBefore if change.phase == Phase::Succeeded => return Ok(Undone::already()),
            // A broken apply may have left a temporary file or a kept one although the target is as before.
            Standing::AsBefore => false,
            Standing::Ours => true,
            Standing::Foreign(_) if Self::is_as_found(host, kin, keep).await? => true,
            Standing::Foreign(how) => return Err(drift(&op.target(), &how).on(host.name())),
        };
        let remains = op.undo(host, &before, keep).await?;
        match op.standing(&revisit(host, &op, keep).await?, &before, keep) {
            Standing::AsBefore => Ok(Undone { restored, remains }),
            // What stays is told; all else is back.
            _ if !remains.is_empty() => Ok(Undone { restored, remains }),
            _ => Err(Error::new(
                Kind::Failed,
                "undo.not_restored",
                format!("`{}` is not as before although undo ran", op.target()),
            )
            .hint("look at it on the host, then run undo again")
            .on(host.name())),
        }
    }

    fn uses(&self, change: &ChangeState) -> Uses {
        decode(O::NAME, &change.arguments).map_or(Uses::Everything, |op: O| op.uses())
    }

    fn settles(&self) -> bool {
        O::SETTLES
    }

    fn awaits(&self, first: &ChangeState, change: &ChangeState) -> Result<Vec<String>> {
        let op: O = decode(O::NAME, &change.arguments)?;
        Ok(op.awaits(&decode(O::NAME, &first.before)?, &decode(O::NAME, &change.before)?))
    }

    async fn settle(&self, host: &Host, first: &ChangeState, change: &ChangeState, keep: &Keep) -> Result<Remains> {
        let op: O = decode(O::NAME, &change.arguments)?;
        let first: O::Before = decode(O::NAME, &first.before)?;
        let before: O::Before = decode(O::NAME, &change.before)?;
        op.settle(host, &first, &before, keep).await.map_err(|error| error.on(host.name()))
    }

    fn reread(
        &self,
        arguments: &serde_json::Value,
        before: &serde_json::Value,
    ) -> Result<(serde_json::Value, serde_json::Value)> {
        let op: O = decode(O::NAME, arguments)?;
        let before: O::Before = decode(O::NAME, before)?;
        Ok((encode(O::NAME, &op)?, encode(O::NAME, &before)?))
    }
}

fn drift(target: &str, how: &str) -> Error {
    Error::new(Kind::Drift, "undo.drift", format!("`{target}` was changed since by somebody else: {how}"))
        .hint("put it back as the run left it, or move it away, then run undo again")
}

pub(super) fn decode<T: DeserializeOwned>(op: &str, json: &serde_json::Value) -> Result<T> {
    serde_json::from_value(json.clone()).map_err(|error| {
        Error::new(Kind::Local, "journal.record", format!("cannot read the journal's record of `{op}`")).because(error)
    })
}

pub(crate) fn encode<T: serde::Serialize>(op: &str, value: &T) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|error| {
        Error::new(Kind::Local, "journal.record", format!("cannot write the journal's record of `{op}`")).because(error)
    })
}

async fn revisit<O: Op>(host: &Host, op: &O, keep: &Keep) -> Result<O::State> {
    answered(host, O::NAME, Some(op.patience()), op.revisit(host, keep)).await
}
