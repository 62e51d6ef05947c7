//! `haengine resume`: a run that died or failed goes on.

use clap::{Args, ValueEnum};
use haengine_kernel::error::Error;
use haengine_kernel::event::{Event, Level, Totals};
use haengine_kernel::journal::RunFolder;
use haengine_kernel::run::Decision;
use haengine_script::Fault;

use crate::cmd::run::checked;
use crate::cmd::unfinished::{execute, refuse};
use crate::context::Context;
use crate::exit::Exit;
use crate::session::{Session, conduct};
use crate::wiring::{self, keep};

/// Go on with a run that failed, was interrupted or died
///
/// The recipe is executed from the top, as it was when the run began, with the run's own parameters and inventory;
/// secrets are looked up again. What is true already is left alone, what somebody has changed since is made so again,
/// and actions that were done are not repeated. An action that was begun and whose end is not known is repeated only if
/// its `unless` says that it is not done, or if it is `repeatable`; else you are asked. The run stays one run: its undo
/// takes back all attempts.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine runs                                                    the ids of all runs
  haengine resume 20260314-091502-kqzt
  haengine resume 20260314-091502-kqzt -i corrected.yaml           with another inventory
  haengine resume 20260314-091502-kqzt --unknown done              you have looked: it was done")]
pub struct ResumeArgs {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,

    /// What to do with actions of which nobody knows whether they were done
    #[arg(long, value_name = "ANSWER")]
    unknown: Option<Answer>,
}

/// What to do with an action whose end is not known.
#[derive(Clone, Copy, ValueEnum)]
enum Answer {
    /// Do them again
    Repeat,
    /// Take them as done
    Done,
}

/// Goes on with a run.
pub fn resume(context: &Context, args: &ResumeArgs) -> Exit {
    conduct(context, async |session| go_on(context, session, args).await)
}

async fn go_on(context: &Context, session: &Session, args: &ResumeArgs) -> Result<Exit, Fault> {
    let store = context.store()?;
    let folder = store.enter(args.run.clone())?;
    let state = folder.state()?;
    refuse(&folder.id, &state, &store)?;
    if state.outcome() == Some("succeeded") {
        session.begin(&folder.id, "resume", state.recipe());
        return Ok(nothing(session, &folder.id));
    }
    let (main, files) = keep::kept_recipe(&folder)?;
    let recipe = wiring::library(session.cancel.clone()).restore(main, files)?;
    let inventory = inventory(context, &folder)?;
    let named = !inventory.hosts.is_empty();
    let parameters = keep::kept_parameters(&folder)?;
    let prepared = match checked(context, session, recipe, inventory.into(), &parameters, named)? {
        Ok(prepared) => prepared,
        Err(findings) => return Ok(session.refuse_findings(&findings)),
    };
    session.begin(&folder.id, "resume", state.recipe());
    let answer = args.unknown.map(|answer| match answer {
        Answer::Repeat => Decision::Repeat,
        Answer::Done => Decision::Done,
    });
    execute(context, session, &store, &folder, &state, prepared, answer).await
}

fn inventory(context: &Context, folder: &RunFolder) -> Result<haengine_kernel::inventory::Inventory, Error> {
    if context.global.inventory.is_empty() { keep::kept_inventory(folder) } else { context.inventory() }
}

fn nothing(session: &Session, id: &str) -> Exit {
    session.events.log(Level::Info, None, "this run has succeeded: there is nothing to go on with");
    let totals = Totals { run: id.to_owned(), outcome: Exit::Done.outcome().to_owned(), ..Totals::default() };
    session.events.send(Event::RunFinished(totals));
    Exit::Done
}
