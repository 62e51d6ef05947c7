//! The same recipe without writes.

use std::sync::Arc;

use haengine_kernel::event::{Change, Event, Events, Level, Status, Totals};
use haengine_kernel::host::Hosts;
use haengine_kernel::run::{Mode, Past, Run};
use haengine_script::{Fault, Recipe};

use crate::attempt::Attempt;
use crate::end::End;
use crate::prepare::Prepared;
use crate::workshop::Workshop;

/// What a plan is called where a run has its id.
pub const PLAN: &str = "plan";

impl Workshop {
    /// Plans a recipe: reads are real, and what it would change is told. The totals say how much that is.
    pub async fn plan(&self, prepared: Prepared) -> (End, Totals) {
        self.person.begin(PLAN, "plan", &prepared.call.recipe);
        self.perform(prepared, Attempt { id: PLAN, mode: Mode::Plan, past: Past::default() }).await
    }

    /// All that a version of a recipe would change. Only its warnings are told.
    ///
    /// # Errors
    /// When it cannot be planned to its end.
    pub async fn changes(
        &self,
        recipe: &Recipe,
        parameters: &[(String, String)],
        hosts: &Arc<Hosts>,
    ) -> Result<Vec<Change>, Fault> {
        let bound = recipe.bind(parameters, hosts.inventory(), self.asked().as_ref(), self.home.as_deref())?;
        hosts.forget_plans();
        let (events, mut told) = Events::channel();
        let cancel = self.person.cancel().clone();
        let run = Run::new(PLAN.to_owned(), Mode::Plan, hosts.clone(), events, cancel);
        recipe.run(bound, self.surroundings(run)).await?;
        let mut planned = Vec::new();
        while let Ok(stamped) = told.try_recv() {
            match stamped.event {
                Event::Change(change) if change.status == Status::Planned => planned.push(change),
                Event::Log { level: Level::Warning, host, message } => {
                    self.person.events().log(Level::Warning, host.as_deref(), message);
                }
                _ => {}
            }
        }
        Ok(planned)
    }
}
