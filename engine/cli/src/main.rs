//! The command line of haengine: the only part that prints, reads the environment, or ends the process.
//!
//! | file | what |
//! |---|---|
//! | args, options, cmd | the words of the command line, a file for each command |
//! | wiring, session | the parts put together; one command that reaches hosts, and the person at it |
//! | report | what happens, told to a person or as JSON |
//! | exit | the family of an error → exit code |
//! | environment, state, context | what the operator's machine says |
//! | secrets, terminal, interrupt | secrets, questions, Ctrl-C |
//! | complete | what a shell offers while a command is typed |
//! | crash | where a test wants it to be killed |

mod args;
mod cmd;
mod complete;
mod context;
mod crash;
mod environment;
mod exit;
mod interrupt;
mod options;
mod report;
mod secrets;
mod session;
mod state;
mod terminal;
mod wiring;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use clap_complete::CompleteEnv;
use haengine_kernel::error::{Error, Kind};

use crate::args::{Cli, Command};
use crate::context::{Context, error_line};
use crate::exit::Exit;
use crate::report::Out;

fn main() -> ExitCode {
    match answer() {
        Ok(false) => {}
        Ok(true) => return Exit::Done.into(),
        Err(error) => return misused(&error).into(),
    }
    match Cli::try_parse() {
        Ok(cli) => start(cli).into(),
        Err(error) => misused(&error).into(),
    }
}

/// Answers a shell that asks for candidates; false when this is no such call.
fn answer() -> clap::error::Result<bool> {
    CompleteEnv::with_factory(Cli::command).var(complete::VARIABLE).try_complete(std::env::args_os(), None)
}

fn start(cli: Cli) -> Exit {
    let context = Context::new(cli.global);
    wiring::log(&context);
    match cli.command {
        Command::Run(args) => cmd::run::run(&context, args),
        Command::Plan(args) => cmd::run::plan(&context, args),
        Command::Check(args) => cmd::check::check(&context, &args),
        Command::Repl(args) => cmd::repl::repl(&context, &args),
        Command::Watch(args) => cmd::watch::watch(&context, &args),
        Command::Resume(args) => cmd::resume::resume(&context, &args),
        Command::Undo(args) => cmd::undo::undo(&context, &args),
        Command::Runs(_) => cmd::runs::runs(&context),
        Command::Show(args) => cmd::show::show(&context, &args),
        Command::Forget(args) => cmd::forget::forget(&context, &args),
        Command::List(_) => cmd::list::list(&context),
        Command::Describe(args) => cmd::describe::describe(&context, &args),
        Command::Eject(args) => cmd::eject::eject(&context, &args),
        Command::Init(args) => cmd::init::init(&context, &args),
        Command::Completions(args) => cmd::completions::completions(&context, &args),
        Command::Doc(args) => cmd::doc::doc(&context, &args),
        Command::Lab(args) => cmd::lab::lab(&context, args),
    }
}

/// Help and version are no errors; everything else is, for a program too.
fn misused(error: &clap::Error) -> Exit {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if !asked && std::env::args_os().any(|word| word == "--json") {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let refused = Error::new(Kind::Usage, "usage", message).hint("see `haengine --help`");
        Out::stdout().write(&error_line(&refused, Vec::new()));
    }
    // Where nobody reads, nobody misses it.
    let _ = error.print();
    if asked { Exit::Done } else { Exit::Refused }
}
