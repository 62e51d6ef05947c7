//! An error of a recipe, drawn for its author: message, place with a caret, call stack, next step.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use haengine_kernel::error::Error;

/// An error and where in the recipe it happened.
pub struct Fault {
    error: Arc<Error>,
    /// Innermost first; empty when the error has no place in a recipe.
    stack: Vec<Spot>,
    /// The text of each file that `stack` names.
    texts: BTreeMap<String, String>,
}

/// A place in a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The recipe's file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The function in which it is, if not at the top.
    pub function: Option<String>,
}

impl Fault {
    /// An error with its place.
    pub(crate) fn new(error: Arc<Error>, stack: Vec<Spot>, texts: BTreeMap<String, String>) -> Fault {
        Fault { error, stack, texts }
    }

    /// The error itself.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// Where it happened, innermost first.
    pub fn stack(&self) -> &[Spot] {
        &self.stack
    }

    /// The error as text of several lines, with colours or without.
    pub fn draw(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let message = self.error.to_string();
        let mut group = Group::with_title(Level::ERROR.primary_title(&message).id(self.error.code()));
        if let Some(spot) = self.stack.first() {
            if let Some(text) = self.texts.get(&spot.file) {
                let span = span(text, spot);
                let snippet = Snippet::source(text.as_str()).path(spot.file.as_str()).fold(true);
                group = group.element(snippet.annotation(AnnotationKind::Primary.span(span)));
            }
        }
        for cause in self.error.causes() {
            group = group.element(Level::NOTE.message(cause));
        }
        for spot in self.stack.iter().skip(1) {
            group = group.element(Level::NOTE.message(format!("called from {spot}")));
        }
        if let Some(hint) = self.error.advice() {
            group = group.element(Level::HELP.with_name("hint").message(hint.to_owned()));
        }
        renderer.render(&[group])
    }
}

/// The word at a place: a name with its module, or one character.
fn span(text: &str, spot: &Spot) -> std::ops::Range<usize> {
    let start_of_line: usize = text.split_inclusive('\n').take(spot.line.saturating_sub(1)).map(str::len).sum();
    let line = text[start_of_line..].split('\n').next().unwrap_or_default();
    let offset: usize = line.chars().take(spot.column.saturating_sub(1)).map(char::len_utf8).sum();
    let rest = &line[offset..];
    let word: usize = rest.chars().take_while(|c| c.is_alphanumeric() || "_:".contains(*c)).map(char::len_utf8).sum();
    let length = word.max(rest.chars().next().map_or(0, char::len_utf8));
    start_of_line + offset..start_of_line + offset + length
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault { error: Arc::new(error), stack: Vec::new(), texts: BTreeMap::new() }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)?;
        match &self.function {
            Some(function) => write!(f, " in `{function}`"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.draw(false))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl std::error::Error for Fault {}
