//! The last step on the target: what was staged goes into place, or what was placed is taken back.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::remnant::{Remains, Remnant};
use haengine_kernel::secret::Secret;
use haengine_kernel::transport::{Command, Exit};

use super::before::Before;
use super::comparison::{How, Placement};
use super::entry::{Entry, Shape, parent};
use super::state::State;
use crate::file::succeed::marked;

const PLACE: &str = concat!(
    "# Puts a copy into place.\n",
    include_str!("../area.sh"),
    include_str!("stage.sh"),
    include_str!("pin.sh"),
    include_str!("place.sh")
);
const UNDO: &str = concat!(
    "# Takes a copy back.\n",
    include_str!("../area.sh"),
    include_str!("stage.sh"),
    include_str!("pin.sh"),
    include_str!("undo.sh")
);

/// How far a copy came that somebody else got in the way of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// All is in place.
    Whole,
    /// Somebody else was faster; nothing was placed.
    Nothing,
    /// Somebody else was faster; something was placed by then.
    Part,
}

/// Puts what is staged into place: a fresh tree at once, else each file and each new directory by itself.
///
/// # Errors
/// When the host did not do it; undo copes with what was done.
pub async fn place(host: &Host, to: &str, before: &Before, keep: &Keep) -> Result<Placed> {
    let new: BTreeSet<&str> = before.sent().filter(|p| p.how == How::New).map(|p| p.path.as_str()).collect();
    let tops = before.sent().filter(|p| p.how == How::New && !new.contains(parent(&p.path)) && !p.path.is_empty());
    let mut tops: Vec<&Placement> = tops.collect();
    let mut replaced: Vec<&Placement> = before.placements.iter().filter(|p| p.how == How::Replaced).collect();
    tops.sort_by_key(|p| parent(&p.path));
    replaced.sort_by_key(|p| parent(&p.path));
    let (folders, files): (Vec<_>, Vec<_>) = tops.into_iter().partition(|p| p.becomes.shape == Shape::Directory);
    let seen: String = replaced.iter().filter_map(|p| p.was.as_ref()).map(identity).collect();
    let lists = [
        list(files.iter().map(|p| p.path.as_str())),
        list(folders.iter().map(|p| p.path.as_str())),
        list(replaced.iter().map(|p| p.path.as_str())),
        seen,
    ];
    let rights = before.placements.iter().rev().filter(|p| p.how == How::Rights);
    let rights = rights.filter_map(|p| Some(right(&p.path, p.was.as_ref()?, &p.becomes, before.owners)));
    let fresh = if before.is_fresh() { "fresh" } else { "merge" };
    let command = Command::script(PLACE).args([before.folders(keep).1.as_str(), to, fresh]).arg(seat(before.seat));
    let command = with_lists(command, lists, rights.collect());
    let output = host.exec(&command).await?;
    match output.exit {
        Exit::Status(76) => Ok(Placed::Nothing),
        Exit::Status(79) => Ok(Placed::Part),
        _ => match output.ok(&command) {
            Ok(_) => Ok(Placed::Whole),
            Err(cause) => Err(failed(host, &format!("the copy could not be put into place at `{to}`"), cause)),
        },
    }
}

/// Takes back what is the copy's own: old files return, what was new goes, directories only when they are empty. What
/// somebody else made or put in a directory stays, and is what this gives.
///
/// # Errors
/// When the host did not do it; of kind `Drift` when somebody wrote to one of them meanwhile.
pub async fn take_back(host: &Host, to: &str, before: &Before, keep: &Keep, state: &State) -> Result<Remains> {
    let (mut removed, mut restored, mut folders, mut remains) = (Vec::new(), Vec::new(), Vec::new(), Remains::new());
    let mut rights = String::new();
    // What is in a directory comes before it.
    for placement in before.placements.iter().rev() {
        let path = placement.path.as_str();
        let Some(now) = state.target.entries.get(path) else { continue };
        // What is to the nanosecond as the copy left it may have been put back by the undo of a later run.
        let like = now.shape != Shape::Directory && now.is(&placement.becomes, before.owners);
        let ours = state.is_ours(path).map_or_else(|| now.is(&placement.becomes, before.owners), |ours| ours || like);
        let edited = ours && placement.is_sent() && !now.is(&placement.becomes, before.owners);
        match (placement.how, &placement.was) {
            _ if edited => remains.push(Remnant::left(join(to, path), "somebody else has changed it")),
            (How::Rights, Some(was)) => rights.push_str(&right(path, now, was, before.owners)),
            (How::New, _) if ours && now.shape == Shape::Directory => folders.push(path),
            (How::New, _) if ours => removed.push((path, now)),
            (How::Replaced, _) if ours => restored.push((path, now)),
            (How::Replaced, Some(was)) if now.is(was, before.owners) => {}
            _ => remains.push(Remnant::left(join(to, path), "somebody else made it")),
        }
    }
    let command = Command::script(UNDO).args([before.folders(keep).1.as_str(), to]).arg(seat(state.target.seat()));
    let command = with_lists(command, to_undo(removed, restored, folders), rights);
    let output = host.exec(&command).await?;
    if output.exit == Exit::Status(76) {
        return Err(overtaken(to));
    }
    let said = output.ok(&command).map_err(|cause| failed(host, &format!("`{to}` could not be put back"), cause))?;
    let used = String::from_utf8_lossy(&said.stdout).into_owned();
    let used = used.split_terminator('\0').map(|path| if path == "." { "" } else { path });
    remains.extend(used.map(|path| Remnant::left(join(to, path), "something that the run did not make is in it")));
    Ok(remains)
}

