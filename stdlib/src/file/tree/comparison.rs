//! How two trees differ.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::entry::{Entry, Shape, parent};

/// One path that a copy changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Relative to the tree; empty for the tree itself.
    pub path: String,
    /// What happens to it.
    pub how: How,
    /// What is there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Entry>,
    /// What will be there.
    pub becomes: Entry,
}

/// What a copy does to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Nothing is there.
    New,
    /// A file or link gives way to another one.
    Replaced,
    /// The content stays; permissions or owner change.
    Rights,
}

impl Placement {
    /// True when its content travels.
    pub fn is_sent(&self) -> bool {
        self.how != How::Rights
    }
}

/// What must change for `target` to hold all that `source` holds. Extras of the target stay.
pub struct Comparison {
    /// In the order of paths: a directory before what is in it.
    pub placements: Vec<Placement>,
    /// Paths where a directory stands against something else: nothing that a copy may resolve.
    pub conflicts: Vec<String>,
    /// Paths on another mount than the tree itself: nothing can be moved there in one step.
    pub elsewhere: Vec<String>,
}

impl Comparison {
    /// Compares two trees. `owners`: they can be set on the target, so they count.
    pub fn of(source: &BTreeMap<String, Entry>, target: &BTreeMap<String, Entry>, owners: bool) -> Comparison {
        let mut found = Comparison { placements: Vec::new(), conflicts: Vec::new(), elsewhere: Vec::new() };
        let mount = target.get("").map(|root| root.inode.0);
        for (path, theirs) in source.iter().filter(|(_, entry)| entry.shape != Shape::Special) {
            let ours = target.get(path);
            match how(path, theirs, ours, owners) {
                Verdict::Same => {}
                Verdict::Conflict => found.conflicts.push(path.clone()),
                Verdict::Change(how) => {
                    let own = ours.filter(|entry| entry.origin.is_none()).map(|entry| entry.inode.0);
                    let moves = how != How::Rights;
                    if moves && (mount != mount_of_parent(path, target) || own.is_some_and(|own| mount != Some(own))) {
                        found.elsewhere.push(path.clone());
                    }
                    found.placements.push(placement(path, how, theirs, ours));
                }
            }
        }
        found
    }

    /// The files whose content decides: of the same size, but of another time, or all of them with `all`.
    pub fn undecided(source: &BTreeMap<String, Entry>, target: &BTreeMap<String, Entry>, all: bool) -> Vec<String> {
        let decides = |theirs: &Entry, ours: &Entry| {
            let files = theirs.shape == Shape::File && ours.shape == Shape::File;
            let readable = |entry: &Entry| entry.origin.is_none() || entry.sha256.is_some();
            let differs = all || theirs.mtime != ours.mtime;
            files && theirs.size == ours.size && theirs.size > 0 && differs && readable(theirs) && readable(ours)
        };
        let both = source.iter().filter_map(|(path, theirs)| target.get(path).map(|ours| (path, theirs, ours)));
        both.filter(|(_, theirs, ours)| decides(theirs, ours)).map(|(path, ..)| path.clone()).collect()
    }
}

enum Verdict {
    Same,
    Conflict,
    Change(How),
}

fn how(path: &str, theirs: &Entry, ours: Option<&Entry>, owners: bool) -> Verdict {
    let Some(ours) = ours else { return Verdict::Change(How::New) };
    let directories = [theirs.shape, ours.shape].iter().filter(|shape| **shape == Shape::Directory).count();
    if directories == 1 || ours.shape == Shape::Special {
        return Verdict::Conflict;
    }
    if !theirs.same_content(ours) {
        return Verdict::Change(How::Replaced);
    }
    // The tree's own directory, where it exists, belongs to the target: copying into `/usr/local/bin` closes it to nobody.
    if path.is_empty() || theirs.same_rights(ours, owners) {
        return Verdict::Same;
    }
    // The mode of a link means nothing and its owner cannot be set in place.
    Verdict::Change(if theirs.shape == Shape::Link { How::Replaced } else { How::Rights })
}

