//! Colours, where they are wanted.

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

#[cfg(test)]
mod tests {
    use super::*;

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
