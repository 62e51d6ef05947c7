//! `haengine resume`: a run that died or failed goes on.

use clap::{Args, ValueEnum};
use haengine_kernel::run::Decision;
use haengine_runs::Runs;

use crate::context::Context;
use crate::exit::Exit;
use crate::session::conduct;
use crate::wiring;

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
    let answer = args.unknown.map(|answer| match answer {
        Answer::Repeat => Decision::Repeat,
        Answer::Done => Decision::Done,
    });
    conduct(context, async |session| {
        let workshop = wiring::workshop(context, session);
        Ok(Runs::new(&workshop, context.store()?).resume(&args.run, answer).await?.into())
    })
}
