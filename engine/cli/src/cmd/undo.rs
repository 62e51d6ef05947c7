//! `haengine undo`: every host as it was before a run.

use clap::Args;
use haengine_runs::Runs;

use crate::context::Context;
use crate::exit::Exit;
use crate::session::conduct;
use crate::wiring;

/// Take a run back: every host as it was before it
///
/// Goes through the run's changes backwards and verifies each. Only what the run can prove to have made is taken away: what
/// somebody else has made or changed since is left alone or moved aside, and named; then the exit code is 6. A change that
/// cannot be taken back is left as it was found, with what depends on it, and everything else goes on; the next undo tries it
/// again. A run on which a later one builds is refused. Before anything is touched you are told which changes have no
/// inverse, and asked.
///
/// The hosts are those of the inventory as it was at the time of the run, unless -i names another. One that is another
/// machine by now is refused before any host is touched; `--replaced` gives up what was on a machine that is no more.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine runs                                    the ids of all runs
  haengine undo 20260314-091502-kqzt
  haengine undo 20260314-091502-kqzt --yes         without a question, for scripts
  haengine undo 20260314-091502-kqzt --replaced m2 the machine of m2 is no more")]
pub struct UndoArgs {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,

    /// Give up what was on a machine that is no more (can be repeated)
    ///
    /// No connection to it is made.
    #[arg(long, value_name = "HOST")]
    replaced: Vec<String>,
}

/// Takes a run back.
pub fn undo(context: &Context, args: &UndoArgs) -> Exit {
    conduct(context, async |session| {
        let workshop = wiring::workshop(context, session);
        Ok(Runs::new(&workshop, context.store()?).undo(&args.run, &args.replaced).await?.into())
    })
}
