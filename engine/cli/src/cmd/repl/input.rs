//! Lines from standard input.

use haengine_kernel::cancel::Cancel;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_script::session::is_whole;

use crate::session::Session;
use crate::terminal::is_ready;

/// Where lines come from.
pub trait Input: Send {
    /// The next line, whole: as many lines as belong together. `prompt` is what a person sees before it.
    ///
    /// # Errors
    /// When nothing can be read.
    fn read(&mut self, prompt: &str) -> Result<Read>;

    /// True where a person writes: a line that fails does not end the session.
    fn is_person(&self) -> bool;
}

/// What was read.
pub enum Read {
    /// A line, or several that belong together.
    Line(String),
    /// No line follows.
    End,
    /// The person wants no answer to what was begun.
    Nothing,
    /// An interrupt came while nothing was read.
    Interrupted,
}

/// Where somebody sits who hands lines in. They are read while nothing else is written to the terminal.
pub struct Seat {
    input: Option<Box<dyn Input>>,
    /// A line that fails does not end the session.
    pub person: bool,
}

impl Seat {
    /// Lines from here.
    pub fn new(input: impl Input + 'static) -> Seat {
        Seat { person: input.is_person(), input: Some(Box::new(input)) }
    }

    /// The next line, once all that happened before is drawn.
    ///
    /// # Errors
    /// As [`Input::read`].
    pub fn read(&mut self, session: &Session, prompt: String) -> Result<Read> {
        let Some(mut input) = self.input.take() else { return Ok(Read::End) };
        let read = move || {
            let read = input.read(&prompt);
            (input, read)
        };
        // Where nobody draws any more, the session has ended.
        let Some((input, read)) = session.terminal.at_screen(read) else { return Ok(Read::End) };
        self.input = Some(input);
        read
    }
}

/// Standard input that nobody types.
pub struct Piped {
    bytes: Vec<u8>,
    ended: bool,
    cancel: Cancel,
}

impl Piped {
    /// Lines until standard input ends, or the session is interrupted.
    pub fn new(cancel: Cancel) -> Piped {
        Piped { bytes: Vec::new(), ended: false, cancel }
    }

    /// One line, without its end; none after the last.
    fn line(&mut self) -> Result<Option<String>> {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.bytes.drain(..=end).collect();
                return text(line).map(Some);
            }
            if self.ended && self.bytes.is_empty() {
                return Ok(None);
            }
            if self.ended {
                return text(std::mem::take(&mut self.bytes)).map(Some);
            }
            self.more()?;
        }
    }

    fn more(&mut self) -> Result<()> {
        let input = std::io::stdin();
        while !is_ready(&input).map_err(|error| unreadable(error.into()))? {
            if self.cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
        }
        let mut bytes = [0_u8; 4096];
        let count = nix::unistd::read(&input, &mut bytes).map_err(|error| unreadable(error.into()))?;
        self.bytes.extend_from_slice(&bytes[..count]);
        self.ended = count == 0;
        Ok(())
    }
}

impl Input for Piped {
    fn read(&mut self, _prompt: &str) -> Result<Read> {
        let mut whole = String::new();
        loop {
            match self.line() {
                Ok(Some(line)) => {
                    whole.push_str(&line);
                    if is_whole(&whole) || whole.starts_with([':', '!']) {
                        return Ok(Read::Line(whole));
                    }
                    whole.push('\n');
                }
                // What is still open at the end is told by the parser.
                Ok(None) if whole.is_empty() => return Ok(Read::End),
                Ok(None) => return Ok(Read::Line(whole)),
                Err(error) if error.kind() == Kind::Cancelled => return Ok(Read::Interrupted),
                Err(error) => return Err(error),
            }
        }
    }

    fn is_person(&self) -> bool {
        false
    }
}

fn text(bytes: Vec<u8>) -> Result<String> {
    let text = String::from_utf8(bytes).map_err(|error| {
        Error::new(Kind::Usage, "repl.text", "standard input is not UTF-8 text")
            .hint("write the lines to it as text")
            .because(error)
    })?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

fn unreadable(error: std::io::Error) -> Error {
    Error::new(Kind::Local, "repl.input", "standard input cannot be read")
        .hint("hand the lines in with `haengine repl < FILE`")
        .because(error)
}
