//! The legal order of a journal's lines.
//!
//! After `Run` come attempts: the first at once, each further one with `Resumed`, and each ends with `Finished` unless
//! it died. Once an undo has begun nothing goes on with the run any more. Within them, for each change:
//!
//! ```text
//! Run ─► Started ─► Succeeded ─┐
//!            │                 ├─► UndoStarted ─► Undone ─► Settled, where something was left for the end
//!            ├────► Failed ────┤        ▲  │
//!            └─────────────────┘        └──┴─► UndoFailed
//! ```
//!
//! `GivenUp` ends all changes of a host that are not undone, at any time.

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::Diff;
use crate::error::{Error, ErrorRecord, Kind, Result};
use crate::event::Check;
use crate::identity::Identity;
use crate::journal::{Entry, Key, Line, VERSION};
use crate::keep::Keep;
use crate::remnant::Remains;

/// Where a change is.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Begun; its end is not known.
    Started,
    /// Made.
    Succeeded,
    /// Failed, perhaps half made.
    Failed(ErrorRecord),
    /// Being taken back; its end is not known, or it failed.
    Undoing(Option<ErrorRecord>),
    /// Taken back, but for what can be done only once everything else on the host is.
    Unsettled,
    /// Taken back.
    Undone,
    /// Given up with its machine, which is no more.
    GivenUp,
}

impl Phase {
    /// True where nothing is left to take back.
    pub fn is_over(&self) -> bool {
        matches!(self, Phase::Undone | Phase::GivenUp)
    }
}

/// A change as its lines tell it.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeState {
    /// Its number.
    pub change: u64,
    /// The call it belongs to.
    pub call: u64,
    /// What it is known by.
    pub key: Key,
    /// The op's arguments.
    pub arguments: serde_json::Value,
    /// What observe saw.
    pub before: serde_json::Value,
    /// False when nothing takes it back.
    pub reversible: bool,
    /// The step around it whose hosts need each other; empty where there is none.
    pub together: Vec<String>,
    /// What it was made under; see [`Keep::nonce`](crate::keep::Keep::nonce).
    pub nonce: String,
    /// What changes, in a few words.
    pub summary: String,
    /// What changes, line by line, redacted.
    pub diff: Option<Diff>,
    /// The attempt that made it, from 0.
    pub attempt: usize,
    /// True when it was made to its end, whatever came later.
    pub made: bool,
    /// What an action returned.
    pub result: serde_json::Value,
    /// When it began.
    pub started: jiff::Timestamp,
    /// How long it took.
    pub seconds: f64,
    /// Where it is.
    pub phase: Phase,
    /// What its undo did not take away.
    pub remains: Remains,
}

impl ChangeState {
    /// Where the host keeps what it replaced; `run` is the id of its run.
    pub fn keep(&self, run: &str) -> Keep {
        Keep { run: run.to_owned(), change: self.change, nonce: self.nonce.clone(), made: self.made }
    }
}

/// One execution of the recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Who started it: user and machine.
    pub operator: String,
    /// When it began.
    pub started: jiff::Timestamp,
    /// When it ended: at its `finished`, else at its last line so far.
    pub ended: jiff::Timestamp,
    /// How it ended, when it did by itself.
    pub outcome: Option<String>,
    /// The error that ended it.
    pub error: Option<ErrorRecord>,
}

/// What others were kept away from.
#[derive(Clone, Debug, PartialEq)]
pub struct Guarded {
    /// Module and verb.
    pub op: String,
    /// The host.
    pub host: String,
    /// Its arguments.
    pub arguments: serde_json::Value,
}

/// What a check told before the first change.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What it told.
    pub check: Check,
    /// How many changes had begun by then.
    pub changes: usize,
}

