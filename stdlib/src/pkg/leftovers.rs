//! What an installation left behind, and what an undo does about it.
//!
//! A package's own files go when it is purged. What its scripts did beside them does not all go, and not all that
//! appeared meanwhile is theirs. An installation keeps `/etc` as it was, and lists of places from before and after; undo
//! lists them when it begins, when the packages are removed, and after the purge. Then
//!
//! - files that the packages' scripts change (accounts, caches, what ucf notes) come back, where nobody else changed them;
//! - links into the packages' own files go, and folders with nothing in them that are the packages' or systemd's;
//! - what bears a name of what came in is moved aside, what somebody edited of it before the purge can take it;
//! - all else that appeared while the packages were installed stays, and is named. What came later is not looked at.

use super::names::{bears, last, lineage};
use super::places::{Facts, Places, Step, is_folder, link_target, sign};

const NAMED: &str = "it bears a name of what was installed";
const EDITED: &str = "it is not as the packages brought it";
const APPEARED: &str = "it appeared while the packages were installed, and nothing says who made it";
const OWN: &str = "it changed while the packages were installed, and nothing says who did it";

/// Made from others by programs alone.
const DERIVED: [&str; 2] = ["/etc/ld.so.cache", "/etc/udev/hwdb.bin"];
/// Where ucf keeps its records.
const UCF: &str = "/var/lib/ucf";
/// Where `deb-systemd-helper` keeps its.
const HELPER: &str = "/var/lib/systemd/deb-systemd-";

/// What a host was at the four moments, or five, and what is known of the packages.
pub(super) struct Traces<'a> {
    pub(super) before: &'a Places,
    pub(super) after: &'a Places,
    pub(super) undo: &'a Places,
    /// What there is now: when the packages are removed, or after the purge.
    pub(super) now: &'a Places,
    pub(super) facts: &'a Facts,
    /// How a folder is called in which settling was interrupted.
    pub(super) beside: &'a str,
}

