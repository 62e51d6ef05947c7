//! A run that failed, was interrupted or died goes on.

use haengine_kernel::event::Level;
use haengine_kernel::run::Decision;

use crate::end::{End, nothing};
use crate::keep;
use crate::prepare::{Call, Prepared, Refusal};
use crate::refuse::refuse;
use crate::repairer::Repairer;
use crate::runs::Runs;
use crate::unfinished::Found;

impl Runs<'_> {
    /// Goes on with a run: its recipe as it was then, executed from the top. `answer` is what is done about actions
    /// whose end is not known; without one, the person is asked.
    ///
    /// # Errors
    /// When there is nothing to go on with, or nothing was begun.
    pub async fn resume(&self, run: &str, answer: Option<Decision>) -> Result<End, Refusal> {
        let (workshop, person) = (self.workshop, self.workshop.person.as_ref());
        let folder = self.store.enter(run.to_owned())?;
        let state = folder.state()?;
        refuse(&folder.id, &state, &self.store)?;
        if state.outcome() == Some(End::Done.outcome()) {
            person.begin(&folder.id, "resume", state.recipe());
            return Ok(nothing(person, &folder.id, "this run has succeeded: there is nothing to go on with"));
        }
        let (main, files) = keep::kept_recipe(&folder)?;
        let name = if state.head.is_some() { state.recipe().to_owned() } else { main.clone() };
        let recipe = workshop.library().restore(main, files)?;
        let inventory = self.inventory_of(&folder)?;
        let named = !inventory.hosts.is_empty();
        let parameters = keep::kept_parameters(&folder)?;
        let call = Call { recipe: name.clone(), parameters };
        let prepared = workshop.check(recipe, inventory.into(), call, named)?;
        person.begin(&folder.id, "resume", &name);
        let attempt = self.again(&folder, &state, &prepared, answer).await?;
        Ok(workshop.perform(prepared, attempt).await.0)
    }

    /// Goes on with an unfinished run of a recipe that was called again.
    ///
    /// # Errors
    /// When another process does, or its journal cannot be written.
    pub async fn go_on(
        &self,
        found: Found,
        prepared: Prepared,
        repairer: Option<&mut dyn Repairer>,
    ) -> Result<End, Refusal> {
        let person = self.workshop.person.as_ref();
        let folder = self.store.enter(found.id().to_owned())?;
        // Another process may have gone on with it meanwhile.
        let state = folder.state()?;
        refuse(&folder.id, &state, &self.store)?;
        person.begin(&folder.id, "resume", &prepared.call.recipe);
        let how = if person.asks() { "" } else { "; `--anew` begins a new run instead" };
        person.events().log(Level::Info, None, format!("this run {} before: going on with it{how}", found.ended()));
        let attempt = self.again(&folder, &state, &prepared, None).await?;
        self.execute(&folder, prepared, attempt, repairer).await
    }
}
