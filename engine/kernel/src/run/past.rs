//! What earlier attempts of a run did, for the attempt that goes on with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::error::{Error, Kind, Result};
use crate::event::Check;
use crate::identity::Identity;
use crate::journal::{ChangeState, Key, Phase, State};
use crate::steady::PANIC;
use crate::value::{Unknown, Value};

/// Decides about actions of which nobody knows whether they were done.
pub trait Decide: Send + Sync {
    /// What to do with an action that was begun and whose end is not known.
    ///
    /// # Errors
    /// When nobody decides: the run ends there.
    fn decide(&self, unfinished: &Unfinished<'_>) -> Result<Decision>;
}

/// An action whose end is not known.
pub struct Unfinished<'a> {
    /// The run.
    pub run: &'a str,
    /// The action, and where in the recipe it stands.
    pub key: &'a Key,
    /// When it was begun.
    pub begun: jiff::Timestamp,
}

/// What to do with an action whose end is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Do it again.
    Repeat,
    /// Take it as done.
    Done,
}

impl Unfinished<'_> {
    /// The action in words: "`ssh.run make it` of step `build`".
    pub fn action(&self) -> String {
        let step = self.key.step.join(" / ");
        let place = if step.is_empty() { String::new() } else { format!(" of step `{step}`") };
        format!("`{} {}`{place}", self.key.op, self.key.target)
    }

    /// Nobody has decided.
    pub fn undecided(&self) -> Error {
        let (host, run) = (&self.key.host, self.run);
        let message = format!(
            "nobody knows whether {} was done: it was begun at {:.0} and its end is not in the journal",
            self.action(),
            self.begun
        );
        // Of a kind that a recipe cannot catch: it would go on as if the action had failed.
        Error::new(Kind::Unknown, "resume.unknown", message).on(host).hint(format!(
            "look at {host}, then say `haengine resume {run} --unknown repeat` or `haengine resume {run} --unknown done`"
        ))
    }
}

/// Nobody can be asked.
pub struct Nobody;

impl Decide for Nobody {
    fn decide(&self, unfinished: &Unfinished<'_>) -> Result<Decision> {
        Err(unfinished.undecided())
    }
}

/// What a run did so far; empty in its first attempt.
pub struct Past {
    /// The latest change of each call.
    latest: HashMap<Key, ChangeState>,
    /// How often a call that is alike but for its ordinal was made, by its key with ordinal 0.
    ordinals: HashMap<Key, u32>,
    /// What checks told before a change.
    pub(super) answers: HashMap<Key, Check>,
    /// Who the changed hosts were.
    pub(super) hosts: BTreeMap<String, Identity>,
    pub(super) last_change: u64,
    pub(super) last_call: u64,
    pub(super) decide: Arc<dyn Decide>,
}

/// What became of an action in an earlier attempt.
pub(super) enum Earlier<'a> {
    /// It was not begun, or it has failed.
    Open,
    /// It was done.
    Done(&'a ChangeState),
    /// It was begun, and its end is not known.
    Unknown(&'a ChangeState),
}

impl Default for Past {
    fn default() -> Past {
        Past {
            latest: HashMap::new(),
            ordinals: HashMap::new(),
            answers: HashMap::new(),
            hosts: BTreeMap::new(),
            last_change: 0,
            last_call: 0,
            decide: Arc::new(Nobody),
        }
    }
}

impl Past {
    /// The past of a run with this journal.
    pub fn of(state: &State, decide: Arc<dyn Decide>) -> Past {
        let changes = state.changes.values();
        let mut ordinals: HashMap<Key, u32> = HashMap::new();
        for key in changes.clone().map(|change| &change.key) {
            let last = ordinals.entry(Key { ordinal: 0, ..key.clone() }).or_default();
            *last = key.ordinal.max(*last);
        }
        Past {
            ordinals,
            answers: state.recorded().map(|(key, check)| (key.clone(), check.clone())).collect(),
            hosts: state.hosts.clone(),
            last_change: changes.clone().map(|change| change.change).max().unwrap_or_default(),
            last_call: changes.clone().map(|change| change.call).max().unwrap_or_default(),
            latest: changes.map(|change| (change.key.clone(), change.clone())).collect(),
            decide,
        }
    }

    /// True for a call that failed, and that the recipe then made again: it has got over it, and does not come back to
    /// it in the next attempt.
    pub(super) fn is_over(&self, key: &Key) -> bool {
        let failed = self.latest.get(key).is_some_and(|change| matches!(change.phase, Phase::Failed(_)));
        failed && self.ordinals.get(&Key { ordinal: 0, ..key.clone() }).is_some_and(|last| *last > key.ordinal)
    }

    pub(super) fn action(&self, key: &Key) -> Earlier<'_> {
        match self.latest.get(key) {
            Some(change) if change.phase == Phase::Succeeded => Earlier::Done(change),
            Some(change) if is_unknown(&change.phase) => Earlier::Unknown(change),
            _ => Earlier::Open,
        }
    }

    /// Hosts on which a change was begun and has no end.
    pub(super) fn at_work(&self) -> BTreeSet<&str> {
        let begun = self.latest.values().filter(|change| is_unknown(&change.phase));
        begun.map(|change| change.key.host.as_str()).collect()
    }

    /// True when a state op was made true by an earlier attempt: what is not so now, somebody else has changed.
    pub(super) fn made(&self, key: &Key) -> bool {
        self.latest.get(key).is_some_and(|change| change.phase == Phase::Succeeded)
    }
}

/// A connection that breaks, an interrupt and a panic leave an action as unknown as a death of ours does.
fn is_unknown(phase: &Phase) -> bool {
    match phase {
        Phase::Started => true,
        Phase::Failed(error) => matches!(error.kind, Kind::Unreachable | Kind::Cancelled) || error.code == PANIC,
        _ => false,
    }
}

/// What an action returned, as far as the journal keeps it: texts that lack something are not known.
pub(super) fn recalled(change: &ChangeState) -> Value {
    let op = change.key.op.replace('.', "::");
    Value::recalled(&change.result, &Unknown::journalled(&format!("the result of `{op}` on `{}`", change.key.host)))
}
