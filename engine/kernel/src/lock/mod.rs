//! One run at a time on a host.

mod heart;
mod take;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};

pub use heart::HostLock;

/// Who holds a lock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Holder {
    /// The run.
    pub run: String,
    /// The person: user and machine.
    pub operator: String,
    /// The state folder, by which a dead run of the same operator is told from a live one elsewhere.
    pub state: String,
    /// Since when, in UTC.
    pub since: jiff::Timestamp,
    /// Tells whether a run of the same state folder is dead.
    #[serde(skip)]
    pub dead: Option<DeadRuns>,
}

impl Holder {
    /// Whether `other` is a run that died, as far as this one can know.
    pub fn outlives(&self, other: &Holder) -> bool {
        is_dead(self, other)
    }

    /// What somebody is told who finds this one's lock.
    pub fn refusal(&self) -> Error {
        held(Some(self))
    }
}

/// Answers whether a run of this state folder has died.
#[derive(Clone)]
pub struct DeadRuns(pub Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl std::fmt::Debug for DeadRuns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeadRuns")
    }
}

/// Our run is alive, since we are; an earlier attempt of it is not.
fn is_dead(ours: &Holder, other: &Holder) -> bool {
    let earlier = ours.run == other.run && ours.since != other.since;
    ours.state == other.state && (earlier || ours.dead.as_ref().is_some_and(|dead| (dead.0)(&other.run)))
}

fn held(holder: Option<&Holder>) -> Error {
    let message = match holder {
        Some(Holder { run, operator, since, .. }) => {
            format!("run {run} of {operator} has held the lock since {since:.0}")
        }
        None => "another run holds the lock".to_owned(),
    };
    Error::new(Kind::Locked, "lock.held", message).hint("wait until that run has ended")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn holder(run: &str, state: &str, second: i64, dead: bool) -> Holder {
        let since = jiff::Timestamp::from_second(second).unwrap();
        let dead = Some(DeadRuns(Arc::new(move |_| dead)));
        Holder { run: run.to_owned(), operator: "o".to_owned(), state: state.to_owned(), since, dead }
    }

    /// A host whose network was cut holds the lock of the attempt before for some seconds more.
    #[test]
    fn an_earlier_attempt_of_the_same_run_is_dead_and_this_one_is_not() {
        let ours = holder("r", "here", 2, false);
        assert!(is_dead(&ours, &holder("r", "here", 1, false)));
        assert!(!is_dead(&ours, &holder("r", "here", 2, false)), "two names of one host");
        assert!(!is_dead(&ours, &holder("r", "elsewhere", 1, false)));
        assert!(!is_dead(&ours, &holder("other", "here", 1, false)));
        assert!(is_dead(&holder("r", "here", 2, true), &holder("other", "here", 1, false)));
    }
}
