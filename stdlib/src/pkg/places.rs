//! What an installation left behind, and what undo does about it.
//!
//! A package's own files go when it is purged. What its scripts did beside them does not all go: accounts and the
//! copies of the account files before them, links, empty folders. So an installation keeps `/etc` as it was, and lists
//! of places from before and after; undo lists them again before and after the purge, and puts back what differs,
//! unless somebody else touched it since.

use std::collections::BTreeMap;

/// What undo of an installation does not put back.
pub const NOT_RESTORED: [&str; 4] = [
    "`/var/log`: what was logged stays logged",
    "`/var/cache` and `/var/lib/apt`: downloaded packages and lists of packages",
    "`/var/lib/dpkg`: the copies `*-old` and lock files; `status` lists the same packages as before, written anew",
    "`/var/lib/dnf`, `/var/lib/yum` and `/var/lib/rpm`: the manager's own history",
];

/// A step that puts a place back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Restore(String),
    Delete(String),
}

impl Step {
    /// As `restore.sh` reads it.
    pub(super) fn line(&self) -> String {
        match self {
            Step::Restore(path) => format!("r{path}\0"),
            Step::Delete(path) => format!("d{path}\0"),
        }
    }
}

/// What to do, and which places somebody else changed since.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Leftovers {
    pub(super) steps: Vec<Step>,
    pub(super) foreign: Vec<String>,
}

type Places<'a> = BTreeMap<&'a str, String>;

/// Compares the four lists that `remove.sh` prints. None when there are not four of them.
pub(super) fn leftovers(text: &str) -> Option<Leftovers> {
    let mut lists: Vec<Places> = vec![Places::new()];
    for token in text.split('\0') {
        if token.is_empty() {
            lists.push(Places::new());
        } else if let Some((place, path)) = token.split_once('\t') {
            lists.last_mut()?.insert(path, signature(place));
        }
    }
    let [before, after, undo, now, ..] = lists.as_slice() else { return None };
    let mut left = Leftovers::default();
    for path in now.keys().rev().filter(|path| !before.contains_key(*path)) {
        // What was not there when undo began was made by the purge.
        let ours = !undo.contains_key(path) || undo.get(path) == after.get(path);
        left.add(ours, path, Step::Delete((*path).to_owned()));
    }
    for (path, place) in before.iter().filter(|(path, _)| is_kept(path)) {
        if now.get(path) != Some(place) {
            let ours = undo.get(path) == after.get(path) || undo.get(path) == Some(place);
            left.add(ours, path, Step::Restore((*path).to_owned()));
        }
    }
    Some(left)
}

impl Leftovers {
    fn add(&mut self, ours: bool, path: &str, step: Step) {
        // A name with a newline in it is left alone: the scripts read lines.
        if ours && !path.contains('\n') {
            self.steps.push(step);
        } else {
            self.foreign.push(path.to_owned());
        }
    }
}

/// Copies are kept of these.
fn is_kept(path: &str) -> bool {
    ["/etc/", "/var/lib/ucf/"].iter().any(|folder| path.starts_with(folder)) || path == "/var/lib/ucf"
}

/// Size and time of a folder are those of its entries.
fn signature(place: &str) -> String {
    let fields = if place.starts_with("d ") { 3 } else { 6 };
    place.split(' ').take(fields).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lists: [&[(&str, &str)]; 4]) -> String {
        let list = |places: &[(&str, &str)]| {
            places.iter().map(|(path, place)| format!("{place}\t{path}\0")).collect::<String>() + "\0"
        };
        lists.iter().map(|places| list(places)).collect()
    }

    const OLD: &str = "f 644 0:0 10 1.5 ";
    const NEW: &str = "f 644 0:0 12 2.5 ";
    const PURGED: &str = "f 644 0:0 11 3.5 ";
    const FOLDER: &str = "d 755 0:0 4096 1.0 ";
    const FOLDER_LATER: &str = "d 755 0:0 4096 9.0 ";

    fn steps(lists: [&[(&str, &str)]; 4]) -> Vec<Step> {
        leftovers(&text(lists)).unwrap().steps
    }

    #[test]
    fn what_the_scripts_of_a_package_changed_is_put_back() {
        let passwd = "/etc/passwd";
        assert_eq!(
            steps([&[(passwd, OLD)], &[(passwd, NEW)], &[(passwd, NEW)], &[(passwd, PURGED)]]),
            [Step::Restore(passwd.to_owned())]
        );
        let folder = "/etc/systemd/system/a.wants";
        assert_eq!(
            steps([&[(folder, FOLDER)], &[(folder, FOLDER)], &[(folder, FOLDER_LATER)], &[]]),
            [Step::Restore(folder.to_owned())]
        );
    }

    #[test]
    fn what_appeared_goes() {
        let (made, purge) = ("/var/lib/demo", "/etc/demo.rpmsave");
        assert_eq!(
            steps([&[], &[(made, FOLDER)], &[(made, FOLDER_LATER)], &[(made, FOLDER), (purge, NEW)]]),
            [Step::Delete(made.to_owned()), Step::Delete(purge.to_owned())]
        );
    }

    #[test]
    fn what_somebody_else_touched_since_is_left() {
        let (passwd, mine) = ("/etc/passwd", "/etc/mine");
        let lists: [&[(&str, &str)]; 4] = [
            &[(passwd, OLD)],
            &[(passwd, NEW)],
            &[(passwd, "f 644 0:0 20 2.7 "), (mine, NEW)],
            &[(passwd, PURGED), (mine, NEW)],
        ];
        let left = leftovers(&text(lists)).unwrap();
        assert_eq!(left.steps, []);
        assert_eq!(left.foreign, [mine, passwd]);
    }

    #[test]
    fn what_stays_the_same_is_left_alone() {
        let lists: [&[(&str, &str)]; 4] =
            [&[("/etc", FOLDER)], &[("/etc", FOLDER_LATER)], &[("/etc", FOLDER)], &[("/etc", FOLDER)]];
        assert_eq!(steps(lists), []);
        assert_eq!(leftovers("torn"), None);
    }
}
