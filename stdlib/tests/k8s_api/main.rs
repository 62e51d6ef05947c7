//! The verbs of `k8s` on a real API: etcd, kube-apiserver and kube-controller-manager on the loopback. The way to it is this machine's own instead of SSH.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a test that cannot go on fails"
)]

mod api;
mod approve;
mod connection;
mod enroll;
#[path = "../local/mod.rs"]
mod local;
mod lock;
mod objects;
mod reads;
mod strangers;

use std::sync::Arc;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Op, Plan, Standing};
use haengine_kernel::read::Read;
use haengine_kernel::remnant::Remains;
use haengine_kernel::signature::Signature;
use haengine_kernel::value::Value;

/// The control plane, or the end of the test where there can be none.
macro_rules! plane {
    () => {
        match crate::api::shared().await {
            Some(plane) => plane,
            None => return,
        }
    };
}
pub(crate) use plane;

fn arguments(
    name: &str,
    signature: &Signature,
    positional: Vec<Value>,
    options: Vec<(&str, Value)>,
) -> Result<Arguments> {
    let options = options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Arguments::check(name, signature, std::iter::once(Value::Null).chain(positional).collect(), Some(options))
}

/// The one op of a call.
pub fn op<O: Op>(positional: Vec<Value>, options: Vec<(&str, Value)>) -> O {
    O::parse(&arguments(O::NAME, &O::SIGNATURE, positional, options).unwrap()).unwrap().remove(0)
}

/// What a read gives.
pub async fn read<R: Read>(
    host: &Host,
    positional: Vec<Value>,
    options: Vec<(&str, Value)>,
) -> Result<serde_json::Value> {
    let read = R::parse(&arguments(R::NAME, &R::SIGNATURE, positional, options).unwrap()).unwrap();
    let value = read.read(host).await?;
    assert!(R::GIVES.holds(&value), "{} gives {}", R::NAME, value.redacted());
    Ok(value.redacted())
}

/// Observes, plans and applies as a run does. Gives what the journal would hold; none when nothing had to change.
pub async fn ensure<O: Op>(host: &Host, op: &O, keep: &Keep) -> Result<Option<serde_json::Value>> {
    let state = op.observe(host).await?;
    match op.plan(&state)? {
        Plan::Unchanged => Ok(None),
        Plan::Change(change) => {
            let before = serde_json::to_value(&change.before).unwrap();
            op.apply(host, &change.before, keep).await?;
            Ok(Some(before))
        }
    }
}

/// Undoes from what the journal holds, as the kernel does, the second pass too. Nothing may be left.
pub async fn undo<O: Op>(host: &Host, op: &O, before: &serde_json::Value, keep: &Keep) -> Result<Standing> {
    let (stood, remains) = undo_leaving(host, op, before, keep).await?;
    assert_eq!(remains, [], "{} leaves something", op.target());
    Ok(stood)
}

/// The same, and what it leaves.
pub async fn undo_leaving<O: Op>(
    host: &Host,
    op: &O,
    before: &serde_json::Value,
    keep: &Keep,
) -> Result<(Standing, Remains)> {
    let op: O = serde_json::from_value(serde_json::to_value(op).unwrap()).unwrap();
    let before: O::Before = serde_json::from_value(before.clone()).unwrap();
    let stood = op.standing(&op.observe(host).await?, &before, keep);
    let mut remains = Remains::new();
    if stood == Standing::Ours {
        remains = op.undo(host, &before, keep).await?;
        let stands = op.standing(&op.observe(host).await?, &before, keep);
        assert!(stands == Standing::AsBefore || !remains.is_empty(), "{} is not as before", op.target());
    }
    remains.extend(op.settle(host, &before, &before, keep).await?);
    Ok((stood, remains))
}

pub fn keep(change: u64) -> Keep {
    Keep {
        run: format!("k8s-test-{}-{change}", std::process::id()),
        change,
        nonce: format!("n0nce{change}"),
        made: false,
    }
}

/// This machine as a host.
pub fn host() -> (Arc<haengine_kernel::host::Hosts>, Arc<Host>) {
    local::hosts()
}
