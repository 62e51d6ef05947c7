//! A text that an op places somewhere.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::value::Unknown;

/// The content that an op works with. In the journal it is only its hash and size: content is full of
/// keys and tokens that nobody marked.
#[derive(Clone)]
pub enum Text {
    /// Known, and may be shown (redacted) in a diff.
    Plain(String),
    /// Known, and never shown.
    Secret(Secret),
    /// Known only when run.
    Unknown(Unknown),
    /// What is left of it in the journal.
    Digest(TextDigest),
}

/// Hash and size of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextDigest {
    /// SHA-256, lowercase hexadecimal.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
}

impl TextDigest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> TextDigest {
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        TextDigest { sha256, bytes: bytes.len() as u64 }
    }
}

impl Text {
    /// Texts put together. A part that is not known leaves the whole unknown; a secret part makes it a secret.
    pub fn of_parts(parts: Vec<Text>) -> Text {
        let is_secret = parts.iter().any(|part| matches!(part, Text::Secret(_)));
        let mut whole = String::new();
        for part in parts {
            match part {
                Text::Plain(text) => whole.push_str(&text),
                Text::Secret(secret) => whole.push_str(secret.expose()),
                Text::Unknown(_) | Text::Digest(_) => return part,
            }
        }
        if is_secret { Text::Secret(Secret::new(whole)) } else { Text::Plain(whole) }
    }

    /// Hash and size; none when known only when run.
    pub fn digest(&self) -> Option<TextDigest> {
        match self {
            Text::Plain(text) => Some(TextDigest::of(text.as_bytes())),
            Text::Secret(secret) => Some(TextDigest::of(secret.expose().as_bytes())),
            Text::Unknown(_) => None,
            Text::Digest(digest) => Some(digest.clone()),
        }
    }

    /// The text to show in a diff; none when it is secret or not known.
    pub fn shown(&self) -> Option<&str> {
        match self {
            Text::Plain(text) => Some(text),
            _ => None,
        }
    }

    /// The content to place.
    ///
    /// # Errors
    /// Of kind `Unknown` when only a run can know it.
    pub fn content(&self) -> Result<Secret> {
        match self {
            Text::Plain(text) => Ok(Secret::new(text.clone())),
            Text::Secret(secret) => Ok(secret.clone()),
            Text::Unknown(unknown) => Err(unknown.forgotten("the content depends on").unwrap_or_else(|| {
                let message = format!("the content depends on {}, known only when run", unknown.origin);
                Error::new(Kind::Unknown, "plan.unknown", message)
            })),
            Text::Digest(_) => {
                Err(Error::new(Kind::Local, "journal.no_content", "the journal keeps only the hash of a text"))
            }
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Text::Unknown(a), Text::Unknown(b)) => a == b,
            _ => self.digest() == other.digest(),
        }
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.digest().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digest = Option::<TextDigest>::deserialize(deserializer)?;
        Ok(match digest {
            Some(digest) => Text::Digest(digest),
            None => Text::Unknown(Unknown { origin: "a planned change".to_owned() }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_parts_is_as_secret_and_as_unknown_as_they_are() {
        let plain = |text: &str| Text::Plain(text.to_owned());
        assert_eq!(Text::of_parts(vec![plain("a"), plain("b")]).shown(), Some("ab"));
        let secret = Text::of_parts(vec![plain("a"), Text::Secret(Secret::new("b".to_owned()))]);
        assert!(secret.shown().is_none() && secret.content().is_ok_and(|content| content.expose() == "ab"));
        let unknown = Text::Unknown(Unknown { origin: "a node".to_owned() });
        assert!(Text::of_parts(vec![plain("a"), unknown, plain("b")]).digest().is_none());
    }
}
