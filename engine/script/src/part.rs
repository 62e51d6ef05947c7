//! A part of a recipe of recipes, as `parts(p)` gives it.

use haengine_kernel::error::{Error, Kind};
use rhai::{EvalAltResult, Map};

use crate::phases::Form;
use crate::raise::raise;
use crate::snapshot::SnapshotFile;

/// A recipe of phases with its parameters, to be played as a part of another.
#[derive(Clone)]
pub(crate) struct Part {
    pub file: SnapshotFile,
    pub given: Map,
}

impl Part {
    /// The file with these parameters.
    ///
    /// # Errors
    /// When the file has no phases that could be played beside those of others.
    pub fn new(file: &SnapshotFile, given: Map) -> Result<Part, Box<EvalAltResult>> {
        match no_part(file) {
            None => Ok(Part { file: file.clone(), given }),
            Some(error) => Err(raise(error)),
        }
    }
}

/// Why a file cannot be a part; none where it can.
pub(crate) fn no_part(file: &SnapshotFile) -> Option<Error> {
    let (why, hint) = match Form::of(&file.ast) {
        Form::Phases => return None,
        Form::Main => ("has a `main`", "call its `main` in `act`, or write it in phases"),
        Form::Parts => ("has parts itself", "name its parts instead"),
        Form::Library => ("is no recipe", "name a recipe that is written in phases"),
    };
    let message = format!("`{}` cannot be a part: it {why}", file.label);
    Some(Error::new(Kind::Usage, "phases.part", message).hint(hint))
}
