//! What stays during an undo because it could not be taken back, and what stays with it.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::journal::ChangeState;
use crate::run::UndoPlan;
use crate::uses::Uses;

/// What one undo could not take back. A path that stays keeps what is above and below it; what is no path keeps all that
/// came before it on its host, and on the hosts that need it there: those of a step that is marked `together`.
pub(super) struct Stuck {
    /// By step that is marked, its hosts and the first call of each.
    together: BTreeMap<Vec<String>, BTreeMap<String, u64>>,
    stays: Mutex<Stays>,
}

#[derive(Default)]
struct Stays {
    /// By host, what stays on it.
    changes: BTreeMap<String, Vec<Uses>>,
    /// By host, the call below which nothing goes on, and the host that it needs.
    needed: BTreeMap<String, (u64, String)>,
    /// By host, how many changes were passed by, and the host because of which, if it is another.
    passed: BTreeMap<(String, Option<String>), usize>,
}

impl Stuck {
    pub(super) fn new(plan: &UndoPlan) -> Stuck {
        let mut together: BTreeMap<Vec<String>, BTreeMap<String, u64>> = BTreeMap::new();
        for change in plan.calls.iter().flatten().filter(|change| !change.together.is_empty()) {
            let first = together.entry(change.together.clone()).or_default();
            let first = first.entry(change.key.host.clone()).or_insert(change.call);
            *first = change.call.min(*first);
        }
        Stuck { together, stays: Mutex::default() }
    }

    fn stays(&self) -> MutexGuard<'_, Stays> {
        self.stays.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This change could not be taken back.
    pub(super) fn stays_with(&self, change: &ChangeState, uses: Uses) {
        let mut stays = self.stays();
        if uses.is_all() {
            for other in self.needing(change) {
                let below = stays.needed.entry(other).or_insert_with(|| (change.call, change.key.host.clone()));
                below.0 = below.0.max(change.call);
            }
        }
        stays.changes.entry(change.key.host.clone()).or_default().push(uses);
    }

    /// The other hosts of the steps that need this host, and that were not taken back on it yet.
    fn needing(&self, change: &ChangeState) -> HashSet<String> {
        let host = &change.key.host;
        let steps = self.together.values().filter(|hosts| hosts.get(host).is_some_and(|call| *call <= change.call));
        steps.flat_map(BTreeMap::keys).filter(|other| *other != host).cloned().collect()
    }

    /// True when this change stays with what was stuck before; then it keeps others in its turn.
    pub(super) fn passes_by(&self, change: &ChangeState, uses: &Uses) -> bool {
        let mut stays = self.stays();
        let host = &change.key.host;
        let here = stays.changes.get(host).is_some_and(|stuck| stuck.iter().any(|stuck| stuck.blocks(uses)));
        let needs = stays.needed.get(host).filter(|(call, _)| !here && change.call < *call);
        let because = needs.map(|(_, other)| other.clone());
        if !here && because.is_none() {
            return false;
        }
        *stays.passed.entry((host.clone(), because.clone())).or_default() += 1;
        drop(stays);
        // What waits for another host is as much in the way here as what is stuck here.
        self.stays_with(change, if because.is_some() { Uses::Everything } else { uses.clone() });
        true
    }

    /// The hosts on which something stays.
    pub(super) fn hosts(&self) -> HashSet<String> {
        self.stays().changes.keys().cloned().collect()
    }

    /// The hosts on which nothing goes on.
    pub(super) fn whole_hosts(&self) -> HashSet<String> {
        let whole = |(host, stuck): (&String, &Vec<Uses>)| stuck.iter().any(Uses::is_all).then(|| host.clone());
        self.stays().changes.iter().filter_map(whole).collect()
    }

    /// What was passed by, a host and a text each.
    pub(super) fn passed(&self) -> Vec<(String, String)> {
        let text = |((host, because), count): (&(String, Option<String>), &usize)| {
            let changes =
                if *count == 1 { "1 earlier change stays".to_owned() } else { format!("{count} earlier changes stay") };
            let why = match because {
                None => "until that is taken back".to_owned(),
                Some(other) => format!("with those of `{other}`, which needs this host"),
            };
            (host.clone(), format!("{changes} {why}"))
        };
        self.stays().passed.iter().map(text).collect()
    }
}
