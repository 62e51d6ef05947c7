//! A guard as a verb.

use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;

use crate::arguments::Arguments;
use crate::error::{Error, Kind, Result};
use crate::guard::Guard;
use crate::host::Host;
use crate::journal::ChangeState;
use crate::keep::Keep;
use crate::op::Example;
use crate::run::{Place, Results, Run};
use crate::signature::Signature;
use crate::verb::state::decode;
use crate::verb::{Kin, Sort, Undone, Verb};

/// See [`Guard`].
pub struct GuardVerb<G>(PhantomData<fn() -> G>);

impl<G: Guard> GuardVerb<G> {
    /// The verb of `G`.
    pub fn shared() -> Arc<dyn Verb> {
        Arc::new(GuardVerb::<G>(PhantomData))
    }
}

#[async_trait]
impl<G: Guard> Verb for GuardVerb<G> {
    fn name(&self) -> &'static str {
        G::NAME
    }

    fn about(&self) -> &'static str {
        G::ABOUT
    }

    fn signature(&self) -> Signature {
        G::SIGNATURE
    }

    fn examples(&self) -> &'static [Example] {
        G::EXAMPLES
    }

    fn sort(&self) -> Sort {
        Sort::Guard
    }

    async fn call(&self, run: &Run, _place: &Place, hosts: &[Arc<Host>], arguments: &Arguments) -> Result<Results> {
        Ok(run.guard(hosts, &G::parse(arguments)?).await)
    }

    async fn guard(&self, run: &Run, host: &Arc<Host>, arguments: &serde_json::Value) -> Result<()> {
        let guard: G = decode(G::NAME, arguments)?;
        let results = run.guard(std::slice::from_ref(host), &guard).await;
        results.into_iter().try_for_each(|(_, result)| result.map(drop))
    }

    async fn undo(&self, _host: &Host, _change: &ChangeState, _kin: Kin<'_>, _keep: &Keep) -> Result<Undone> {
        Err(no_change(G::NAME))
    }

    fn reread(
        &self,
        _arguments: &serde_json::Value,
        _before: &serde_json::Value,
    ) -> Result<(serde_json::Value, serde_json::Value)> {
        Err(no_change(G::NAME))
    }
}

fn no_change(name: &str) -> Error {
    Error::new(Kind::Local, "journal.record", format!("the journal names the guard `{name}` as a change"))
}
