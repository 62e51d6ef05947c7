//! The parts put together: modules, hosts over SSH, recipes, the log.

pub mod keep;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use haengine_kernel::cancel::Cancel;
use haengine_kernel::error::Result;
use haengine_kernel::event::Level;
use haengine_kernel::host::Hosts;
use haengine_kernel::inventory::Inventory;
use haengine_kernel::journal::{Journal, RunFolder, Store};
use haengine_kernel::lock::{DeadRuns, Holder};
use haengine_kernel::registry::Registry;
use haengine_kernel::run::Mode;
use haengine_script::{Library, Sources};
use haengine_stdlib::ssh::client::{Notice, Options, SshConnector};
use include_dir::{Dir, include_dir};
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

/// The recipes in the binary.
static RECIPES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../scripts");

/// The language with all modules.
pub fn library(cancel: impl Into<Cancel>) -> Library {
    Library::new(haengine_stdlib::modules(), cancel)
}

/// Where recipes are found: here, in `scripts`, and in the binary. The first of a name wins.
pub fn sources() -> Sources {
    let folders = vec![PathBuf::from("."), PathBuf::from("scripts")];
    Sources { folders, embedded: scripts(&RECIPES), libraries: scripts(&haengine_stdlib::LIBRARIES) }
}

/// The site's file that is used for this name, if it has one.
pub fn site(sources: &Sources, name: &str) -> Option<PathBuf> {
    sources.list().remove(name).flatten().map(|path| path.strip_prefix("./").map(Path::to_owned).unwrap_or(path))
}

fn scripts(folder: &'static Dir<'_>) -> BTreeMap<String, &'static str> {
    let files = folder.files().filter(|file| file.path().extension().is_some_and(|ending| ending == "rhai"));
    files.filter_map(|file| Some((file.path().file_stem()?.to_str()?.to_owned(), file.contents_utf8()?))).collect()
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
pub fn hosts(context: &Context, session: &Session, inventory: Arc<Inventory>) -> Arc<Hosts> {
    let events = session.events.clone();
    let notices = Arc::new(move |notice: Notice| {
        let Notice::HostKeyAccepted { host, .. } = &notice else { return };
        let text = notice.to_string();
        // The event names the host itself.
        let message = text.strip_prefix(&format!("{host}: ")).unwrap_or(&text);
        events.log(Level::Warning, Some(host), message);
    });
    let options = Options { agent_socket: context.environment.agent.clone(), spool: spool(), notices };
    let connector = Arc::new(SshConnector::new(inventory.clone(), session.secrets.clone(), options));
    let (events, cancel) = (session.events.clone(), session.cancel.clone());
    Hosts::with_forks(context.global.forks, inventory, connector, events, cancel)
}

/// Output may be large, and what is for small things may be in memory.
fn spool() -> PathBuf {
    let large = PathBuf::from("/var/tmp");
    if large.is_dir() { large } else { std::env::temp_dir() }
}

/// What lets a run make changes: its journal, and what it says in the locks of hosts.
///
/// # Errors
/// When the state folder is not known.
pub fn apply(context: &Context, store: &Store, folder: &RunFolder, journal: Journal) -> Result<Mode> {
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
    Ok(Mode::Apply { journal, holder })
}
