//! What is at a path: observed in one round trip, or as the changes planned so far will leave it.

use std::collections::BTreeMap;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::overlay::{Effect, Overlay, PlannedFile};
use haengine_kernel::text::{Text, TextDigest};
use haengine_kernel::transport::{Command, Output, lacking};
use haengine_kernel::value::Unknown;
use serde::{Deserialize, Serialize};

use crate::file::path;

const LOOK: &str = include_str!("look.sh");
/// What a change left, then what is there.
const REVISIT: &str =
    concat!(include_str!("own.sh"), include_str!("area.sh"), include_str!("revisit.sh"), include_str!("look.sh"));
/// How it was looked at before hosts held records.
const FORMER: &str = concat!(include_str!("former/leftovers.sh"), include_str!("look.sh"));

/// Up to this size the old content is brought along for a diff: it costs no second round trip.
pub const SHOWN: u64 = 64 * 1024;

/// The sort of thing at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, a socket or a pipe.
    Special,
}

impl Sort {
    /// With its article, for messages.
    pub fn named(self) -> &'static str {
        match self {
            Sort::File => "a file",
            Sort::Directory => "a directory",
            Sort::Link => "a symbolic link",
            Sort::Special => "a device, socket or pipe",
        }
    }
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What sort of thing.
    pub sort: Sort,
    /// Permissions, with set-user-id and the like.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// The owner's name.
    pub owner: String,
    /// The group's name.
    pub group: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was modified: seconds and nanoseconds since 1970.
    pub modified: String,
    /// Its inode. None in what is planned, and in journals before version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
    /// SHA-256 of a file's content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Where a link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl Found {
    /// True when nothing that undo restores differs. A directory's time and size follow from what is in it.
    pub fn same(&self, other: &Found) -> bool {
        let inner = self.sort == Sort::Directory;
        self.sort == other.sort
            && (self.mode, self.uid, self.gid) == (other.mode, other.uid, other.gid)
            && self.sha256 == other.sha256
            && self.target == other.target
            && (inner || self.modified == other.modified)
    }

    /// As `stat -c '%i %f %u %g %s %.9Y'` writes it: what scripts compare a file with.
    pub fn identity(&self) -> String {
        let sort = match self.sort {
            Sort::File => 0o100_000,
            Sort::Directory => 0o040_000,
            Sort::Link => 0o120_000,
            Sort::Special => 0,
        };
        let inode = self.inode.unwrap_or_default();
        format!("{inode} {:x} {} {} {} {}", sort | self.mode, self.uid, self.gid, self.size, self.modified)
    }
}

/// The folder above a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Above {
    /// It is there.
    There,
    /// That many levels are missing.
    Missing(usize),
    /// Something that is no directory is in its place, or in that of one above it.
    Blocked,
    /// It may not be entered.
    Denied,
    /// It is missing now, but a planned change may bring it.
    Awaited,
}

/// What was seen at a path.
#[derive(Clone)]
pub struct Seen {
    /// What is there; nothing where there is nothing.
    pub found: Option<Found>,
    /// A file's content, where it was brought along; not UTF-8 counts as not brought.
    pub text: Option<Text>,
    /// The folder above.
    pub above: Above,
    /// What a change left, where an undo asked.
    pub trace: Trace,
    /// The temporary files of runs before version 2: each the number of its change, and what it is for.
    pub leftovers: Vec<String>,
    /// False where the mode and owner that a planned change will give are not known.
    pub sure: bool,
    /// Why a planned change may bring what is not there.
    pub awaited: Option<String>,
}

/// What a change left on its host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Something of it has not got its own name yet, or has lost it: it broke off, or its undo did.
    pub midway: bool,
    /// What it replaced or removed is kept.
    pub kept: bool,
    /// Of each thing that was written down whether it is still there.
    proofs: BTreeMap<String, bool>,
}

/// Whether something is a run's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nothing was written down: it was not made yet.
    None,
    /// It is what was written down.
    Ours,
    /// Something else is there, or nothing.
    Other,
}

impl Trace {
    /// Of what was written down as `tag`.
    pub fn proof(&self, tag: &str) -> Proof {
        match self.proofs.get(tag) {
            None => Proof::None,
            Some(true) => Proof::Ours,
            Some(false) => Proof::Other,
        }
    }

