//! An in-memory host and a toy op, for the kernel's own tests only; nothing is proven about real hosts with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::action::{Action, Performed};
use crate::arguments::Arguments;
use crate::diff::Diff;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Events, Stamped};
use crate::host::{Host, Hosts};
use crate::inventory::{HostSpec, Inventory};
use crate::journal::{Journal, Store};
use crate::keep::Keep;
use crate::lock::Holder;
use crate::op::{Change, Example, Op, Plan, Standing};
use crate::overlay::{Effect, Overlay, PlannedFile};
use crate::remnant::Remains;
use crate::run::{Decide, Mode, Past, Run};
use crate::signature::{Absent, Param, ParamKind, Signature};
use crate::text::Text;
use crate::transport::{Command, Connect, Duplex, Exit, Output, Stream, Transport};
use crate::value::Value;

/// Keys and values of all hosts, and what is broken.
#[derive(Default)]
pub(crate) struct World {
    pub values: Mutex<BTreeMap<(String, String), String>>,
    /// What hosts say about themselves, and their keys; the others say nothing.
    pub machines: Mutex<BTreeMap<String, (String, String)>>,
    /// Hosts that cannot be reached.
    pub down: Mutex<BTreeSet<String>>,
    /// Writes until the next one fails after it was made; none never fails.
    pub fuse: Mutex<Option<usize>>,
    /// Writes until the engine is killed, before or after that one is made; none never.
    pub death: Mutex<Option<(usize, Moment)>>,
    /// Told when the engine is killed; what it does ends there.
    pub killed: tokio::sync::Notify,
}

/// When a kill comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moment {
    BeforeTheWrite,
    AfterTheWrite,
}

impl World {
    /// True when the engine dies with this write.
    fn dies(&self) -> Option<Moment> {
        let mut death = self.death.lock().unwrap();
        match death.as_mut() {
            Some((0, moment)) => Some(*moment),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        }
    }

    /// The engine does nothing more.
    async fn die(&self) {
        self.killed.notify_one();
        std::future::pending().await
    }
}

struct Wire {
    host: String,
    world: Arc<World>,
}

impl Wire {
    fn machine(&self) -> (String, String) {
        self.world.machines.lock().unwrap().get(&self.host).cloned().unwrap_or_default()
    }

    /// `get KEY`, `set KEY VALUE`, `del KEY`; everything else succeeds and says nothing.
    fn answer(&self, words: &[String]) -> Result<Output> {
        let key = |key: &str| (self.host.clone(), key.to_owned());
        let mut values = self.world.values.lock().unwrap();
        let mut stdout = String::new();
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["get", name] => match values.get(&key(name)) {
                Some(value) => stdout.clone_from(value),
                None => return Ok(output(1, "")),
            },
            ["set", name, value] => _ = values.insert(key(name), value.to_owned()),
            ["del", name] => _ = values.remove(&key(name)),
            _ => return Ok(output(0, "")),
        }
        let mut fuse = self.world.fuse.lock().unwrap();
        if words[0] != "get" {
            match fuse.as_mut() {
                Some(0) => return Err(Error::new(Kind::Unreachable, "ssh.lost", "the connection broke")),
                Some(left) => *left -= 1,
                None => {}
            }
        }
        Ok(output(0, &stdout))
    }
}

#[async_trait]
impl Transport for Wire {
    async fn exec(&self, command: &Command) -> Result<Output> {
        if command.to_sh().contains("product_uuid") {
            return Ok(output(0, &self.machine().0));
        }
        let words = shlex::split(&command.to_sh()).unwrap_or_default();
        let writes = words.first().is_some_and(|word| word == "set" || word == "del");
        let dies = if writes { self.world.dies() } else { None };
        if dies == Some(Moment::BeforeTheWrite) {
            self.world.die().await;
        }
        let output = self.answer(&words);
        if dies.is_some() {
            self.world.die().await;
        }
        output
    }

    /// Only the lock is a stream here: it is always granted, and ends when it is dropped.
    async fn stream(&self, _command: &Command) -> Result<Stream> {
        Ok(Stream {
            stdin: Box::new(tokio::io::sink()),
            stdout: Box::new(std::io::Cursor::new(format!("locked {}\n", self.machine().0))),
            stderr: Box::new(tokio::io::empty()),
            exit: Box::pin(std::future::pending()),
        })
    }

    async fn open_tcp(&self, _address: &str, _port: u16) -> Result<Box<dyn Duplex>> {
        Err(Error::new(Kind::Refused, "fake.tcp", "there is no network"))
    }

    fn host_key(&self) -> Option<String> {
        Some(self.machine().1).filter(|key| !key.is_empty())
    }

    async fn close(&self) {}
}

