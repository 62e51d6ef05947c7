//! `haengine run` and `haengine plan`: a recipe, with or without writes.

use std::sync::Arc;

use clap::Args;
use haengine_kernel::error::Error;
use haengine_kernel::inventory::Inventory;
use haengine_kernel::journal::{Entry, Journal, RunFolder, VERSION};
use haengine_kernel::run::{Mode, Run};
use haengine_script::lint::Severity;
use haengine_script::{Bound, Fault, Finding, Recipe, Surroundings};

use crate::args::parameter;
use crate::context::Context;
use crate::exit::Exit;
use crate::session::{Session, conduct};
use crate::wiring::{self, keep};

/// Run a recipe: make true on the hosts what it says
///
/// What is true already is left alone, so a recipe can be run again without harm. Each change is on disk before a host is
/// touched; `haengine show` tells it and `haengine undo` takes it back. Ctrl-C ends the run in order, twice at once.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine run time_sync -i site.yaml hosts=masters
  haengine run ./my_recipe.rhai -i site.yaml -i secrets.yaml
  haengine run time_sync -i site.yaml hosts=masters --json | jq .

See `haengine describe RECIPE` for its parameters.")]
pub struct RunArgs {
    #[command(flatten)]
    call: Call,
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
struct Call {
    /// A recipe's file, or the name of one that `haengine list` shows
    #[arg(value_name = "RECIPE")]
    recipe: String,

    /// The recipe's parameters (can be repeated)
    ///
    /// A secret is written as where it is found: env:NAME, file:PATH, age:PATH or prompt.
    #[arg(value_name = "KEY=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
}

/// Runs a recipe.
pub fn run(context: &Context, args: RunArgs) -> Exit {
    conduct(context, async |session| {
        let prepared = match prepare(context, session, &args.call)? {
            Ok(prepared) => prepared,
            Err(findings) => return Ok(session.refuse_findings(&findings)),
        };
        let store = context.store()?;
        let folder = store.create()?;
        let journal = enter(context, &folder, &prepared, &args.call).await?;
        let mode = wiring::apply(context, &store, &folder, journal)?;
        let (exit, _) = perform(context, session, prepared, &folder.id, mode, "run", &args.call.recipe).await;
        Ok(exit)
    })
}

/// Plans a recipe.
pub fn plan(context: &Context, args: PlanArgs) -> Exit {
    conduct(context, async |session| {
        let prepared = match prepare(context, session, &args.call)? {
            Ok(prepared) => prepared,
            Err(findings) => return Ok(session.refuse_findings(&findings)),
        };
        let (exit, pending) = perform(context, session, prepared, "plan", Mode::Plan, "plan", &args.call.recipe).await;
        Ok(if exit == Exit::Done && pending && args.exit_code { Exit::Pending } else { exit })
    })
}

/// Everything that can be known before any host is touched.
struct Prepared {
    recipe: Recipe,
    bound: Bound,
    inventory: Arc<Inventory>,
}

/// Loads and checks. What would fail at some line is refused here, before the first line is run.
fn prepare(context: &Context, session: &Session, call: &Call) -> Result<Result<Prepared, Vec<Finding>>, Fault> {
    let library = wiring::library(session.cancel.clone());
    let recipe = library.load(&wiring::sources(), &call.recipe)?;
    let inventory = Arc::new(context.inventory()?);
    let home = context.environment.home.as_deref();
    let bound = recipe.bind(&call.parameters, &inventory, session.secrets.as_ref(), home);
    let bound = bound.map_err(|fault| without_inventory(context, fault))?;
    let named = Some(inventory.as_ref()).filter(|_| !context.global.inventory.is_empty());
    let mut findings = recipe.check(named);
    findings.retain(|finding| finding.severity == Severity::Error);
    Ok(if findings.is_empty() { Ok(Prepared { recipe, bound, inventory }) } else { Err(findings) })
}

/// Where no inventory was named, that is what is wrong about every name of a host.
fn without_inventory(context: &Context, fault: Fault) -> Fault {
    let error = fault.error();
    if context.global.inventory.is_empty() && error.code().starts_with("inventory.unknown") {
        let error = Error::new(error.kind(), error.code(), error.message());
        return error.hint("name the inventory with `-i FILE`").into();
    }
    fault
}

/// Keeps what the run is made of and opens its journal.
async fn enter(context: &Context, folder: &RunFolder, prepared: &Prepared, call: &Call) -> Result<Journal, Error> {
    keep::inventory(folder, &prepared.inventory)?;
    keep::recipe(folder, prepared.recipe.snapshot())?;
    let journal = folder.journal()?;
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

async fn perform(
    context: &Context,
    session: &Session,
    prepared: Prepared,
    id: &str,
    mode: Mode,
    command: &str,
    name: &str,
) -> (Exit, bool) {
    session.begin(id, command, name);
    let hosts = wiring::hosts(context, session, prepared.inventory);
    let run = Run::new(id.to_owned(), mode, hosts, session.events.clone(), session.cancel.clone());
    let surroundings = Surroundings {
        run: run.clone(),
        prompt: session.terminal.clone(),
        secrets: session.secrets.clone(),
        forks: context.global.forks,
    };
    let result = prepared.recipe.run(prepared.bound, surroundings).await;
    let (exit, totals) = session.finish(&run, result).await;
    (exit, totals.changed > 0)
}