    fn parse(line: &str) -> Option<Trace> {
        let mut words = line.split(' ');
        let (midway, kept) = (words.next()? == "midway", words.next()? == "kept");
        let proofs = words.filter_map(|word| word.split_once('='));
        let proofs = proofs.map(|(tag, proof)| (tag.to_owned(), proof == "ours")).collect();
        Some(Trace { midway, kept, proofs })
    }
}

impl Seen {
    /// Nothing is there.
    pub fn nothing(above: Above) -> Seen {
        let (trace, leftovers) = (Trace::default(), Vec::new());
        Seen { found: None, text: None, above, trace, leftovers, sure: true, awaited: None }
    }

    /// True while something of a change, or of any where they were numbered, is on its way to its place.
    pub fn is_midway(&self) -> bool {
        self.trace.midway || self.has_temporary()
    }

    /// True while a temporary file of ours is there, whichever change left it. The marks of a removal are none: they
    /// stay for the undo of their own change.
    fn has_temporary(&self) -> bool {
        self.leftovers.iter().any(|left| !left.ends_with(".copy") && !left.ends_with(".part"))
    }

    /// True while something of this change is on its way: then it broke off, or its undo did.
    pub fn is_midway_in(&self, keep: &Keep) -> bool {
        if keep.is_recorded() {
            return self.trace.midway;
        }
        let change = keep.name();
        self.leftovers.iter().any(|left| left.split('.').next() == Some(&change))
    }
}

/// Looks at `path`; the content of a file of at most `limit` bytes comes along.
///
/// # Errors
/// When the host cannot be asked, or the path cannot be looked at.
pub async fn look(host: &Host, path: &str, limit: u64) -> Result<Seen> {
    let output = host.exec(&Command::script(LOOK).arg(path).arg(limit.to_string())).await?;
    understand(path, &output)
}

/// Looks at `path` for an undo: also at what the change has left, which keeps its things as `name`.
///
/// # Errors
/// As [`look`].
pub async fn revisit(host: &Host, path: &str, keep: &Keep, name: &str) -> Result<Seen> {
    if !keep.is_recorded() {
        let former = Command::script(FORMER).arg(path).arg(path::temporary(path)).arg("0");
        return understand(path, &host.exec(&former).await?);
    }
    let command = Command::script(REVISIT).args([path, &keep.folder(), &keep.run, name, &keep.nonce]);
    understand_revisited(path, host.exec(&command).await?)
}

/// What the script of [`revisit`] printed about `path`.
///
/// # Errors
/// When the path could not be looked at.
pub fn understand_revisited(path: &str, mut output: Output) -> Result<Seen> {
    let first = line(&output.stdout).and_then(|(first, rest)| Some((Trace::parse(first)?, rest.to_vec())));
    let (trace, rest) = first.unwrap_or_default();
    output.stdout = rest;
    Ok(Seen { trace, ..understand(path, &output)? })
}

/// What the script of [`look`] printed about `path`.
///
/// # Errors
/// When the path could not be looked at.
pub fn understand(path: &str, output: &Output) -> Result<Seen> {
    let seen = if output.success() { parse(&output.stdout) } else { None };
    let seen = seen.ok_or_else(|| {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let hint = "look at the path on the host; a login without root's rights may need `become: true`";
        Error::new(Kind::Failed, "file.look", format!("cannot look at `{path}`"))
            .hint(lacking(&said).unwrap_or_else(|| hint.to_owned()))
            .because(said)
    })?;
    if seen.above == Above::Denied {
        let message = format!("a directory above `{path}` may not be entered");
        return Err(Error::new(Kind::Failed, "file.denied", message)
            .hint("set `become: true` for the host in the inventory, or log in as a user who may"));
    }
    Ok(seen)
}

