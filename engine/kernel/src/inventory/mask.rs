//! What must not be shown of a file when an error quotes one of its lines.
//!
//! A file that is refused for a literal secret, or for anything else while it holds one, is quoted in terminals and logs. The text
//! may not even parse, so this looks at words and not at structure, and hides too much rather than too little.

use std::ops::Range;

use super::secret_ref::looks_like_reference;
use crate::secret::REDACTED;

/// The keys whose values are secrets.
pub(super) const SECRET_KEYS: [&str; 2] = ["passphrase", "become_password"];

/// The byte ranges of a text that are hidden, in order.
pub(super) struct Mask {
    hidden: Vec<Range<usize>>,
}

impl Mask {
    pub fn of(text: &str) -> Self {
        let mut hidden: Vec<Range<usize>> = Vec::new();
        for word in words(text) {
            let covered = hidden.last().is_some_and(|range| range.contains(&word.start));
            if !covered && let Some(range) = secret_after(text, &word) {
                hidden.push(range);
            }
        }
        Mask { hidden }
    }

    /// Line `number` (from one) of `text` up to character `end`, with a word in place of what is hidden.
    pub fn line(&self, text: &str, number: usize, end: usize) -> String {
        let Some(line) = number.checked_sub(1).and_then(|index| lines(text).nth(index)) else {
            return String::new();
        };
        let mut shown = String::new();
        for (count, (at, c)) in text[line.clone()].char_indices().enumerate() {
            if self.hides(line.start + at) {
                shown.push_str(REDACTED);
                return shown;
            }
            if count >= end {
                return format!("{shown} …");
            }
            shown.push(c);
        }
        shown
    }

    /// `message` without anything that is hidden in `text`.
    pub fn cleanse(&self, text: &str, message: &str) -> String {
        let mut clean = message.to_owned();
        for range in &self.hidden {
            let hidden = &text[range.clone()];
            let parts = hidden.split(|c: char| c.is_whitespace() || "\"'{}[],".contains(c));
            for secret in parts.filter(|part| part.len() > 2) {
                clean = clean.replace(secret, REDACTED);
            }
        }
        clean
    }

    fn hides(&self, at: usize) -> bool {
        self.hidden.iter().any(|range| range.contains(&at))
    }
}

/// The range of each line, without its end.
fn lines(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    text.split('\n').map(move |line| {
        let range = start..start + line.trim_end_matches('\r').len();
        start += line.len() + 1;
        range
    })
}

/// The range of each word that could be a key.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(part)?;
        let length = text[start..].find(|c| !part(c)).unwrap_or(text.len() - start);
        at = start + length;
        Some(start..at)
    })
}

/// What to hide behind `word`, when it is the key of a secret.
fn secret_after(text: &str, word: &Range<usize>) -> Option<Range<usize>> {
    let key = text[word.clone()].to_lowercase();
    let rest = &text[word.end..];
    let gap = rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || ":='\"?".contains(c)).len();
    let colon = rest[..gap].contains([':', '=']);
    if gap == 0 || !(is_secret_key(&key) || colon && sounds_secret(&key)) {
        return None;
    }
    // The opening quote belongs to the value.
    let start = word.end + gap - usize::from(colon && rest[..gap].ends_with(['"', '\'']));
    if start >= text.len() || is_reference(&text[start..]) {
        return None;
    }
    Some(start..end_of_value(text, start, word.start))
}

fn is_secret_key(key: &str) -> bool {
    SECRET_KEYS.iter().any(|known| strsim::normalized_damerau_levenshtein(known, key) > 0.75)
}

fn sounds_secret(key: &str) -> bool {
    ["pass", "secret", "token"].iter().any(|part| key.contains(part))
}

/// Whether the value that starts here only says where a secret is found, so that showing it is safe and helps.
fn is_reference(value: &str) -> bool {
    let line = value.lines().next().unwrap_or_default();
    let value = line.split([',', '}', '#']).next().unwrap_or_default();
    looks_like_reference(value.trim().trim_matches(['"', '\'']))
}

/// Where the value ends: with its quotes, or with the last line that is indented deeper than its key's.
fn end_of_value(text: &str, start: usize, key: usize) -> usize {
    let quote = text[start..].chars().next().filter(|c| matches!(c, '"' | '\''));
    let closed = quote.map(|quote| text[start + 1..].find(quote).map_or(text.len(), |at| start + 1 + at));
    let from = closed.unwrap_or(start).max(start);
    let depth = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let mut end = from;
    let mut limit = None;
    for range in lines(text) {
        let line = &text[range.clone()];
        if range.start <= key && key <= range.end {
            limit = Some(depth(line));
        }
        let Some(limit) = limit else { continue };
        if range.end < from {
            continue;
        }
        let first = range.start <= from;
        if !first && !line.trim().is_empty() && depth(line) <= limit {
            break;
        }
        end = range.end;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mask = Mask::of(text);
        (1..=text.lines().count()).map(|number| mask.line(text, number, usize::MAX) + "\n").collect()
    }

    #[test]
    fn secrets_are_hidden_however_they_are_written() {
        for text in [
            "passphrase: hunter2",
            "passphrase hunter2",
            "passphrase : hunter2",
            "\"passphrase\": \"hunter2\"",
            "{ a: 1, passphrase: hunter2, b: 2 }",
            "passphrase: \"x\nhunter2\"\nport: 22",
            "passphrase: \"hunter2",
            "  passphrase: |\n    x\n\n    hunter2\n  port: 22",
            "  passphrase:\n    hunter2",
            "? passphrase\n: hunter2",
            "become_password: hunter2",
            "becomepassword: hunter2",
            "passphras: hunter2",
            "api_token: hunter2",
            "db-password: hunter2",
            "passphrase: {env: hunter2}",
            "passphrase: [env:A, hunter2]",
            "passphrase: prompt hunter2",
            "passphrase: prompt, become_password: hunter2",
        ] {
            assert!(!shown(text).contains("hunter2"), "{text:?} is shown as {:?}", shown(text));
        }
    }

    #[test]
    fn the_rest_stays_visible() {
        for text in [
            "passphrase: env:KEY\nport: 22\n",
            "{ passphrase: \"age:key.age\", port: 22 }\n",
            "become_password: prompt # asked\n",
            "hosts: { master1: { port: 22 } }\n",
            "groups: { a: [token-hosts, b] }\n",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn a_line_after_the_secret_stays_visible() {
        assert_eq!(shown("passphrase: hunter2\nport: 22\n"), "passphrase: ‹secret›\nport: 22\n");
        assert_eq!(shown("passphrase: \"a\nb\"\nport: 22\n"), "passphrase: ‹secret›\n‹secret›\nport: 22\n");
    }

    #[test]
    fn a_message_is_cleansed() {
        let text = "passphrase: \"hunter2\" }";
        assert_eq!(Mask::of(text).cleanse(text, "odd value `hunter2`"), "odd value `‹secret›`");
    }
}
