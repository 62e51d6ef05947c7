//! Where runs are kept, and what their journals and locks say of who makes them.

use std::sync::Arc;

use haengine_kernel::error::Result;
use haengine_kernel::host::Hosts;
use haengine_kernel::inventory::Inventory;
use haengine_kernel::journal::{Journal, RunFolder, Store};
use haengine_kernel::lock::{DeadRuns, Holder};
use haengine_kernel::run::Mode;

use crate::keep;
use crate::workshop::Workshop;

/// The runs of one operator.
pub struct Runs<'a> {
    pub(crate) workshop: &'a Workshop,
    pub(crate) store: Store,
}

impl<'a> Runs<'a> {
    /// Runs that are made in `workshop` and kept in `store`.
    pub fn new(workshop: &'a Workshop, store: Store) -> Runs<'a> {
        Runs { workshop, store }
    }

    /// The inventory that is named now, else the one that a run was made with.
    pub(crate) fn inventory_of(&self, folder: &RunFolder) -> Result<Inventory> {
        if self.workshop.has_inventory() { self.workshop.inventory() } else { keep::kept_inventory(folder) }
    }

    /// The hosts of a run as they are reached now.
    pub(crate) fn hosts_of(&self, folder: &RunFolder) -> Result<Arc<Hosts>> {
        Ok(self.workshop.hosts(self.inventory_of(folder)?.into()))
    }

    /// A run's journal, for more lines.
    pub(crate) fn journal(&self, folder: &RunFolder) -> Result<Journal> {
        (self.workshop.journal)(folder)
    }

    /// What lets a run make changes: its journal, and what it says in the locks of hosts.
    pub(crate) fn apply(&self, folder: &RunFolder, journal: Journal) -> Mode {
        let runs = self.store.clone();
        let holder = Holder {
            run: folder.id.clone(),
            operator: self.workshop.operator.clone(),
            state: format!("{}:{}", self.workshop.machine, self.store.state_folder().display()),
            since: jiff::Timestamp::now(),
            dead: Some(DeadRuns(Arc::new(move |run| runs.is_dead(run)))),
        };
        Mode::Apply { journal, holder }
    }
}
