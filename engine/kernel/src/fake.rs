//! An in-memory host and a toy op, for the kernel's own tests only; nothing is proven about real hosts with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

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
use crate::run::{Mode, Run};
use crate::signature::{Param, ParamKind, Signature};
use crate::text::Text;
use crate::transport::{Command, Connect, Duplex, Exit, Output, Stream, Transport};

/// Keys and values of all hosts, and what is broken.
#[derive(Default)]
pub(crate) struct World {
    pub values: Mutex<BTreeMap<(String, String), String>>,
    /// Hosts that cannot be reached.
    pub down: Mutex<BTreeSet<String>>,
    /// Writes until the next one fails after it was made; none never fails.
    pub fuse: Mutex<Option<usize>>,
}

struct Wire {
    host: String,
    world: Arc<World>,
}

#[async_trait]
impl Transport for Wire {
    /// `get KEY`, `set KEY VALUE`, `del KEY`; everything else succeeds and says nothing.
    async fn exec(&self, command: &Command) -> Result<Output> {
        let text = command.to_sh();
        let words = shlex::split(&text).unwrap_or_default();
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

    /// Only the lock is a stream here: it is always granted, and ends when it is dropped.
    async fn stream(&self, _command: &Command) -> Result<Stream> {
        Ok(Stream {
            stdin: Box::new(tokio::io::sink()),
            stdout: Box::new(&b"locked\n"[..]),
            stderr: Box::new(tokio::io::empty()),
            exit: Box::pin(std::future::pending()),
        })
    }

    async fn open_tcp(&self, _address: &str, _port: u16) -> Result<Box<dyn Duplex>> {
        Err(Error::new(Kind::Refused, "fake.tcp", "there is no network"))
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
        options: &[Param::option("mode", ParamKind::Mode, "0o644", "Permissions.")],
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

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        host.ok(&Command::new("del").arg(format!("temporary-{}", keep.name()))).await?;
        match &before.0 {
            Some(value) => host.ok(&Command::new("set").args([&self.key, value])).await?,
            None => host.ok(&Command::new("del").arg(&self.key)).await?,
        };
        Ok(())
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

    /// A run with a folder of its own; `again` goes on with the journal of an earlier one.
    pub fn run(&self, again: Option<&str>) -> Arc<Run> {
        let store = self.store();
        let folder = match again {
            Some(id) => store.enter(id.to_owned()).unwrap(),
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
        let holder = Holder {
            run: folder.id.clone(),
            operator: "test".to_owned(),
            state: String::new(),
            since: jiff::Timestamp::now(),
            dead: None,
        };
        let mode = Mode::Apply { journal, holder };
        Run::new(folder.id.clone(), mode, self.hosts(), self.events.clone(), self.cancel.clone())
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
