//! What is in a tree, read in one round trip.

use std::collections::{BTreeMap, BTreeSet};

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::transport::{Command, Output, lacking};

use super::entry::{Entry, Shape};
use super::glob::Globs;

/// A tree on a host.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// What its path is.
    pub root: Root,
    /// The number of the user who reads and writes there.
    pub user: u32,
    /// Where files that are replaced are kept.
    pub keeps: Keeps,
    /// Free bytes where it is; read of targets only.
    pub free: Option<u64>,
    /// Paths of files with capabilities, as far as the host can tell; read of sources only.
    pub capable: BTreeSet<String>,
    /// What is in it by relative path; the tree itself is the empty path.
    pub entries: BTreeMap<String, Entry>,
    /// Names that are not text.
    pub unreadable_names: Vec<String>,
}

/// What the path of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// A directory, or a link to one.
    Directory,
    /// Something else.
    Other,
    /// Nothing, in a directory that exists.
    Absent,
    /// Nothing, and the directory above is missing too.
    Orphan,
}

/// Where files that are replaced are kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeps {
    /// On the root file system.
    System,
    /// Below this directory.
    Below(String),
    /// There is no place on the same mount that the user may write.
    Nowhere,
}

impl Keeps {
    /// The folder of a run's kept files, and in it that of a change.
    pub fn folders(&self, keep: &Keep) -> (String, String) {
        let folder = match self {
            Keeps::Below(directory) => keep.folder_on(directory),
            Keeps::System | Keeps::Nowhere => keep.folder(),
        };
        (folder.clone(), format!("{folder}/{}.tree", keep.name()))
    }
}

impl Manifest {
    /// Reads the tree at `path` without what the globs leave out. `target`: things will be placed there.
    ///
    /// # Errors
    /// When the host cannot be asked, something in the tree cannot be read, or the host has no `find` or `tar`.
    pub async fn read(host: &Host, path: &str, left_out: &Globs, target: bool) -> Result<Manifest> {
        let side = if target { "target" } else { "source" };
        let command = Command::script(include_str!("manifest.sh")).arg(path).arg(left_out.regex()).arg(side);
        let output = host.exec(&command).await?;
        if !output.success() {
            return Err(unreadable(path, output, &command).on(host.name()));
        }
        let Some(mut manifest) = Manifest::parse(&output.stdout) else {
            let message = format!("the list of what is in `{path}` makes no sense");
            return Err(Error::new(Kind::Failed, "file.tree_list", message)
                .hint("check that `find` on the host is the one of GNU findutils")
                .on(host.name()));
        };
        left_out.retain(&mut manifest.entries);
        Ok(manifest)
    }

    fn parse(listing: &[u8]) -> Option<Manifest> {
        let mut fields = listing.strip_suffix(b"\0")?.split(|byte| *byte == 0);
        let mut text = || fields.next().map(|field| String::from_utf8_lossy(field).into_owned());
        let root = match text()?.as_str() {
            "directory" => Root::Directory,
            "other" => Root::Other,
            "absent" => Root::Absent,
            _ => Root::Orphan,
        };
        let user = text()?.parse().ok()?;
        let keeps = match text()?.as_str() {
            "" => Keeps::System,
            "nowhere" => Keeps::Nowhere,
            directory => Keeps::Below(directory.to_owned()),
        };
        let free = text()?.parse().ok();
        let capable = text()?.lines().filter_map(capable).map(str::to_owned).collect();
        let (entries, unreadable_names) = (BTreeMap::new(), Vec::new());
        let mut manifest = Manifest { root, user, keeps, free, capable, entries, unreadable_names };
        manifest.take_entries(&mut fields)?;
        Some(manifest)
    }

    /// Reads the listing of a staging folder, which has entries alone; nothing where a name is not text, since no such
    /// name was asked for.
    pub fn parse_entries(listing: &[u8]) -> Option<BTreeMap<String, Entry>> {
        let (root, keeps, free, capable) = (Root::Directory, Keeps::Nowhere, None, BTreeSet::new());
        let (entries, unreadable_names) = (BTreeMap::new(), Vec::new());
        let mut manifest = Manifest { root, user: 0, keeps, free, capable, entries, unreadable_names };
        manifest.take_entries(&mut listing.strip_suffix(b"\0")?.split(|byte| *byte == 0))?;
        manifest.unreadable_names.is_empty().then_some(manifest.entries)
    }