/// A whole journal, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The first line; none only before it is read.
    pub head: Option<Line>,
    /// Changes by number.
    pub changes: BTreeMap<u64, ChangeState>,
    /// The executions of the recipe, first to last.
    pub attempts: Vec<Attempt>,
    /// The guards that were taken.
    pub guards: Vec<Guarded>,
    /// What checks told before the first change, the last answer of each.
    pub answers: BTreeMap<Key, Answer>,
    /// Who the changed hosts are, where they have said so.
    pub hosts: BTreeMap<String, Identity>,
    /// Hosts whose machines are no more.
    pub given_up: BTreeSet<String>,
    /// True once an undo has begun.
    pub undoing: bool,
    /// When what the hosts keep for the undo was given up.
    pub forgotten: Option<jiff::Timestamp>,
}

impl State {
    /// Takes the next line into account.
    ///
    /// # Errors
    /// `journal.order` when the line may not come here; `journal.version` when a newer haengine wrote it.
    pub fn apply(&mut self, line: Line) -> Result<()> {
        self.undoing |= matches!(line.entry, Entry::UndoStarted { .. } | Entry::GivenUp { .. });
        if let Some(attempt) = self.running().filter(|_| !matches!(line.entry, Entry::Resumed { .. })) {
            attempt.ended = line.time;
        }
        match line.entry {
            Entry::Run { version, .. } if version > VERSION => Err(Error::new(
                Kind::Local,
                "journal.version",
                format!("the journal has version {version}, this haengine reads up to {VERSION}"),
            )
            .hint("use the newer haengine that wrote it")),
            Entry::Run { ref operator, .. } if self.head.is_none() => {
                self.begin(operator.clone(), line.time);
                self.head = Some(line);
                Ok(())
            }
            _ if self.head.is_none() => Err(illegal("the first line is not `run`")),
            Entry::Run { .. } => Err(illegal("a second `run`")),
            Entry::Started { .. } => self.start(line),
            Entry::Resumed { .. } if self.undoing => Err(illegal("`resumed` after an undo began")),
            Entry::Resumed { .. } if self.forgotten.is_some() => Err(illegal("`resumed` after `forgotten`")),
            Entry::Resumed { operator, .. } => {
                self.begin(operator, line.time);
                Ok(())
            }
            Entry::Guarded { op, host, arguments } => {
                let guard = Guarded { op, host, arguments };
                if !self.guards.contains(&guard) {
                    self.guards.push(guard);
                }
                Ok(())
            }
            Entry::Checked { .. } if self.undoing => Err(illegal("`checked` after an undo began")),
            Entry::Checked { key, check } => {
                self.answers.insert(key, Answer { check, changes: self.changes.len() });
                Ok(())
            }
            Entry::Host { host, identity } => {
                self.hosts.insert(host, identity);
                Ok(())
            }
            Entry::GivenUp { host, .. } => {
                self.give_up(host);
                Ok(())
            }
            Entry::Forgotten { .. } => {
                self.forgotten.get_or_insert(line.time);
                Ok(())
            }
            Entry::Finished { outcome, error } => {
                // The end of an undo is none of the run.
                if let Some(attempt) = self.running() {
                    (attempt.outcome, attempt.error) = (Some(outcome), error);
                }
                Ok(())
            }
            Entry::Succeeded { change, result, seconds } => {
                let state = self.step(change, "succeeded", |phase| *phase == Phase::Started)?;
                (state.result, state.seconds, state.phase, state.made) = (result, seconds, Phase::Succeeded, true);
                Ok(())
            }
            Entry::Failed { change, error } => {
                self.step(change, "failed", |phase| *phase == Phase::Started)?.phase = Phase::Failed(error);
                Ok(())
            }
            Entry::UndoStarted { change } => {
                let legal = |phase: &Phase| !phase.is_over() && *phase != Phase::Unsettled;
                self.step(change, "undo_started", legal)?.phase = Phase::Undoing(None);
                Ok(())
            }
            Entry::Undone { change, unsettled, remains } => {
                let state = self.step(change, "undone", |phase| matches!(phase, Phase::Undoing(_)))?;
                state.remains.extend(remains);
                state.phase = if unsettled { Phase::Unsettled } else { Phase::Undone };
                Ok(())
            }
            Entry::Settled { change, remains } => {
                let state = self.step(change, "settled", |phase| *phase == Phase::Unsettled)?;
                state.remains.extend(remains);
                state.phase = Phase::Undone;
                Ok(())
            }
            Entry::UndoFailed { change, error } => {
                let state = self.step(change, "undo_failed", |phase| matches!(phase, Phase::Undoing(_)))?;
                state.phase = Phase::Undoing(Some(error));
                Ok(())
            }
        }
    }

