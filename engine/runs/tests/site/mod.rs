//! A folder with a recipe, an inventory and runs, and a world of hosts: what the tests of runs begin with.

#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test binary uses another part of it"
)]

#[path = "../../../script/tests/toy/mod.rs"]
pub mod toy;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use haengine_kernel::cancel::Cancel;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::event::{Event, Events, Stamped};
use haengine_kernel::inventory::SecretRef;
use haengine_kernel::journal::Store;
use haengine_kernel::secret::Secret;
use haengine_kernel::transport::Connect;
use haengine_runs::{End, Person, Prepared, Refusal, Repairer, Room, Runs, Wish, Workshop};
use haengine_script::{Fault, Repl, Sources};
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;
pub use toy::{Failure, Wires, World};

/// Agrees to everything, unless told otherwise.
pub struct Operator {
    pub events: Events,
    pub cancel: Cancel,
    pub declines: AtomicBool,
}

impl Person for Operator {
    fn confirm(&self, _question: &str) -> Result<bool> {
        Ok(!self.declines.load(Ordering::Relaxed))
    }

    fn secret(&self, _reference: &SecretRef) -> Result<Secret> {
        Err(Error::new(Kind::Usage, "secret.none", "there are no secrets here"))
    }

    fn events(&self) -> &Events {
        &self.events
    }

    fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}

/// A folder with a recipe, an inventory and runs, and a world of hosts.
pub struct Site {
    pub folder: TempDir,
    pub world: Arc<World>,
    pub person: Arc<Operator>,
    pub workshop: Workshop,
    pub told: UnboundedReceiver<Stamped>,
}

pub const SITE: &str = "hosts: { master1: , master2: }\ngroups: { masters: [master1, master2] }\n";

pub const GREET: &str =
    r#"toy::set(host("master1"), "/a", "one"); step("greet", || toy::set(host("master2"), "/b", "two"));"#;

impl Site {
    pub fn new(body: &str) -> Site {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("site.yaml"), SITE).unwrap();
        let (events, told) = Events::channel();
        let person = Arc::new(Operator { events, cancel: Cancel::new(), declines: AtomicBool::new(false) });
        let world = World::new();
        let there = world.clone();
        let way = move |_, _| -> Arc<dyn Connect> { Arc::new(Wires(there.clone())) };
        let workshop = Workshop {
            inventory: vec![folder.path().join("site.yaml")],
            operator: "tester".to_owned(),
            ..Workshop::new(person.clone(), || vec![toy::module()], Sources::default(), way)
        };
        let site = Site { folder, world, person, workshop, told };
        site.write(body);
        site
    }

    pub fn recipe(&self) -> PathBuf {
        self.folder.path().join("greet.rhai")
    }

    pub fn write(&self, body: &str) {
        self.write_whole(&format!("fn main() {{\n    {body}\n}}\n"));
    }

    /// Writes the whole recipe, not only what is in its `main`.
    pub fn write_whole(&self, text: &str) {
        std::fs::write(self.recipe(), text).unwrap();
    }

    pub fn prepare(&self) -> std::result::Result<Prepared, Refusal> {
        self.workshop.prepare(self.recipe().to_str().unwrap(), &[])
    }

    pub fn runs(&self) -> Runs<'_> {
        Runs::new(&self.workshop, self.store())
    }

    pub fn store(&self) -> Store {
        Store::open(&self.folder.path().join("state")).unwrap()
    }

    pub fn newest(&self) -> String {
        self.store().ids().unwrap().remove(0)
    }

    /// The commands that began, and the outcomes in which they ended, since it was last asked.
    pub fn told(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Ok(stamped) = self.told.try_recv() {
            match stamped.event {
                Event::RunStarted { command, .. } => said.push(command),
                Event::RunFinished(totals) => said.push(totals.outcome),
                Event::Error { error, .. } => said.push(error.code),
                _ => {}
            }
        }
        said
    }
}

pub const FAILED: End = End::Failed { kind: Kind::Failed, touched: true };

/// Wishes one thing after the other; the world is mended before the first.
pub struct Mechanic<'a> {
    pub site: &'a Site,
    pub wishes: Vec<Wish>,
    pub edit: Option<&'a str>,
    pub heard: Vec<String>,
}

impl Repairer for Mechanic<'_> {
    fn look(&mut self, step: &str, _fault: &Fault, _repl: Arc<Mutex<Repl>>) -> Result<bool> {
        self.heard.push(step.to_owned());
        self.site.world.heal("master2");
        self.edit.iter().for_each(|body| self.site.write(body));
        Ok(true)
    }

    fn wish(&mut self) -> Result<Wish> {
        Ok(self.wishes.pop().unwrap_or(Wish::Leave))
    }

    fn turn_away(&mut self) {
        self.heard.push("turned away".to_owned());
    }

    fn hear(&mut self, words: String) {
        self.heard.push(words);
    }

    fn is_person(&self) -> bool {
        true
    }
}

/// The end of a run whose step fails and is mended so, and what the mechanic heard.
pub async fn mended(site: &Site, wish: Wish, edit: Option<&str>) -> (End, Vec<String>) {
    site.world.fail("master2", Failure::Command("set"));
    let mut mechanic = Mechanic { site, wishes: vec![wish], edit, heard: Vec::new() };
    let end = site.runs().run(site.prepare().unwrap(), Some(&mut mechanic)).await.unwrap();
    (end, mechanic.heard)
}
