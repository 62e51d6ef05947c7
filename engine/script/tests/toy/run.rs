//! The smallest way to run a few lines.

use std::path::Path;
use std::sync::Arc;

use haengine_kernel::error::Result;
use haengine_kernel::event::Events;
use haengine_kernel::inventory::{SecretRef, SecretSource};
use haengine_kernel::journal::Store;
use haengine_kernel::lock::Holder;
use haengine_kernel::run::{Mode, Run};
use haengine_kernel::secret::Secret;
use haengine_script::{Fault, Prompt, Sources, Surroundings};
use tokio_util::sync::CancellationToken;

use super::World;

struct Nobody;

impl Prompt for Nobody {
    fn confirm(&self, _question: &str) -> Result<bool> {
        Ok(false)
    }
}

impl SecretSource for Nobody {
    fn resolve(&self, _reference: &SecretRef) -> Result<Secret> {
        Ok(Secret::new(String::new()))
    }
}

/// Runs or plans a `main` with this body; how many changes it made or planned.
pub async fn run(world: &Arc<World>, plan: bool, body: &str) -> Result<u64, Fault> {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), world, plan, &format!("fn main() {{\n    {body}\n}}\n")).await
}

/// The same for a recipe with this text, whose run is kept in this folder.
pub async fn run_in(folder: &Path, world: &Arc<World>, plan: bool, text: &str) -> Result<u64, Fault> {
    let file = folder.join("a.rhai");
    std::fs::write(&file, text).unwrap();
    let recipe = super::library().load(&Sources::default(), file.to_str().unwrap())?;
    let (events, _reader) = Events::channel();
    let cancel = CancellationToken::new();
    let mode = if plan { Mode::Plan } else { apply(folder) };
    let run = Run::new("r".into(), mode, super::hosts(world, events.clone(), cancel.clone()), events, cancel);
    let nobody = Arc::new(Nobody);
    let bound = recipe.bind(&[], &super::inventory(), &Nobody, None)?;
    let surroundings = Surroundings { run: run.clone(), prompt: nobody.clone(), secrets: nobody, forks: 4 };
    let result = recipe.run(bound, surroundings).await;
    let totals = run.finish("succeeded").await;
    result.map(|()| totals.changed)
}

fn apply(folder: &Path) -> Mode {
    let run = Store::open(folder).unwrap().create().unwrap();
    let (since, state) = (jiff::Timestamp::UNIX_EPOCH, String::new());
    let holder = Holder { run: run.id.clone(), operator: "tester".to_owned(), state, since, dead: None };
    Mode::Apply { journal: run.journal().unwrap(), holder }
}
