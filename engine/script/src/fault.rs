//! An error of a recipe, drawn for its author: message, place with a caret, call stack, next step.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use annotate_snippets::Level;
use haengine_kernel::error::Error;

use crate::picture::Picture;
use crate::spot::Spot;

/// An error and where in the recipe it happened.
#[derive(Clone)]
pub struct Fault {
    error: Arc<Error>,
    /// Innermost first; empty when the error has no place in a recipe.
    stack: Vec<Spot>,
    /// The text of each file that `stack` names.
    texts: BTreeMap<String, String>,
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
        let message = self.error.to_string();
        let mut notes = self.error.causes();
        notes.extend(self.stack.iter().skip(1).map(|spot| format!("called from {spot}")));
        let picture = Picture {
            level: Level::ERROR,
            code: self.error.code(),
            message: &message,
            place: self.place(),
            notes,
            hint: self.error.advice(),
        };
        picture.draw(colour)
    }

    /// The innermost place, and the text of its file.
    pub(crate) fn place(&self) -> Option<(&Spot, &str)> {
        let spot = self.stack.first()?;
        self.texts.get(&spot.file).map(|text| (spot, text.as_str()))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault { error: Arc::new(error), stack: Vec::new(), texts: BTreeMap::new() }
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
