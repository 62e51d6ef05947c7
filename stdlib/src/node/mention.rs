//! Whether a text names a host, as a whole word and in whatever spelling.

use std::net::IpAddr;

use haengine_kernel::shape::Shape;
use haengine_kernel::value::Value;

use super::endpoint::{Endpoint, Host};

/// A place that still names what a change leaves.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Mention {
    /// The file.
    pub path: String,
    /// The number of the line, from 1.
    pub line: usize,
    /// The word there, shortened.
    pub word: String,
    /// Why it is right; none where it is not, or nobody knows, so that a person has to look.
    pub reason: Option<&'static str>,
}

const SHAPE: Shape = Shape::Map(&[
    ("path", Shape::String),
    ("line", Shape::Integer),
    ("word", Shape::String),
    ("reason", Shape::Anything),
]);

impl Mention {
    /// What recipes get of several.
    pub(super) const LIST: Shape = Shape::List(&SHAPE);

    /// Several, as recipes see them.
    pub(super) fn values(all: &[Mention]) -> Value {
        Value::List(all.iter().map(Mention::value).collect())
    }

    fn value(&self) -> Value {
        Value::map([
            ("path", Value::from(self.path.as_str())),
            ("line", Value::Integer(i64::try_from(self.line).unwrap_or(i64::MAX))),
            ("word", Value::from(self.word.as_str())),
            ("reason", self.reason.map_or(Value::Null, Value::from)),
        ])
    }
}

/// What stands between two words of a value.
const BETWEEN: [char; 14] = [',', ';', '=', '"', '\'', '(', ')', '{', '}', '<', '>', '|', '@', '`'];

/// The first word of a text that names one of the hosts.
///
/// ```
/// use haengine_stdlib::node::{endpoint::Host, mention::mention};
/// let hosts = [Host::parse("10.0.0.1").unwrap(), Host::parse("::1").unwrap()];
/// assert_eq!(mention("m1=https://10.0.0.1:2380", &hosts), Some("https://10.0.0.1:2380"));
/// assert_eq!(mention("http://[0:0:0:0:0:0:0:1]", &hosts), Some("http://[0:0:0:0:0:0:0:1]"));
/// assert_eq!(mention("10.0.0.12, 110.0.0.1, a10.0.0.1", &hosts), None);
/// ```
pub fn mention<'a>(text: &'a str, hosts: &[Host]) -> Option<&'a str> {
    words(text).find(|word| hosts.iter().any(|host| is_in(word, host)))
}

/// The words of a text, without what stands between them.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| character.is_whitespace() || BETWEEN.contains(&character))
        .filter(|word| !word.is_empty())
}

/// A word of at most 80 characters.
pub(super) fn shortened(word: &str) -> String {
    match word.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_owned(),
    }
}

/// Whether a word names a host.
pub(super) fn is_in(word: &str, host: &Host) -> bool {
    let is_at = |endpoint: Endpoint| endpoint.host.as_ref() == Some(host);
    Endpoint::parse(word).is_ok_and(is_at) || has_word(&word.to_ascii_lowercase(), host)
}

/// True where nothing before and after the name goes on with it.
fn has_word(text: &str, host: &Host) -> bool {
    let (name, more) = (host.to_string(), if matches!(host, Host::Address(IpAddr::V6(_))) { "-.:" } else { "-." });
    let goes_on = |character: char| character.is_ascii_alphanumeric() || more.contains(character);
    text.match_indices(&name).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
        !before.is_some_and(goes_on) && !after.is_some_and(goes_on)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_in_any_spelling() {
        let hosts = [Host::parse("master1").unwrap(), Host::parse("fd00::1").unwrap()];
        for (text, is_named) in [
            ("Master1", true),
            ("/etc/pki/master1/tls.pem", true),
            ("master10 master1-x x.master1", false),
            ("# see MASTER1: the first", true),
            ("[FD00:0::1]:6443", true),
            ("fd00::12 fd00::1:2 [2001:fd00::1]:1", false),
            ("", false),
        ] {
            assert_eq!(mention(text, &hosts).is_some(), is_named, "{text}");
        }
    }
}
