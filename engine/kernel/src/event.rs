//! What happens, as it happens. The kernel tells; a reporter of the command line draws.

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::diff::Diff;
use crate::error::ErrorRecord;
use crate::remnant::Remnant;
use crate::secret::Known;

/// One thing that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run, a plan, a resume, an undo or a forget begins.
    RunStarted {
        /// The run's id.
        run: String,
        /// `run`, `plan`, `resume`, `undo` or `forget`.
        command: String,
        /// The recipe.
        recipe: String,
    },
    /// A connection to a host stands.
    Connected {
        /// The host.
        host: String,
        /// How long it took.
        seconds: f64,
    },
    /// A step of the recipe begins.
    StepStarted {
        /// Names from the outermost step, joined with ` / `.
        step: String,
    },
    /// A step has ended.
    StepFinished {
        /// Names from the outermost step, joined with ` / `.
        step: String,
        /// How long it took.
        seconds: f64,
        /// True when it did not succeed.
        failed: bool,
    },
    /// A change is being made.
    ChangeStarted {
        /// The host.
        host: String,
        /// Module and verb.
        op: String,
        /// What changes.
        target: String,
    },
    /// A change was made, planned, not needed, or failed.
    Change(Change),
    /// How far a copy is.
    Progress {
        /// The host.
        host: String,
        /// What is copied.
        target: String,
        /// Bytes done.
        done: u64,
        /// Bytes in all, when known.
        total: Option<u64>,
    },
    /// A line that a command printed.
    Output {
        /// The host.
        host: String,
        /// `stdout` or `stderr`.
        stream: String,
        /// The line, without its end.
        line: String,
    },
    /// Something that an undo did not take away.
    Remnant {
        /// The host.
        host: String,
        /// What, and why.
        #[serde(flatten)]
        remnant: Remnant,
    },
    /// A verification of the recipe.
    Verified {
        /// Its name.
        name: String,
        /// `passed`, `failed` or `would verify`.
        outcome: String,
        /// How long it took.
        seconds: f64,
    },
    /// A check of a preflight.
    Check(Check),
    /// Something is waited for.
    Waiting {
        /// What.
        what: String,
    },
    /// A message of the recipe or the engine.
    Log {
        /// `info` or `warning`.
        level: Level,
        /// The host that it is about, if one.
        #[serde(skip_serializing_if = "Option::is_none")]
        host: Option<String>,
        /// The text.
        message: String,
    },
    /// Why a run ended early.
    Error {
        /// The host, if one.
        #[serde(skip_serializing_if = "Option::is_none")]
        host: Option<String>,
        /// What went wrong.
        #[serde(flatten)]
        error: ErrorRecord,
    },
    /// The end; always the last event.
    RunFinished(Totals),
}

/// What a check of a preflight found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The checks that it belongs to.
    pub group: String,
    /// Its name.
    pub check: String,
    /// What became of it: the worst of its findings.
    pub status: CheckStatus,
    /// What it saw, in a few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// In the order in which they were found.
    pub findings: Vec<CheckFinding>,
    /// True for the answer of an earlier attempt: it is not done again after the first change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recorded: bool,
    /// How long it took.
    pub seconds: f64,
}

/// One thing that a check has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckFinding {
    /// Never `passed`.
    pub status: CheckStatus,
    /// What was found.
    pub message: String,
    /// The next step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Where the recipe says so: `add_master.rhai:12:9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// What became of a check; each is worse than those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// All is as it shall be.
    Passed,
    /// Worth a look; the run goes on.
    Warning,
    /// It could not be seen. That is never a pass, and no reason to refuse.
    NotChecked,
    /// The run must not begin.
    Refused,
}

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Worth a look.
    Warning,
}

/// What became of one op on one host and target.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Change {
    /// The host.
    pub host: String,
    /// Module and verb.
    pub op: String,
    /// What changes; known beforehand.
    pub target: String,
    /// What became of it.
    pub status: Status,
    /// The step it belongs to; empty outside of steps.
    pub step: String,
    /// What changed, in a few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// What changed, line by line, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<Diff>,
    /// How long the change took.
    pub seconds: f64,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorRecord>,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A run would make it.
    Planned,
    /// It was made.
    Changed,
    /// The host was as it shall be.
    Unchanged,
    /// An action's `unless` says that it is done.
    Skipped,
    /// It was tried and did not work.
    Failed,
    /// The host could not be reached or asked.
    Unreachable,
}

/// The sums of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Totals {
    /// The run's id.
    pub run: String,
    /// `succeeded`, `failed` or `interrupted`.
    pub outcome: String,
    /// Changes that were not needed.
    pub ok: u64,
    /// Changes made; in a plan, changes that a run would make.
    pub changed: u64,
    /// Actions that were done already.
    pub skipped: u64,
    /// Changes that failed, a caught failure included.
    pub failed: u64,
    /// Hosts that could not be reached.
    pub unreachable: u64,
    /// From start to end.
    pub seconds: f64,
    /// Of these, spent waiting for the hosts' own work.
    pub waited: f64,
}

/// An event and when it happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stamped {
    /// The event.
    #[serde(flatten)]
    pub event: Event,
    /// When, in UTC.
    pub time: jiff::Timestamp,
}

impl Check {
    /// Leaves known secrets out.
    pub(crate) fn hide(&mut self, known: &Known) {
        known.hide_in(&mut self.detail);
        for finding in &mut self.findings {
            known.hide_in(&mut finding.message);
            finding.hint.iter_mut().for_each(|hint| known.hide_in(hint));
        }
    }
}

impl Event {
    /// Leaves known secrets out of what hosts and recipes say.
    fn hide(&mut self, known: &Known) {
        match self {
            Event::Output { line, .. } => known.hide_in(line),
            Event::Log { message, .. } => known.hide_in(message),
            Event::Waiting { what } => known.hide_in(what),
            Event::Error { error, .. } => error.hide(known),
            Event::Change(change) => {
                known.hide_in(&mut change.summary);
                change.diff.iter_mut().for_each(|diff| diff.hide(known));
                change.error.iter_mut().for_each(|error| error.hide(known));
            }
            Event::Check(check) => check.hide(known),
            _ => {}
        }
    }
}

/// Where events go. Cheap to copy; sending never waits.
#[derive(Clone)]
pub struct Events {
    sender: mpsc::UnboundedSender<Stamped>,
    known: Known,
}

impl Events {
    /// A sink, and the end from which a reporter reads.
    pub fn channel() -> (Events, mpsc::UnboundedReceiver<Stamped>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Events { sender, known: Known::default() }, receiver)
    }

    /// Tells the reporter; a reporter that has gone is no reason to stop a run.
    pub fn send(&self, mut event: Event) {
        event.hide(&self.known);
        let _ = self.sender.send(Stamped { event, time: jiff::Timestamp::now() });
    }

    /// The secrets that no event tells.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// A message.
    pub fn log(&self, level: Level, host: Option<&str>, message: impl Into<String>) {
        self.send(Event::Log { level, host: host.map(str::to_owned), message: message.into() });
    }
}
