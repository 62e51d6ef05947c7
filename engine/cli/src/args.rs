//! The words of the command line.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::cmd;

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

/// What every command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// File with hosts and groups (can be repeated)
    ///
    /// Later files win for defaults and variables, and add to groups.
    #[arg(short, long = "inventory", value_name = "FILE", global = true)]
    pub inventory: Vec<PathBuf>,

    /// Write one JSON object a line to standard output, and nothing else
    #[arg(long, global = true)]
    pub json: bool,

    /// Answer every question with yes
    #[arg(short, long, global = true)]
    pub yes: bool,

    /// Folder in which runs are kept
    ///
    /// The default is $HAENGINE_STATE_DIR, else $XDG_STATE_HOME/haengine.
    #[arg(long, value_name = "DIR", global = true)]
    pub state_dir: Option<PathBuf>,

    /// How many hosts are worked on at once
    #[arg(long, value_name = "N", global = true, default_value_t = haengine_kernel::host::FORKS, value_parser = forks)]
    pub forks: usize,

    /// Tell also what did not change and what commands print; -vv logs internals
    ///
    /// HAENGINE_LOG chooses which internals, as in HAENGINE_LOG=haengine_stdlib=trace.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

fn forks(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("write a number above 0".to_owned()),
        Ok(number) => Ok(number),
    }
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

/// A parameter of a recipe, as it is written: `key=value`.
pub fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write parameters as key=value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_value_may_hold_an_equals_sign() {
        assert_eq!(parameter("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(parameter("a="), Ok(("a".to_owned(), String::new())));
        assert!(parameter("a").is_err() && parameter("=a").is_err());
    }
}
