//! `haengine run` and `haengine plan`: a recipe, with or without writes.

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;
use haengine_runs::{Repairer, Runs};

use crate::cmd::repair::Workbench;
use crate::complete;
use crate::context::Context;
use crate::exit::Exit;
use crate::options::parameter;
use crate::session::{Session, conduct};
use crate::wiring;

/// Run a recipe: make true on the hosts what it says
///
/// What is true already is left alone, so a recipe can be run again without harm. Each change is on disk before a host is
/// touched; `haengine show` tells it and `haengine undo` takes it back. Ctrl-C ends the run in order, twice at once.
///
/// Where the last run of the same recipe, with the same parameters and inventory, has failed or died after it changed
/// something, you are asked whether to go on with it; without a terminal, or with --yes, that is what happens.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine run time_sync -i site.yaml hosts=masters
  haengine run ./my_recipe.rhai -i site.yaml -i secrets.yaml
  haengine run time_sync -i site.yaml hosts=masters --json | jq .

See `haengine describe RECIPE` for its parameters.")]
pub struct RunArgs {
    #[command(flatten)]
    call: CallArgs,

    /// Begin a new run, also where an unfinished one could be gone on with
    #[arg(long)]
    anew: bool,

    /// What a step that fails does; at a terminal you are asked
    ///
    /// With repl a session opens in which you look at the hosts, mend them, or edit the recipe; the run goes on with :retry.
    #[arg(long, value_name = "WHAT")]
    on_error: Option<OnError>,
}

/// What a step that fails does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnError {
    /// It ends the run
    Stop,
    /// A session opens where the run stands
    Repl,
}

/// Show what a recipe would change, and touch nothing
///
/// Reads are real and so are the diffs: the run that follows makes exactly these changes, if nobody else changes the hosts
/// in between. What depends on the outcome of a change is known only when it is run.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine plan time_sync -i site.yaml hosts=masters
  haengine plan time_sync -i site.yaml hosts=masters --exit-code || echo changes are pending")]
pub struct PlanArgs {
    #[command(flatten)]
    call: CallArgs,

    /// End with exit code 4 when changes are pending
    #[arg(long)]
    exit_code: bool,
}

/// A recipe and its parameters.
#[derive(Args)]
pub(super) struct CallArgs {
    /// A recipe's file, or the name of one that `haengine list` shows
    #[arg(value_name = "RECIPE", add = ArgValueCompleter::new(complete::recipes))]
    pub recipe: String,

    /// The recipe's parameters (can be repeated)
    ///
    /// A secret is written as where it is found: env:NAME, file:PATH, age:PATH or prompt.
    #[arg(value_name = "KEY=VALUE", value_parser = parameter, add = ArgValueCompleter::new(complete::parameters))]
    pub parameters: Vec<(String, String)>,
}

/// Runs a recipe.
pub fn run(context: &Context, args: RunArgs) -> Exit {
    conduct(context, async |session| {
        let workshop = wiring::workshop(context, session);
        let prepared = workshop.prepare(&args.call.recipe, &args.call.parameters)?;
        let runs = Runs::new(&workshop, context.store()?);
        let mut bench = workbench(context, session, args.on_error);
        let repairer = bench.as_mut().map(|bench| bench as &mut dyn Repairer);
        if !args.anew
            && let Some(found) = runs.find(&prepared)?
            && found.agree(session.as_ref())?
        {
            return Ok(runs.go_on(found, prepared, repairer).await?.into());
        }
        Ok(runs.run(prepared, repairer).await?.into())
    })
}

/// Who is asked about steps that fail: where it is said so, and at a terminal.
fn workbench<'a>(context: &'a Context, session: &'a Session, on_error: Option<OnError>) -> Option<Workbench<'a>> {
    let is_wanted = match on_error {
        Some(on_error) => on_error == OnError::Repl,
        None => session.terminal.asks() && !context.global.json,
    };
    is_wanted.then(|| Workbench::new(context, session, on_error.is_none()))
}

/// Plans a recipe.
pub fn plan(context: &Context, args: PlanArgs) -> Exit {
    conduct(context, async |session| {
        let workshop = wiring::workshop(context, session);
        let prepared = workshop.prepare(&args.call.recipe, &args.call.parameters)?;
        let (end, totals) = workshop.plan(prepared).await;
        let exit = Exit::from(end);
        Ok(if exit == Exit::Done && totals.changed > 0 && args.exit_code { Exit::Pending } else { exit })
    })
}
