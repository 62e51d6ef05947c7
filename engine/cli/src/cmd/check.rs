//! `haengine check`: what can be known of a recipe before any host is touched.

use clap::Args;
use haengine_script::Fault;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::exit::Exit;
use crate::wiring;

/// Check recipes without touching any host
///
/// Finds what would otherwise show only when a line is reached: unknown functions, modules and options, and with -i also
/// unknown hosts and groups. Names the nearest known one.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine check scripts/*.rhai
  haengine check time_sync -i site.yaml")]
pub struct CheckArgs {
    /// A recipe's file, or the name of one that `haengine list` shows (can be repeated)
    #[arg(value_name = "RECIPE", required = true)]
    recipes: Vec<String>,
}

/// A recipe without findings, for a program.
#[derive(serde::Serialize)]
struct Checked<'a> {
    recipe: &'a str,
    findings: usize,
}

/// Checks recipes.
pub fn check(context: &Context, args: &CheckArgs) -> Exit {
    if let Err(error) = context.inventory() {
        return context.refuse(&error);
    }
    let mut worst = Exit::Done;
    for recipe in &args.recipes {
        let findings = findings(recipe);
        let count = findings.len();
        for fault in &findings {
            worst = context.refuse_fault(fault);
        }
        context.tell("checked", &[Checked { recipe, findings: count }], || match count {
            0 => format!("{recipe}: nothing found\n"),
            count => format!("{recipe}: {count} findings\n"),
        });
    }
    worst
}

fn findings(recipe: &str) -> Vec<Fault> {
    let library = wiring::library(CancellationToken::new());
    match library.load(&wiring::sources(), recipe) {
        Ok(_) => Vec::new(),
        Err(fault) => vec![fault],
    }
}