fn parse(bytes: &[u8]) -> Option<Seen> {
    let (first, rest) = line(bytes)?;
    let (left, up) = first.split_once(' ')?;
    let leftovers = left.split(',').skip(1).map(str::to_owned).collect();
    let above = match up.parse::<i64>().ok()? {
        0 => Above::There,
        -1 => Above::Blocked,
        -2 => Above::Denied,
        levels => Above::Missing(usize::try_from(levels).ok()?),
    };
    let mut seen = Seen { leftovers, ..Seen::nothing(above) };
    if let Some((attributes, rest)) = line(rest) {
        let mut found = attributes_of(attributes)?;
        seen.text = content_of(&mut found, rest)?;
        seen.found = Some(found);
    }
    Some(seen)
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

fn attributes_of(line: &str) -> Option<Found> {
    let mut words = line.split(' ');
    let raw = u32::from_str_radix(words.next()?, 16).ok()?;
    let sort = match raw & 0o170_000 {
        0o100_000 => Sort::File,
        0o040_000 => Sort::Directory,
        0o120_000 => Sort::Link,
        _ => Sort::Special,
    };
    Some(Found {
        sort,
        mode: raw & 0o7777,
        uid: words.next()?.parse().ok()?,
        gid: words.next()?.parse().ok()?,
        size: words.next()?.parse().ok()?,
        modified: words.next()?.to_owned(),
        inode: Some(words.next()?.parse().ok()?),
        owner: words.next()?.to_owned(),
        group: words.next()?.to_owned(),
        sha256: None,
        target: None,
    })
}

fn content_of(found: &mut Found, rest: &[u8]) -> Option<Option<Text>> {
    if !matches!(found.sort, Sort::File | Sort::Link) {
        return Some(None);
    }
    let (what, rest) = line(rest)?;
    match what {
        "target" => found.target = Some(String::from_utf8_lossy(rest).into_owned()),
        "content" => {
            let digest = TextDigest::of(rest);
            (found.size, found.sha256) = (digest.bytes, Some(digest.sha256));
            return Some(std::str::from_utf8(rest).ok().map(|text| Text::Plain(text.to_owned())));
        }
        hash => found.sha256 = Some(hash.split(' ').next()?.to_owned()),
    }
    Some(None)
}

/// What `path` will be once the planned changes are made.
pub fn assume(mut seen: Seen, path: &str, overlay: &Overlay) -> Seen {
    if let Some(planned) = overlay.file(path) {
        let attributes = overlay.fact::<Attributes>(path);
        seen.sure = attributes.is_some();
        (seen.found, seen.text) = planned_as(planned, attributes);
    } else if let Some(origin) = overlay.opaque() {
        seen.awaited = Some(origin.to_owned());
    }
    let folder = path::parent(path);
    match overlay.file(folder) {
        Some(PlannedFile::Directory) => seen.above = Above::There,
        Some(PlannedFile::Absent) => seen.above = Above::Missing(levels_missing(path, overlay)),
        Some(PlannedFile::File(_) | PlannedFile::Placed(_)) => seen.above = Above::Blocked,
        Some(PlannedFile::Link(_)) => seen.above = Above::Awaited,
        None if overlay.opaque().is_some() && matches!(seen.above, Above::Missing(_)) => seen.above = Above::Awaited,
        None => {
            if let Above::Missing(levels) = seen.above {
                seen.above = Above::Missing(nearest_planned(path, levels, overlay));
            }
        }
    }
    seen
}

/// A missing folder above may be planned although the path's own folder is not.
fn nearest_planned(path: &str, levels: usize, overlay: &Overlay) -> usize {
    (1..=levels)
        .find(|up| overlay.file(path::ancestor(path, *up)) == Some(&PlannedFile::Directory))
        .map_or(levels, |up| up - 1)
}

fn levels_missing(path: &str, overlay: &Overlay) -> usize {
    (1..).take_while(|up| overlay.file(path::ancestor(path, *up)) == Some(&PlannedFile::Absent)).count()
}

/// The planned mode and owner of a path.
#[derive(Clone)]
struct Attributes {
    mode: u32,
    owner: String,
    group: String,
}

/// The planned mode and owner of a path, for ops that look at it later in the plan.
pub fn attributes_effect(path: &str, mode: u32, owner: &str, group: &str) -> Effect {
    Effect::fact(path, Attributes { mode, owner: owner.to_owned(), group: group.to_owned() })
}

fn planned_as(planned: &PlannedFile, attributes: Option<&Attributes>) -> (Option<Found>, Option<Text>) {
    let roots = || Attributes { mode: 0, owner: "root".to_owned(), group: "root".to_owned() };
    let Attributes { mode, owner, group } = attributes.cloned().unwrap_or_else(roots);
    let found = |sort| Found {
        sort,
        mode,
        uid: 0,
        gid: 0,
        owner,
        group,
        size: 0,
        modified: String::new(),
        inode: None,
        sha256: None,
        target: None,
    };
    match planned {
        PlannedFile::Absent => (None, None),
        PlannedFile::Directory => (Some(found(Sort::Directory)), None),
        PlannedFile::Link(target) => (Some(Found { target: Some(target.clone()), ..found(Sort::Link) }), None),
        PlannedFile::Placed(origin) => {
            (Some(found(Sort::File)), Some(Text::Unknown(Unknown { origin: origin.clone() })))
        }
        PlannedFile::File(text) => {
            let digest = text.digest();
            let size = digest.as_ref().map_or(0, |digest| digest.bytes);
            let sha256 = digest.map(|digest| digest.sha256);
            (Some(Found { size, sha256, ..found(Sort::File) }), Some(text.clone()))
        }
    }
}

/// Refuses unless the folder above is there.
///
/// # Errors
/// `file.no_folder`, naming the first directory that is missing.
pub fn need_above(path: &str, seen: &Seen) -> Result<()> {
    match seen.above {
        Above::There | Above::Awaited => Ok(()),
        Above::Missing(levels) => {
            let first = path::ancestor(path, levels.max(1));
            Err(Error::new(Kind::Refused, "file.no_folder", format!("`{path}` needs the directory `{first}`"))
                .hint("create it first with `file::directory`"))
        }
        Above::Blocked | Above::Denied => {
            Err(Error::new(Kind::Refused, "file.no_folder", format!("something above `{path}` is no directory"))
                .hint("look at it on the host with `ls -ld`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_script_says_is_understood() {
        let seen = parse(b"- 0\n81a4 0 33 6 1700000000.123456789 77 root www-data\ncontent\nhello\n").unwrap();
        let found = seen.found.unwrap();
        assert_eq!((found.sort, found.mode, found.gid, found.size), (Sort::File, 0o644, 33, 6));
        assert_eq!((found.modified.as_str(), found.inode), ("1700000000.123456789", Some(77)));
        assert_eq!(found.identity(), "77 81a4 0 33 6 1700000000.123456789");
        assert_eq!(seen.text.unwrap().shown(), Some("hello\n"));
        let seen = parse(b"-,7.part,12 2\n").unwrap();
        assert!(seen.found.is_none() && seen.above == Above::Missing(2));
        let midway = |change| seen.is_midway_in(&Keep { nonce: String::new(), ..Keep::new("r", change) });
        assert_eq!([1, 7, 12, 2].map(midway), [false, true, true, false]);
        assert!(seen.is_midway() && !parse(b"-,7.part,8.copy 0\n").unwrap().is_midway());
        let seen = parse(b"- 0\na1ff 0 0 3 1.000000000 5 root root\ntarget\n/a\nb").unwrap();
        assert_eq!(seen.found.unwrap().target.as_deref(), Some("/a\nb"));
    }

    #[test]
    fn what_a_change_left_is_understood() {
        let trace = Trace::parse("midway - file=other 1=ours").unwrap();
        assert!(trace.midway && !trace.kept);
        assert_eq!(["file", "1", "0"].map(|tag| trace.proof(tag)), [Proof::Other, Proof::Ours, Proof::None]);
    }

    #[test]
    fn planned_changes_answer_first() {
        let absent = parse(b"- 2\n").unwrap();
        let mut overlay = Overlay::default();
        overlay.record(Effect::File("/opt/a".into(), PlannedFile::Directory));
        assert_eq!(assume(absent.clone(), "/opt/a/b/c", &overlay).above, Above::Missing(1));
        overlay.record(Effect::File("/opt/a/b".into(), PlannedFile::Directory));
        assert_eq!(assume(absent.clone(), "/opt/a/b/c", &overlay).above, Above::There);
        overlay.record(Effect::File("/opt/a".into(), PlannedFile::Absent));
        assert_eq!(assume(absent.clone(), "/opt/a/b/c", &overlay).above, Above::Missing(2));
        overlay.record(Effect::Opaque("the package `x`".into()));
        assert_eq!(assume(absent, "/etc/x/y/z", &overlay).above, Above::Awaited);
    }
}
