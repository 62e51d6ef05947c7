//! Paths as an inventory writes them.

use std::path::{Path, PathBuf};

/// Why a path is refused, to follow its name, and what to do.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    pub reason: &'static str,
    pub advice: &'static str,
}

/// The path that `text` means: relative to `base`, or below `home` when it begins with `~/`.
///
/// # Errors
/// When it is empty, or names a home folder that is not known.
pub(super) fn expand(text: &str, base: &Path, home: Option<&Path>) -> Result<PathBuf, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal { reason: "is empty", advice: "name a file" });
    }
    let Some(rest) = text.strip_prefix('~') else { return Ok(base.join(text)) };
    if !(rest.is_empty() || rest.starts_with('/')) {
        return Err(Refusal {
            reason: "names another user's home folder",
            advice: "write the whole path; only `~/`, the home folder of who runs this, is known",
        });
    }
    match home {
        Some(home) => Ok(home.join(rest.trim_start_matches('/'))),
        None => Err(Refusal {
            reason: "begins with `~/`, and no home folder is known",
            advice: "set HOME, or write the whole path",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_file_or_to_home() {
        let expand = |text| expand(text, Path::new("/site"), Some(Path::new("/home/ops")));
        assert_eq!(expand("keys/id"), Ok(PathBuf::from("/site/keys/id")));
        assert_eq!(expand("/etc/id"), Ok(PathBuf::from("/etc/id")));
        assert_eq!(expand("~/.ssh/id"), Ok(PathBuf::from("/home/ops/.ssh/id")));
        assert_eq!(expand("~root/id").map_err(|refusal| refusal.reason), Err("names another user's home folder"));
        assert!(expand(" ").is_err());
        assert!(super::expand("~/x", Path::new("/site"), None).is_err());
    }
}
