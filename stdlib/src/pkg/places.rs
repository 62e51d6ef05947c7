//! Places that an installation may touch, as `places.sh` lists them, and what an undo does about each.

use std::collections::{BTreeMap, BTreeSet};

/// What undo of an installation does not put back.
pub const NOT_RESTORED: [&str; 4] = [
    "`/var/log`: what was logged stays logged",
    "`/var/cache` and `/var/lib/apt`: downloaded packages and lists of packages",
    "`/var/lib/dpkg`: the copies `*-old` and lock files; `status` lists the same packages as before, written anew",
    "`/var/lib/dnf`, `/var/lib/yum` and `/var/lib/rpm`: the manager's own history",
];

/// What `settle.sh` does about a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Moved aside if it holds anything; the purge may need it otherwise.
    Aside(&'static str, String),
    /// Moved aside; folders with nothing in them go.
    Move(&'static str, String),
    /// A folder that goes if nothing is in it.
    Folder(String),
    /// A link or a record that is proven to be the packages': goes if it is as it was seen.
    Drop(String, String),
    /// The kept one comes back if this place is as it was seen.
    Restore(String, String),
    /// The same, if that changes no more than times. True where somebody else touched it since the installation.
    Same(bool, String, String),
    /// What was moved aside and is nobody's but who had it before comes back.
    BringBack(String),
    /// It stays.
    Leave(&'static str, String),
    /// The lists of accounts.
    Accounts,
}

impl Step {
    /// As `settle.sh` reads it.
    pub(super) fn line(&self) -> String {
        match self {
            Step::Aside(why, path) => format!("a{why}\t{path}\0"),
            Step::Move(why, path) => format!("m{why}\t{path}\0"),
            Step::Folder(path) => format!("f\t{path}\0"),
            Step::Drop(seen, path) => format!("l{seen}\t{path}\0"),
            Step::Restore(seen, path) => format!("r{seen}\t{path}\0"),
            Step::Same(touched, seen, path) => format!("s{}{seen}\t{path}\0", if *touched { '!' } else { '=' }),
            Step::BringBack(path) => format!("b\t{path}\0"),
            Step::Leave(why, path) => format!("n{why}\t{path}\0"),
            Step::Accounts => "p\t/etc/passwd\0".to_owned(),
        }
    }
}

/// A list of places: what each is, by its path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places(BTreeMap<String, String>);

impl Places {
    /// The lists in a text, each ended by an empty token, and what comes after the first `count` of them. None when
    /// there are not as many.
    pub(super) fn parse(text: &str, count: usize) -> Option<(Vec<Places>, &str)> {
        let (mut lists, mut rest) = (vec![Places::default()], text);
        while lists.len() <= count {
            let (token, after) = rest.split_once('\0')?;
            rest = after;
            match token.split_once('\t') {
                Some((place, path)) => drop(lists.last_mut()?.0.insert(path.to_owned(), place.to_owned())),
                None => lists.push(Places::default()),
            }
        }
        lists.pop();
        Some((lists, rest))
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, place)| (path.as_str(), place.as_str()))
    }

    pub(super) fn forget(&mut self, path: &str) {
        self.0.remove(path);
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// What a place is, as it was seen; empty where nothing is.
    pub(super) fn seen(&self, path: &str) -> &str {
        self.0.get(path).map_or("", String::as_str)
    }

    /// What makes a place another one than it was.
    pub(super) fn sign(&self, path: &str) -> Option<String> {
        self.0.get(path).map(|place| sign(place))
    }
}

/// Size and time of a folder are those of its entries.
pub(super) fn sign(place: &str) -> String {
    let fields = if is_folder(place) { 3 } else { 6 };
    place.split(' ').take(fields).collect::<Vec<_>>().join(" ")
}

pub(super) fn is_folder(place: &str) -> bool {
    place.starts_with("d ")
}

/// Where a link leads, as dpkg writes it: without the `/usr` that Debian's merged folders may have or not.
pub(super) fn link_target(path: &str, place: &str) -> Option<String> {
    let target = place.starts_with("l ").then(|| place.splitn(6, ' ').nth(5)).flatten()?;
    let mut parts: Vec<&str> = Vec::new();
    let from = if target.starts_with('/') { "" } else { path.rsplit_once('/').map_or("", |(folder, _)| folder) };
    for part in from.split('/').chain(target.split('/')).filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." => parts.truncate(parts.len().saturating_sub(1)),
            part => parts.push(part),
        }
    }
    Some(merged(&format!("/{}", parts.join("/"))).to_owned())
}

/// See [`link_target`].
pub(super) fn merged(path: &str) -> &str {
    let rest = path.strip_prefix("/usr").unwrap_or(path);
    let is_merged = ["/lib/", "/lib64/", "/bin/", "/sbin/"].iter().any(|folder| rest.starts_with(folder));
    if is_merged { rest } else { path }
}

/// What the manager and the scripts of packages say of what came in.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Of packages and accounts.
    pub(super) names: Vec<String>,
    /// Files and folders of the packages.
    pub(super) owned: BTreeSet<String>,
    /// Files that ucf placed for the packages.
    pub(super) registered: BTreeSet<String>,
    /// Files that are no longer as the packages brought them.
    pub(super) edited: BTreeSet<String>,
}

impl Facts {
    /// Reads what `remove.sh` tells.
    pub(super) fn parse(text: &str) -> Facts {
        let mut facts = Facts::default();
        for token in text.split('\0').filter(|token| token.len() > 1) {
            let (sort, word) = token.split_at(1);
            match sort {
                "n" => facts.names.push(word.to_owned()),
                "o" => drop(facts.owned.insert(merged(word).to_owned())),
                "u" => drop(facts.registered.insert(word.to_owned())),
                "e" => drop(facts.edited.insert(word.to_owned())),
                _ => {}
            }
        }
        facts
    }

    pub(super) fn owns(&self, path: &str) -> bool {
        self.owned.contains(merged(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_apart() {
        let text = "d 755 0:0 4096 1.0 \t/etc\0\0f 644 0:0 1 2.5 \t/etc/a b\0\0ntree\0o/usr/lib/x\0";
        let (lists, rest) = Places::parse(text, 2).unwrap();
        assert_eq!(lists[0].sign("/etc").as_deref(), Some("d 755 0:0"));
        assert_eq!((lists[1].seen("/etc/a b"), lists[1].seen("/etc")), ("f 644 0:0 1 2.5 ", ""));
        let facts = Facts::parse(rest);
        assert!(facts.names == ["tree"] && facts.owns("/lib/x") && facts.owns("/usr/lib/x") && !facts.owns("/x"));
        assert_eq!(Places::parse("torn", 1), None);
    }

    #[test]
    fn links_lead_somewhere() {
        let link = |path: &str, target: &str| link_target(path, &format!("l 777 0:0 9 1.0 {target}"));
        assert_eq!(link("/etc/rc0.d/K01a", "../init.d/a").as_deref(), Some("/etc/init.d/a"));
        assert_eq!(link("/etc/x/a", "/usr/lib/systemd/a b").as_deref(), Some("/lib/systemd/a b"));
        assert_eq!(link_target("/etc/a", "f 644 0:0 1 1.0 "), None);
    }
}