fn output(status: i32, stdout: &str) -> Output {
    Output { exit: Exit::Status(status), stdout: stdout.as_bytes().to_vec(), stderr: Vec::new() }
}

struct Cable(Arc<World>);

#[async_trait]
impl Connect for Cable {
    async fn connect(&self, host: &HostSpec) -> Result<Arc<dyn Transport>> {
        if self.0.down.lock().unwrap().contains(&host.name) {
            return Err(Error::new(Kind::Unreachable, "ssh.refused", "the port is closed"));
        }
        Ok(Arc::new(Wire { host: host.name.clone(), world: self.0.clone() }))
    }
}

/// Sets a key of a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Set {
    pub key: String,
    pub value: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Before(pub Option<String>);

#[async_trait]
impl Op for Set {
    const NAME: &'static str = "toy.set";
    const ABOUT: &'static str = "Sets a key.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("key", ParamKind::Path, "Which."),
            Param::new("value", ParamKind::String, "What."),
        ],
        options: &[Param::option("mode", ParamKind::Mode, Absent::Mode(0o644), "Permissions.")],
    };
    const EXAMPLES: &'static [Example] = &[];
    type State = Option<String>;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Set>> {
        Ok(vec![Set { key: arguments.string("key")?, value: arguments.string("value")? }])
    }

    fn target(&self) -> String {
        self.key.clone()
    }

    async fn observe(&self, host: &Host) -> Result<Option<String>> {
        let output = host.exec(&Command::new("get").arg(&self.key)).await?;
        Ok(output.success().then(|| output.text()))
    }

    fn assume(&self, state: Option<String>, overlay: &Overlay) -> Option<String> {
        match overlay.file(&self.key) {
            Some(PlannedFile::File(text)) => text.shown().map(str::to_owned),
            Some(_) => None,
            None => state,
        }
    }

    fn plan(&self, state: &Option<String>) -> Result<Plan<Before>> {
        if state.as_deref() == Some(&self.value) {
            return Ok(Plan::Unchanged);
        }
        Ok(Plan::Change(Change {
            before: Before(state.clone()),
            summary: "set".to_owned(),
            diff: Diff::between(state.as_deref().unwrap_or_default(), &self.value),
            effects: vec![Effect::File(self.key.clone(), PlannedFile::File(Text::Plain(self.value.clone())))],
        }))
    }

    async fn apply(&self, host: &Host, _before: &Before, keep: &Keep) -> Result<()> {
        host.ok(&Command::new("set").args([format!("temporary-{}", keep.name()), self.value.clone()])).await?;
        host.ok(&Command::new("set").args([&self.key, &self.value])).await?;
        host.ok(&Command::new("del").arg(format!("temporary-{}", keep.name()))).await?;
        Ok(())
    }

    fn standing(&self, state: &Option<String>, before: &Before, _keep: &Keep) -> Standing {
        match state {
            state if *state == before.0 => Standing::AsBefore,
            Some(value) if *value == self.value => Standing::Ours,
            other => Standing::Foreign(format!("it is {other:?}")),
        }
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        host.ok(&Command::new("del").arg(format!("temporary-{}", keep.name()))).await?;
        match &before.0 {
            Some(value) => host.ok(&Command::new("set").args([&self.key, value])).await?,
            None => host.ok(&Command::new("del").arg(&self.key)).await?,
        };
        Ok(Remains::new())
    }
}

/// Adds a letter to a key of a host, each time that it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Append {
    pub key: String,
    pub letter: String,
    /// A key that says, when it is set, that it is done.
    pub unless: Option<String>,
    pub repeatable: bool,
}

#[async_trait]
impl Action for Append {
    const NAME: &'static str = "toy.append";
    const ABOUT: &'static str = "Adds a letter.";
    const SIGNATURE: Signature = Signature { positional: &[], options: &[] };
    const EXAMPLES: &'static [Example] = &[];

    fn parse(_arguments: &Arguments) -> Result<Append> {
        Err(Error::new(Kind::Usage, "toy.parse", "toys are made, not parsed"))
    }

    fn target(&self) -> String {
        self.key.clone()
    }

    fn repeatable(&self) -> bool {
        self.repeatable
    }

    async fn done(&self, host: &Host) -> Result<Option<bool>> {
        let Some(key) = &self.unless else { return Ok(None) };
        Ok(Some(host.exec(&Command::new("get").arg(key)).await?.success()))
    }

    async fn before(&self, host: &Host) -> Result<serde_json::Value> {
        Ok(host.exec(&Command::new("get").arg(&self.key)).await?.text().into())
    }

