//! One entry of a tree, as far as two trees are compared.

use serde::{Deserialize, Serialize};

/// What kind of thing a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, a pipe or a socket: never copied.
    Special,
}

/// A path of a tree with everything but its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    pub shape: Shape,
    /// Its permissions.
    pub mode: u32,
    /// Its owner's number.
    pub uid: u32,
    /// Its group's number.
    pub gid: u32,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub mtime: i64,
    /// Where a link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The SHA-256 of its content, where somebody needed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Its device and inode: what is linked to what, and where another mount begins.
    #[serde(skip)]
    pub inode: (u64, u64),
    /// Set in a plan for what an earlier change places: rights are not known, and where there is no hash, content is
    /// known by this origin alone.
    #[serde(skip)]
    pub origin: Option<String>,
}

impl Entry {
    /// True when the content is the same, as far as is known without reading both.
    pub fn same_content(&self, other: &Entry) -> bool {
        match (self.shape, other.shape) {
            (Shape::Directory, Shape::Directory) => true,
            (Shape::Link, Shape::Link) => self.link == other.link,
            (Shape::File, Shape::File) => self.same_bytes(other),
            _ => false,
        }
    }

    fn same_bytes(&self, other: &Entry) -> bool {
        match (&self.sha256, &other.sha256) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ if self.origin.is_some() || other.origin.is_some() => self.origin == other.origin,
            _ => self.size == other.size && (self.mtime == other.mtime || self.size == 0),
        }
    }

    /// True when permissions and, where `owners` count, the owner are the same.
    pub fn same_rights(&self, other: &Entry, owners: bool) -> bool {
        let planned = self.origin.is_some() || other.origin.is_some();
        let mode = self.shape == Shape::Link || self.mode == other.mode;
        planned || (mode && (!owners || (self.uid, self.gid) == (other.uid, other.gid)))
    }

    /// True when it is what `made` was made to be. File systems that keep whole seconds are forgiven.
    pub fn is(&self, made: &Entry, owners: bool) -> bool {
        let same = match self.shape {
            Shape::File => {
                let hashes = self.sha256.as_ref().zip(made.sha256.as_ref());
                let same_hash = hashes.is_none_or(|(ours, theirs)| ours == theirs);
                self.size == made.size && same_time(self.mtime, made.mtime) && same_hash
            }
            _ => self.same_content(made),
        };
        self.shape == made.shape && same && self.same_rights(made, owners)
    }

    /// How it is, for a person who compares: `0644 0:0 12 B`.
    pub fn rights(&self) -> String {
        format!("{:04o} {}:{}", self.mode, self.uid, self.gid)
    }
}

fn same_time(a: i64, b: i64) -> bool {
    const SECOND: i64 = 1_000_000_000;
    let whole = |time: i64| time.rem_euclid(SECOND) == 0;
    a == b || (a.div_euclid(SECOND) == b.div_euclid(SECOND) && (whole(a) || whole(b)))
}

/// The directory of a relative path; the tree itself is the empty path.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn file(size: u64, mtime: i64) -> Entry {
        let (shape, mode) = (Shape::File, 0o644);
        Entry { shape, mode, uid: 0, gid: 0, size, mtime, link: None, sha256: None, inode: (1, 1), origin: None }
    }

    pub fn directory() -> Entry {
        Entry { shape: Shape::Directory, mode: 0o755, ..file(4096, 0) }
    }

    #[test]
    fn a_time_cut_to_seconds_is_the_same_when_looking_back_and_another_when_comparing() {
        let (exact, cut) = (file(1, 5_123_456_789), file(1, 5_000_000_000));
        assert!(cut.is(&exact, true) && !cut.same_content(&exact));
        assert!(!file(1, 5_123_456_780).is(&exact, true));
    }

    #[test]
    fn a_hash_says_more_than_a_time() {
        let hashed = |mtime, sha256: &str| Entry { sha256: Some(sha256.to_owned()), ..file(1, mtime) };
        assert!(hashed(1, "a").same_content(&hashed(2, "a")));
        assert!(!hashed(1, "a").same_content(&hashed(1, "b")));
    }

    #[test]
    fn owners_count_only_where_they_can_be_set() {
        let mine = Entry { uid: 1000, ..file(1, 1) };
        assert!(mine.is(&file(1, 1), false) && !mine.is(&file(1, 1), true));
    }
}
