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
    for line in output.text().split_terminator('\0') {
        let Some((sha256, path)) = line.split_once("  ./") else { continue };
        if let Some(entry) = entries.get_mut(path) {
            entry.sha256 = Some(sha256.to_owned());
        }
    }
    Ok(())
}
