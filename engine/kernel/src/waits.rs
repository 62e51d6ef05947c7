//! How long a run waited for the hosts' own work.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Sums the time in which at least one wait is under way; waits beside each other count once.
#[derive(Clone, Default)]
pub struct Waits(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Waits under way, and since when there is one.
    active: usize,
    since: Option<Instant>,
    total: Duration,
}

/// A wait under way; it ends when this is dropped.
pub struct Waiting(Waits);

impl Waits {
    /// Begins a wait.
    pub fn begin(&self) -> Waiting {
        self.change(|state| {
            state.active += 1;
            state.since.get_or_insert_with(Instant::now);
        });
        Waiting(self.clone())
    }

    /// The sum so far.
    pub fn total(&self) -> Duration {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.total + state.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.change(|state| {
            state.active -= 1;
            if state.active == 0 {
                state.total += state.since.take().map_or(Duration::ZERO, |since| since.elapsed());
            }
        });
    }
}
