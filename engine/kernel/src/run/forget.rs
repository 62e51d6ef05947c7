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

/// The lines that give up what was changed on these hosts.
pub(super) fn given_up(hosts: &[String], operator: &str) -> impl Iterator<Item = Entry> {
    hosts.iter().map(move |host| Entry::GivenUp { host: host.clone(), operator: operator.to_owned() })
}

impl Run {
    /// Gives up what the hosts of the run's changes keep for its undo; those in `replaced` are not asked, since their
    /// machines are no more. From the first line on the run cannot be undone, also where a host could not be reached: then
    /// it can be forgotten again.
    ///
    /// # Errors
    /// `host.replaced` when a host is another machine by now, before anything is touched; else the first failure, after all
    /// hosts have done what they can.
    pub async fn forget(&self, state: &State, operator: &str, replaced: &[String]) -> Result<()> {
        let Mode::Apply { journal, holder } = &self.mode else { return Ok(()) };
        let mut names: BTreeSet<&str> = state.changes.values().map(|change| change.key.host.as_str()).collect();
        names.retain(|name| !state.given_up.contains(*name) && replaced.iter().all(|replaced| replaced != name));
        self.machines.learn(&state.hosts);
        self.look_at(names.iter().copied()).await?;
        let forgotten = Entry::Forgotten { operator: operator.to_owned() };
        journal.append(given_up(replaced, operator).chain([forgotten]).collect()).await?;
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
        self.enter(&host, holder).await?;
        self.touch();
        let said = host.ok(command).await?.text();
        let kept: u64 = said.lines().filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok()).sum();
        host.note(if said.is_empty() { "nothing was kept".to_owned() } else { format!("gave up {kept} KiB") });
        Ok(())
    }
}