impl Traces<'_> {
    /// What is moved aside before the purge, which deletes folders with all in them.
    pub(super) fn endangered(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut done = "";
        for (path, place) in self.now.iter().filter(|(path, _)| is_speakable(path)) {
            if is_below(path, done) || is_accounts(path) || path.starts_with(HELPER) || is_in(path, UCF) {
                continue;
            }
            if self.before.has(path) {
                // A removal takes away the right to run what stays: only what is written in a file counts.
                let is_edited =
                    self.undo.sign(path) != self.before.sign(path) || written(place) != written(self.before.seen(path));
                let is_edited = is_edited && !is_folder(place) && self.facts.owns(path);
                if is_edited {
                    steps.push(Step::Aside(EDITED, path.to_owned()));
                }
            } else if !is_in(path, "/etc") {
                if self.is_named(path) {
                    steps.push(Step::Aside(NAMED, path.to_owned()));
                    done = path;
                } else if !self.facts.owns(path) && is_folder(place) {
                    done = path;
                }
            } else if !is_folder(place) && self.is_precious(path, place) {
                steps.push(Step::Aside(EDITED, path.to_owned()));
            }
        }
        steps
    }

    /// True for a file below `/etc` that is not as the packages brought it, or of which nothing says that they did.
    fn is_precious(&self, path: &str, place: &str) -> bool {
        if self.facts.owns(path) || self.facts.registered.contains(path) {
            return self.facts.edited.contains(path);
        }
        let is_empty = place.split(' ').nth(3) == Some("0");
        self.is_named(path) && !is_empty && !self.leads_to_owned(path, place)
    }

    /// What is done once the packages are gone.
    pub(super) fn leftovers(&self) -> Vec<Step> {
        let mut steps = self.changed();
        let (mut folders, mut done) = (Vec::new(), "");
        let is_ucf_ours = self.is_ucf_ours();
        for (path, place) in self.now.iter().filter(|(path, _)| !self.before.has(path)) {
            if is_below(path, done) || is_accounts(path) {
                continue;
            }
            if is_in(path, UCF) && self.before.has(UCF) {
                match is_folder(place) {
                    _ if !is_ucf_ours => {}
                    true => folders.push(Step::Folder(path.to_owned())),
                    false => steps.push(Step::Drop(place.to_owned(), path.to_owned())),
                }
            } else if lineage(path).any(|path| last(path) == self.beside) {
                folders.push(if is_folder(place) { Step::Folder(path.to_owned()) } else { drop_it(path, place) });
            } else if is_folder(place) && (self.facts.owns(path) || (self.is_meanwhile(path) && is_of_systemd(path))) {
                folders.push(Step::Folder(path.to_owned()));
            } else if self.is_meanwhile(path) && is_in(path, "/etc") && self.leads_to_owned(path, place) {
                steps.push(drop_it(path, place));
            } else {
                done = path;
                if !is_speakable(path) {
                    continue;
                }
                if self.is_named(path) {
                    steps.push(Step::Move(NAMED, path.to_owned()));
                } else if self.is_meanwhile(path) {
                    steps.push(Step::Leave(APPEARED, path.to_owned()));
                }
            }
        }
        steps.extend(folders.into_iter().rev());
        steps
    }

    /// What was there before and is another now.
    fn changed(&self) -> Vec<Step> {
        let (mut steps, mut accounts) = (Vec::new(), false);
        for (path, was) in self.before.iter().filter(|(path, _)| is_in(path, "/etc") || is_in(path, UCF)) {
            let (was, after, undo, now) =
                (Some(sign(was)), self.after.sign(path), self.undo.sign(path), self.now.sign(path));
            if now == was || !is_speakable(path) {
                continue;
            }
            accounts |= is_accounts(path);
            // Neither the installation nor the removal touched it, or somebody took it away since.
            let is_theirs = (after == was && undo == now) || (undo.is_none() && after.is_some());
            if is_accounts(path) || is_theirs || (is_in(path, UCF) && !self.is_ucf_ours()) {
                continue;
            }
            let (is_touched, path, seen) =
                (undo != after && undo != was, path.to_owned(), self.now.seen(path).to_owned());
            steps.push(match now {
                None if is_touched => Step::BringBack(path),
                None => Step::Restore(seen, path),
                Some(_) if is_in(&path, UCF) => Step::Restore(seen, path),
                Some(_) if DERIVED.contains(&path.as_str()) && !is_touched => Step::Restore(seen, path),
                Some(now) if is_folder(&now) => Step::Leave(OWN, path),
                Some(_) => Step::Same(is_touched, seen, path),
            });
        }
        // A list of accounts is read by name, not by who wrote it last.
        accounts |= self.now.iter().any(|(path, _)| is_accounts(path) && !self.before.has(path));
        steps.extend(accounts.then_some(Step::Accounts));
        steps
    }

    /// True for what appeared while the packages were installed or removed.
    fn is_meanwhile(&self, path: &str) -> bool {
        self.after.has(path) || !self.undo.has(path)
    }

    /// True when what is new of a path bears a name of what came in. What was made later, when the packages were in use,
    /// must have exactly that name, where programs have their state: others may well call theirs after them.
    fn is_named(&self, path: &str) -> bool {
        let names = &self.facts.names;
        lineage(path).filter(|path| !self.before.has(path) && path.matches('/').count() > 1).any(|path| {
            let is_state = ["/etc", "/var/lib", "/var/spool"].iter().any(|folder| is_in(path, folder));
            match self.is_meanwhile(path) {
                true => names.iter().any(|name| bears(last(path), name)),
                false => is_state && names.iter().any(|name| last(path) == name),
            }
        })
    }

    fn leads_to_owned(&self, path: &str, place: &str) -> bool {
        link_target(path, place).is_some_and(|target| self.facts.owns(&target))
    }

    /// True unless another package asked ucf since.
    fn is_ucf_ours(&self) -> bool {
        ["hashfile", "registry"].map(|name| format!("{UCF}/{name}")).iter().all(|path| {
            let undo = self.undo.sign(path);
            undo == self.after.sign(path) || undo == self.before.sign(path)
        })
    }
}

