//! How long trials take. Time is a budget that all share: who wants to shorten a suite begins with its slowest trials.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many are told.
const TOLD: usize = 12;

static TOOK: Mutex<Vec<(Duration, String)>> = Mutex::new(Vec::new());

/// Plays a trial, and remembers how long it took.
pub fn timed<T>(trial: &str, play: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let played = play();
    took().push((begun.elapsed(), trial.to_owned()));
    played
}

/// Tells the slowest trials of the suite.
pub fn tell() {
    let mut took = took();
    took.sort_unstable_by(|a, b| b.cmp(a));
    let all: Duration = took.iter().map(|(time, _)| *time).sum();
    println!("{} trials took {} s, the slowest:", took.len(), all.as_secs());
    for (time, trial) in took.iter().take(TOLD) {
        println!("{:6.1} s {trial}", time.as_secs_f64());
    }
}

fn took() -> MutexGuard<'static, Vec<(Duration, String)>> {
    TOOK.lock().unwrap_or_else(PoisonError::into_inner)
}
