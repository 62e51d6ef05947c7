//! One finding.

use std::sync::Arc;

use annotate_snippets::Level;
use serde::Serialize;

use crate::fault::Fault;
use crate::picture::Picture;
use crate::spot::Spot;

/// Something in a recipe that would fail when it is reached, or is not as it should be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Whether a run would fail at it.
    pub severity: Severity,
    /// The stable code: a section of the book's page on `check`, or the code of the error that kept the file from
    /// loading.
    pub code: &'static str,
    /// What is wrong, as a lowercase fragment.
    pub message: String,
    /// The next step; it begins with a verb.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Where; none when the file could not even be read.
    #[serde(flatten)]
    pub spot: Option<Spot>,
    /// More that a fault had to say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The text of the file.
    #[serde(skip)]
    pub(super) text: Arc<str>,
}

/// Whether a run would fail at a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It would.
    Error,
    /// It would not, or not for every operator.
    Warning,
}

impl Finding {
    /// The finding as text of several lines, with colours or without.
    pub fn draw(&self, colour: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let picture = Picture {
            level,
            code: self.code,
            message: &self.message,
            place: self.spot.as_ref().map(|spot| (spot, &*self.text)),
            notes: self.notes.clone(),
            hint: self.hint.as_deref(),
        };
        picture.draw(colour)
    }
}

/// A file that does not load has one finding: why.
impl From<&Fault> for Finding {
    fn from(fault: &Fault) -> Finding {
        let error = fault.error();
        let place = fault.place();
        let mut notes = error.causes();
        notes.extend(fault.stack().iter().skip(1).map(|spot| format!("called from {spot}")));
        Finding {
            severity: Severity::Error,
            code: error.code(),
            message: error.to_string(),
            hint: error.advice().map(str::to_owned),
            spot: place.map(|(spot, _)| spot.clone()),
            notes,
            text: place.map_or_else(|| "".into(), |(_, text)| text.into()),
        }
    }
}
