//! Forget: what hosts keep for the undo of a run is given up.

use std::collections::BTreeSet;

use futures::future::join_all;

use crate::error::Result;
use crate::event::Level;
use crate::journal::{Entry, State};
use crate::keep::{ASIDE, Keep};
use crate::lock::Holder;
use crate::run::{Mode, Run};
use crate::transport::Command;

/// Prints how many KiB were kept on each mount, and removes it; what is in the folder named `$3` stays. A mount whose
/// server has gone is passed over, and so is a folder that somebody else made. `/var/lib/haengine` goes with its last
/// run: a host is left as it was.
const FORGET: &str = include_str!("forget.sh");

impl Run {
    /// Gives up what the hosts of the run's changes keep for its undo. From the first line on the run cannot be undone,
    /// also where a host could not be reached: then it can be forgotten again.
    ///
    /// # Errors
    /// The first failure, after all hosts have done what they can.
    pub async fn forget(&self, state: &State, operator: &str) -> Result<()> {
        let Mode::Apply { journal, holder } = &self.mode else { return Ok(()) };
        journal.append(vec![Entry::Forgotten { operator: operator.to_owned() }]).await?;
        let names: BTreeSet<&str> = state.changes.values().map(|change| change.key.host.as_str()).collect();
        let command = self.forgetting("");
        let released = join_all(names.into_iter().map(async |name| {
            let released = self.forget_on(name, holder, &command).await;
            if released.is_err() {
                let message = format!("what it keeps may still be there: `haengine forget {}` again", self.id);
                self.events.log(Level::Warning, Some(name), message);
            }
            released
        }));
        released.await.into_iter().collect()
    }

    /// The command that removes all that a host keeps for its undo; what was moved aside stays.
    pub(super) fn releasing(&self) -> Command {
        self.forgetting(ASIDE)
    }

    fn forgetting(&self, but: &str) -> Command {
        Command::script(FORGET).arg(&self.id).arg(Keep::new(self.id.clone(), 0).folder()).arg(but)
    }

    async fn forget_on(&self, name: &str, holder: &Holder, command: &Command) -> Result<()> {
        let host = self.hosts.get(name)?;
        host.lock(holder).await?;
        self.touch();
        let said = host.ok(command).await?.text();
        let kept: u64 = said.lines().filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok()).sum();
        host.note(if said.is_empty() { "nothing was kept".to_owned() } else { format!("gave up {kept} KiB") });
        Ok(())
    }
}
