//! Answers of checks that hold before the first change: they are written down, and shown when the run goes on.

use crate::error::Result;
use crate::event::Check;
use crate::journal::{Entry, Key};
use crate::run::{Mode, Place, Run};

impl Run {
    /// What such a check is known by, and the answer of an earlier attempt, if a change has followed it. Of checks that
    /// are alike each has the next answer, in the order in which they are asked for here.
    pub fn recorded(&self, place: &Place, group: &str, check: &str) -> (Key, Option<Check>) {
        let key = self.key(place, "check", "", &format!("{group}: {check}"));
        let answer = self.past.answers.get(&key).map(|answer| Check { recorded: true, seconds: 0.0, ..answer.clone() });
        (key, answer)
    }

    /// Writes an answer down; a plan does not.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn record(&self, key: Key, answer: &Check) -> Result<()> {
        match &self.mode {
            Mode::Apply { journal, .. } => journal.append(vec![Entry::Checked { key, check: answer.clone() }]).await,
            Mode::Plan => Ok(()),
        }
    }
}
