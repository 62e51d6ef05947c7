//! A run that has not come to its end: how the next run of the same finds it.

use std::collections::BTreeMap;

use haengine_kernel::error::Result;
use haengine_kernel::journal::{Entry, RunFolder, State, Store};
use haengine_kernel::run::UndoPlan;
use haengine_kernel::secret::REDACTED;
use haengine_script::snapshot::Snapshot;

use crate::count::changes;
use crate::keep;
use crate::person::Person;
use crate::prepare::Prepared;
use crate::refuse::refuse_old;
use crate::runs::Runs;

/// An unfinished run.
pub struct Found {
    id: String,
    state: State,
    outcome: String,
}

impl Runs<'_> {
    /// The newest run of this recipe, with these parameters and this inventory, if it is one to go on with.
    ///
    /// # Errors
    /// When the state folder cannot be read.
    pub fn find(&self, prepared: &Prepared) -> Result<Option<Found>> {
        for id in self.store.ids()? {
            let folder = self.store.look(&id)?;
            if !is_same(&folder, prepared) {
                continue;
            }
            // A journal that cannot be read is told by `runs`; it is none to go on with.
            let Ok(state) = folder.state() else { continue };
            if !state.changes.is_empty() && !state.is_undone() {
                let outcome = self.store.summary(&id)?.outcome;
                return Ok(Some(Found { id, state, outcome }).filter(|found| found.is_open(&self.store)));
            }
        }
        Ok(None)
    }
}

fn is_same(folder: &RunFolder, prepared: &Prepared) -> bool {
    let Some(Entry::Run { parameters, .. }) = folder.head() else { return false };
    let asked = keep::located(&prepared.call.parameters, &parameters);
    parameters == prepared.bound.redacted()
        && keep::kept_parameters(folder).is_ok_and(|given| secrets(&parameters, &given) == secrets(&parameters, &asked))
        && keep::kept_inventory(folder).is_ok_and(|inventory| inventory == *prepared.inventory)
        && is_same_recipe(folder, prepared.recipe.snapshot())
}

/// Where the given secrets are found: redacted, all are alike.
fn secrets<'a>(parameters: &serde_json::Value, given: &'a [(String, String)]) -> BTreeMap<&'a str, &'a str> {
    let secret = |name: &str| parameters.get(name).is_some_and(|value| value == REDACTED);
    given.iter().map(|(name, text)| (name.as_str(), text.as_str())).filter(|(name, _)| secret(name)).collect()
}

fn is_same_recipe(folder: &RunFolder, snapshot: &Snapshot) -> bool {
    let Ok((main, kept)) = keep::kept_recipe(folder) else { return false };
    let same = |name: &String, text: &str| snapshot.files.get(name).is_some_and(|file| *file.text == *text);
    main == snapshot.main
        && kept.len() == snapshot.files.len()
        && kept.iter().all(|(name, file)| same(name, &file.text))
}

impl Found {
    fn is_open(&self, store: &Store) -> bool {
        let ended = matches!(self.outcome.as_str(), "failed" | "interrupted" | "died");
        // What a later run has built upon cannot be gone on with below it.
        ended && UndoPlan::of(&self.state).refuse_if_built_upon(store, &self.id).is_ok()
    }

    /// Asks whether to go on with it; where nobody can be asked, that is what happens.
    ///
    /// # Errors
    /// When nothing can be gone on with, or the answer cannot be read.
    pub fn agree(&self, person: &dyn Person) -> Result<bool> {
        refuse_old(&self.id, &self.state)?;
        if !person.asks() {
            return Ok(true);
        }
        let changes = changes(self.state.changes.len());
        let question =
            format!("run {} of this has {} after {changes}: go on with it? (no: a new run)", self.id, self.ended());
        person.confirm(&question)
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// How it ended, as a verb.
    pub(crate) fn ended(&self) -> String {
        if self.outcome == "interrupted" { "was interrupted".to_owned() } else { self.outcome.clone() }
    }
}
