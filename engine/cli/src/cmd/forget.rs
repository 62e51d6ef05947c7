//! `haengine forget`: what the hosts keep for the undo of a run is given up.

use clap::Args;
use haengine_kernel::error::{Error, Kind};
use haengine_kernel::journal::{RunFolder, State};
use haengine_kernel::run::{Run, UndoPlan};
use haengine_script::Fault;

use crate::cmd::undo::refuse_unchanged;
use crate::context::Context;
use crate::exit::Exit;
use crate::report::lines::changes;
use crate::session::{Session, conduct};
use crate::wiring::{self, keep};

/// Give up what the hosts keep for the undo of a run
///
/// Removes the run's kept files, `/var/lib/haengine/RUN` and `.haengine/RUN` at the root of other mounts, from all hosts
/// that it changed; also what an undo has moved aside there. What the run did stays as it is, and its journal stays for `runs`
/// and `show`; it cannot be undone or resumed any more. You are asked first.
///
/// A host that is another machine by now is refused before any host is touched; `--replaced` passes over a machine that is no
/// more.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine runs                                      the ids of all runs
  haengine forget 20260314-091502-kqzt
  haengine forget 20260314-091502-kqzt --yes         without a question, for scripts")]
pub struct ForgetArgs {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,

    /// Give up what was on a machine that is no more (can be repeated)
    ///
    /// No connection to it is made.
    #[arg(long, value_name = "HOST")]
    replaced: Vec<String>,
}

/// Forgets a run.
pub fn forget(context: &Context, args: &ForgetArgs) -> Exit {
    conduct(context, async |session| give_up(context, session, args).await)
}

async fn give_up(context: &Context, session: &Session, args: &ForgetArgs) -> Result<Exit, Fault> {
    let (id, replaced) = (args.run.as_str(), args.replaced.as_slice());
    let store = context.store()?;
    let folder = store.enter(id.to_owned())?;
    let state = folder.state()?;
    refuse(id, &state)?;
    refuse_unchanged(id, &state, replaced)?;
    session.begin(id, "forget", state.recipe());
    agree(session, &state, &store.summary(id)?.outcome)?;
    let hosts = wiring::hosts(context, session, inventory(context, &folder)?.into());
    let mode = wiring::apply(context, &store, &folder, context.journal(&folder)?)?;
    let run = Run::new(id.to_owned(), mode, hosts, session.events.clone(), session.cancel.clone());
    let result = run.forget(&state, &context.environment.operator, replaced).await.map_err(Fault::from);
    Ok(session.finish(&run, result).await.0)
}

/// An undo that has begun needs what is kept to come to its end.
fn refuse(id: &str, state: &State) -> Result<(), Error> {
    let begun = state.undoing && !state.is_undone();
    if begun && state.forgotten.is_none() {
        let message = format!("the undo of run {id} has begun: without its kept files the hosts would stay in between");
        return Err(Error::new(Kind::Refused, "forget.undoing", message)
            .hint(format!("end it with `haengine undo {id}`, which gives them up too")));
    }
    Ok(())
}

fn agree(session: &Session, state: &State, outcome: &str) -> Result<(), Error> {
    let left = UndoPlan::of(state).len();
    let state = match outcome {
        "undone" | "forgotten" | "succeeded" => String::new(),
        "interrupted" => "it was interrupted; ".to_owned(),
        other => format!("it has {other}; "),
    };
    let question = format!("{state}{} could not be taken back any more: give up what is kept for that?", changes(left));
    if session.terminal.confirm(&question)? {
        return Ok(());
    }
    Err(Error::new(Kind::Refused, "forget.declined", "you said no; nothing was touched"))
}

fn inventory(context: &Context, folder: &RunFolder) -> Result<haengine_kernel::inventory::Inventory, Error> {
    if context.global.inventory.is_empty() { keep::kept_inventory(folder) } else { context.inventory() }
}
