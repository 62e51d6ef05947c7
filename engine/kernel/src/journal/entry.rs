//! One line of the journal.

use serde::{Deserialize, Serialize};

use crate::diff::Diff;
use crate::error::ErrorRecord;
use crate::event::Check;
use crate::identity::Identity;
use crate::remnant::Remains;
use crate::secret::Known;

/// The version that is written. Readers accept this one and those before it.
pub const VERSION: u32 = 2;

/// An entry and when it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When, in UTC.
    pub time: jiff::Timestamp,
    /// What.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The first line.
    Run {
        /// The journal's version.
        version: u32,
        /// The run's id.
        run: String,
        /// The recipe, as it was named.
        recipe: String,
        /// Its parameters, secrets redacted.
        parameters: serde_json::Value,
        /// The inventory's files.
        inventory: Vec<String>,
        /// Who runs it: user and machine.
        operator: String,
    },
    /// Who a host is, before its first change.
    Host {
        /// The host.
        host: String,
        /// What it says about itself.
        #[serde(flatten)]
        identity: Identity,
    },
    /// A change is about to be made; everything that its undo needs is here.
    Started {
        /// Its number, unique and growing.
        change: u64,
        /// The call it belongs to: one call reaches several hosts at once.
        call: u64,
        /// What it is known by when the recipe runs again.
        key: Key,
        /// The op's arguments, content as hashes.
        arguments: serde_json::Value,
        /// What observe saw, content as hashes.
        before: serde_json::Value,
        /// False when nothing takes it back.
        reversible: bool,
        /// The step around it whose hosts need each other, outermost first: see
        /// [`Place::together`](crate::run::Place::together).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        together: Vec<String>,
        /// See [`Keep::nonce`](crate::keep::Keep::nonce); empty before version 2.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        nonce: String,
        /// What changes, in a few words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        summary: String,
        /// What changes, line by line: redacted, and of a long one the beginning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        diff: Option<Diff>,
    },
    /// It was made.
    Succeeded {
        /// Its number.
        change: u64,
        /// What an action returned, secrets redacted.
        #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
        result: serde_json::Value,
        /// How long it took.
        seconds: f64,
    },
    /// It did not work; the host may be anywhere in between.
    Failed {
        /// Its number.
        change: u64,
        /// Why.
        error: ErrorRecord,
    },
    /// It is about to be taken back.
    UndoStarted {
        /// Its number.
        change: u64,
    },
    /// It was taken back, verified.
    Undone {
        /// Its number.
        change: u64,
        /// True when something is left to do once everything else on the host is taken back.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unsettled: bool,
        /// What was not taken away.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remains: Remains,
    },
    /// What was left to do at the end of undo is done.
    Settled {
        /// Its number.
        change: u64,
        /// What was not taken away.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remains: Remains,
    },
    /// Taking it back did not work.
    UndoFailed {
        /// Its number.
        change: u64,
        /// Why.
        error: ErrorRecord,
    },
    /// The run, or its undo, ended by itself: `succeeded`, `failed` or `interrupted`.
    Finished {
        /// How.
        outcome: String,
        /// The error that ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<ErrorRecord>,
    },
    /// A further attempt begins: the recipe is executed from the top again.
    Resumed {
        /// Who goes on with it: user and machine.
        operator: String,
        /// The inventory's files, where others are named than before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        inventory: Vec<String>,
    },
    /// Others are kept away from something as long as this attempt lasts; an undo does the same.
    Guarded {
        /// Module and verb.
        op: String,
        /// The host.
        host: String,
        /// Its arguments.
        arguments: serde_json::Value,
    },
    /// A check that holds before the first change was done. An attempt that goes on after a change shows this answer.
    Checked {
        /// Where it stands: its op is `check`, and its target its group and its name.
        key: Key,
        /// What it told.
        check: Check,
    },
    /// A host's machine is no more, and what was changed on it is given up with it.
    GivenUp {
        /// The host.
        host: String,
        /// Who gave it up: user and machine.
        operator: String,
    },
    /// What the hosts keep for the undo is given up.
    Forgotten {
        /// Who gave it up: user and machine.
        operator: String,
    },
}

impl Entry {
    /// Leaves known secrets out, but not out of what undo needs as it is.
    pub(crate) fn hide(&mut self, known: &Known) {
        match self {
            Entry::Started { arguments, summary, diff, .. } => {
                known.long().hide_json(arguments);
                known.hide_in(summary);
                diff.iter_mut().for_each(|diff| diff.hide(known));
            }
            Entry::Succeeded { result, .. } => known.hide_json(result),
            Entry::Failed { error, .. }
            | Entry::UndoFailed { error, .. }
            | Entry::Finished { error: Some(error), .. } => error.hide(known),
            Entry::Checked { check, .. } => check.hide(known),
            _ => {}
        }
    }
}

/// What a change is known by: the same call in a second attempt has the same key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// The recipe's file.
    pub recipe: String,
    /// The steps around it, outermost first.
    pub step: Vec<String>,
    /// Counts changes that are alike in all the rest.
    pub ordinal: u32,
    /// Module and verb.
    pub op: String,
    /// The host.
    pub host: String,
    /// What it changes.
    pub target: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CheckFinding, CheckStatus};
    use crate::secret::Secret;

    #[test]
    fn the_answer_of_a_check_is_kept_without_secrets() {
        let known = Known::default();
        known.add(&Secret::new("hunter2".to_owned()));
        let (status, said, none) = (CheckStatus::Refused, || "it says hunter2".to_owned(), String::new);
        let findings = vec![CheckFinding { status, message: said(), hint: Some(said()), place: None }];
        let check =
            Check { group: none(), check: none(), status, detail: said(), findings, recorded: false, seconds: 0.0 };
        let key = Key { recipe: none(), step: Vec::new(), ordinal: 0, op: none(), host: none(), target: none() };
        let mut entry = Entry::Checked { key, check };
        entry.hide(&known);
        let text = serde_json::to_string(&entry).unwrap();
        assert!(!text.contains("hunter2") && text.matches("it says ‹secret›").count() == 3, "{text}");
    }
}
