//! What went wrong in the lab, and what its reader can do about it.

use std::{io, path::Path};

/// A failure of the lab: a lowercase fragment, with the next step apart and the cause in `source`.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// A stable name, such as `lab.busy`.
    pub code: &'static str,
    /// What happened, names in backticks, without the cause.
    pub message: String,
    /// What to do next; begins with a verb.
    pub hint: Option<String>,
    /// What the machine said.
    pub source: Option<io::Error>,
}

/// The result of everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Error {
        Error { code, message: message.into(), hint: None, source: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn file(verb: &str, path: &Path, source: io::Error) -> Error {
        let message = format!("cannot {verb} `{}`", path.display());
        Error { source: Some(source), ..Error::new("lab.file", message) }
    }
}

/// Adds what was attempted on which path to an I/O error.
pub(crate) trait At<T> {
    fn at(self, verb: &str, path: &Path) -> Result<T>;
}

impl<T, E: Into<io::Error>> At<T> for std::result::Result<T, E> {
    fn at(self, verb: &str, path: &Path) -> Result<T> {
        self.map_err(|error| Error::file(verb, path, error.into()))
    }
}
