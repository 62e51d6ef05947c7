//! `haengine runs`: what was run, newest first.

use clap::Args;
use haengine_kernel::error::{ErrorRecord, Result};
use haengine_kernel::harmless::one_line;
use haengine_kernel::journal::RunSummary;
use serde::Serialize;

use crate::context::Context;
use crate::exit::Exit;
use crate::report::lines::seconds;
use crate::report::{Out, failure, table};

/// List what was run, newest first
///
/// An outcome is one of succeeded, failed, interrupted, running, died (it ended without saying so), partly undone, undone,
/// forgotten and unreadable. Where a run is unreadable the exit code is 2.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine runs
  haengine runs --json | head -1      the newest run, for a program")]
pub struct RunsArgs {}

/// Lists the runs.
pub fn runs(context: &Context) -> Exit {
    let runs = match listed(context) {
        Ok(runs) => runs,
        Err(error) => return context.refuse(&error),
    };
    context.tell("run", &runs, || page(&runs));
    let mut exit = Exit::Done;
    for run in &runs {
        if let Listed::Unreadable(run) = run {
            Out::stderr().write(&failure::draw_record(None, &run.error, context.error_paint));
            exit = Exit::Refused;
        }
    }
    exit
}

/// The list as text.
///
/// # Errors
/// When the state folder cannot be read.
pub fn listing(context: &Context) -> Result<String> {
    Ok(page(&listed(context)?))
}

/// A run in the list.
#[derive(Serialize)]
#[serde(untagged)]
enum Listed {
    Run(RunSummary),
    Unreadable(Unreadable),
}

/// A run whose journal cannot be read.
#[derive(Serialize)]
struct Unreadable {
    run: String,
    outcome: &'static str,
    error: ErrorRecord,
}

/// One broken journal does not hide the others.
fn listed(context: &Context) -> Result<Vec<Listed>> {
    let store = context.store()?;
    let list = |run: String| match store.summary(&run) {
        Ok(summary) => Listed::Run(summary),
        Err(error) => Listed::Unreadable(Unreadable { run, outcome: "unreadable", error: (&error).into() }),
    };
    Ok(store.ids()?.into_iter().map(list).collect())
}

fn page(runs: &[Listed]) -> String {
    if runs.is_empty() {
        return "nothing was run yet\n".to_owned();
    }
    table::table(["RUN", "STARTED", "RECIPE", "OUTCOME", "CHANGES", "TIME", "HOSTS"], runs.iter().map(row))
}

fn row(run: &Listed) -> [String; 7] {
    match run {
        Listed::Run(run) => {
            let (changes, hosts) = (run.changes.to_string(), run.hosts.join(", "));
            let recipe = one_line(&run.recipe);
            [run.run.clone(), local(run.started), recipe, run.outcome.clone(), changes, seconds(run.seconds), hosts]
        }
        Listed::Unreadable(run) => {
            let [id, outcome] = [&run.run, run.outcome].map(str::to_owned);
            [id, String::new(), String::new(), outcome, String::new(), String::new(), String::new()]
        }
    }
}

/// A time as the operator's clock shows it.
pub fn local(time: jiff::Timestamp) -> String {
    time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
