//! A stream of lines whose reader may go away, and whose reader is often a terminal.

use std::borrow::Cow;
use std::io::Write;

use haengine_kernel::harmless::is_harmful;

/// Standard output or the like. When its reader has gone (`haengine runs | head`), what is left is dropped: that
/// nobody reads is no reason to stop a run.
///
/// This is the one way to the terminal, whatever is said and wherever it came from: of what could do something to it,
/// only colours pass.
pub struct Out {
    sink: Box<dyn Write + Send>,
    gone: bool,
}

impl Out {
    /// Lines into `sink`.
    pub fn new(sink: impl Write + Send + 'static) -> Out {
        Out { sink: Box::new(sink), gone: false }
    }

    /// Standard output.
    pub fn stdout() -> Out {
        Out::new(std::io::stdout())
    }

    /// Standard error.
    pub fn stderr() -> Out {
        Out::new(std::io::stderr())
    }

    /// Writes the whole text at once, so that lines of other writers do not get in between.
    pub fn write(&mut self, text: &str) {
        if text.is_empty() || self.gone {
            return;
        }
        let text = coloured(text);
        self.gone = self.sink.write_all(text.as_bytes()).and_then(|()| self.sink.flush()).is_err();
    }
}

/// The text with its colours, and a sign in the place of all else that is no letter.
fn coloured(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (length, sign) = match colour(rest) {
            Some(length) => (length, None),
            None => (c.len_utf8(), is_harmful(c).then_some('\u{fffd}')),
        };
        match sign {
            Some(sign) => shown.push(sign),
            None => shown.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    Cow::Owned(shown)
}

/// The length of the colour that begins the text: one of those that [`Paint`](super::Paint) and drawings of recipes use.
/// None of them hides anything.
fn colour(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let length = numbers.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    let known = |number: &str| {
        number.is_empty() || matches!(number.parse(), Ok(0_u8..=2 | 4 | 22 | 24 | 31..=37 | 39 | 91..=97))
    };
    let is_colour = numbers[length..].starts_with('m') && numbers[..length].split(';').all(known);
    is_colour.then_some("\u{1b}[".len() + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::report::Paint;

    #[test]
    fn only_colours_pass() {
        let paint = Paint::new(false, &Environment { force_color: true, ..Environment::default() });
        for text in [paint.red("a"), paint.alarm("b"), paint.dim("c"), paint.cyan("d"), "Grüße\n\t你好\n".to_owned()]
        {
            assert_eq!(coloured(&text), text);
        }
        // Title, screen, clipboard, a line back, hidden text, a bell, a line over the last, direction.
        for evil in [
            "\u{1b}]0;title\u{7}",
            "\u{1b}[2J",
            "\u{1b}]52;c;aGk=\u{7}",
            "\u{1b}[1A",
            "\u{1b}[8m",
            "\u{1b}[30;40m",
            "\u{1b}[38;5;0m",
            "\u{9b}2J",
            "a\rb",
            "\u{202e}",
            "\u{1b}c",
            "\u{1b}[31",
        ] {
            assert!(!coloured(evil).contains(is_harmful), "{evil:?}");
        }
        assert_eq!(coloured("\u{1b}[31ma\u{1b}[2Jb\u{1b}[0m"), "\u{1b}[31ma\u{fffd}[2Jb\u{1b}[0m");
    }
}