    async fn perform(&self, host: &Host) -> Result<Value> {
        let old = host.exec(&Command::new("get").arg(&self.key)).await?.text();
        let new = format!("{old}{}", self.letter);
        host.ok(&Command::new("set").args([&self.key, &new])).await?;
        Ok(Value::map([("text", Value::from(new)), ("said", Value::from("token: abc"))]))
    }

    fn inverse(&self) -> Option<String> {
        Some("drop a letter".to_owned())
    }

    async fn undo(&self, host: &Host, performed: &Performed<'_>) -> Result<()> {
        let text = performed.before.as_str().unwrap_or_default();
        let back = Command::new(if text.is_empty() { "del" } else { "set" }).arg(&self.key);
        host.ok(&if text.is_empty() { back } else { back.arg(text) }).await.map(drop)
    }
}

/// A world with hosts, a state folder, and what is told.
pub(crate) struct Stage {
    pub world: Arc<World>,
    pub folder: tempfile::TempDir,
    pub events: Events,
    pub told: tokio::sync::mpsc::UnboundedReceiver<Stamped>,
    pub cancel: CancellationToken,
}

impl Stage {
    pub fn new() -> Stage {
        let (events, told) = Events::channel();
        let folder = tempfile::tempdir().unwrap();
        Stage { world: Arc::default(), folder, events, told, cancel: CancellationToken::new() }
    }

    pub fn store(&self) -> Store {
        Store::open(self.folder.path()).unwrap()
    }

    pub fn hosts(&self) -> Arc<Hosts> {
        let text = "hosts:\n  m1: { address: 127.0.0.1 }\n  m2: { address: 127.0.0.1 }\n";
        let inventory = Inventory::parse(text, std::path::Path::new("site.yaml"), None).unwrap();
        let cable = Arc::new(Cable(self.world.clone()));
        Hosts::new(Arc::new(inventory), cable, self.events.clone(), self.cancel.clone())
    }

    pub fn plan(&self) -> Arc<Run> {
        Run::new("plan".to_owned(), Mode::Plan, self.hosts(), self.events.clone(), self.cancel.clone())
    }

    /// A further attempt of a run, which is written down before it does anything.
    pub async fn resume(&self, id: &str, decide: Arc<dyn Decide>) -> Arc<Run> {
        let state = self.state(id);
        let journal = self.store().look(id).unwrap().journal().unwrap();
        let resumed = crate::journal::Entry::Resumed { operator: "test".to_owned(), inventory: Vec::new() };
        journal.append(vec![resumed]).await.unwrap();
        let (mode, past) = (self.apply(id, journal), Past::of(&state, decide));
        Run::again(id.to_owned(), mode, self.hosts(), self.events.clone(), self.cancel.clone(), past)
    }

    /// The journal of a run, as it is on disk once all that was noted is.
    pub fn state(&self, id: &str) -> crate::journal::State {
        self.store().look(id).unwrap().state().unwrap()
    }

    /// A run with a folder of its own; `again` undoes an earlier one.
    pub fn run(&self, again: Option<&str>) -> Arc<Run> {
        let store = self.store();
        let folder = match again {
            // Not entered: whoever starts a program elsewhere in these tests has its lock for a moment.
            Some(id) => store.look(id).unwrap(),
            None => store.create().unwrap(),
        };
        let journal: Journal = folder.journal().unwrap();
        if again.is_none() {
            journal.note(vec![crate::journal::Entry::Run {
                version: crate::journal::VERSION,
                run: folder.id.clone(),
                recipe: "toy.rhai".to_owned(),
                parameters: serde_json::Value::Null,
                inventory: Vec::new(),
                operator: "test".to_owned(),
            }]);
        }
        let mode = self.apply(&folder.id, journal);
        Run::new(folder.id.clone(), mode, self.hosts(), self.events.clone(), self.cancel.clone())
    }

    fn apply(&self, id: &str, journal: Journal) -> Mode {
        let holder = Holder {
            run: id.to_owned(),
            operator: "test".to_owned(),
            state: String::new(),
            since: jiff::Timestamp::now(),
            dead: None,
        };
        Mode::Apply { journal, holder }
    }

    pub fn value(&self, host: &str, key: &str) -> Option<String> {
        self.world.values.lock().unwrap().get(&(host.to_owned(), key.to_owned())).cloned()
    }

    /// Everything on all hosts.
    pub fn values(&self) -> BTreeMap<(String, String), String> {
        self.world.values.lock().unwrap().clone()
    }

    /// Host, target and status of each change told since the last call.
    pub fn changes(&mut self) -> Vec<(String, String, crate::event::Status)> {
        let mut changes = Vec::new();
        while let Ok(stamped) = self.told.try_recv() {
            if let Event::Change(change) = stamped.event {
                changes.push((change.host, change.target, change.status));
            }
        }
        changes
    }
}