    /// True when everything that can be taken back was, or is given up.
    pub fn is_undone(&self) -> bool {
        let reversible = || self.changes.values().filter(|change| change.reversible);
        let any = |phase: &Phase| reversible().any(|change| change.phase == *phase);
        let begun = any(&Phase::Undone) || (any(&Phase::GivenUp) && self.forgotten.is_none());
        begun && reversible().all(|change| change.phase.is_over())
    }

    /// What was changed on this host is not taken back any more.
    pub fn give_up(&mut self, host: String) {
        for change in self.changes.values_mut() {
            if change.key.host == host && change.phase != Phase::Undone {
                change.phase = Phase::GivenUp;
            }
        }
        self.given_up.insert(host);
    }

    /// The answers that a change has followed: what they say cannot be looked at any more.
    pub fn recorded(&self) -> impl Iterator<Item = (&Key, &Check)> {
        let followed = self.answers.iter().filter(|(_, answer)| answer.changes < self.changes.len());
        followed.map(|(key, answer)| (key, &answer.check))
    }

    /// The version of haengine's journals that it was begun with; the present one before the first line.
    pub fn version(&self) -> u32 {
        match self.head.as_ref().map(|line| &line.entry) {
            Some(Entry::Run { version, .. }) => *version,
            _ => VERSION,
        }
    }

    /// The recipe, as it was named; empty before the first line.
    pub fn recipe(&self) -> &str {
        match self.head.as_ref().map(|line| &line.entry) {
            Some(Entry::Run { recipe, .. }) => recipe,
            _ => "",
        }
    }

    /// How the run ended, when it did by itself.
    pub fn outcome(&self) -> Option<&str> {
        self.attempts.last().and_then(|attempt| attempt.outcome.as_deref())
    }

    /// The time that the attempts took together, without what lies between them.
    pub fn seconds(&self) -> f64 {
        self.attempts.iter().map(|attempt| attempt.ended.duration_since(attempt.started).as_secs_f64()).sum()
    }

    /// Changes that were made again by a later attempt, with the next one of their kind: the same call of the recipe.
    pub fn made_again(&self) -> BTreeMap<u64, &ChangeState> {
        let mut last: BTreeMap<&Key, u64> = BTreeMap::new();
        let mut again = BTreeMap::new();
        for change in self.changes.values() {
            if let Some(earlier) = last.insert(&change.key, change.change) {
                again.insert(earlier, change);
            }
        }
        again
    }

    fn begin(&mut self, operator: String, now: jiff::Timestamp) {
        self.attempts.push(Attempt { operator, started: now, ended: now, outcome: None, error: None });
    }

    /// The attempt that goes on, as far as the journal knows.
    fn running(&mut self) -> Option<&mut Attempt> {
        if self.undoing || self.forgotten.is_some() {
            return None;
        }
        self.attempts.last_mut().filter(|attempt| attempt.outcome.is_none())
    }

    fn start(&mut self, line: Line) -> Result<()> {
        let Entry::Started { change, call, key, arguments, before, reversible, together, nonce, summary, diff } =
            line.entry
        else {
            return Ok(());
        };
        // Hosts work side by side: who has the lower number need not be written first.
        if self.changes.contains_key(&change) {
            return Err(illegal(&format!("change {change} is started twice")));
        }
        let (result, started, seconds) = (serde_json::Value::Null, line.time, 0.0);
        let (phase, attempt) = (Phase::Started, self.attempts.len().saturating_sub(1));
        let state = ChangeState {
            change,
            call,
            key,
            arguments,
            before,
            reversible,
            together,
            nonce,
            summary,
            diff,
            attempt,
            made: false,
            result,
            started,
            seconds,
            phase,
            remains: Remains::new(),
        };
        self.changes.insert(change, state);
        Ok(())
    }