/// What is in one folder follows each other, and comes before the folder.
fn to_undo(mut removed: Vec<(&str, &Entry)>, mut restored: Vec<(&str, &Entry)>, mut folders: Vec<&str>) -> [String; 4] {
    removed.sort_by_key(|(path, _)| parent(path));
    restored.sort_by_key(|(path, _)| parent(path));
    folders.sort_by_key(|path| Reverse(parent(path)));
    [
        list(removed.iter().map(|(path, _)| *path)),
        list(restored.iter().map(|(path, _)| *path)),
        list(folders),
        removed.iter().chain(&restored).map(|(_, now)| identity(now)).collect(),
    ]
}

/// Somebody else was faster.
pub fn overtaken(to: &str) -> Error {
    Error::new(Kind::Drift, "file.overtaken", format!("somebody else changed what is in `{to}` at the same time"))
        .hint("look at who writes there, then run again; theirs is what is there")
}

/// Removes what a copy staged; what cannot be removed now, undo removes.
pub async fn discard(host: &Host, before: &Before, keep: &Keep) {
    let command = Command::new("rm").arg("-rf").arg("--").arg(before.folders(keep).1);
    if let Err(error) = host.ok(&command).await {
        host.warn(format!("a broken copy is still there: {}", error.message()));
    }
}

fn failed(host: &Host, message: &str, cause: Error) -> Error {
    let said = format!("{}\n{}", cause.message(), cause.causes().join("\n"));
    marked(Error::new(Kind::Failed, "file.place_tree", message), &said).because(cause).on(host.name())
}

fn with_lists(command: Command, lists: [String; 4], last: String) -> Command {
    let sizes: Vec<String> = lists.iter().map(|list| list.len().to_string()).collect();
    command.args(sizes).stdin(Secret::new([lists.concat(), last].concat()))
}

fn list<'a>(paths: impl IntoIterator<Item = &'a str>) -> String {
    paths.into_iter().map(|path| if path.is_empty() { ".\0".to_owned() } else { format!("{path}\0") }).collect()
}

/// `DEVICE:INODE` of the tree's own folder.
fn seat(seat: Option<(u64, u64)>) -> String {
    seat.map_or_else(|| "-".to_owned(), |(device, inode)| format!("{device}:{inode}"))
}

/// A line as `stat -c '%i %a %u %g %s %.9Y'` writes it.
fn identity(entry: &Entry) -> String {
    let (inode, mode, size) = (entry.inode.1, entry.mode, entry.size);
    let (seconds, part) = (entry.mtime.div_euclid(SECOND), entry.mtime.rem_euclid(SECOND));
    format!("{inode} {mode:o} {} {} {size} {seconds}.{part:09}\n", entry.uid, entry.gid)
}

const SECOND: i64 = 1_000_000_000;

/// `INODE MODE OWNER PATH` of rights to give to what is there.
fn right(path: &str, now: &Entry, to_be: &Entry, owners: bool) -> String {
    let owner = if owners { format!("{}:{}", to_be.uid, to_be.gid) } else { "-".to_owned() };
    format!("{} {:05o} {owner} ./{path}\0", now.inode.1, to_be.mode)
}

fn join(root: &str, path: &str) -> String {
    if path.is_empty() { root.to_owned() } else { format!("{}/{path}", root.trim_end_matches('/')) }
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::file;
    use super::*;

    #[test]
    fn an_identity_is_written_as_stat_writes_it() {
        let entry = Entry { mode: 0o4755, inode: (1, 77), ..file(12, 1_700_000_000_000_000_005) };
        assert_eq!(identity(&entry), "77 4755 0 0 12 1700000000.000000005\n");
        assert_eq!(right("a b", &entry, &file(1, 1), true), "77 00644 0:0 ./a b\0");
        assert_eq!(list(["", "a"]), ".\0a\0");
    }
}
