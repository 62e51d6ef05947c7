//! A new run.

use haengine_kernel::run::Past;

use crate::attempt::Attempt;
use crate::end::End;
use crate::keep;
use crate::prepare::{Prepared, Refusal};
use crate::repairer::Repairer;
use crate::runs::Runs;

impl Runs<'_> {
    /// Runs a recipe. Where there is a repairer, steps that fail are brought before them.
    ///
    /// # Errors
    /// When nothing was begun: what is begun and fails is told, and the end says so.
    pub async fn run(&self, prepared: Prepared, repairer: Option<&mut dyn Repairer>) -> Result<End, Refusal> {
        let (recipe, parameters) = (&prepared.call.recipe, prepared.bound.redacted());
        let given = keep::located(&prepared.call.parameters, &parameters);
        let keep = |folder: &_| keep::all(folder, &prepared.inventory, prepared.recipe.snapshot(), &given);
        let (folder, mode) = self.begin(recipe, parameters, keep).await?;
        self.workshop.person.begin(&folder.id, "run", recipe);
        let attempt = Attempt { id: &folder.id, mode, past: Past::default() };
        self.execute(&folder, prepared, attempt, repairer).await
    }
}
