//! What undo of a copied tree needs, and where a host stands between before and after.

use haengine_kernel::keep::Keep;
use haengine_kernel::op::Standing;
use serde::{Deserialize, Serialize};

use super::comparison::{How, Placement};
use super::entry::Entry;
use super::manifest::Keeps;
use super::state::State;

/// The paths that a copy changes, with what was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Where replaced files are kept.
    pub keeps: Keeps,
    /// Owners are set and compared.
    pub owners: bool,
    /// In the order of paths.
    pub placements: Vec<Placement>,
    /// Device and inode of the tree's own folder as it was seen; none where it is new.
    #[serde(skip)]
    pub seat: Option<(u64, u64)>,
}

impl Before {
    /// True when the whole tree is new and appears by one rename.
    pub fn is_fresh(&self) -> bool {
        self.placements.first().is_some_and(|first| first.path.is_empty() && first.how == How::New)
    }

    /// The paths whose content travels.
    pub fn sent(&self) -> impl Iterator<Item = &Placement> {
        self.placements.iter().filter(|placement| placement.is_sent())
    }

    /// The folder of a run's kept files, and in it that of this change.
    pub fn folders(&self, keep: &Keep) -> (String, String) {
        self.keeps.folders(keep)
    }

    /// Where the target stands.
    pub fn standing(&self, state: &State, keep: &Keep) -> Standing {
        let now = &state.target;
        let mut as_before = true;
        let mut foreign = Vec::new();
        for placement in &self.placements {
            match (now.entries.get(&placement.path), &placement.was) {
                (None, None) => {}
                (Some(now), Some(was)) if now.is(was, self.owners) => {}
                // To the nanosecond as the copy left it: itself, or put back by the undo of a later run.
                (Some(now), _) if now.is(&placement.becomes, self.owners) => as_before = false,
                // Somebody else made it before the copy could.
                (Some(_), _) if !keep.made && state.is_ours(&placement.path) == Some(false) => as_before = false,
                (now, _) => foreign.push(difference(placement, now)),
            }
        }
        match foreign.as_slice() {
            [] if as_before => Standing::AsBefore,
            [] => Standing::Ours,
            [one] => Standing::Foreign(one.clone()),
            [first, others @ ..] => Standing::Foreign(format!("{first}, and {} more paths", others.len())),
        }
    }
}

fn difference(placement: &Placement, now: Option<&Entry>) -> String {
    let path = &placement.path;
    let Some(now) = now else { return format!("`{path}` is gone") };
    let made = &placement.becomes;
    if now.shape != made.shape {
        return format!("`{path}` is another kind of thing");
    }
    if now.size != made.size || now.link != made.link {
        return format!("`{path}` has another content");
    }
    if now.mode != made.mode || (now.uid, now.gid) != (made.uid, made.gid) {
        return format!("`{path}` has `{}`, the run left `{}`", now.rights(), made.rights());
    }
    format!("`{path}` was written since")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::entry::tests::{directory, file};
    use super::super::manifest::{Manifest, Root};
    use super::*;

    fn keep() -> Keep {
        Keep { made: true, ..Keep::new("r", 1) }
    }

    fn now(entries: &[(&str, Entry)]) -> State {
        let entries: BTreeMap<String, Entry> =
            entries.iter().map(|(path, e)| ((*path).to_owned(), e.clone())).collect();
        let (free, unreadable_names) = (None, Vec::new());
        let (root, keeps, capable) = (Root::Directory, Keeps::System, Default::default());
        let target = Manifest { root, user: 0, keeps, free, capable, entries, unreadable_names };
        State { source: None, target, same_host: false, proofs: None }
    }

    fn before() -> Before {
        let new = |path: &str, becomes| Placement { path: path.into(), how: How::New, was: None, becomes };
        let was = Some(file(1, 1));
        let replaced = Placement { path: "old".into(), how: How::Replaced, was, becomes: file(2, 2) };
        let placements = vec![new("a", directory()), new("a-b", file(1, 1)), new("a/x", file(1, 1)), replaced];
        Before { keeps: Keeps::System, owners: true, placements, seat: None }
    }

    #[test]
    fn a_host_in_between_is_ours() {
        let old = ("old", file(1, 1));
        assert_eq!(before().standing(&now(std::slice::from_ref(&old)), &keep()), Standing::AsBefore);
        assert_eq!(before().standing(&now(&[old, ("a", directory())]), &keep()), Standing::Ours);
        assert_eq!(before().standing(&now(&[("old", file(2, 2))]), &keep()), Standing::Ours);
    }

    #[test]
    fn what_somebody_else_wrote_is_foreign() {
        let Standing::Foreign(how) = before().standing(&now(&[("old", file(2, 9))]), &keep()) else { panic!() };
        assert_eq!(how, "`old` was written since");
        let Standing::Foreign(how) = before().standing(&now(&[]), &keep()) else { panic!() };
        assert_eq!(how, "`old` is gone");
    }

    #[test]
    fn it_survives_json() {
        let json = serde_json::to_string(&before()).unwrap();
        let read: Before = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }
}
