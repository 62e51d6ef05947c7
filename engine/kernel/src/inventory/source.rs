//! One file of the inventory, and errors that point into it.

use std::path::{Path, PathBuf};

use super::mask::Mask;
use crate::error::{Error, Kind};

/// A file's text, and what its paths are relative to.
pub(super) struct Source {
    /// The file as the operator named it; that is how messages name it.
    path: PathBuf,
    /// The folder that its paths are relative to.
    base: PathBuf,
    home: Option<PathBuf>,
    text: String,
    mask: Mask,
}

/// A place in a file: line and column count from one, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Mark {
    pub line: usize,
    pub column: usize,
    pub length: usize,
}

/// A place in one of the files.
#[derive(Clone, Copy)]
pub(super) struct Spot<'a> {
    pub source: &'a Source,
    pub mark: Mark,
}

/// Longer lines are cut on both sides of the place.
const WIDTH: usize = 100;

impl Source {
    pub fn new(text: &str, path: &Path, base: &Path, home: Option<&Path>) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let mask = Mask::of(&text);
        Source { path: path.to_owned(), base: base.to_owned(), home: home.map(Path::to_owned), text, mask }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn base(&self) -> &Path {
        &self.base
    }

    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    pub fn spot(&self, mark: Mark) -> Spot<'_> {
        Spot { source: self, mark }
    }

    /// `text` without the secrets that this file holds, should it quote one.
    pub fn without_secrets(&self, text: &str) -> String {
        self.mask.cleanse(&self.text, text)
    }
}

impl Spot<'_> {
    /// An error at this place, its line drawn below the message.
    pub fn error(&self, code: &'static str, message: &str) -> Error {
        Error::new(Kind::Usage, code, format!("{}\n{}", printable(message), self.draw(usize::MAX)))
    }

    /// The same for a key that nobody knows: what follows it may be a secret under a misspelt name, so it is not shown.
    pub fn error_at_key(&self, code: &'static str, message: &str) -> Error {
        let end = self.mark.column.saturating_sub(1) + self.mark.length;
        Error::new(Kind::Usage, code, format!("{}\n{}", printable(message), self.draw(end)))
    }

    /// `file:line:column`, the line, and a caret below the place.
    pub fn draw(&self, end: usize) -> String {
        let Mark { line, column, length } = self.mark;
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        let (shown, caret) = self.window(end);
        let place = format!("{}:{line}:{column}", self.source.path.display());
        let room = shown.chars().count().saturating_sub(caret).max(1);
        let carets = "^".repeat(length.clamp(1, room));
        let blank = " ".repeat(caret);
        let row = format!("{number} | {shown}");
        format!("{gutter}--> {place}\n{gutter} |\n{}\n{gutter} | {blank}{carets}", row.trim_end())
    }

    /// The part of the line that fits, and where in it the place is.
    fn window(&self, end: usize) -> (String, usize) {
        let line = self.source.mask.line(&self.source.text, self.mark.line, end);
        let line: Vec<char> = printable(&line).chars().collect();
        let caret = self.mark.column.saturating_sub(1).min(line.len());
        if line.len() <= WIDTH {
            return (line.into_iter().collect(), caret);
        }
        let from = caret.saturating_sub(WIDTH / 2).min(line.len() - WIDTH);
        let to = from + WIDTH;
        let mut shown: String = line[from..to].iter().collect();
        let mut caret = caret - from;
        if from > 0 {
            shown.insert(0, '…');
            caret += 1;
        }
        if to < line.len() {
            shown.push('…');
        }
        (shown, caret)
    }
}

/// A name from the file in backticks, cut where it is unreasonably long.
pub(super) fn quoted(name: &str) -> String {
    match name.char_indices().nth(60) {
        Some((end, _)) => format!("`{}…`", &name[..end]),
        None => format!("`{name}`"),
    }
}

/// Text from a file may hold what moves a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(text: &str, line: usize, column: usize, length: usize) -> String {
        let source = Source::new(text, Path::new("site.yaml"), Path::new(""), None);
        source.spot(Mark { line, column, length }).draw(usize::MAX)
    }

    #[test]
    fn the_caret_stands_below_the_place() {
        insta::assert_snapshot!(draw("a: 1\nhosts: { x: 1 }\n", 2, 10, 1), @"
         --> site.yaml:2:10
          |
        2 | hosts: { x: 1 }
          |          ^
        ");
    }

    #[test]
    fn a_long_line_is_cut_on_both_sides() {
        let text = format!("{}here{}", "a".repeat(300), "b".repeat(300));
        insta::assert_snapshot!(draw(&text, 1, 301, 4), @"
         --> site.yaml:1:301
          |
        1 | …aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaherebbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb…
          |                                                    ^^^^
        ");
    }

    #[test]
    fn places_outside_of_the_text_are_drawn_too() {
        assert!(draw("", 1, 1, 1).contains("site.yaml:1:1"));
        assert!(draw("a", 7, 300, 900).contains("site.yaml:7:300"));
        assert!(draw("a", 0, 0, 0).contains("site.yaml:0:0"));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert!(!draw("a: \u{1b}[31mred", 1, 1, 1).contains('\u{1b}'));
    }
}
