//! Calls beside each other that are about the same thing on the same host: one after the other.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::host::Host;
use crate::op::Op;

/// What the calls of a run are about, and which of it a call is busy with.
#[derive(Default)]
pub(super) struct Targets(Mutex<HashMap<Target, Arc<tokio::sync::Mutex<()>>>>);

/// A host's name, and what an op is about there.
type Target = (String, String);

impl Targets {
    /// Waits until no other call is busy with any of it. What one has observed stays true until it has applied, and later
    /// calls have higher numbers, so that undo takes them back first.
    pub(super) async fn lock<O: Op>(&self, hosts: &[Arc<Host>], ops: &[O]) -> Vec<OwnedMutexGuard<()>> {
        // In one order for all: two calls never wait for each other.
        let targets: BTreeSet<Target> =
            hosts.iter().flat_map(|host| ops.iter().map(|op| (host.name().to_owned(), op.target()))).collect();
        let mut locked = Vec::new();
        for target in targets {
            let mutex = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(target).or_default().clone();
            locked.push(mutex.lock_owned().await);
        }
        locked
    }
}
