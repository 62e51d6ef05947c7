//! What a check has found so far.

use std::sync::{Mutex, PoisonError};

use haengine_kernel::error::Error;
use haengine_kernel::event::{CheckFinding, CheckStatus};

use crate::spot::Spot;
use crate::unknown::THE_PLAN_ENDS;

/// What a check found so far.
#[derive(Default)]
pub(crate) struct Findings(Mutex<Vec<(CheckFinding, Option<Spot>)>>);

impl Findings {
    /// Adds a finding.
    pub fn add(&self, status: CheckStatus, message: String, hint: &str, spot: Option<Spot>) {
        let hint = Some(hint.to_owned()).filter(|hint| !hint.is_empty());
        let place = spot.as_ref().map(|spot| format!("{}:{}:{}", spot.file, spot.line, spot.column));
        let finding = CheckFinding { status, message: message.trim_end().to_owned(), hint, place };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((finding, spot));
    }

    /// Adds why something could not be seen.
    pub fn unseen(&self, error: &Error, spot: Option<Spot>) {
        let mut message = error.to_string();
        if let Some(rest) = message.strip_prefix(THE_PLAN_ENDS) {
            message = rest.to_owned();
        }
        for cause in error.causes() {
            message = format!("{message}: {cause}");
        }
        self.add(CheckStatus::NotChecked, message, error.advice().unwrap_or_default(), spot);
    }

    pub fn take(&self) -> Vec<(CheckFinding, Option<Spot>)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
