//! A run: ops asked of hosts, in a legal order, told to the journal and to the reporter.

mod act;
mod answer;
mod ensure;
mod forget;
mod guard;
mod look;
mod machines;
mod past;
mod progress;
mod rejoin;
mod settle;
mod stuck;
mod tally;
mod targets;
#[cfg(test)]
mod tests;
mod turn;
mod undo;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

pub use past::{Decide, Decision, Nobody, Past, Unfinished};
pub use undo::UndoPlan;

use crate::cancel::Cancel;
use crate::error::{Error, ErrorRecord, Kind, Result};
use crate::event::{Change, Event, Events, Status, Totals};
use crate::guard::Guards;
use crate::host::{Host, Hosts};
use crate::journal::{Entry, Journal, Key};
use crate::keep::Keep;
use crate::lock::Holder;
use crate::remnant::Remnant;
use crate::run::machines::Machines;
use crate::run::tally::Tally;
use crate::run::targets::Targets;
use crate::value::Value;

/// What a run may do.
pub enum Mode {
    /// Read and show; touch nothing.
    Plan,
    /// Make the changes.
    Apply {
        /// Where they are written down first.
        journal: Journal,
        /// What the hosts' locks say.
        holder: Holder,
    },
}

/// One run, plan or undo.
pub struct Run {
    id: String,
    mode: Mode,
    hosts: Arc<Hosts>,
    events: Events,
    cancel: Cancel,
    tally: Tally,
    past: Past,
    guards: Guards,
    machines: Machines,
    changes: AtomicU64,
    calls: AtomicU64,
    touched: AtomicBool,
    leaves: AtomicBool,
    ordinals: Mutex<HashMap<Key, u32>>,
    targets: Targets,
    started: Instant,
}

/// Where in a recipe a call stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The recipe's file.
    pub recipe: String,
    /// The steps around the call, outermost first.
    pub step: Vec<String>,
    /// How many of them there are up to the outermost one whose hosts need each other: members of one etcd. Where undo is
    /// stuck on one of its hosts, it stops on the others too. 0 where there is none.
    pub together: usize,
}

impl Place {
    /// The step whose hosts need each other; empty where there is none.
    fn step_together(&self) -> Vec<String> {
        self.step.iter().take(self.together).cloned().collect()
    }

    /// The steps in one line.
    pub fn step_path(&self) -> String {
        self.step.join(" / ")
    }
}

/// A call of the recipe, as its changes have it.
struct Call {
    number: u64,
    /// The step around it whose hosts need each other.
    together: Vec<String>,
}

/// What each host of a call gave, in the order of the hosts.
pub type Results = Vec<(Arc<Host>, Result<Value>)>;

impl Run {
    /// A run that begins now.
    pub fn new(id: String, mode: Mode, hosts: Arc<Hosts>, events: Events, cancel: impl Into<Cancel>) -> Arc<Run> {
        Run::again(id, mode, hosts, events, cancel, Past::default())
    }

