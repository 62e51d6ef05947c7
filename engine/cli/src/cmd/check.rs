//! `haengine check`: what can be known of a recipe before any host is touched.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use haengine_kernel::error::Result;
use haengine_kernel::inventory::Inventory;
use haengine_script::lint::Severity;
use haengine_script::{Finding, Library, Sources};
use tokio_util::sync::CancellationToken;

use crate::complete;
use crate::context::Context;
use crate::exit::Exit;
use crate::report::finding::draw;
use crate::report::{Out, json};
use crate::wiring;

/// Check recipes without touching any host
///
/// Finds what would otherwise show only when a line is reached: unknown functions, modules, options and keys, arguments that
/// do not fit, missing templates, and with -i also unknown hosts and groups. Names the nearest known one. Warns of what
/// does something else than it seems to. A recipe with an error is refused with exit code 2, by `run` and `plan` too.
/// `haengine doc CODE` explains a finding.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine check scripts/*.rhai
  haengine check time_sync -i site.yaml")]
pub struct CheckArgs {
    /// A recipe's file, or the name of one that `haengine list` shows (can be repeated)
    #[arg(value_name = "RECIPE", required = true, add = ArgValueCompleter::new(complete::recipes))]
    recipes: Vec<String>,
}

/// What was found in a recipe, for a program.
#[derive(serde::Serialize)]
struct Checked<'a> {
    recipe: &'a str,
    errors: usize,
    warnings: usize,
}

/// Checks recipes.
pub fn check(context: &Context, args: &CheckArgs) -> Exit {
    let inventory = match inventory(context) {
        Ok(inventory) => inventory,
        Err(error) => return context.refuse(&error),
    };
    let (library, sources) = (wiring::library(CancellationToken::new()), wiring::sources());
    let mut exit = Exit::Done;
    for recipe in &args.recipes {
        let findings = library.check(&sources, recipe, inventory.as_ref());
        warn(context, &library, &sources, recipe);
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        if errors > 0 {
            exit = Exit::Refused;
        }
        tell(context, recipe, &findings, errors);
    }
    exit
}

/// Tells which of the recipe's files were ejected from a haengine whose stock recipe was another.
fn warn(context: &Context, library: &Library, sources: &Sources, recipe: &str) {
    if let Ok(recipe) = library.load(sources, recipe) {
        sources.all_moved(recipe.snapshot()).iter().for_each(|moved| context.warn(&moved.text()));
    }
}

/// The inventory against which names are checked, where one is named.
///
/// # Errors
/// When a file cannot be read or is wrong.
pub fn inventory(context: &Context) -> Result<Option<Inventory>> {
    if context.global.inventory.is_empty() { Ok(None) } else { context.inventory().map(Some) }
}

fn tell(context: &Context, recipe: &str, findings: &[Finding], errors: usize) {
    let warnings = findings.len() - errors;
    if context.global.json {
        Out::stdout().write(&findings.iter().map(|finding| json::record("finding", finding)).collect::<String>());
    } else {
        Out::stdout().write(&findings.iter().map(|finding| draw(finding, context.paint)).collect::<String>());
    }
    context.tell("checked", &[Checked { recipe, errors, warnings }], || match (errors, warnings) {
        (0, 0) => format!("{recipe}: nothing found\n"),
        (0, _) => format!("{recipe}: {warnings} warnings\n"),
        (_, 0) => format!("{recipe}: {errors} errors\n"),
        _ => format!("{recipe}: {errors} errors, {warnings} warnings\n"),
    });
}
