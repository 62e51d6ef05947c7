//! Runs verbs of the library on the host, journalled, and takes them back.

use std::collections::BTreeMap;
use std::sync::Arc;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::event::Events;
use haengine_kernel::host::Hosts;
use haengine_kernel::inventory::Inventory;
use haengine_kernel::journal::{Entry, Store, VERSION};
use haengine_kernel::lock::{DeadRuns, Holder};
use haengine_kernel::registry::Registry;
use haengine_kernel::remnant::{Remains, Remnant};
use haengine_kernel::run::{Mode, Place, Run, UndoPlan};
use haengine_kernel::value::Value;
use haengine_lab::Lab;
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use crate::host::{Door, NAME, boot, spec};

/// A host, and the runs that were made on it.
pub struct Bench {
    folder: tempfile::TempDir,
    lab: Lab,
    store: Store,
}

/// A run or a plan under way.
pub struct Attempt {
    pub run: Arc<Run>,
}

impl Bench {
    /// None where this machine cannot have a lab.
    pub async fn start(name: &str) -> Option<Bench> {
        let folder = tempfile::tempdir().unwrap();
        let lab = boot(&folder.path().join("lab"), name).await?;
        let store = Store::open(folder.path()).unwrap();
        Some(Bench { folder, lab, store })
    }

    /// Ends the host.
    pub async fn end(self) {
        self.lab.down().await.unwrap();
        self.folder.close().unwrap();
    }

    /// What a script prints, run as root on the host; it must succeed.
    pub async fn sh(&self, script: &str) -> String {
        let output = self.lab.exec(NAME, &["sh", "-c", script]).await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        assert!(output.status.success(), "{script}: {} {}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// A new run.
    pub async fn run(&self) -> Attempt {
        let folder = self.store.create().unwrap();
        let journal = folder.journal().unwrap();
        let head = Entry::Run {
            version: VERSION,
            run: folder.id.clone(),
            recipe: "test.rhai".into(),
            parameters: json!({}),
            inventory: vec![],
            operator: "tester".into(),
        };
        journal.append(vec![head]).await.unwrap();
        self.attempt(&folder.id, true)
    }

    /// A plan.
    pub fn plan(&self) -> Attempt {
        self.attempt("plan", false)
    }

    fn attempt(&self, id: &str, applies: bool) -> Attempt {
        let inventory = Inventory { hosts: vec![spec()], ..Inventory::default() };
        let (events, _) = Events::channel();
        let (cancel, door) = (CancellationToken::new(), Arc::new(Door(self.lab.clone())));
        let hosts = Hosts::new(Arc::new(inventory), door, events.clone(), cancel.clone());
        let mode = if applies { Mode::Apply { journal: self.journal(id), holder: holder(id) } } else { Mode::Plan };
        Attempt { run: Run::new(id.to_owned(), mode, hosts, events, cancel) }
    }

    fn journal(&self, id: &str) -> haengine_kernel::journal::Journal {
        self.store.look(id).unwrap().journal().unwrap()
    }

    /// Takes a run back.
    pub async fn undo(&self, id: &str) -> Result<()> {
        let plan = UndoPlan::of(&self.store.look(id).unwrap().state().unwrap());
        let attempt = self.attempt(id, true);
        let result = attempt.run.undo(&registry(), &plan).await;
        attempt.run.hosts().close().await;
        result
    }

    /// True when nothing of a run is left to take back.
    pub fn is_undone(&self, id: &str) -> bool {
        self.store.look(id).unwrap().state().unwrap().is_undone()
    }

    /// Makes the journal of a run as version 1 wrote it.
    pub fn age(&self, id: &str) {
        let path = self.store.look(id).unwrap().path.join("journal.jsonl");
        let lines = std::fs::read_to_string(&path).unwrap();
        let aged = lines.lines().map(|line| {
            let mut line: Json = serde_json::from_str(line).unwrap();
            line.as_object_mut().unwrap().remove("nonce");
            line.to_string() + "\n"
        });
        std::fs::write(&path, aged.collect::<String>()).unwrap();
        assert!(self.store.look(id).unwrap().state().unwrap().changes.values().all(|change| change.nonce.is_empty()));
    }

    /// What the undo of a run did not take away.
    pub fn remains(&self, id: &str) -> Remains {
        let state = self.store.look(id).unwrap().state().unwrap();
        state.changes.values().flat_map(|change| change.remains.clone()).collect()
    }

    /// The same, a line each.
    pub fn remnants(&self, id: &str) -> Vec<String> {
        self.remains(id).iter().map(Remnant::line).collect()
    }

    /// One call in a run of its own: the run, and whether it changed anything.
    pub async fn call(&self, verb: &str, positional: &[Json], options: Json) -> (String, Result<bool>) {
        let attempt = self.run().await;
        let result = attempt.call(verb, positional, options).await;
        (attempt.finish().await, result)
    }

    /// What a plan of one call would change.
    pub async fn planned(&self, verb: &str, positional: &[Json], options: Json) -> Result<bool> {
        let plan = self.plan();
        let result = plan.call(verb, positional, options).await;
        plan.run.hosts().close().await;
        result
    }
}

impl Attempt {
    /// Calls a verb on the host; true when it changed something.
    pub async fn call(&self, verb: &str, positional: &[Json], options: Json) -> Result<bool> {
        let registry = registry();
        let verb = registry.get(verb)?;
        let values = std::iter::once(Value::Null).chain(positional.iter().cloned().map(Value::from)).collect();
        let options: BTreeMap<String, Value> = match options {
            Json::Object(map) => map.into_iter().map(|(name, value)| (name, Value::from(value))).collect(),
            _ => BTreeMap::new(),
        };
        let arguments = Arguments::check(verb.name(), &verb.signature(), values, Some(options))?;
        let host = self.run.hosts().get(NAME)?;
        let mut results = verb.call(&self.run, &Place::default(), &[host], &arguments).await?;
        let (_, result) = results.remove(0);
        result.map(|value| value == Value::map([("changed", Value::Boolean(true))]))
    }

    /// Ends the run and tells its id.
    pub async fn finish(self) -> String {
        self.run.finish("succeeded").await;
        self.run.id().to_owned()
    }
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    haengine_stdlib::modules().into_iter().flat_map(|module| module.verbs).for_each(|verb| registry.add(verb));
    registry
}

fn holder(id: &str) -> Holder {
    let (run, operator, since) = (id.to_owned(), "tester".to_owned(), jiff::Timestamp::now());
    // One run follows the other: what still holds the lock is about to let it go.
    let dead = Some(DeadRuns(Arc::new(|_| true)));
    Holder { run, operator, state: String::new(), since, dead }
}