    /// A further attempt of a run.
    pub fn again(
        id: String,
        mode: Mode,
        hosts: Arc<Hosts>,
        events: Events,
        cancel: impl Into<Cancel>,
        past: Past,
    ) -> Arc<Run> {
        if let Mode::Apply { journal, .. } = &mode {
            journal.hide(events.known());
        }
        Arc::new(Run {
            id,
            mode,
            hosts,
            events,
            cancel: cancel.into(),
            tally: Tally::default(),
            changes: AtomicU64::new(past.last_change + 1),
            calls: AtomicU64::new(past.last_call + 1),
            machines: Machines::of(&past.hosts),
            past,
            guards: Guards::default(),
            touched: AtomicBool::new(false),
            leaves: AtomicBool::new(false),
            ordinals: Mutex::default(),
            targets: Targets::default(),
            started: Instant::now(),
        })
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its hosts.
    pub fn hosts(&self) -> &Arc<Hosts> {
        &self.hosts
    }

    /// Where it tells what happens.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Set when the operator interrupts it.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// True when it touches nothing.
    pub fn is_plan(&self) -> bool {
        matches!(self.mode, Mode::Plan)
    }

    /// True once a change was begun: from then on a failure is not "nothing touched".
    pub fn has_touched(&self) -> bool {
        self.touched.load(Ordering::Relaxed)
    }

    /// True once an undo left or kept something that somebody should look at.
    pub fn leaves(&self) -> bool {
        self.leaves.load(Ordering::Relaxed)
    }

    /// Tells what an undo did not take away.
    fn remain(&self, host: &str, remains: &[Remnant]) {
        for remnant in remains {
            self.leaves.fetch_or(!remnant.by_rule, Ordering::Relaxed);
            self.events.send(Event::Remnant { host: host.to_owned(), remnant: remnant.clone() });
        }
    }

    fn touch(&self) {
        self.touched.store(true, Ordering::Relaxed);
    }

    /// The sums so far, with how it ended.
    pub fn totals(&self, outcome: &str) -> Totals {
        Totals {
            run: self.id.clone(),
            outcome: outcome.to_owned(),
            seconds: self.started.elapsed().as_secs_f64(),
            waited: self.hosts.waits().total().as_secs_f64(),
            ..self.tally.totals()
        }
    }

    /// Ends the run: journals and tells how, ends what still runs on the hosts, and closes the connections.
    pub async fn finish(&self, outcome: &str) -> Totals {
        self.finish_with(outcome, None).await
    }

    /// The same of one that an error ended, which is journalled: the hosts may not say it again.
    pub async fn finish_with(&self, outcome: &str, error: Option<ErrorRecord>) -> Totals {
        self.end(outcome, error).await;
        let totals = self.totals(outcome);
        self.events.send(Event::RunFinished(totals.clone()));
        totals
    }

    /// The same without a word: of an attempt that the next one follows at once.
    pub async fn close(&self, outcome: &str) {
        self.end(outcome, None).await;
    }

    async fn end(&self, outcome: &str, error: Option<ErrorRecord>) {
        if let Mode::Apply { journal, .. } = &self.mode {
            let end = Entry::Finished { outcome: outcome.to_owned(), error };
            if let Err(error) = journal.append(vec![end]).await {
                self.events.send(Event::Error { host: None, error: (&error).into() });
            }
        }
        self.guards.release().await;
        self.hosts.close().await;
    }

    fn next_call(&self, place: &Place) -> Call {
        Call { number: self.calls.fetch_add(1, Ordering::Relaxed), together: place.step_together() }
    }

    fn next_change(&self) -> u64 {
        self.changes.fetch_add(1, Ordering::Relaxed)
    }

    /// Changes that are alike in all the rest are told apart by counting them.
    fn key(&self, place: &Place, op: &str, host: &str, target: &str) -> Key {
        let mut key = Key {
            recipe: place.recipe.clone(),
            step: place.step.clone(),
            ordinal: 0,
            op: op.to_owned(),
            host: host.to_owned(),
            target: target.to_owned(),
        };
        let mut ordinals = self.ordinals.lock().unwrap_or_else(PoisonError::into_inner);
        let count = ordinals.entry(key.clone()).or_default();
        loop {
            key.ordinal = *count;
            *count += 1;
            if !self.past.is_over(&key) {
                return key;
            }
        }
    }

    /// The next change's number, and where it keeps what it replaces.
    fn next_keep(&self) -> (u64, Keep) {
        let change = self.next_change();
        (change, Keep::new(self.id.clone(), change))
    }

    fn tell(&self, change: Change) {
        self.tally.count(change.status, &change.host);
        self.events.send(Event::Change(change));
    }

    fn told(&self, key: &Key, status: Status) -> Change {
        Change {
            host: key.host.clone(),
            op: key.op.clone(),
            target: key.target.clone(),
            status,
            step: key.step.join(" / "),
            summary: String::new(),
            diff: None,
            seconds: 0.0,
            error: None,
        }
    }

    /// Tells a failure and hands it on.
    fn fail<T>(&self, key: &Key, error: Error, since: Instant) -> Result<T> {
        let error = error.on(&key.host);
        if error.kind() != Kind::Cancelled {
            let status = if error.kind() == Kind::Unreachable { Status::Unreachable } else { Status::Failed };
            self.tell(Change {
                error: Some((&error).into()),
                seconds: since.elapsed().as_secs_f64(),
                ..self.told(key, status)
            });
        }
        Err(error)
    }

    fn interrupted(&self) -> Result<()> {
        if self.cancel.is_cancelled() { Err(Error::cancelled()) } else { Ok(()) }
    }
}
