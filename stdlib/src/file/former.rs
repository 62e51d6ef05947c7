//! Taking back what runs changed before hosts held records of what they made: journals of version 1.
//!
//! The proofs are those of then: content, mode and owner. Nothing is deleted with all in it but what was kept.

use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::transport::Command;

use crate::file::path;
use crate::file::succeed::succeed;

const RESTORE: &str = concat!(include_str!("former/keep.sh"), include_str!("former/restore.sh"));
const BRING_BACK: &str = concat!(include_str!("former/keep.sh"), include_str!("former/bring_back.sh"));
const ATTRIBUTES: &str = include_str!("former/attributes.sh");

/// Puts a file or a link back; `old` says whether there was one.
///
/// # Errors
/// When the host did not do it.
pub async fn restore(host: &Host, path: &str, keep: &Keep, name: &str, old: bool) -> Result<()> {
    let age = if old { "old" } else { "new" };
    succeed(host, &kept(RESTORE, path, keep, name).arg(age), path).await.map(drop)
}

/// Brings back what was removed.
///
/// # Errors
/// When the host did not do it.
pub async fn bring_back(host: &Host, path: &str, keep: &Keep) -> Result<()> {
    succeed(host, &kept(BRING_BACK, path, keep, &keep.name()), path).await.map(drop)
}

/// The command that changes mode, owner and time of what had no inode written down.
pub fn attributes(path: &str, mode: &str, owner: &str, modified: &str) -> Command {
    Command::script(ATTRIBUTES).args([path, mode, owner, modified])
}

fn kept(script: &str, path: &str, keep: &Keep, name: &str) -> Command {
    Command::script(script).args([path, &path::temporary(path), &keep.folder(), &keep.run, name])
}
