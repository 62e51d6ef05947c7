//! Hashes of some files of a tree, in one round trip.

use std::collections::BTreeMap;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::secret::Secret;
use haengine_kernel::transport::Command;

use super::entry::Entry;

/// Hashes the files of `paths` in the tree at `root` and writes the hashes to its entries.
///
/// # Errors
/// When a file cannot be read.
pub async fn hash(host: &Host, root: &str, entries: &mut BTreeMap<String, Entry>, paths: &[String]) -> Result<()> {
    // What is planned has its hash already, and is not there to be read.
    let real: Vec<&String> =
        paths.iter().filter(|path| entries.get(*path).is_some_and(|e| e.origin.is_none())).collect();
    if real.is_empty() {
        return Ok(());
    }
    let names: String = real.iter().map(|path| format!("./{path}\0")).collect();
    let command = Command::script(include_str!("digests.sh")).arg(root).stdin(Secret::new(names));
    let output = host.exec(&command).await?.ok(&command).map_err(|cause| {
        Error::new(Kind::Failed, "file.hash", format!("files of `{root}` could not be read"))
            .hint("set `become: true` for the host, or leave the files out with `exclude`")
            .because(cause)
            .on(host.name())
    })?;
    for (sha256, path) in output.text().lines().filter_map(digest) {
        if let Some(entry) = entries.get_mut(&path) {
            entry.sha256 = Some(sha256.to_owned());
        }
    }
    Ok(())
}

/// The hash and the path of a line of `sha256sum`.
fn digest(line: &str) -> Option<(&str, String)> {
    let (line, is_escaped) = line.strip_prefix('\\').map_or((line, false), |line| (line, true));
    let (sha256, path) = line.split_once("  ./")?;
    Some((sha256, if is_escaped { unescaped(path) } else { path.to_owned() }))
}

/// A name without the escapes of `sha256sum`.
fn unescaped(name: &str) -> String {
    let (mut plain, mut rest) = (String::new(), name.chars());
    while let Some(next) = rest.next() {
        plain.push(match (next, if next == '\\' { rest.next() } else { None }) {
            (_, Some('n')) => '\n',
            (_, Some('r')) => '\r',
            (_, Some(other)) => other,
            (other, None) => other,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_line_is_found_again() {
        let read = |line: &str| digest(line).map(|(sha256, path)| format!("{sha256} {path:?}"));
        assert_eq!(read("ab  ./a  ./b").as_deref(), Some("ab \"a  ./b\""));
        assert_eq!(read("ab  ./back\\slash").as_deref(), Some("ab \"back\\\\slash\""), "old ones escape none alone");
        assert_eq!(read("\\ab  ./a\\nb\\\\n\\r").as_deref(), Some("ab \"a\\nb\\\\n\\r\""));
        assert_eq!(read("odd"), None);
    }
}
