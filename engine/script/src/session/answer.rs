//! What a line gives.

use haengine_kernel::error::Result;
use rhai::Dynamic;

use crate::value::{to_kernel, type_name};

/// What a line gives, as it may be shown: a secret is a word here.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Nothing.
    Nothing,
    /// A value, secrets redacted.
    Value(serde_json::Value),
    /// What has no form but its kind: "a function".
    Kind(&'static str),
}

impl Answer {
    /// What may be shown of a value.
    ///
    /// # Errors
    /// When a text carries a value that only a run can know.
    pub(super) fn of(value: &Dynamic) -> Result<Answer> {
        if value.is_unit() {
            return Ok(Answer::Nothing);
        }
        match to_kernel(value) {
            Ok(value) => Ok(Answer::Value(value.redacted())),
            Err(error) if error.code() == "call.value" => Ok(Answer::Kind(type_name(value))),
            Err(error) => Err(error),
        }
    }
}
