//! `haengine runs`: what was run, newest first.

use clap::Args;
use haengine_kernel::error::Result;
use haengine_kernel::journal::RunSummary;

use crate::context::Context;
use crate::exit::Exit;
use crate::report::lines::seconds;
use crate::report::paint::one_line;
use crate::report::{Out, failure, table};

/// List what was run, newest first
///
/// An outcome is one of succeeded, failed, interrupted, running, died (it ended without saying so) and undone.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine runs
  haengine runs --json | head -1      the newest run, for a program")]
pub struct RunsArgs {}

/// Lists the runs.
pub fn runs(context: &Context) -> Exit {
    match summaries(context) {
        Ok(runs) => {
            context.tell("run", &runs, || page(&runs));
            Exit::Done
        }
        Err(error) => context.refuse(&error),
    }
}

/// One broken journal does not hide the others.
fn summaries(context: &Context) -> Result<Vec<RunSummary>> {
    let store = context.store()?;
    let mut runs = Vec::new();
    for id in store.ids()? {
        match store.summary(&id) {
            Ok(run) => runs.push(run),
            Err(error) => Out::stderr().write(&failure::draw(&error, context.error_paint)),
        }
    }
    runs.sort_by_key(|run| std::cmp::Reverse(run.started));
    Ok(runs)
}

fn page(runs: &[RunSummary]) -> String {
    if runs.is_empty() {
        return "nothing was run yet\n".to_owned();
    }
    let rows = runs.iter().map(|run| {
        let (changes, hosts) = (run.changes.to_string(), run.hosts.join(", "));
        let recipe = one_line(&run.recipe);
        [run.run.clone(), local(run.started), recipe, run.outcome.clone(), changes, seconds(run.seconds), hosts]
    });
    table::table(["RUN", "STARTED", "RECIPE", "OUTCOME", "CHANGES", "TIME", "HOSTS"], rows)
}

/// A time as the operator's clock shows it.
pub fn local(time: jiff::Timestamp) -> String {
    time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