/// Size, time and what a link leads to.
fn written(place: &str) -> Vec<&str> {
    place.split(' ').skip(3).collect()
}

fn drop_it(path: &str, place: &str) -> Step {
    Step::Drop(place.to_owned(), path.to_owned())
}

/// Folders that systemd, its helper and update-rc.d make for their links and records.
fn is_of_systemd(path: &str) -> bool {
    let is_unit_folder = is_in(path, "/etc/systemd") && [".wants", ".requires"].iter().any(|end| path.ends_with(end));
    is_unit_folder || path.starts_with(HELPER) || (path.starts_with("/etc/rc") && path.ends_with(".d"))
}

fn is_accounts(path: &str) -> bool {
    let name = path.strip_prefix("/etc/").map(|name| name.trim_end_matches('-'));
    name.is_some_and(|name| ["passwd", "group", "shadow", "gshadow", "subuid", "subgid", ".pwd.lock"].contains(&name))
}

fn is_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_below(path: &str, done: &str) -> bool {
    !done.is_empty() && is_in(path, done)
}

/// The scripts read lines: a name with a newline or a tab in it is left alone.
fn is_speakable(path: &str) -> bool {
    !path.contains(['\n', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "f 644 0:0 10 1.5 ";
    const NEW: &str = "f 644 0:0 12 2.5 ";
    const PURGED: &str = "f 644 0:0 11 3.5 ";
    const FOLDER: &str = "d 755 0:0 4096 1.0 ";
    const LATER: &str = "d 755 0:0 4096 9.0 ";

    fn places(list: &[(&str, &str)]) -> Places {
        let text: String = list.iter().map(|(path, place)| format!("{place}\t{path}\0")).collect();
        Places::parse(&(text + "\0"), 1).unwrap().0.remove(0)
    }

    fn facts() -> Facts {
        Facts::parse("ndemo\0n_demo\0o/etc/demo\0o/etc/demo/conf\0o/etc/init.d/demo\0o/etc/if-up.d\0")
    }

    type List<'a> = &'a [(&'a str, &'a str)];

    fn judged(lists: [List; 4], judge: impl Fn(&Traces) -> Vec<Step>) -> Vec<Step> {
        let [before, after, undo, now] = lists.map(places);
        let facts = facts();
        judge(&Traces { before: &before, after: &after, undo: &undo, now: &now, facts: &facts, beside: ".beside" })
    }

    fn leftovers(lists: [List; 4]) -> Vec<Step> {
        judged(lists, |traces| traces.leftovers())
    }

    fn endangered(lists: [List; 4]) -> Vec<Step> {
        judged(lists, |traces| traces.endangered())
    }

    fn owned(step: fn(String) -> Step, path: &str) -> Step {
        step(path.to_owned())
    }

    #[test]
    fn what_bears_the_name_is_moved_and_what_does_not_stays() {
        let made = [
            ("/opt/demo-2", FOLDER),
            ("/opt/demo-2/x", NEW),
            ("/opt/theirs", FOLDER),
            ("/opt/theirs/demo", NEW),
            ("/var/lib/demo", FOLDER),
        ];
        assert_eq!(
            leftovers([&[], &made, &made, &made]),
            [
                Step::Move(NAMED, "/opt/demo-2".to_owned()),
                Step::Leave(APPEARED, "/opt/theirs".to_owned()),
                Step::Move(NAMED, "/var/lib/demo".to_owned()),
            ]
        );
    }

    #[test]
    fn what_came_after_the_installation_is_not_looked_at() {
        let later = [("/etc/mine", NEW), ("/opt/demo", FOLDER), ("/opt/demo/x", NEW), ("/var/lib/demo", FOLDER)];
        assert_eq!(leftovers([&[], &[], &later, &later]), [Step::Move(NAMED, "/var/lib/demo".to_owned())]);
        let edited: [List; 4] =
            [&[("/etc/hosts", OLD)], &[("/etc/hosts", OLD)], &[("/etc/hosts", NEW)], &[("/etc/hosts", NEW)]];
        assert_eq!(leftovers(edited), []);
        assert_eq!(leftovers([&[("/etc/gone", OLD)], &[("/etc/gone", OLD)], &[], &[]]), []);
    }

    #[test]
    fn what_the_purge_would_take_and_is_somebodys_goes_aside_first() {
        let before: List = &[("/etc/demo/conf", OLD)];
        let after: List = &[("/etc/demo/conf", OLD), ("/etc/demo/extra", NEW), ("/var/lib/demo", FOLDER)];
        let removed: List =
            &[("/etc/demo/conf", NEW), ("/etc/demo/extra", NEW), ("/etc/other", NEW), ("/var/lib/demo", LATER)];
        assert_eq!(
            endangered([before, after, removed, removed]),
            [
                Step::Aside(EDITED, "/etc/demo/conf".to_owned()),
                Step::Aside(EDITED, "/etc/demo/extra".to_owned()),
                Step::Aside(NAMED, "/var/lib/demo".to_owned()),
            ]
        );
        // The purge took the one that was there before: it was never the packages'.
        assert_eq!(leftovers([before, after, removed, &[]]), [owned(Step::BringBack, "/etc/demo/conf")]);
    }

    #[test]
    fn what_is_the_packages_own_is_left_to_the_purge() {
        let link = "l 777 0:0 9 1.0 ../init.d/demo";
        let made: List =
            &[("/etc/demo/conf", NEW), ("/etc/demo/empty", "f 644 0:0 0 1.0 "), ("/etc/rc0.d/K01demo", link)];
        assert_eq!(endangered([&[], made, made, made]), []);
        let left: List = &[
            ("/etc/if-up.d", FOLDER),
            ("/etc/if-up.d/theirs", NEW),
            ("/etc/rc0.d", FOLDER),
            ("/etc/rc0.d/K01demo", link),
        ];
        assert_eq!(
            leftovers([&[], left, left, left]),
            [
                Step::Leave(APPEARED, "/etc/if-up.d/theirs".to_owned()),
                Step::Drop(link.to_owned(), "/etc/rc0.d/K01demo".to_owned()),
                owned(Step::Folder, "/etc/rc0.d"),
                owned(Step::Folder, "/etc/if-up.d"),
            ]
        );
    }

    /// What is done about one place.
    fn told(path: &str, places: [&str; 4]) -> Vec<Step> {
        let lists = places.map(|place| if place.is_empty() { vec![] } else { vec![(path, place)] });
        leftovers([&lists[0], &lists[1], &lists[2], &lists[3]])
    }

    #[test]
    fn what_the_scripts_of_a_package_changed_is_put_back() {
        assert_eq!(told("/etc/passwd", [OLD, NEW, NEW, PURGED]), [Step::Accounts]);
        assert_eq!(
            told("/etc/shells", [OLD, NEW, NEW, PURGED]),
            [Step::Same(false, PURGED.to_owned(), "/etc/shells".to_owned())]
        );
        let cache = "/etc/ld.so.cache".to_owned();
        assert_eq!(told(&cache, [OLD, NEW, NEW, PURGED]), [Step::Restore(PURGED.to_owned(), cache.clone())]);
        let wants = "/etc/systemd/system/a.wants".to_owned();
        assert_eq!(told(&wants, [FOLDER, FOLDER, LATER, ""]), [Step::Restore(String::new(), wants.clone())]);
        assert_eq!(told("/etc", [FOLDER, LATER, FOLDER, FOLDER]), []);
        assert_eq!(
            told("/var/lib/ucf/registry.4", ["", "", "", NEW]),
            [Step::Leave(APPEARED, "/var/lib/ucf/registry.4".to_owned())]
        );
    }
}
