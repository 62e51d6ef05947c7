//! The sums of a run.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::event::{Status, Totals};

#[derive(Default)]
pub(super) struct Tally(Mutex<Sums>);

#[derive(Default)]
struct Sums {
    totals: Totals,
    /// A host counts as unreachable once, however often it was asked.
    unreachable: HashSet<String>,
}

impl Tally {
    pub(super) fn count(&self, status: Status, host: &str) {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match status {
            Status::Planned | Status::Changed => sums.totals.changed += 1,
            Status::Unchanged => sums.totals.ok += 1,
            Status::Skipped => sums.totals.skipped += 1,
            Status::Failed => sums.totals.failed += 1,
            Status::Unreachable => {
                sums.unreachable.insert(host.to_owned());
            }
        }
    }

    pub(super) fn totals(&self) -> Totals {
        let sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Totals { unreachable: sums.unreachable.len() as u64, ..sums.totals.clone() }
    }
}
