//! Colours, where they are wanted, and text from elsewhere made harmless.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};

use crate::environment::Environment;

/// Colours text, or leaves it plain.
#[derive(Clone, Copy, Debug)]
pub struct Paint(bool);

impl Paint {
    /// Colours for a stream that is or is not a terminal, as `NO_COLOR` and `CLICOLOR_FORCE` say.
    pub fn new(terminal: bool, environment: &Environment) -> Paint {
        Paint(environment.force_color || (terminal && !environment.no_color))
    }

    /// No colours.
    #[cfg(test)]
    pub fn plain() -> Paint {
        Paint(false)
    }

    /// Whether there are colours.
    pub fn is_on(self) -> bool {
        self.0
    }

    /// What heads a part.
    pub fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    /// What matters less.
    pub fn dim(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }

    /// What was done or is added.
    pub fn green(self, text: &str) -> String {
        self.with(AnsiColor::Green.on_default(), text)
    }

    /// What failed or is removed.
    pub fn red(self, text: &str) -> String {
        self.with(AnsiColor::Red.on_default(), text)
    }

    /// What would be done, or deserves a look.
    pub fn yellow(self, text: &str) -> String {
        self.with(AnsiColor::Yellow.on_default(), text)
    }

    /// Names and places.
    pub fn cyan(self, text: &str) -> String {
        self.with(AnsiColor::Cyan.on_default(), text)
    }

    /// What heads an error.
    pub fn alarm(self, text: &str) -> String {
        self.with(AnsiColor::Red.on_default().bold(), text)
    }

    fn with(self, style: Style, text: &str) -> String {
        if self.0 { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Text as a host or a file gave it, without what would move a terminal's cursor or end the line early.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(odd) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if odd(c) { '\u{fffd}' } else { c }).collect())
}

/// The same, in one line.
pub fn one_line(text: &str) -> String {
    harmless(text).trim().replace('\n', " ⏎ ").replace('\t', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_a_host_do_not_reach_the_terminal() {
        assert_eq!(harmless("a\u{1b}[31mb\r\n"), "a\u{fffd}[31mb\u{fffd}\n");
        assert_eq!(one_line("a\nb\n"), "a ⏎ b");
    }

    #[test]
    fn colours_follow_the_terminal_and_the_variables() {
        let paint = |terminal, no_color, force_color| {
            Paint::new(terminal, &Environment { no_color, force_color, ..Environment::default() }).is_on()
        };
        assert!(paint(true, false, false) && !paint(false, false, false));
        assert!(!paint(true, true, false) && paint(false, false, true));
        assert_eq!(Paint::plain().red("x"), "x");
    }
}
