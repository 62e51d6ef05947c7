//! A read as a verb.

use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;

use crate::arguments::Arguments;
use crate::error::{Error, Kind, Result};
use crate::host::Host;
use crate::journal::ChangeState;
use crate::keep::Keep;
use crate::op::Example;
use crate::read::Read;
use crate::run::{Place, Results, Run};
use crate::shape::Shape;
use crate::signature::Signature;
use crate::verb::{Kin, Sort, Undone, Verb};

/// See [`Read`].
pub struct ReadVerb<R>(PhantomData<fn() -> R>);

impl<R: Read> ReadVerb<R> {
    /// The verb of `R`.
    pub fn shared() -> Arc<dyn Verb> {
        Arc::new(ReadVerb::<R>(PhantomData))
    }
}

#[async_trait]
impl<R: Read> Verb for ReadVerb<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn about(&self) -> &'static str {
        R::ABOUT
    }

    fn signature(&self) -> Signature {
        R::SIGNATURE
    }

    fn examples(&self) -> &'static [Example] {
        R::EXAMPLES
    }

    fn sort(&self) -> Sort {
        Sort::Read
    }

    fn gives(&self) -> Shape {
        R::GIVES
    }

    async fn call(&self, run: &Run, _place: &Place, hosts: &[Arc<Host>], arguments: &Arguments) -> Result<Results> {
        Ok(run.read(hosts, &R::parse(arguments)?).await)
    }

    async fn undo(&self, _host: &Host, _change: &ChangeState, _kin: Kin<'_>, _keep: &Keep) -> Result<Undone> {
        Err(not_journalled(R::NAME))
    }

    fn reread(
        &self,
        _arguments: &serde_json::Value,
        _before: &serde_json::Value,
    ) -> Result<(serde_json::Value, serde_json::Value)> {
        Err(not_journalled(R::NAME))
    }
}

fn not_journalled(name: &str) -> Error {
    Error::new(Kind::Local, "journal.record", format!("the journal names the read `{name}` as a change"))
}