    fn step(&mut self, change: u64, event: &str, legal: impl Fn(&Phase) -> bool) -> Result<&mut ChangeState> {
        match self.changes.get_mut(&change) {
            Some(state) if legal(&state.phase) => Ok(state),
            Some(state) => Err(illegal(&format!("`{event}` of change {change} after {:?}", state.phase))),
            None => Err(illegal(&format!("`{event}` of change {change}, which never started"))),
        }
    }
}

fn illegal(what: &str) -> Error {
    Error::new(Kind::Local, "journal.order", format!("the journal is not in order: {what}"))
        .hint("restore the journal from a backup; nothing was touched")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head() -> Entry {
        Entry::Run {
            version: VERSION,
            run: "r".into(),
            recipe: "a.rhai".into(),
            parameters: serde_json::json!({}),
            inventory: vec![],
            operator: "o".into(),
        }
    }

    fn started(change: u64) -> Entry {
        let key = Key {
            recipe: "a.rhai".into(),
            step: vec![],
            ordinal: 0,
            op: "toy.set".into(),
            host: "m1".into(),
            target: change.to_string(),
        };
        let (arguments, before) = (serde_json::json!({}), serde_json::json!({}));
        let (together, nonce, summary, diff) = (vec![], String::new(), String::new(), None);
        Entry::Started {
            change,
            call: change,
            key,
            arguments,
            before,
            reversible: true,
            together,
            nonce,
            summary,
            diff,
        }
    }

    fn replay(entries: Vec<Entry>) -> Result<State> {
        let mut state = State::default();
        for entry in entries {
            state.apply(Line { time: jiff::Timestamp::UNIX_EPOCH, entry })?;
        }
        Ok(state)
    }

    fn ended(change: u64) -> Entry {
        Entry::Succeeded { change, result: serde_json::Value::Null, seconds: 0.0 }
    }

    #[test]
    fn two_hosts_may_start_their_changes_the_other_way_round() {
        let state = replay(vec![head(), started(2), started(1)]).unwrap();
        assert_eq!(state.changes.keys().copied().collect::<Vec<_>>(), [1, 2]);
        assert!(replay(vec![head(), started(1), started(1)]).is_err());
    }

    #[test]
    fn a_whole_life_is_legal() {
        let undo = [Entry::UndoStarted { change: 1 }, Entry::Undone { change: 1, unsettled: false, remains: vec![] }];
        let state = replay([head(), started(1), ended(1)].into_iter().chain(undo).collect()).unwrap();
        assert!(state.is_undone());
    }

    #[test]
    fn a_change_is_not_undone_before_it_is_settled() {
        let undo = [Entry::UndoStarted { change: 1 }, Entry::Undone { change: 1, unsettled: true, remains: vec![] }];
        let mut state = replay([head(), started(1), ended(1)].into_iter().chain(undo).collect()).unwrap();
        assert!(!state.is_undone());
        state
            .apply(Line { time: jiff::Timestamp::UNIX_EPOCH, entry: Entry::Settled { change: 1, remains: vec![] } })
            .unwrap();
        assert!(state.is_undone());
    }

    fn resumed() -> Entry {
        Entry::Resumed { operator: "p".into(), inventory: vec![] }
    }

    fn finished(outcome: &str) -> Entry {
        Entry::Finished { outcome: outcome.into(), error: None }
    }

    fn at(second: i64, entry: Entry) -> Line {
        Line { time: jiff::Timestamp::from_second(second).unwrap(), entry }
    }

    #[test]
    fn attempts_follow_each_other_and_what_lies_between_counts_for_none() {
        let mut state = State::default();
        let undo = [
            Entry::UndoStarted { change: 2 },
            Entry::Undone { change: 2, unsettled: false, remains: vec![] },
            finished("failed"),
        ];
        let lines = [head(), started(1), resumed(), started(2), ended(2), finished("succeeded")];
        for (entry, second) in lines.into_iter().zip([0, 2, 100, 101, 103, 104]) {
            state.apply(at(second, entry)).unwrap();
        }
        for entry in undo {
            state.apply(at(1000, entry)).unwrap();
        }
        let outcomes: Vec<_> = state.attempts.iter().map(|attempt| attempt.outcome.as_deref()).collect();
        assert_eq!(outcomes, [None, Some("succeeded")], "the end of the undo is none of the run");
        assert_eq!((state.seconds(), state.outcome()), (6.0, Some("succeeded")));
        assert_eq!([1, 2].map(|change| state.changes[&change].attempt), [0, 1]);
        assert_eq!(state.attempts[1].operator, "p");
    }

    #[test]
    fn the_same_call_of_a_later_attempt_is_found() {
        let again = |change: u64| match started(1) {
            Entry::Started { key, arguments, before, reversible, together, summary, diff, .. } => Entry::Started {
                together,
                change,
                call: change,
                key,
                arguments,
                before,
                reversible,
                nonce: String::new(),
                summary,
                diff,
            },
            other => other,
        };
        let entries = vec![head(), started(1), started(2), resumed(), again(3), resumed(), again(4)];
        let state = replay(entries).unwrap();
        let found: Vec<_> = state.made_again().into_iter().map(|(earlier, later)| (earlier, later.change)).collect();
        assert_eq!(found, [(1, 3), (3, 4)]);
    }

    #[test]
    fn answers_count_once_a_change_has_followed_them() {
        let check = |detail: &str| Check {
            group: "preflight".into(),
            check: "one".into(),
            status: crate::event::CheckStatus::Passed,
            detail: detail.into(),
            findings: vec![],
            recorded: false,
            seconds: 0.0,
        };
        let checked = |detail: &str| match started(0) {
            Entry::Started { key, .. } => Entry::Checked { key, check: check(detail) },
            other => other,
        };
        let answers = |entries: Vec<Entry>| {
            let state = replay(entries).unwrap();
            state.recorded().map(|(_, check)| check.detail.clone()).collect::<Vec<_>>()
        };
        assert!(answers(vec![head(), checked("a"), resumed(), checked("b")]).is_empty());
        assert_eq!(answers(vec![head(), checked("a"), resumed(), checked("b"), started(1)]), ["b"]);
        let line = serde_json::to_string(&checked("a")).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&line).unwrap(), checked("a"));
    }

    #[test]
    fn illegal_orders_are_refused() {
        let bad: [Vec<Entry>; 10] = [
            vec![resumed()],
            vec![head(), started(1), Entry::UndoStarted { change: 1 }, resumed()],
            vec![head(), Entry::Forgotten { operator: "o".into() }, resumed()],
            vec![started(1)],
            vec![head(), head()],
            vec![head(), ended(1)],
            vec![head(), started(1), started(1)],
            vec![head(), started(1), Entry::Undone { change: 1, unsettled: false, remains: vec![] }],
            vec![head(), started(1), ended(1), ended(1)],
            vec![head(), started(1), Entry::Settled { change: 1, remains: vec![] }],
        ];
        for entries in bad {
            assert_eq!(replay(entries).unwrap_err().code(), "journal.order");
        }
    }

    proptest! {
        /// Whatever the order of lines, a change is undone only after its undo started, and never comes back.
        #[test]
        fn undone_is_final(moves in proptest::collection::vec(0_u8..5, 0..12)) {
            let mut state = replay(vec![head(), started(1)]).unwrap();
            let mut was_undone = false;
            for step in moves {
                let entry = match step {
                    0 => ended(1),
                    1 => Entry::UndoStarted { change: 1 },
                    2 => Entry::Undone { change: 1, unsettled: false, remains: vec![] },
                    3 => Entry::Finished { outcome: "failed".into(), error: None },
                    _ => Entry::Succeeded { change: 1, result: serde_json::Value::Null, seconds: 1.0 },
                };
                let before = state.changes[&1].phase.clone();
                let result = state.apply(Line { time: jiff::Timestamp::UNIX_EPOCH, entry });
                if step == 2 && result.is_ok() {
                    prop_assert!(matches!(before, Phase::Undoing(_)));
                }
                was_undone |= state.is_undone();
                prop_assert_eq!(was_undone, state.is_undone());
            }
        }
    }
}
