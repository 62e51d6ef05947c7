//! Writing a text into a file that stays, where nothing can be renamed over it: a file that is a mount of its own.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::remnant::{Remains, Remnant};
use haengine_kernel::signature::{Absent, Param, ParamKind};

use crate::file::look::Found;
use crate::file::owner::Owner;

/// Writes over an old file.
pub const POUR: &str =
    concat!(include_str!("own.sh"), include_str!("area.sh"), include_str!("in_place.sh"), include_str!("pour.sh"));
/// Takes that back.
pub const POUR_BACK: &str =
    concat!(include_str!("own.sh"), include_str!("area.sh"), include_str!("in_place.sh"), include_str!("pour_back.sh"));

/// As what the host has the file written down that is written into.
pub const POURED: &str = "poured";

/// A larger file takes so long that somebody would meet half of it.
const MOST: u64 = 64 * 1024 * 1024;

/// The option `in_place`.
pub const IN_PLACE: Param = Param::option(
    "in_place",
    ParamKind::Boolean,
    Absent::Boolean(false),
    "Write into an old file instead of replacing it, as one that is a mount of its own needs. Who reads it meanwhile may see half of it.",
);

/// Refuses what is too large, before anything is touched.
///
/// # Errors
/// `file.too_large`.
pub fn refuse_large(path: &str, bytes: u64) -> Result<()> {
    if bytes <= MOST {
        return Ok(());
    }
    let message = format!("`{path}` is larger than 64 MiB, too much to be written in place");
    Err(Error::new(Kind::Refused, "file.too_large", message)
        .hint("leave `in_place` out, or copy it with a command of its own through `ssh::run`"))
}

/// The mode that a file has while it is written, where its mode or owner changes: nobody gets at the text who may not
/// read both the old one and the new one.
pub fn mode_meanwhile(was: &Found, mode: u32, owner: &Owner) -> Option<u32> {
    if owner.fits(was) {
        // The owner may read either; without these bits, who is not root could not write.
        return (mode != was.mode).then_some(was.mode & (mode | 0o700));
    }
    Some(if owner.owner.is_some() { 0 } else { was.mode & 0o700 })
}

/// What undo kept aside, from the lines that its script said.
pub fn kept_aside(path: &str, said: &str) -> Remains {
    let line = |line: &str| {
        let (what, place) = line.split_once(' ')?;
        let why = match what {
            "edited" => "somebody else wrote to it as it was replaced",
            "former" => "it was there before, and somebody else moved it away as it was written to",
            _ => return None,
        };
        Some(Remnant::kept(path, why, place))
    };
    said.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::look::Sort;

    fn found(mode: u32) -> Found {
        let (owner, group, modified) = ("root".to_owned(), "adm".to_owned(), String::new());
        let (inode, sha256, target) = (None, None, None);
        Found { sort: Sort::File, mode, uid: 0, gid: 4, owner, group, size: 1, modified, inode, sha256, target }
    }

    fn owned(owner: Option<&str>, group: Option<&str>) -> Owner {
        Owner { owner: owner.map(str::to_owned), group: group.map(str::to_owned) }
    }

    #[test]
    fn meanwhile_nobody_reads_what_is_not_theirs_before_and_after() {
        let meanwhile = |was, mode, owner| mode_meanwhile(&found(was), mode, &owner);
        assert_eq!(meanwhile(0o644, 0o644, owned(None, None)), None);
        assert_eq!(meanwhile(0o644, 0o600, owned(Some("root"), Some("adm"))), Some(0o600));
        assert_eq!(meanwhile(0o640, 0o444, owned(None, None)), Some(0o640));
        assert_eq!(meanwhile(0o640, 0o640, owned(None, Some("root"))), Some(0o600));
        assert_eq!(meanwhile(0o640, 0o640, owned(Some("games"), None)), Some(0));
    }

    #[test]
    fn what_was_kept_aside_is_named_with_its_place() {
        let remains = kept_aside("/etc/a", "left\nformer /k/1/a\nedited /k/1/a b\n");
        let kept: Vec<_> = remains.iter().map(|remnant| remnant.kept.as_deref().unwrap()).collect();
        assert_eq!(kept, ["/k/1/a", "/k/1/a b"]);
    }

    #[test]
    fn what_is_too_large_is_refused() {
        assert!(refuse_large("/a", MOST).is_ok());
        assert_eq!(refuse_large("/a", MOST + 1).unwrap_err().code(), "file.too_large");
    }
}