fn placement(path: &str, how: How, theirs: &Entry, ours: Option<&Entry>) -> Placement {
    let becomes = match (how, ours) {
        (How::Rights, Some(ours)) => Entry { mode: theirs.mode, uid: theirs.uid, gid: theirs.gid, ..ours.clone() },
        _ => theirs.clone(),
    };
    Placement { path: path.to_owned(), how, was: ours.cloned(), becomes }
}

/// The device of the nearest directory above that the target has; planned ones are on the tree's own.
fn mount_of_parent(path: &str, target: &BTreeMap<String, Entry>) -> Option<u64> {
    let mut above = path;
    while !above.is_empty() {
        above = parent(above);
        if let Some(entry) = target.get(above).filter(|entry| entry.origin.is_none()) {
            return Some(entry.inode.0);
        }
    }
    target.get("").map(|root| root.inode.0)
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::{directory, file};
    use super::*;

    fn tree<const N: usize>(entries: [(&str, Entry); N]) -> BTreeMap<String, Entry> {
        let entries = entries.into_iter().map(|(path, entry)| (path.to_owned(), entry));
        entries.chain([(String::new(), directory())]).collect()
    }

    fn changes(comparison: &Comparison) -> Vec<(&str, How)> {
        comparison.placements.iter().map(|placement| (placement.path.as_str(), placement.how)).collect()
    }

    #[test]
    fn extras_stay_and_what_differs_is_placed() {
        let source = tree([("a", file(1, 1)), ("b", file(2, 5)), ("c", file(3, 3)), ("d", directory())]);
        let theirs = Entry { mode: 0o600, ..file(3, 3) };
        let target = tree([("a", file(1, 1)), ("b", file(2, 2)), ("c", theirs), ("extra", file(9, 9))]);
        let found = Comparison::of(&source, &target, true);
        assert_eq!(changes(&found), [("b", How::Replaced), ("c", How::Rights), ("d", How::New)]);
    }

    #[test]
    fn a_directory_gives_way_to_nothing() {
        let link = Entry { shape: Shape::Link, link: Some("x".into()), ..file(1, 1) };
        let source = tree([("a", file(1, 1)), ("b", directory()), ("c", link.clone()), ("d", file(1, 1))]);
        let pipe = Entry { shape: Shape::Special, ..file(0, 0) };
        let target = tree([("a", directory()), ("b", link), ("c", file(1, 1)), ("d", pipe)]);
        let found = Comparison::of(&source, &target, true);
        assert_eq!(found.conflicts, ["a", "b", "d"]);
        assert_eq!(changes(&found), [("c", How::Replaced)]);
    }

    #[test]
    fn hashes_are_asked_for_only_where_they_decide() {
        let source = tree([("same", file(1, 1)), ("time", file(1, 2)), ("size", file(2, 2)), ("new", file(1, 1))]);
        let target = tree([("same", file(1, 1)), ("time", file(1, 1)), ("size", file(1, 1))]);
        assert_eq!(Comparison::undecided(&source, &target, false), ["time"]);
        assert_eq!(Comparison::undecided(&source, &target, true), ["same", "time"]);
    }

    #[test]
    fn the_directory_copied_into_keeps_its_rights() {
        let closed = Entry { mode: 0o700, ..directory() };
        let source = BTreeMap::from([(String::new(), closed)]);
        assert!(Comparison::of(&source, &tree([]), true).placements.is_empty());
    }

    #[test]
    fn another_mount_inside_is_noticed() {
        let mounted = Entry { inode: (2, 2), ..directory() };
        let source = tree([("data", directory()), ("data/x", file(1, 1)), ("y", file(1, 1))]);
        let found = Comparison::of(&source, &tree([("data", mounted)]), true);
        assert_eq!(found.elsewhere, ["data/x"]);
    }
}
