//! How far an undo is.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::journal::{ChangeState, Phase};

/// How far an undo is: the changes that it took back, and those of them that nothing is left of.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<Mutex<(BTreeSet<u64>, BTreeSet<u64>)>>);

impl Progress {
    /// A change was taken back.
    pub(super) fn took(&self, change: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.insert(change);
    }

    pub(super) fn settled(&self, change: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.insert(change);
    }

    pub(super) fn is_taken(&self, change: &ChangeState) -> bool {
        let taken = |number| self.0.lock().unwrap_or_else(PoisonError::into_inner).0.contains(number);
        matches!(change.phase, Phase::Unsettled | Phase::Undone) || taken(&change.change)
    }

    pub(super) fn is_settled(&self, change: &ChangeState) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.contains(&change.change)
    }
}
