//! `haengine undo`: every host as it was before a run.

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::Args;
use haengine_kernel::error::{Error, Kind};
use haengine_kernel::event::{Event, Level, Totals};
use haengine_kernel::harmless::one_line;
use haengine_kernel::host::Hosts;
use haengine_kernel::journal::{Entry, RunFolder, State, Store};
use haengine_kernel::run::{Run, UndoPlan};
use haengine_script::Fault;

use crate::context::Context;
use crate::exit::Exit;
use crate::report::lines::changes;
use crate::session::{Session, conduct};
use crate::wiring::{self, keep};

/// Take a run back: every host as it was before it
///
/// Goes through the run's changes backwards and verifies each. Only what the run can prove to have made is taken away: what
/// somebody else has made or changed since is left alone or moved aside, and named; then the exit code is 6. A change that
/// cannot be taken back is left as it was found, with what depends on it, and everything else goes on; the next undo tries it
/// again. A run on which a later one builds is refused. Before anything is touched you are told which changes have no
/// inverse, and asked.
///
/// The hosts are those of the inventory as it was at the time of the run, unless -i names another. One that is another
/// machine by now is refused before any host is touched; `--replaced` gives up what was on a machine that is no more.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine runs                                    the ids of all runs
  haengine undo 20260314-091502-kqzt
  haengine undo 20260314-091502-kqzt --yes         without a question, for scripts
  haengine undo 20260314-091502-kqzt --replaced m2 the machine of m2 is no more")]
pub struct UndoArgs {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,

    /// Give up what was on a machine that is no more (can be repeated)
    ///
    /// No connection to it is made.
    #[arg(long, value_name = "HOST")]
    replaced: Vec<String>,
}

/// Takes a run back.
pub fn undo(context: &Context, args: &UndoArgs) -> Exit {
    conduct(context, async |session| take_back(context, session, args).await)
}

async fn take_back(context: &Context, session: &Session, args: &UndoArgs) -> Result<Exit, Fault> {
    let store = context.store()?;
    let folder = store.enter(args.run.clone())?;
    let hosts = || Ok(wiring::hosts(context, session, inventory(context, &folder)?.into()));
    go_back(context, session, &store, &folder, hosts, How { ask: true, replaced: &args.replaced }).await
}

/// How a run is taken back.
#[derive(Default)]
pub(super) struct How<'a> {
    /// Whether somebody is asked first.
    pub ask: bool,
    /// The hosts whose machines are no more.
    pub replaced: &'a [String],
}

/// Takes the run of this folder back, which is alive in this process.
///
/// # Errors
/// When nothing was begun: what is begun and fails is told, and the exit code says so.
pub(super) async fn go_back(
    context: &Context,
    session: &Session,
    store: &Store,
    folder: &RunFolder,
    hosts: impl FnOnce() -> Result<Arc<Hosts>, Error>,
    how: How<'_>,
) -> Result<Exit, Fault> {
    let (id, state) = (folder.id.as_str(), folder.state()?);
    if let Some(when) = state.forgotten {
        return Err(forgotten(id, when).into());
    }
    let (state, lost) = without(id, state, how.replaced)?;
    let plan = UndoPlan::of(&state);
    plan.refuse_if_built_upon(store, id)?;
    session.begin(id, "undo", state.recipe());
    tell_irreversible(session, &plan);
    if plan.is_empty() && !plan.is_held() && lost == 0 {
        return Ok(nothing(session, id));
    }
    if how.ask && (!plan.is_empty() || lost > 0) {
        agree(session, &plan, lost, how.replaced)?;
    }
    let journal = context.journal(folder)?;
    if lost > 0 {
        journal.append(given_up(how.replaced, &context.environment.operator)).await?;
        let message = format!("gave up {} on {}", changes(lost), how.replaced.join(", "));
        session.events.log(Level::Warning, None, message);
    }
    if plan.is_empty() && !plan.is_held() {
        return Ok(nothing(session, id));
    }
    let mode = wiring::apply(context, store, folder, journal)?;
    let run = Run::new(id.to_owned(), mode, hosts()?, session.events.clone(), session.cancel.clone());
    if plan.is_empty() {
        run.let_go(&wiring::registry(), &plan).await?;
        session.events.log(Level::Info, None, "the locks that the run died with are let go");
        return Ok(nothing(session, id));
    }
    let result = run.undo(&wiring::registry(), &plan).await.map_err(Fault::from);
    Ok(session.finish(&run, result).await.0)
}

