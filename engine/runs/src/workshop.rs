//! What runs are made with.

use std::path::PathBuf;
use std::sync::Arc;

use haengine_kernel::error::Result;
use haengine_kernel::host::{FORKS, Hosts};
use haengine_kernel::inventory::{Inventory, SecretSource};
use haengine_kernel::journal::{Journal, RunFolder};
use haengine_kernel::module::Module;
use haengine_kernel::registry::Registry;
use haengine_kernel::run::Run;
use haengine_kernel::transport::Connect;
use haengine_script::{Library, Sources, Surroundings};

use crate::person::{Asked, Person};

/// The way to the hosts of an inventory, with what knows their secrets.
pub type Way = dyn Fn(Arc<Inventory>, Arc<dyn SecretSource>) -> Arc<dyn Connect> + Send + Sync;

/// Opens a run's journal for more lines.
pub type OpenJournal = dyn Fn(&RunFolder) -> Result<Journal> + Send + Sync;

/// What a program hands in: for whom runs are, in which language recipes are written, and how hosts are reached.
pub struct Workshop {
    /// For whom they are.
    pub person: Arc<dyn Person>,
    /// The verbs that recipes call.
    pub modules: fn() -> Vec<Module>,
    /// Where recipes are found.
    pub sources: Sources,
    /// How hosts are reached.
    pub connect: Box<Way>,
    /// How journals are opened.
    pub journal: Box<OpenJournal>,
    /// The files of the inventory; none is an inventory without hosts, or the one that a run has kept.
    pub inventory: Vec<PathBuf>,
    /// What `~/` means in inventories and parameters.
    pub home: Option<PathBuf>,
    /// How many hosts are worked on at once.
    pub forks: usize,
    /// Who makes the runs, as journals and locks of hosts name them: user and machine.
    pub operator: String,
    /// This machine's name: the same path on two machines is not the same folder.
    pub machine: String,
}

impl Workshop {
    /// A workshop without an inventory, whose runs nobody in particular makes.
    pub fn new(
        person: Arc<dyn Person>,
        modules: fn() -> Vec<Module>,
        sources: Sources,
        connect: impl Fn(Arc<Inventory>, Arc<dyn SecretSource>) -> Arc<dyn Connect> + Send + Sync + 'static,
    ) -> Workshop {
        Workshop {
            person,
            modules,
            sources,
            connect: Box::new(connect),
            journal: Box::new(RunFolder::journal),
            inventory: Vec::new(),
            home: None,
            forks: FORKS,
            operator: String::new(),
            machine: String::new(),
        }
    }

    /// The language with all modules.
    pub fn library(&self) -> Library {
        Library::new((self.modules)(), self.person.cancel().clone())
    }

    /// All verbs, for a journal's records.
    pub(crate) fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        (self.modules)().into_iter().flat_map(|module| module.verbs).for_each(|verb| registry.add(verb));
        registry
    }

    /// Whether an inventory is named.
    pub fn has_inventory(&self) -> bool {
        !self.inventory.is_empty()
    }

    /// The inventory that is named; an empty one where none is.
    ///
    /// # Errors
    /// When a file cannot be read or is wrong.
    pub fn inventory(&self) -> Result<Inventory> {
        match self.inventory.as_slice() {
            [] => Ok(Inventory::default()),
            files => Inventory::load(files, self.home.as_deref()),
        }
    }

    /// The names of its files, for the journal.
    pub(crate) fn inventory_files(&self) -> Vec<String> {
        self.inventory.iter().map(|file| file.display().to_string()).collect()
    }

    /// The hosts of an inventory, none of them connected.
    pub fn hosts(&self, inventory: Arc<Inventory>) -> Arc<Hosts> {
        let connector = (self.connect)(inventory.clone(), self.asked());
        let (events, cancel) = (self.person.events().clone(), self.person.cancel().clone());
        Hosts::with_forks(self.forks, inventory, connector, events, cancel)
    }

    /// What a recipe needs to be part of a run.
    pub(crate) fn surroundings(&self, run: Arc<Run>) -> Surroundings {
        Surroundings { run, prompt: self.asked(), secrets: self.asked(), forks: self.forks }
    }

    pub(crate) fn asked(&self) -> Arc<Asked> {
        Arc::new(Asked(self.person.clone()))
    }
}
