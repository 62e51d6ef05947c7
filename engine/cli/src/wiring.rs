//! The parts put together: modules, hosts over SSH, recipes, the log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use haengine_kernel::cancel::Cancel;
use haengine_kernel::event::Level;
use haengine_kernel::inventory::{Inventory, SecretSource};
use haengine_kernel::journal::RunFolder;
use haengine_kernel::transport::Connect;
use haengine_runs::{Person, Workshop};
use haengine_script::{Library, Sources};
use haengine_stdlib::ssh::client::{Notice, Options, SshConnector};
use include_dir::{Dir, include_dir};
use tracing_subscriber::EnvFilter;

use crate::context::Context;
use crate::crash;
use crate::session::Session;

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

/// What the runs of this command are made with.
pub fn workshop(context: &Context, session: &Arc<Session>) -> Workshop {
    let environment = &context.environment;
    let crash = environment.crash.clone();
    let journal = move |folder: &RunFolder| match &crash {
        Some(crash) => folder.journal_seen(crash::at(crash)?),
        None => folder.journal(),
    };
    Workshop {
        journal: Box::new(journal),
        inventory: context.global.inventory.clone(),
        home: environment.home.clone(),
        forks: context.global.forks,
        operator: environment.operator.clone(),
        machine: environment.machine.clone(),
        ..Workshop::new(session.clone(), haengine_stdlib::modules, sources(), over_ssh(context, session))
    }
}

/// The way to the hosts of an inventory, over SSH.
fn over_ssh(
    context: &Context,
    session: &Session,
) -> impl Fn(Arc<Inventory>, Arc<dyn SecretSource>) -> Arc<dyn Connect> + Send + Sync + 'static {
    let (events, agent_socket) = (session.events().clone(), context.environment.agent.clone());
    move |inventory, secrets| {
        let events = events.clone();
        let notices = Arc::new(move |notice: Notice| {
            let Notice::HostKeyAccepted { host, .. } = &notice else { return };
            let text = notice.to_string();
            // The event names the host itself.
            let message = text.strip_prefix(&format!("{host}: ")).unwrap_or(&text);
            events.log(Level::Warning, Some(host), message);
        });
        let options = Options { agent_socket: agent_socket.clone(), spool: spool(), notices };
        Arc::new(SshConnector::new(inventory, secrets, options))
    }
}

/// Output may be large, and what is for small things may be in memory.
fn spool() -> PathBuf {
    let large = PathBuf::from("/var/tmp");
    if large.is_dir() { large } else { std::env::temp_dir() }
}
