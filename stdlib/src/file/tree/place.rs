//! The last step on the target: what was staged goes into place, or what was placed is taken back.

use std::collections::BTreeSet;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::secret::Secret;
use haengine_kernel::transport::Command;

use super::before::{Before, parent};
use super::comparison::{How, Placement};
use super::entry::Entry;

/// Puts what is staged into place: a fresh tree by one rename, else each file and each new directory by one.
///
/// # Errors
/// When the host did not do it; undo copes with what was done.
pub async fn place(host: &Host, to: &str, before: &Before, keep: &Keep) -> Result<()> {
    let replaced = list(before.placements.iter().filter(|p| p.how == How::Replaced).map(|p| p.path.as_str()));
    let merged = list(merged(before.sent(), before).into_iter().rev());
    let rights = rights(before, |placement| Some(&placement.becomes));
    let fresh = if before.is_fresh() { "fresh" } else { "merge" };
    let command = Command::script(include_str!("place.sh"))
        .arg(before.folders(keep).1)
        .arg(to)
        .arg(fresh)
        .arg(replaced.len().to_string())
        .arg(merged.len().to_string())
        .stdin(Secret::new([replaced, merged, rights].concat()));
    run(host, &command, &format!("the copy could not be put into place at `{to}`")).await
}

/// Takes everything back: old files return, what was new goes with all in it.
///
/// # Errors
/// When the host did not do it.
pub async fn take_back(host: &Host, to: &str, before: &Before, keep: &Keep) -> Result<()> {
    let replaced = before.placements.iter().filter(|placement| placement.how == How::Replaced);
    let merged = list(merged(replaced, before));
    let created = list(before.created());
    let rights = rights(before, |placement| placement.was.as_ref());
    let command = Command::script(include_str!("undo.sh"))
        .arg(before.folders(keep).1)
        .arg(to)
        .arg(merged.len().to_string())
        .arg(created.len().to_string())
        .stdin(Secret::new([merged, created, rights].concat()));
    run(host, &command, &format!("`{to}` could not be put back")).await
}

/// Removes what a copy staged; what cannot be removed now, undo removes.
pub async fn discard(host: &Host, before: &Before, keep: &Keep) {
    let command = Command::new("rm").arg("-rf").arg(before.folders(keep).1);
    if let Err(error) = host.ok(&command).await {
        host.warn(format!("a broken copy is still there: {}", error.message()));
    }
}

async fn run(host: &Host, command: &Command, failed: &str) -> Result<()> {
    match host.exec(command).await?.ok(command) {
        Ok(_) => Ok(()),
        Err(cause) => Err(Error::new(Kind::Failed, "file.place_tree", failed).because(cause).on(host.name())),
    }
}

/// The directories which exist already and get something from `placements`, each after the ones above it.
fn merged<'a>(placements: impl Iterator<Item = &'a Placement>, before: &Before) -> BTreeSet<&'a str> {
    let new: BTreeSet<&str> = before.placements.iter().filter(|p| p.how == How::New).map(|p| p.path.as_str()).collect();
    let mut merged = BTreeSet::new();
    for placement in placements {
        let mut above = parent(&placement.path);
        // The directories above are scaffolding in the staging folder, to be emptied and removed too.
        while !new.contains(above) && merged.insert(above) && !above.is_empty() {
            above = parent(above);
        }
    }
    merged
}

fn list<'a>(paths: impl IntoIterator<Item = &'a str>) -> String {
    paths.into_iter().map(|path| if path.is_empty() { ".\0".to_owned() } else { format!("{path}\0") }).collect()
}

/// Directories and files whose rights change, innermost first: a directory may be closed behind them.
fn rights(before: &Before, to_be: impl Fn(&Placement) -> Option<&Entry>) -> String {
    let changes = before.placements.iter().rev().filter(|placement| placement.how == How::Rights);
    let item = |placement: &Placement| {
        let entry = to_be(placement)?;
        let owner = if before.owners { format!("{}:{}", entry.uid, entry.gid) } else { "-".to_owned() };
        Some(format!("{:04o} {owner} ./{}\0", entry.mode, placement.path))
    };
    changes.filter_map(item).collect()
}
