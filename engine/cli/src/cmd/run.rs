//! `haengine run` and `haengine plan`: a recipe, with or without writes.

use std::sync::Arc;

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;
use haengine_kernel::error::Error;
use haengine_kernel::event::Level;
use haengine_kernel::inventory::Inventory;
use haengine_kernel::journal::{Entry, Journal, RunFolder, VERSION};
use haengine_kernel::run::{Mode, Past, Run};
use haengine_script::lint::Severity;
use haengine_script::{Bound, Fault, Finding, Recipe, Surroundings};

use crate::cmd::{repair, unfinished};
use crate::complete;
use crate::context::Context;
use crate::exit::Exit;
use crate::options::parameter;
use crate::session::{Session, conduct};
use crate::wiring::{self, keep};

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
    pub(super) call: Call,

    /// Begin a new run, also where an unfinished one could be gone on with
    #[arg(long)]
    anew: bool,

    /// What a step that fails does; at a terminal you are asked
    ///
    /// With repl a session opens in which you look at the hosts, mend them, or edit the recipe; the run goes on with :retry.
    #[arg(long, value_name = "WHAT")]
    pub(super) on_error: Option<OnError>,
}

/// What a step that fails does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OnError {
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
    call: Call,

    /// End with exit code 4 when changes are pending
    #[arg(long)]
    exit_code: bool,
}

/// A recipe and its parameters.
#[derive(Args)]
pub(super) struct Call {
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
        let prepared = match prepare(context, session, &args.call)? {
            Ok(prepared) => prepared,
            Err(findings) => return Ok(session.refuse_findings(&findings)),
        };
        let store = context.store()?;
        if !args.anew
            && let Some(found) = unfinished::find(&store, &prepared, &args.call)?
            && found.agree(session)?
        {
            return found.go_on(context, session, &store, prepared, &args).await;
        }
        let folder = store.create()?;
        let journal = enter(context, &folder, &prepared, &args.call).await?;
        let mode = wiring::apply(context, &store, &folder, journal)?;
        session.begin(&folder.id, "run", &args.call.recipe);
        let attempt = Attempt { id: &folder.id, mode, past: Past::default() };
        if repair::is_wanted(context, session, args.on_error) {
            let site =
                repair::Site { context, session, store: &store, folder: &folder, args: &args, agreed: false.into() };
            return site.perform(prepared, attempt).await;
        }
        Ok(perform(context, session, prepared, attempt).await.0)
    })
}

/// Plans a recipe.
pub fn plan(context: &Context, args: PlanArgs) -> Exit {
    conduct(context, async |session| {
        let prepared = match prepare(context, session, &args.call)? {
            Ok(prepared) => prepared,
            Err(findings) => return Ok(session.refuse_findings(&findings)),
        };
        let attempt = Attempt { id: "plan", mode: Mode::Plan, past: Past::default() };
        session.begin(attempt.id, "plan", &args.call.recipe);
        let (exit, pending) = perform(context, session, prepared, attempt).await;
        Ok(if exit == Exit::Done && pending && args.exit_code { Exit::Pending } else { exit })
    })
}

/// Everything that can be known before any host is touched.
pub(super) struct Prepared {
    pub recipe: Recipe,
    pub bound: Bound,
    pub inventory: Arc<Inventory>,
}

/// One execution of a recipe.
pub(super) struct Attempt<'a> {
    pub id: &'a str,
    pub mode: Mode,
    pub past: Past,
}

/// Loads and checks. What would fail at some line is refused here, before the first line is run.
fn prepare(context: &Context, session: &Session, call: &Call) -> Result<Result<Prepared, Vec<Finding>>, Fault> {
    let library = wiring::library(session.cancel.clone());
    let sources = wiring::sources();
    let recipe = library.load(&sources, &call.recipe)?;
    for moved in sources.all_moved(recipe.snapshot()) {
        session.events.log(Level::Warning, None, moved.text());
    }
    let inventory = Arc::new(context.inventory()?);
    checked(context, session, recipe, inventory, &call.parameters, !context.global.inventory.is_empty())
}

/// Binds the parameters and looks for what would fail at some line; `named` says whether there is an inventory.
pub(super) fn checked(
    context: &Context,
    session: &Session,
    recipe: Recipe,
    inventory: Arc<Inventory>,
    parameters: &[(String, String)],
    named: bool,
) -> Result<Result<Prepared, Vec<Finding>>, Fault> {
    let home = context.environment.home.as_deref();
    let bound = recipe.bind(parameters, &inventory, session.secrets.as_ref(), home);
    let bound = bound.map_err(|fault| without_inventory(named, fault))?;
    let mut findings = recipe.check(Some(inventory.as_ref()).filter(|_| named));
    findings.retain(|finding| finding.severity == Severity::Error);
    Ok(if findings.is_empty() { Ok(Prepared { recipe, bound, inventory }) } else { Err(findings) })
}

/// Where no inventory was named, that is what is wrong about every name of a host.
fn without_inventory(named: bool, fault: Fault) -> Fault {
    let error = fault.error();
    if !named && error.code().starts_with("inventory.unknown") {
        let error = Error::new(error.kind(), error.code(), error.message());
        return error.hint("name the inventory with `-i FILE`").into();
    }
    fault
}

/// Keeps what the run is made of and opens its journal.
async fn enter(context: &Context, folder: &RunFolder, prepared: &Prepared, call: &Call) -> Result<Journal, Error> {
    let given = keep::located(&call.parameters, &prepared.bound.redacted());
    keep::all(folder, &prepared.inventory, prepared.recipe.snapshot(), &given)?;
    let journal = context.journal(folder)?;
    let head = Entry::Run {
        version: VERSION,
        run: folder.id.clone(),
        recipe: call.recipe.clone(),
        parameters: prepared.bound.redacted(),
        inventory: context.global.inventory.iter().map(|file| file.display().to_string()).collect(),
        operator: context.environment.operator.clone(),
    };
    journal.append(vec![head]).await?;
    Ok(journal)
}

/// Executes the recipe; true when it changed something, or would.
pub(super) async fn perform(
    context: &Context,
    session: &Session,
    prepared: Prepared,
    attempt: Attempt<'_>,
) -> (Exit, bool) {
    let hosts = wiring::hosts(context, session, prepared.inventory);
    let Attempt { id, mode, past } = attempt;
    let run = Run::again(id.to_owned(), mode, hosts, session.events.clone(), session.cancel.clone(), past);
    let surroundings = Surroundings {
        run: run.clone(),
        prompt: session.terminal.clone(),
        secrets: session.secrets.clone(),
        forks: context.global.forks,
    };
    let result = match run.rejoin().await {
        Ok(()) => prepared.recipe.run(prepared.bound, surroundings).await,
        Err(error) => Err(error.into()),
    };
    let (exit, totals) = session.finish(&run, result).await;
    (exit, totals.changed > 0)
}
