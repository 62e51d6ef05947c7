//! How every run begins: its folder, what it is made of, and the first line of its journal.

use haengine_kernel::error::Result;
use haengine_kernel::journal::{Entry, RunFolder, VERSION};
use haengine_kernel::run::Mode;
use serde_json::Value;

use crate::runs::Runs;

impl Runs<'_> {
    /// A new run that may make changes. What it is made of is kept, all of it on disk, before the journal begins.
    ///
    /// # Errors
    /// When something cannot be written; nothing was touched then.
    pub(crate) async fn begin(
        &self,
        recipe: &str,
        parameters: Value,
        keep: impl FnOnce(&RunFolder) -> Result<()>,
    ) -> Result<(RunFolder, Mode)> {
        let folder = self.store.create()?;
        keep(&folder)?;
        let journal = self.journal(&folder)?;
        journal.append(vec![self.first_line(&folder, recipe, parameters)]).await?;
        let mode = self.apply(&folder, journal);
        Ok((folder, mode))
    }

    /// What stands before all else in a run's journal.
    pub(crate) fn first_line(&self, folder: &RunFolder, recipe: &str, parameters: Value) -> Entry {
        Entry::Run {
            version: VERSION,
            run: folder.id.clone(),
            recipe: recipe.to_owned(),
            parameters,
            inventory: self.workshop.inventory_files(),
            operator: self.workshop.operator.clone(),
        }
    }
}
