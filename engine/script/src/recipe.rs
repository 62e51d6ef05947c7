//! A loaded recipe: what it says of itself, and its run.

use std::path::Path;
use std::sync::Arc;

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::inventory::{Inventory, SecretSource};
use haengine_kernel::run::Place;

use crate::fault::Fault;
use crate::frame::{Common, Frame, Mender, Surroundings};
use crate::from_rhai::fault;
use crate::import::run_main;
use crate::library::Library;
use crate::limits::on_a_deep_stack;
use crate::params::{Bound, Context, Parameter, bind_pairs};
use crate::snapshot::Snapshot;

/// A recipe, loaded and immutable.
#[derive(Clone)]
pub struct Recipe {
    library: Library,
    snapshot: Arc<Snapshot>,
    parameters: Arc<Vec<Parameter>>,
    mender: Option<Arc<dyn Mender>>,
}

impl Recipe {
    pub(crate) fn new(library: Library, snapshot: Arc<Snapshot>, parameters: Vec<Parameter>) -> Recipe {
        Recipe { library, snapshot, parameters: Arc::new(parameters), mender: None }
    }

    /// The same, with somebody who is asked about steps that fail.
    #[must_use]
    pub(crate) fn mended_by(self, mender: Arc<dyn Mender>) -> Recipe {
        Recipe { mender: Some(mender), ..self }
    }

    /// What errors and the journal call it.
    pub fn name(&self) -> &str {
        &self.snapshot.main
    }

    /// What its `//!` lines say, in Markdown; the first line stands alone.
    pub fn about(&self) -> String {
        let lines = self.snapshot.main_file().text.lines().take_while(|line| line.starts_with("//!"));
        let lines: Vec<&str> = lines.map(|line| line[3..].strip_prefix(' ').unwrap_or(&line[3..])).collect();
        lines.join("\n").trim().to_owned()
    }

    /// Its parameters, in the order in which it writes them.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Its files.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The language it is written in.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// Values for its parameters.
    ///
    /// # Errors
    /// Unknown, missing and ill-typed parameters; nothing was asked of any host.
    pub fn bind(
        &self,
        pairs: &[(String, String)],
        inventory: &Inventory,
        secrets: &dyn SecretSource,
        home: Option<&Path>,
    ) -> Result<Bound, Fault> {
        let named = pairs.iter().map(|(_, text)| text.clone()).chain(inventory.texts());
        let reach = self.snapshot.reach().map(|reach| Arc::new(reach.with(named)));
        Ok(bind_pairs(&self.parameters, pairs, &Context { inventory, secrets, home, reach })?)
    }

    /// Runs `main`, or plays the phases. The recipe works on a thread of its own, where it may wait.
    ///
    /// # Errors
    /// What ended the recipe early, with place and call stack.
    pub async fn run(&self, bound: Bound, surroundings: Surroundings) -> Result<(), Fault> {
        let (mender, Bound { values, reach }) = (self.mender.clone(), bound);
        let common = Common { mender, reach, ..Common::new(surroundings) };
        let place = Place { recipe: self.name().to_owned(), ..Place::default() };
        let frame = Frame::new(self.snapshot.clone(), Some(Arc::new(common)), place);
        let recipe = self.clone();
        let work = move || {
            run_main(&recipe.library.engine, recipe.snapshot.main_file(), frame, values)
                .map(|_| ())
                // Where a person has ended it, the error is that of the step.
                .map_err(|error| {
                    let left = recipe.mender.as_ref().and_then(|mender| mender.take_left());
                    left.unwrap_or_else(|| fault(*error, &recipe.library.engine, &recipe.snapshot))
                })
        };
        match tokio::task::spawn_blocking(move || on_a_deep_stack(work)).await {
            Ok(Ok(played)) => played,
            Ok(Err(panic)) => Err(failed(panic)),
            Err(panic) => Err(failed(panic)),
        }
    }
}

fn failed(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    let error = Error::new(Kind::Local, "engine.panic", "haengine itself failed while it ran the recipe");
    error.hint("report this, with the recipe").because(why).into()
}
