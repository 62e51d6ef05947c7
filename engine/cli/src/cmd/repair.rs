//! `haengine run --on-error repl`: a step that fails opens a session, and the run goes on where it stands.

use std::sync::{Arc, Mutex};

use haengine_kernel::error::Result;
use haengine_kernel::harmless::one_line;
use haengine_runs::{Repairer, Wish};
use haengine_script::{Fault, Repl};

use crate::cmd::repl::input::{Piped, Seat};
use crate::cmd::repl::person;
use crate::cmd::repl::talk::{Left, Talk};
use crate::context::Context;
use crate::session::Session;
use crate::terminal;

/// Where steps that fail are looked at, by a person or by lines from standard input.
pub struct Workbench<'a> {
    context: &'a Context,
    session: &'a Session,
    /// The person is asked first, once.
    asks: bool,
    piped: Seat,
    /// Where a person sits, while a step is looked at.
    person: Option<Seat>,
    talk: Option<Talk<'a>>,
}

impl<'a> Workbench<'a> {
    /// A workbench; `asks` says whether a person is asked before it is used.
    pub fn new(context: &'a Context, session: &'a Session, asks: bool) -> Workbench<'a> {
        let piped = Seat::new(Piped::new(session.cancel.clone()));
        Workbench { context, session, asks, piped, person: None, talk: None }
    }
}

impl Repairer for Workbench<'_> {
    /// Lines are read from a person, or, where there is none, from standard input.
    fn look(&mut self, step: &str, fault: &Fault, repl: Arc<Mutex<Repl>>) -> Result<bool> {
        self.session.told(fault, false);
        if self.asks {
            let question = format!("step `{}` failed: look at it here, and repair it?", one_line(step));
            if !self.session.terminal.confirm(&question)? {
                return Ok(false);
            }
            self.asks = false;
        }
        let words = "mend the hosts or edit the recipe, then `:retry`; or `:skip`, `:undo`, `:quit`; `:help` for more";
        self.session.say(format!("step `{}` failed: {words}\n", one_line(step)));
        self.person = person(self.context, repl.clone())?;
        self.talk = Some(Talk::repairing(self.context, self.session, repl));
        Ok(true)
    }

    fn wish(&mut self) -> Result<Wish> {
        let Some(talk) = &mut self.talk else { return Ok(Wish::Leave) };
        let seat = self.person.as_mut().unwrap_or(&mut self.piped);
        loop {
            match terminal::waiting(|| talk.until_left(seat))? {
                Left::Skip => return Ok(Wish::Skip),
                Left::Undo => return Ok(Wish::Undo),
                Left::Retry => return Ok(Wish::Retry),
                Left::Interrupted if seat.person => return Ok(Wish::Renew),
                // It is refused before it comes here.
                Left::Plan(_) => {}
                Left::Ended(_) | Left::Interrupted => return Ok(Wish::Leave),
            }
        }
    }

    fn turn_away(&mut self) {
        (self.person, self.talk) = (None, None);
    }

    fn hear(&mut self, words: String) {
        self.session.say(format!("{words}\n"));
    }

    fn is_person(&self) -> bool {
        self.person.is_some()
    }
}
