//! Whether a text names a host, as a whole word and in whatever spelling.

use std::net::IpAddr;

use super::endpoint::{Endpoint, Host};

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
    let words = text.split(|character: char| character.is_whitespace() || BETWEEN.contains(&character));
    words.into_iter().find(|word| !word.is_empty() && hosts.iter().any(|host| is_in(word, host)))
}

fn is_in(word: &str, host: &Host) -> bool {
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
