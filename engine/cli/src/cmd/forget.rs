//! `haengine forget`: what the hosts keep for the undo of a run is given up.

use clap::Args;
use haengine_runs::Runs;

use crate::context::Context;
use crate::exit::Exit;
use crate::session::conduct;
use crate::wiring;

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
    conduct(context, async |session| {
        let workshop = wiring::workshop(context, session);
        Ok(Runs::new(&workshop, context.store()?).forget(&args.run, &args.replaced).await?.into())
    })
}
