//! One execution of a recipe, the first or a further one.

use std::sync::Arc;

use haengine_kernel::error::Result;
use haengine_kernel::event::Totals;
use haengine_kernel::harmless::one_line;
use haengine_kernel::host::Hosts;
use haengine_kernel::journal::{Entry, RunFolder, State};
use haengine_kernel::run::{Decide, Decision, Mode, Past, Run, Unfinished};

use crate::end::{End, finish};
use crate::keep;
use crate::person::Person;
use crate::prepare::Prepared;
use crate::refuse::refuse_old;
use crate::runs::Runs;
use crate::workshop::Workshop;

/// One execution of a recipe.
pub(crate) struct Attempt<'a> {
    pub id: &'a str,
    pub mode: Mode,
    /// What earlier attempts have done.
    pub past: Past,
}

impl Attempt<'_> {
    /// The kernel's run of it, on these hosts.
    pub fn run(self, workshop: &Workshop, hosts: Arc<Hosts>) -> Arc<Run> {
        let (events, cancel) = (workshop.person.events().clone(), workshop.person.cancel().clone());
        Run::again(self.id.to_owned(), self.mode, hosts, events, cancel, self.past)
    }
}

impl Workshop {
    /// Executes the recipe to its end.
    pub(crate) async fn perform(&self, prepared: Prepared, attempt: Attempt<'_>) -> (End, Totals) {
        let run = attempt.run(self, self.hosts(prepared.inventory));
        let result = match run.rejoin().await {
            Ok(()) => prepared.recipe.run(prepared.bound, self.surroundings(run.clone())).await,
            Err(error) => Err(error.into()),
        };
        finish(self.person.as_ref(), &run, result).await
    }
}

impl Runs<'_> {
    /// A further attempt of a run, written down. `answer` is what is done about actions whose end is not known; without
    /// one, the person is asked.
    ///
    /// # Errors
    /// When its journal cannot be written; nothing was touched then.
    pub(crate) async fn again<'a>(
        &self,
        folder: &'a RunFolder,
        state: &State,
        prepared: &Prepared,
        answer: Option<Decision>,
    ) -> Result<Attempt<'a>> {
        refuse_old(&folder.id, state)?;
        let journal = self.journal(folder)?;
        let (operator, inventory) = (self.workshop.operator.clone(), self.workshop.inventory_files());
        let line = match state.head {
            Some(_) => Entry::Resumed { operator, inventory },
            // The run died after its journal was made, and before it had a line.
            None => self.first_line(folder, &prepared.call.recipe, prepared.bound.redacted()),
        };
        journal.append(vec![line]).await?;
        // The undo needs the way to the hosts that was right in the end, and all hosts that were changed.
        if state.changes.values().all(|change| prepared.inventory.host(&change.key.host).is_ok()) {
            keep::inventory(folder, &prepared.inventory)?;
        }
        let mode = self.apply(folder, journal);
        let decide = Arc::new(Ask { person: self.workshop.person.clone(), answer });
        Ok(Attempt { id: &folder.id, mode, past: Past::of(state, decide) })
    }
}

/// Who decides about actions whose end is not known: who has looked already, else the person.
struct Ask {
    person: Arc<dyn Person>,
    answer: Option<Decision>,
}

impl Decide for Ask {
    /// Who agrees to everything agrees to what is shown; what a host has done nobody sees here.
    fn decide(&self, unfinished: &Unfinished<'_>) -> Result<Decision> {
        if let Some(answer) = self.answer {
            return Ok(answer);
        }
        if !self.person.asks() {
            return Err(unfinished.undecided());
        }
        let (host, action) = (&unfinished.key.host, one_line(&unfinished.action()));
        let question = format!("{host}: {action} was begun and nobody knows whether it was done: do it again?");
        if self.person.confirm(&question)? {
            return Ok(Decision::Repeat);
        }
        match self.person.confirm(&format!("{host}: take {action} as done, and go on?"))? {
            true => Ok(Decision::Done),
            false => Err(unfinished.undecided()),
        }
    }
}
