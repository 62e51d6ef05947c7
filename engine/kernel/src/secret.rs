//! Values that must not be seen.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// A secret value. It has no `Debug`, no `Display` and no `Serialize`, so that it cannot reach a
/// log, an error or the journal by accident; whoever needs the text says [`expose`](Secret::expose).
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Wraps a secret text; its memory is wiped when the last copy goes.
    pub fn new(text: String) -> Self {
        Secret(Arc::new(Zeroizing::new(text)))
    }

    /// The text itself. Each call is a place to look at when secrets are reviewed.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// True when `text` repeats a line of it. What is shorter than four characters is found in any text.
    pub fn is_repeated_in(&self, text: &str) -> bool {
        self.expose().lines().map(str::trim).filter(|line| line.len() >= 4).any(|line| text.contains(line))
    }

    /// True when `text` repeats a line or only a word of it: for programs that quote what they do not understand.
    pub fn is_quoted_in(&self, text: &str) -> bool {
        let words = self.expose().split(|c: char| c.is_whitespace() || "\"'`;,=:".contains(c));
        self.is_repeated_in(text) || words.filter(|word| word.len() >= 4).any(|word| text.contains(word))
    }
}

/// The secrets that a run has been given. Wherever they occur in what is told or written down, a word stands instead.
#[derive(Clone, Default)]
pub struct Known(Arc<RwLock<Vec<Secret>>>);

/// What is shorter is found in too many texts that have nothing to do with it.
const SHORTEST: usize = 6;
/// The same of a line among others.
const LONE: usize = 16;

impl Known {
    /// From now on this one is known: as it is, line by line, and in base64. Of several lines each that may be a secret by itself:
    /// `apiVersion: v1` of a kubeconfig is none.
    pub fn add(&self, secret: &Secret) {
        let text = secret.expose();
        let is_alone = text.trim().lines().count() == 1;
        let is_secret = |line: &&str| is_alone || (line.len() >= LONE && !line.contains(char::is_whitespace));
        let lines = text.lines().map(str::trim).filter(is_secret).map(str::to_owned);
        let all = lines.chain([STANDARD.encode(text), STANDARD.encode(format!("{text}\n"))]);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for text in all.filter(|text| text.len() >= SHORTEST).map(Zeroizing::new) {
            if !known.iter().any(|one| one.expose() == text.as_str()) {
                known.push(Secret(Arc::new(text)));
            }
        }
        // One may be part of another.
        known.sort_by_key(|one| std::cmp::Reverse(one.expose().len()));
    }

    /// Those that are so long that no name of a unit, a file or a user is one of them by chance.
    pub(crate) fn long(&self) -> Known {
        const LONG: usize = 12;
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let long = known.iter().filter(|secret| secret.expose().len() >= LONG).cloned().collect();
        Known(Arc::new(RwLock::new(long)))
    }

    /// The text without them.
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut shown = Cow::Borrowed(text);
        for secret in known.iter().filter(|secret| text.contains(secret.expose())) {
            shown = Cow::Owned(shown.replace(secret.expose(), REDACTED));
        }
        shown
    }

    /// The same in place.
    pub fn hide_in(&self, text: &mut String) {
        if let Cow::Owned(hidden) = self.hide(text) {
            *text = hidden;
        }
    }

    /// The same for all texts of a value, but not for names of fields, and not for paths: undo needs those as they are. A
    /// command may begin with a path, but has a blank behind it.
    pub fn hide_json(&self, json: &mut serde_json::Value) {
        use serde_json::Value as Json;
        match json {
            Json::String(text) if !text.starts_with('/') || text.contains(char::is_whitespace) => self.hide_in(text),
            Json::Array(items) => items.iter_mut().for_each(|item| self.hide_json(item)),
            Json::Object(map) => map.values_mut().for_each(|item| self.hide_json(item)),
            _ => {}
        }
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// What stands in the place of a secret wherever text is shown.
pub const REDACTED: &str = "‹secret›";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_hidden_wherever_it_is() {
        let known = Known::default();
        known.add(&Secret::new("apiVersion: v1\nc2Vjb25kIGxpbmU=\nhunter2-long\n".to_owned()));
        known.add(&Secret::new("hunter2-long\n".to_owned()));
        known.add(&Secret::new("hunter2".to_owned()));
        assert_eq!(known.hide("a hunter2-long b hunter2 c"), "a ‹secret› b ‹secret› c");
        assert_eq!(known.hide("apiVersion: v1, c2Vjb25kIGxpbmU="), "apiVersion: v1, ‹secret›");
        let encoded = STANDARD.encode("hunter2");
        assert_eq!(known.hide(&format!("data: {encoded}")), "data: ‹secret›");
        let mut json = serde_json::json!({ "hunter2": ["x hunter2", "/etc/hunter2", "/bin/x hunter2", 7] });
        known.hide_json(&mut json);
        assert_eq!(json, serde_json::json!({ "hunter2": ["x ‹secret›", "/etc/hunter2", "/bin/x ‹secret›", 7] }));
    }

    #[test]
    fn a_secret_is_found_in_what_a_program_says() {
        let secret = Secret::new("user root;\npassword 'hunter2';\nab\n".to_owned());
        assert!(secret.is_repeated_in("line 2: password 'hunter2'; is wrong"));
        assert!(!secret.is_repeated_in("unexpected hunter2 about line 2"));
        assert!(secret.is_quoted_in("unexpected hunter2 about line 2"));
        assert!(!secret.is_quoted_in("line 2 is wrong about it"));
    }
}