/// The run without what was on machines that are no more, and how many changes that was.
fn without(id: &str, mut state: State, replaced: &[String]) -> Result<(State, usize), Error> {
    refuse_unchanged(id, &state, replaced)?;
    let left = |state: &State| state.changes.values().filter(|change| !change.phase.is_over()).count();
    let before = left(&state);
    replaced.iter().for_each(|host| state.give_up(host.clone()));
    let lost = before - left(&state);
    Ok((state, lost))
}

/// Refuses to give up hosts that the run did not change: one of the names is wrong then.
///
/// # Errors
/// `undo.replaced`, with the hosts that it changed.
pub(super) fn refuse_unchanged(id: &str, state: &State, replaced: &[String]) -> Result<(), Error> {
    let changed: BTreeSet<&str> = state.changes.values().map(|change| change.key.host.as_str()).collect();
    let Some(wrong) = replaced.iter().find(|host| !changed.contains(host.as_str())) else { return Ok(()) };
    let hosts = changed.into_iter().collect::<Vec<_>>().join(", ");
    Err(Error::new(Kind::Usage, "undo.replaced", format!("run {id} changed nothing on `{wrong}`"))
        .hint(format!("name a host that it changed: {hosts}")))
}

/// The lines of the journal that give up what was changed on these hosts.
fn given_up(hosts: &[String], operator: &str) -> Vec<Entry> {
    hosts.iter().map(|host| Entry::GivenUp { host: host.clone(), operator: operator.to_owned() }).collect()
}

fn forgotten(id: &str, when: jiff::Timestamp) -> Error {
    let message = format!("run {id} was forgotten at {when:.0}: what the hosts had kept for its undo is gone");
    Error::new(Kind::Refused, "undo.forgotten", message)
        .hint(format!("see with `haengine show {id}` what it changed, and change it back by hand or with a recipe"))
}

fn tell_irreversible(session: &Session, plan: &UndoPlan) {
    for change in &plan.irreversible {
        let (step, target) = (change.key.step.join(" / "), one_line(&change.key.target));
        let place = if step.is_empty() { String::new() } else { format!(" of step `{step}`") };
        let message = format!("`{} {target}`{place} has no inverse and stays", change.key.op);
        session.events.log(Level::Warning, Some(&change.key.host), message);
    }
}

fn nothing(session: &Session, id: &str) -> Exit {
    session.events.log(Level::Info, None, "nothing to undo");
    let totals = Totals { run: id.to_owned(), outcome: Exit::Done.outcome().to_owned(), ..Totals::default() };
    session.events.send(Event::RunFinished(totals));
    Exit::Done
}

fn agree(session: &Session, plan: &UndoPlan, lost: usize, replaced: &[String]) -> Result<(), Error> {
    let mut hosts: Vec<&str> =
        plan.calls.iter().flatten().chain(&plan.unsettled).map(|change| change.key.host.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let mut parts = Vec::new();
    if !plan.is_empty() {
        parts.push(format!("take back {} on {}", changes(plan.len() + plan.unsettled.len()), hosts.join(", ")));
    }
    if lost > 0 {
        parts.push(format!("give up {} on {}", changes(lost), replaced.join(", ")));
    }
    let question = format!("{}?", parts.join(", and "));
    if session.terminal.confirm(&question)? {
        return Ok(());
    }
    Err(Error::new(Kind::Refused, "undo.declined", "you said no; nothing was touched"))
}

fn inventory(context: &Context, folder: &RunFolder) -> Result<haengine_kernel::inventory::Inventory, Error> {
    if context.global.inventory.is_empty() { keep::kept_inventory(folder) } else { context.inventory() }
}
