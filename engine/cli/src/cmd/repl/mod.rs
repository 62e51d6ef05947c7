//! `haengine repl`: lines of the language on live hosts, one after the other.
//!
//! | file | what |
//! |---|---|
//! | `talk` | a line, its answer, the next line |
//! | `command` | the words that begin with `:` or `!` |
//! | `input` | lines from standard input |
//! | `editor`, `menu`, `history` | lines from a person at a terminal |
//! | `answer` | what a line gives, drawn |
//! | `save` | the session, written as a recipe |

mod answer;
mod command;
mod editor;
mod history;
pub(super) mod input;
mod menu;
mod save;
pub(super) mod talk;

use std::io::IsTerminal;
use std::sync::{Arc, Mutex};

use clap::Args;
use haengine_kernel::error::Error;
use haengine_runs::undo::DECLINED;
use haengine_runs::{Refusal, Room, Runs};
use haengine_script::Repl;

use crate::cmd::repl::editor::Editor;
use crate::cmd::repl::input::{Piped, Seat};
use crate::cmd::repl::talk::{Left, Talk};
use crate::context::Context;
use crate::exit::Exit;
use crate::session::{Session, conduct};
use crate::{state, terminal, wiring};

/// Work on live hosts, a line after the other, in the language of recipes
///
/// Each host and group of the inventory is a variable, connections stay open between lines, and `_` is the last value.
/// What lines change is journalled as a run: `:undo` takes it back, now, and `haengine undo` does later. `:help` tells the
/// other commands. Without a terminal, lines are read from standard input; the first that fails ends the session, and the
/// exit code is that of a run.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine repl -i site.yaml
  haengine repl -i site.yaml --plan                            lines only show what they would change
  echo 'ssh::facts(masters)' | haengine repl -i site.yaml      without a terminal")]
pub struct ReplArgs {
    /// Begin with `:plan on`: show what lines would change, and touch nothing
    #[arg(long)]
    plan: bool,
}

/// Lines on live hosts.
pub fn repl(context: &Context, args: &ReplArgs) -> Exit {
    conduct(context, async |session| converse(context, session, args).await)
}

async fn converse(context: &Context, session: &Arc<Session>, args: &ReplArgs) -> Result<Exit, Refusal> {
    let workshop = wiring::workshop(context, session);
    let inventory = workshop.inventory()?;
    let runs = Runs::new(&workshop, context.store()?);
    session.goes_on();
    let mut room = Room::open(&runs, inventory).await?;
    room.set_plan(args.plan);
    let person = person(context, room.repl().clone())?;
    let mut seat = person.unwrap_or_else(|| Seat::new(Piped::new(session.cancel.clone())));
    let mut talk = Talk::new(context, session, room.repl().clone());
    let exit = loop {
        match terminal::waiting(|| talk.until_left(&mut seat)) {
            Ok(Left::Plan(plan)) => room.set_plan(plan),
            Ok(Left::Undo) => {
                let exit = take_back(&mut room, session, seat.person).await;
                if exit != Exit::Done && !seat.person {
                    break exit;
                }
            }
            Ok(Left::Interrupted) if seat.person => room.renew().await,
            Ok(Left::Interrupted) => break Exit::Interrupted,
            Ok(Left::Ended(exit)) => break exit,
            // No step has failed: they are refused before they come here.
            Ok(Left::Retry | Left::Skip) => {}
            Err(error) => break session.told(&error.into(), false),
        }
    };
    session.ends();
    room.leave(exit.outcome()).await;
    Ok(exit)
}

/// Takes back what the session has changed so far.
async fn take_back(room: &mut Room<'_>, session: &Session, ask: bool) -> Exit {
    if !room.has_touched() {
        session.say("nothing was changed\n".to_owned());
        return Exit::Done;
    }
    match room.take_back(ask).await {
        Ok(end) => end.into(),
        Err(Refusal::Fault(fault)) if fault.error().code() == DECLINED => {
            session.say("the changes stay, as a run of their own\n".to_owned());
            Exit::Done
        }
        Err(refusal) => {
            let exit = session.refused(&refusal);
            session.say(String::new());
            exit
        }
    }
}

/// Where a person at a terminal writes lines; none where there is nobody.
///
/// # Errors
/// When the history cannot be kept.
pub(super) fn person(context: &Context, repl: Arc<Mutex<Repl>>) -> Result<Option<Seat>, Error> {
    let attended = std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    if !attended || context.environment.dumb {
        return Ok(None);
    }
    let folder = state::folder(context.global.state_dir.as_deref(), &context.environment)?;
    Ok(Some(Seat::new(Editor::new(&folder, context.paint, repl)?)))
}
