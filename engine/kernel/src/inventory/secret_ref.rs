//! Where a secret is found; the inventory never holds one.

use std::path::{Path, PathBuf};

use super::path;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// The place of a secret, as the inventory and the command line write it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretRef {
    /// `env:NAME`: a variable of the operator's environment.
    Environment(String),
    /// `file:PATH`: a file, without its last newline.
    File(PathBuf),
    /// `age:PATH`: a file encrypted with age.
    Age(PathBuf),
    /// `prompt`: asked on the terminal, once a run; the text says for what.
    Prompt(String),
}

/// Finds secrets. The command line owns the real one, since only it may read the environment and ask.
pub trait SecretSource: Send + Sync {
    /// The secret behind `reference`.
    ///
    /// # Errors
    /// When it cannot be had; the message names the place, never a value.
    fn resolve(&self, reference: &SecretRef) -> Result<Secret>;
}

impl SecretRef {
    /// Reads `env:NAME`, `file:PATH`, `age:PATH` or `prompt`. Paths are relative to `base`, or below `home` after `~/`.
    /// `what` is the secret's name for messages and for the prompt: "`passphrase` of `master1`".
    ///
    /// ```
    /// use haengine_kernel::inventory::SecretRef;
    /// use std::path::Path;
    /// let parse = |text| SecretRef::parse(text, Path::new("/site"), None, "`token`");
    /// assert_eq!(parse("env:TOKEN").unwrap(), SecretRef::Environment("TOKEN".to_owned()));
    /// assert_eq!(parse("hunter2").unwrap_err().to_string(), "`token` is not a reference to a secret; a literal is refused");
    /// ```
    ///
    /// # Errors
    /// When it is anything else, since that would be the secret itself. No part of `text` is in the error.
    pub fn parse(text: &str, base: &Path, home: Option<&Path>, what: &str) -> Result<SecretRef> {
        let file = |path: &str| path_of(path, base, home, what);
        match text.split_once(':') {
            Some(("env", name)) if is_variable(name) => Ok(SecretRef::Environment(name.to_owned())),
            Some(("env", _)) => Err(refusal("secret.malformed", what, "does not name a variable after `env:`")
                .hint("write `env:NAME`; a name has letters, digits and `_` only, and no space before it")),
            Some(("file", path)) => file(path).map(SecretRef::File),
            Some(("age", path)) => file(path).map(SecretRef::Age),
            _ if text == "prompt" => Ok(SecretRef::Prompt(what.to_owned())),
            _ => Err(refusal("secret.literal", what, "is not a reference to a secret; a literal is refused")
                .hint("write where it is found: `env:NAME`, `file:PATH`, `age:PATH` or `prompt`")),
        }
    }
}

/// Whether `text` has the form of a reference, so that it says where a secret is found and is none itself.
pub(super) fn looks_like_reference(text: &str) -> bool {
    text == "prompt" || ["env:", "file:", "age:"].iter().any(|scheme| text.starts_with(scheme))
}

fn path_of(text: &str, base: &Path, home: Option<&Path>, what: &str) -> Result<PathBuf> {
    if text.starts_with("//") {
        return Err(refusal("secret.malformed", what, "is a URL")
            .hint("write `file:PATH`: a path follows the colon, without `//`"));
    }
    if text.starts_with(char::is_whitespace) {
        return Err(refusal("secret.malformed", what, "has a space after the colon").hint("write `file:PATH`"));
    }
    path::expand(text, base, home).map_err(|path| refusal("secret.malformed", what, path.reason).hint(path.advice))
}

fn is_variable(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn refusal(code: &'static str, what: &str, reason: &str) -> Error {
    Error::new(Kind::Usage, code, format!("{what} {reason}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<SecretRef> {
        SecretRef::parse(text, Path::new("/site"), Some(Path::new("/home/ops")), "`token`")
    }

    #[test]
    fn the_four_forms_are_read() {
        assert_eq!(parse("env:TOKEN").unwrap(), SecretRef::Environment("TOKEN".to_owned()));
        assert_eq!(parse("file:secrets/token").unwrap(), SecretRef::File("/site/secrets/token".into()));
        assert_eq!(parse("file:~/token").unwrap(), SecretRef::File("/home/ops/token".into()));
        assert_eq!(parse("age:/etc/token.age").unwrap(), SecretRef::Age("/etc/token.age".into()));
        assert_eq!(parse("prompt").unwrap(), SecretRef::Prompt("`token`".to_owned()));
    }

    #[test]
    fn each_refusal_says_what_to_write() {
        for (text, code) in [
            ("", "secret.literal"),
            ("Prompt", "secret.literal"),
            ("ENV:TOKEN", "secret.literal"),
            ("env:", "secret.malformed"),
            ("env: TOKEN", "secret.malformed"),
            ("env:1ST", "secret.malformed"),
            ("file:", "secret.malformed"),
            ("file: a", "secret.malformed"),
            ("file:///etc/token", "secret.malformed"),
            ("age:~other/a", "secret.malformed"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.code(), code, "{text:?}");
            assert!(error.advice().is_some(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_refused_text_is_not_in_the_error(text in "(env:|file:///|age:~)?[#-&@A-Z]{12,20}") {
            if let Err(error) = parse(&text) {
                let shown = format!("{error} {:?} {error:?}", error.advice());
                prop_assert!(!shown.contains(text.trim_start_matches(|c: char| c.is_lowercase() || ":/~".contains(c))));
            }
        }
    }
}
