//! `haengine undo`: every host as it was before a run.

use std::sync::Arc;

use clap::Args;
use haengine_kernel::error::{Error, Kind};
use haengine_kernel::event::{Event, Level, Totals};
use haengine_kernel::host::Hosts;
use haengine_kernel::journal::{RunFolder, Store};
use haengine_kernel::run::{Run, UndoPlan};
use haengine_script::Fault;

use crate::cmd::show::changes;
use crate::context::Context;
use crate::exit::Exit;
use crate::report::paint::one_line;
use crate::session::{Session, conduct};
use crate::wiring::{self, keep};

/// Take a run back: every host as it was before it
///
/// Goes through the run's changes backwards and verifies each. What somebody else has changed since is shown and left
/// alone; a run on which a later one builds is refused. Before anything is touched you are told which changes have no
/// inverse, and asked. The hosts are those of the inventory as it was at the time of the run, unless -i names another.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine runs                                    the ids of all runs
  haengine undo 20260314-091502-kqzt
  haengine undo 20260314-091502-kqzt --yes         without a question, for scripts")]
pub struct UndoArgs {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,
}

/// Takes a run back.
pub fn undo(context: &Context, args: &UndoArgs) -> Exit {
    conduct(context, async |session| take_back(context, session, &args.run).await)
}

async fn take_back(context: &Context, session: &Session, id: &str) -> Result<Exit, Fault> {
    let store = context.store()?;
    let folder = store.enter(id.to_owned())?;
    let hosts = || Ok(wiring::hosts(context, session, inventory(context, &folder)?.into()));
    go_back(context, session, &store, &folder, hosts, true).await
}

/// Takes the run of this folder back, which is alive in this process; `ask` says whether somebody is asked first.
///
/// # Errors
/// When nothing was begun: what is begun and fails is told, and the exit code says so.
pub(super) async fn go_back(
    context: &Context,
    session: &Session,
    store: &Store,
    folder: &RunFolder,
    hosts: impl FnOnce() -> Result<Arc<Hosts>, Error>,
    ask: bool,
) -> Result<Exit, Fault> {
    let (id, state) = (folder.id.as_str(), folder.state()?);
    let plan = UndoPlan::of(&state);
    if let Some(when) = state.forgotten {
        return Err(forgotten(id, when).into());
    }
    plan.refuse_if_built_upon(store, id)?;
    session.begin(id, "undo", state.recipe());
    tell_irreversible(session, &plan);
    if plan.is_empty() && !plan.is_held() {
        return Ok(nothing(session, id));
    }
    if ask && !plan.is_empty() {
        agree(session, &plan)?;
    }
    let mode = wiring::apply(context, store, folder, context.journal(folder)?)?;
    let run = Run::new(id.to_owned(), mode, hosts()?, session.events.clone(), session.cancel.clone());
    if plan.is_empty() {
        run.let_go(&wiring::registry(), &plan).await?;
        session.events.log(Level::Info, None, "the locks that the run died with are let go");
        return Ok(nothing(session, id));
    }
    let result = run.undo(&wiring::registry(), &plan).await.map_err(Fault::from);
    Ok(session.finish(&run, result).await.0)
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

fn agree(session: &Session, plan: &UndoPlan) -> Result<(), Error> {
    let mut hosts: Vec<&str> =
        plan.calls.iter().flatten().chain(&plan.unsettled).map(|change| change.key.host.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let question = format!("take back {} on {}?", changes(plan.len() + plan.unsettled.len()), hosts.join(", "));
    if session.terminal.confirm(&question)? {
        return Ok(());
    }
    Err(Error::new(Kind::Refused, "undo.declined", "you said no; nothing was touched"))
}

fn inventory(context: &Context, folder: &RunFolder) -> Result<haengine_kernel::inventory::Inventory, Error> {
    if context.global.inventory.is_empty() { keep::kept_inventory(folder) } else { context.inventory() }
}
