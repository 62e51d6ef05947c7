//! Values that must not be seen.

use zeroize::Zeroizing;

/// A secret value. It has no `Debug`, no `Display` and no `Serialize`, so that it cannot reach a
/// log, an error or the journal by accident; whoever needs the text says [`expose`](Secret::expose).
#[derive(Clone)]
pub struct Secret(std::sync::Arc<Zeroizing<String>>);

impl Secret {
    /// Wraps a secret text; its memory is wiped when the last copy goes.
    pub fn new(text: String) -> Self {
        Secret(std::sync::Arc::new(Zeroizing::new(text)))
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
    fn a_secret_is_found_in_what_a_program_says() {
        let secret = Secret::new("user root;\npassword 'hunter2';\nab\n".to_owned());
        assert!(secret.is_repeated_in("line 2: password 'hunter2'; is wrong"));
        assert!(!secret.is_repeated_in("unexpected hunter2 about line 2"));
        assert!(secret.is_quoted_in("unexpected hunter2 about line 2"));
        assert!(!secret.is_quoted_in("line 2 is wrong about it"));
    }
}
