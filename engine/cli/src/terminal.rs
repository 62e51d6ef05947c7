//! Questions to the person at the terminal.

use std::io::{IsTerminal, Stdin};
use std::os::fd::AsFd;

use haengine_kernel::cancel::Cancel;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::harmless::harmless;
use haengine_kernel::secret::Secret;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc::UnboundedSender;
use zeroize::Zeroizing;

use crate::report::{Errand, Out, Paint, Screen};

/// Asks the person who started haengine, if there is one.
pub struct Terminal {
    /// A person can read standard error and answer on standard input.
    attended: bool,
    /// `--yes`: every question is answered.
    yes: bool,
    paint: Paint,
    screen: Screen,
    cancel: Cancel,
    /// Where questions are asked: after all that happened before was drawn, and one at a time.
    desk: UnboundedSender<Errand>,
}

impl Terminal {
    /// The terminal of this process; questions are asked at `desk`.
    pub fn new(
        yes: bool,
        paint: Paint,
        screen: Screen,
        cancel: impl Into<Cancel>,
        desk: UnboundedSender<Errand>,
    ) -> Terminal {
        let attended = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        Terminal { attended, yes, paint, screen, cancel: cancel.into(), desk }
    }

    /// True when a person would answer, and not `--yes`.
    pub fn asks(&self) -> bool {
        self.attended && !self.yes
    }

    /// True when the person agrees; anything else than yes is a no.
    ///
    /// # Errors
    /// `prompt.no_terminal` when nobody can be asked and `--yes` was not given.
    pub fn confirm(&self, question: &str) -> Result<bool> {
        if self.yes {
            return Ok(true);
        }
        let advice = "answer with `--yes`, or run it in a terminal";
        let answer = self.ask(question, " [y/N] ", true, advice)?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    /// A secret, typed unseen.
    ///
    /// # Errors
    /// `prompt.no_terminal` when nobody can be asked.
    pub fn secret(&self, what: &str) -> Result<Secret> {
        let advice = "give it as `env:NAME`, `file:PATH` or `age:PATH`, or run it in a terminal";
        let typed = self.ask(what, ": ", false, advice)?;
        Ok(Secret::new(typed.as_str().to_owned()))
    }

    fn ask(&self, question: &str, end: &str, seen: bool, advice: &str) -> Result<Zeroizing<String>> {
        if !self.attended {
            let message = format!("nobody can be asked: {question}");
            return Err(Error::new(Kind::Refused, "prompt.no_terminal", message).hint(advice));
        }
        let text = format!("{}{end}", self.paint.bold(&harmless(question)));
        let question = Question { text, seen, screen: self.screen.clone(), cancel: self.cancel.clone() };
        // A desk that closes before our turn means that the run has ended.
        self.in_turn(move || question.ask()).unwrap_or_else(|| Err(Error::cancelled()))
    }

    /// Does something at the terminal, out of the way of progress.
    pub fn at_screen<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let screen = self.screen.clone();
        self.in_turn(move || screen.aside(work))
    }

    /// Does something at the terminal once all that happened before is drawn, and nothing is drawn meanwhile.
    pub fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (say, hear) = std::sync::mpsc::channel();
        let errand: Errand = Box::new(move || drop(say.send(work())));
        waiting(|| match self.desk.send(errand) {
            Ok(()) => hear.recv().ok(),
            Err(closed) => {
                (closed.0)();
                hear.recv().ok()
            }
        })
    }
}

/// One question.
struct Question {
    text: String,
    seen: bool,
    screen: Screen,
    cancel: Cancel,
}

impl Question {
    fn ask(&self) -> Result<Zeroizing<String>> {
        self.screen.aside(|| {
            Out::stderr().write(&self.text);
            let answer = self.read();
            if !self.seen || answer.is_err() {
                Out::stderr().write("\n");
            }
            answer
        })
    }

    fn read(&self) -> Result<Zeroizing<String>> {
        let input = std::io::stdin();
        let _unseen =
            if self.seen { None } else { Some(Unseen::on(&input).map_err(|error| unreadable(error.into()))?) };
        let mut line = Zeroizing::new(Vec::new());
        loop {
            if self.cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            if !is_ready(&input).map_err(|error| unreadable(error.into()))? {
                continue;
            }
            let mut bytes = Zeroizing::new([0_u8; 4096]);
            let count = nix::unistd::read(&input, bytes.as_mut()).map_err(|error| unreadable(error.into()))?;
            line.extend_from_slice(&bytes[..count]);
            if count == 0 && line.is_empty() {
                return Err(unreadable(std::io::ErrorKind::UnexpectedEof.into()));
            }
            if count == 0 || line.ends_with(b"\n") {
                return Ok(Zeroizing::new(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()));
            }
        }
    }
}

/// Lets the other tasks of this thread go on elsewhere while a person thinks.
pub fn waiting<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current() {
        Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// True when somebody has typed; false after a short while, so that an interrupt is noticed.
pub fn is_ready(input: &Stdin) -> nix::Result<bool> {
    let mut descriptors = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
    match poll(&mut descriptors, PollTimeout::from(100_u8)) {
        Ok(count) => Ok(count > 0),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The terminal does not show what is typed until this is dropped.
struct Unseen<'a> {
    input: &'a Stdin,
    before: Termios,
}

impl<'a> Unseen<'a> {
    fn on(input: &'a Stdin) -> nix::Result<Unseen<'a>> {
        let before = tcgetattr(input)?;
        let mut after = before.clone();
        after.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(input, SetArg::TCSAFLUSH, &after)?;
        Ok(Unseen { input, before })
    }
}

impl Drop for Unseen<'_> {
    fn drop(&mut self) {
        // A terminal that has gone shows nothing anyway.
        let _ = tcsetattr(self.input, SetArg::TCSANOW, &self.before);
    }
}

fn unreadable(error: std::io::Error) -> Error {
    Error::new(Kind::Local, "prompt.unreadable", "the answer could not be read from the terminal")
        .hint("give it beforehand: `--yes` for a question, `env:NAME` or `file:PATH` for a secret")
        .because(error)
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;

    /// A terminal without a reporter before it.
    fn alone(yes: bool) -> Terminal {
        let (desk, _) = tokio::sync::mpsc::unbounded_channel();
        Terminal::new(yes, Paint::plain(), Screen::still(), CancellationToken::new(), desk)
    }

    fn unattended(yes: bool) -> Terminal {
        Terminal { attended: false, ..alone(yes) }
    }

    #[test]
    fn without_a_terminal_questions_are_refused_and_yes_answers_them() {
        let error = unattended(false).confirm("undo 3 changes?").unwrap_err();
        assert_eq!((error.code(), error.kind()), ("prompt.no_terminal", Kind::Refused));
        assert!(error.message().contains("undo 3 changes?"));
        assert!(unattended(true).confirm("undo 3 changes?").unwrap());
    }

    #[test]
    fn yes_does_not_answer_for_a_secret() {
        assert_eq!(unattended(true).secret("`token`").err().map(|error| error.code()), Some("prompt.no_terminal"));
    }
}
