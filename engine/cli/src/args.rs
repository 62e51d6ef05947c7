//! The words of the command line.

use clap::{Parser, Subcommand};

use crate::cmd;
use crate::options::Global;

/// Scripted high availability for Kubernetes control planes
///
/// Runs recipes: short scripts that say what shall be true on your hosts. Look at what a recipe would do, run it, run it
/// again without harm, and take it back.
#[derive(Parser)]
#[command(name = "haengine", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = "Examples:
  haengine list                                       which recipes there are
  haengine plan time_sync -i site.yaml hosts=masters  what a recipe would change, with diffs
  haengine run time_sync -i site.yaml hosts=masters   make these changes
  haengine repl -i site.yaml                          look around on live hosts, line by line
  haengine resume RUN                                 go on with a run that died
  haengine undo RUN                                   every host as it was before the run

Exit codes:
  0 done · 1 failed after something was changed · 2 refused, and nothing was touched
  3 a host cannot be reached, and nothing was touched · 4 changes are pending (plan --exit-code)
  5 another run holds the lock · 6 undone, but what is named was left or kept · 130 interrupted")]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What haengine can do.
#[derive(Subcommand)]
pub enum Command {
    Run(cmd::run::RunArgs),
    Plan(cmd::run::PlanArgs),
    Check(cmd::check::CheckArgs),
    Repl(cmd::repl::ReplArgs),
    Watch(cmd::watch::WatchArgs),
    Resume(cmd::resume::ResumeArgs),
    Undo(cmd::undo::UndoArgs),
    Runs(cmd::runs::RunsArgs),
    Show(cmd::show::ShowArgs),
    Forget(cmd::forget::ForgetArgs),
    List(cmd::list::ListArgs),
    Describe(cmd::describe::DescribeArgs),
    Eject(cmd::eject::EjectArgs),
    Init(cmd::init::InitArgs),
    Doc(cmd::doc::DocArgs),
    Completions(cmd::completions::CompletionsArgs),
    Lab(cmd::lab::LabArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }
}
