//! The parts put together: modules, hosts over SSH, recipes, the log.

use std::sync::Arc;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Hosts;
use haengine_kernel::inventory::Inventory;
use haengine_kernel::journal::{RunFolder, Store};
use haengine_kernel::lock::{DeadRuns, Holder};
use haengine_kernel::registry::Registry;
use haengine_kernel::run::Mode;
use tracing_subscriber::EnvFilter;

use crate::context::Context;
use crate::session::Session;
use crate::state;

/// Logs internals to standard error, where `-vv` or `HAENGINE_LOG` asks for it.
pub fn log(context: &Context) {
    let wanted = match (&context.environment.log, context.global.verbose) {
        (Some(filter), _) => filter.as_str(),
        (None, 0 | 1) => return,
        (None, 2) => "haengine=debug",
        (None, _) => "haengine=trace",
    };
    let filter = EnvFilter::new(wanted);
    let colour = context.error_paint.is_on();
    // Another subscriber cannot be there: this is the first thing that runs.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colour).with_writer(std::io::stderr).try_init();
}

/// All verbs, for a journal's records.
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    for verb in haengine_stdlib::modules().into_iter().flat_map(|module| module.verbs) {
        registry.add(verb);
    }
    registry
}

/// The hosts of a run, none of them connected.
pub fn hosts(context: &Context, session: &Session, inventory: Inventory) -> Arc<Hosts> {
    todo!()
}

/// What lets a run make changes: its journal, and what it says in the locks of hosts.
///
/// # Errors
/// When the journal cannot be opened.
pub fn apply(context: &Context, store: &Store, folder: &RunFolder) -> Result<Mode> {
    let state = state::folder(context.global.state_dir.as_deref(), &context.environment)?;
    let runs = store.clone();
    let holder = Holder {
        run: folder.id.clone(),
        operator: context.environment.operator.clone(),
        // The same path on two machines is not the same folder.
        state: format!("{}:{}", context.environment.machine, state.display()),
        since: jiff::Timestamp::now(),
        dead: Some(DeadRuns(Arc::new(move |run| runs.is_dead(run)))),
    };
    Ok(Mode::Apply { journal: folder.journal()?, holder })
}

/// Keeps the inventory with the run: undo needs no file that may have changed since.
///
/// # Errors
/// When it cannot be written.
pub fn save_inventory(folder: &RunFolder, inventory: &Inventory) -> Result<()> {
    let json = serde_json::to_vec_pretty(inventory).map_err(|error| unkept(folder, error.into()))?;
    std::fs::write(folder.path.join("inventory.json"), json).map_err(|error| unkept(folder, error))
}

/// The inventory that a run was made with.
///
/// # Errors
/// When it cannot be read.
pub fn saved_inventory(folder: &RunFolder) -> Result<Inventory> {
    let path = folder.path.join("inventory.json");
    let unreadable = |error: std::io::Error| {
        Error::new(Kind::Local, "runs.inventory", format!("cannot read the inventory of run {}", folder.id))
            .hint("name the inventory with `-i FILE`")
            .because(error)
    };
    let bytes = std::fs::read(&path).map_err(unreadable)?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(error.into()))
}

fn unkept(folder: &RunFolder, error: std::io::Error) -> Error {
    Error::new(Kind::Local, "runs.folder", format!("cannot write to the folder of run {}", folder.id))
        .hint("check free space and permissions of the state folder")
        .because(error)
}
