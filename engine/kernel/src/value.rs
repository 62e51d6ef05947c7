//! The values that pass between a recipe and an op.

use std::collections::BTreeMap;

use crate::error::{Error, Kind};
use crate::secret::Secret;

/// What only a run can know: the result of a planned action, or a read behind a planned change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Where it comes from, as a fragment: "`ssh::run` on `master1`".
    pub origin: String,
}

/// A value as recipes pass it to ops and get it back.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// A text.
    String(String),
    /// A text that must not be seen.
    Secret(Secret),
    /// Known only when run.
    Unknown(Unknown),
    /// Several values.
    List(Vec<Value>),
    /// Values by name.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// What kind of value this is, as recipes' authors call it, with its article.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Boolean(_) => "a boolean",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a float",
            Value::String(_) => "a string",
            Value::Secret(_) => "a secret",
            Value::Unknown(_) => "a value known only when run",
            Value::List(_) => "an array",
            Value::Map(_) => "a map",
        }
    }

    /// A map from pairs.
    pub fn map<const N: usize>(pairs: [(&str, Value); N]) -> Value {
        Value::Map(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The value as JSON with secrets and unknowns replaced by words: for the journal and for people.
    pub fn redacted(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Value::Null => Json::Null,
            Value::Boolean(value) => Json::Bool(*value),
            Value::Integer(value) => Json::from(*value),
            Value::Float(value) => Json::from(*value),
            Value::String(value) => Json::String(value.clone()),
            Value::Secret(_) => Json::String(crate::secret::REDACTED.to_owned()),
            Value::Unknown(_) => Json::String("‹known only when run›".to_owned()),
            Value::List(values) => Json::Array(values.iter().map(Value::redacted).collect()),
            Value::Map(values) => {
                Json::Object(values.iter().map(|(name, value)| (name.clone(), value.redacted())).collect())
            }
        }
    }
}

impl Unknown {
    /// What the journal of an earlier attempt does not keep.
    pub fn journalled(what: &str) -> Unknown {
        Unknown { origin: format!("{what}{FORGOT}") }
    }

    /// The error for a use that needs it, where an earlier attempt of the run knew it; `what` says which use.
    pub fn forgotten(&self, what: &str) -> Option<Error> {
        self.origin.ends_with(FORGOT).then(|| {
            Error::new(Kind::Unknown, "resume.forgot", format!("{what} {}", self.origin))
                .hint("begin a new run instead: `haengine run --anew …`")
        })
    }
}

/// Why a text that a run once knew is not known to its next attempt.
const FORGOT: &str = ", of which the journal keeps the beginning, without secrets";

/// What stands for a secret or a cut in a text of the journal.
const GAPS: [&str; 4] =
    [crate::secret::REDACTED, "‹private key", "‹known only when run›", " more bytes are not in the journal›"];

/// How much text of one result the journal keeps.
const JOURNALLED: usize = 64 * 1024;

impl Value {
    /// The value as the journal keeps it: as [`redacted`](Value::redacted), and what looks like a key, a token or a
    /// password within texts is replaced too. Of long texts only the beginning is kept, and a line says so.
    pub fn journalled(&self) -> serde_json::Value {
        let mut left = JOURNALLED;
        shorten(self.redacted(), &mut left)
    }

    /// A value that [`journalled`](Value::journalled) gave. A text that lacks something is `unknown`: a recipe that
    /// wrote it to a host would write the words that stand for a secret.
    pub fn recalled(json: &serde_json::Value, unknown: &Unknown) -> Value {
        match Value::from(json.clone()) {
            Value::String(text) if GAPS.iter().any(|gap| text.contains(gap)) => Value::Unknown(unknown.clone()),
            Value::List(_) => {
                Value::List(json.as_array().into_iter().flatten().map(|item| Value::recalled(item, unknown)).collect())
            }
            Value::Map(_) => {
                let items = json.as_object().into_iter().flatten();
                Value::Map(items.map(|(name, item)| (name.clone(), Value::recalled(item, unknown))).collect())
            }
            whole => whole,
        }
    }
}

fn shorten(json: serde_json::Value, left: &mut usize) -> serde_json::Value {
    use serde_json::Value as Json;
    match json {
        Json::String(text) => Json::String(shorten_text(crate::redact::redact(&text), left)),
        Json::Array(values) => Json::Array(values.into_iter().map(|value| shorten(value, left)).collect()),
        Json::Object(values) => {
            Json::Object(values.into_iter().map(|(name, value)| (name, shorten(value, left))).collect())
        }
        other => other,
    }
}

fn shorten_text(mut text: String, left: &mut usize) -> String {
    let end = (0..=text.len().min(*left)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    if end < text.len() {
        let cut = text.len() - end;
        text.truncate(end);
        text.push_str(&format!("\n‹{cut} more bytes are not in the journal›"));
    }
    *left -= end;
    text
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Boolean(value),
            Json::Number(number) => match number.as_i64() {
                Some(integer) => Value::Integer(integer),
                None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(value) => Value::String(value),
            Json::Array(values) => Value::List(values.into_iter().map(Value::from).collect()),
            Json::Object(values) => {
                Value::Map(values.into_iter().map(|(name, value)| (name, Value::from(value))).collect())
            }
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Boolean(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::String(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_keeps_the_beginning_of_a_long_result_and_no_secret() {
        let value = Value::map([
            ("long", Value::String("ä".repeat(JOURNALLED))),
            ("said", Value::from("token: abc\nready")),
            ("status", Value::Integer(0)),
        ]);
        let Value::Map(kept) = Value::from(value.journalled()) else { panic!("a map") };
        let Some(Value::String(long)) = kept.get("long") else { panic!("a text") };
        assert!(long.ends_with("‹65536 more bytes are not in the journal›"), "{}", &long[long.len() - 80..]);
        assert!(long.len() < JOURNALLED + 100);
        assert!(kept.get("status") == Some(&Value::Integer(0)));
        let short = Value::from(Value::from("token: abc\nready").journalled());
        assert!(short == Value::from("token: ‹secret›\nready"));
    }

    #[test]
    fn what_the_journal_does_not_keep_whole_is_not_known_any_more() {
        let value = Value::map([
            ("long", Value::String("a".repeat(JOURNALLED + 1))),
            ("before", Value::List(vec![Value::from("token: abc"), Value::from("ready")])),
            ("status", Value::Integer(0)),
        ]);
        let unknown = Unknown::journalled("the result");
        let Value::Map(recalled) = Value::recalled(&value.journalled(), &unknown) else { panic!("a map") };
        let gap = Value::Unknown(unknown.clone());
        assert!(recalled["long"] == gap && recalled["status"] == Value::Integer(0));
        assert!(recalled["before"] == Value::List(vec![gap, Value::from("ready")]));
        assert_eq!(unknown.forgotten("it is").map(|error| error.code()), Some("resume.forgot"));
        assert!(Unknown { origin: "a plan".to_owned() }.forgotten("it is").is_none());
    }
}