    fn take_entries<'a>(&mut self, fields: &mut impl Iterator<Item = &'a [u8]>) -> Option<()> {
        while let Some(facts) = fields.next() {
            let (path, link) = (fields.next()?, fields.next()?);
            let entry = entry(std::str::from_utf8(facts).ok()?, link)?;
            match std::str::from_utf8(path) {
                Ok(path) => {
                    self.entries.insert(path.to_owned(), entry);
                }
                Err(_) => self.unreadable_names.push(String::from_utf8_lossy(path).into_owned()),
            }
        }
        Some(())
    }

    /// Device and inode of the tree's own folder; none where there is none.
    pub fn seat(&self) -> Option<(u64, u64)> {
        self.entries.get("").filter(|entry| entry.origin.is_none()).map(|entry| entry.inode)
    }

    /// True when owners can be set there, and so are compared.
    pub fn owners(&self) -> bool {
        self.user == 0
    }
}

/// The path in a line of getcap: `./PATH cap_chown=ep`, of older ones `./PATH = cap_chown+ep`.
fn capable(line: &str) -> Option<&str> {
    let words = [" = ", " cap_", " ="].iter().filter_map(|word| line.rfind(word));
    line.get(..words.min()?)?.strip_prefix("./")
}

fn entry(facts: &str, link: &[u8]) -> Option<Entry> {
    let mut facts = facts.split(' ');
    let shape = match facts.next()? {
        "f" => Shape::File,
        "d" => Shape::Directory,
        "l" => Shape::Link,
        _ => Shape::Special,
    };
    let mode = u32::from_str_radix(facts.next()?, 8).ok()?;
    let (uid, gid) = (facts.next()?.parse().ok()?, facts.next()?.parse().ok()?);
    let (size, mtime) = (facts.next()?.parse().ok()?, nanoseconds(facts.next()?)?);
    let inode = (facts.next()?.parse().ok()?, facts.next()?.parse().ok()?);
    let link = (shape == Shape::Link).then(|| String::from_utf8_lossy(link).into_owned());
    Some(Entry { shape, mode, uid, gid, size, mtime, link, sha256: None, inode, origin: None })
}

/// `1700000000.1234567890`, as `find` prints times.
fn nanoseconds(time: &str) -> Option<i64> {
    let (seconds, fraction) = time.split_once('.').unwrap_or((time, ""));
    let fraction: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(seconds.parse::<i64>().ok()?.saturating_mul(1_000_000_000).saturating_add(fraction))
}

fn unreadable(path: &str, output: Output, command: &Command) -> Error {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let error = Error::new(Kind::Refused, "file.tree_unreadable", format!("not all of `{path}` could be looked at"));
    let error = if let Some(hint) = lacking(&said) {
        error.hint(hint)
    } else if said.contains("Permission denied") {
        error.hint("set `become: true` for the host, or leave the place out with `exclude`")
    } else {
        error
    };
    match output.ok(command) {
        Err(cause) => error.because(cause),
        Ok(_) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_read_with_any_name() {
        let listing = b"directory\x000\0\x00123\0./a b cap_chown,cap_kill=ep\n./c = cap_chown+ep\n./d =ep\nodd\0\
            d 755 0 0 4096 1700000000.0000000000 1 2\0\0\0\
            f 4755 0 5 7 1700000000.1234567890 1 3\0a\nb\0\0\
            l 777 0 0 2 1700000000.5 1 4\0c\0a \0\
            f 644 0 0 0 -1.5000000000 1 5\0\xff\0\0";
        let manifest = Manifest::parse(listing).unwrap();
        assert_eq!((manifest.root, manifest.keeps.clone(), manifest.free), (Root::Directory, Keeps::System, Some(123)));
        let file = &manifest.entries["a\nb"];
        assert_eq!((file.mode, file.gid, file.size, file.mtime), (0o4755, 5, 7, 1_700_000_000_123_456_789));
        assert_eq!(manifest.entries["c"].link.as_deref(), Some("a "));
        assert_eq!(manifest.unreadable_names.len(), 1);
        assert_eq!(manifest.capable, BTreeSet::from(["a b", "c", "d"].map(str::to_owned)));
        assert!(Manifest::parse(b"directory\x000\0\0\0\0broken\0").is_none());
    }
}
