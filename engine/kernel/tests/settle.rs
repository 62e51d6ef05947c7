//! What undo leaves for the end: after everything on the host is back, in the order of the changes, and again after a
//! crash.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::event::Events;
use haengine_kernel::host::{Host, Hosts};
use haengine_kernel::inventory::{Become, HostKeyPolicy, HostSpec, Inventory};
use haengine_kernel::journal::{Entry, Phase, Store, VERSION};
use haengine_kernel::keep::Keep;
use haengine_kernel::lock::Holder;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::registry::Registry;
use haengine_kernel::remnant::Remains;
use haengine_kernel::run::{Mode, Place, Run, UndoPlan};
use haengine_kernel::signature::Signature;
use haengine_kernel::transport::{Command, Connect, Duplex, Exit, Output, Stream, Transport};
use haengine_kernel::verb::StateVerb;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// A host that says yes to every command and remembers it; one command can be made to fail.
#[derive(Default)]
struct Memory {
    said: Mutex<Vec<String>>,
    failing: Mutex<Option<String>>,
}

struct Wire(Arc<Memory>);

#[async_trait]
impl Transport for Wire {
    async fn exec(&self, command: &Command) -> Result<Output> {
        let text = command.to_sh();
        let status = i32::from(self.0.failing.lock().unwrap().as_ref() == Some(&text));
        if status == 0 && text.starts_with("toy ") {
            self.0.said.lock().unwrap().push(text);
        }
        Ok(Output { exit: Exit::Status(status), stdout: Vec::new(), stderr: Vec::new() })
    }

    /// Only the lock streams.
    async fn stream(&self, _command: &Command) -> Result<Stream> {
        Ok(Stream {
            stdin: Box::new(tokio::io::sink()),
            stdout: Box::new(&b"unwritable\n"[..]),
            stderr: Box::new(&b""[..]),
            exit: Box::pin(async { Ok(Exit::Status(0)) }),
        })
    }

    async fn open_tcp(&self, _address: &str, _port: u16) -> Result<Box<dyn Duplex>> {
        Err(Error::new(Kind::Failed, "toy.tcp", "no network"))
    }

    async fn close(&self) {}
}

struct Wires(Arc<Memory>);

#[async_trait]
impl Connect for Wires {
    async fn connect(&self, _host: &HostSpec) -> Result<Arc<dyn Transport>> {
        Ok(Arc::new(Wire(self.0.clone())))
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Set {
    name: String,
    /// What observe sees: which change of the run it is.
    seen: u32,
}

async fn toy(host: &Host, verb: &str, name: &str) -> Result<()> {
    host.ok(&Command::new("toy").arg(verb).arg(name)).await.map(drop)
}

#[async_trait]
impl Op for Set {
    const NAME: &'static str = "toy.set";
    const ABOUT: &'static str = "";
    const SIGNATURE: Signature = Signature { positional: &[], options: &[] };
    const EXAMPLES: &'static [Example] = &[];
    const SETTLES: bool = true;
    type State = u32;
    type Before = u32;

    fn parse(_arguments: &Arguments) -> Result<Vec<Self>> {
        Ok(Vec::new())
    }

    fn target(&self) -> String {
        self.name.clone()
    }

    async fn observe(&self, _host: &Host) -> Result<u32> {
        Ok(self.seen)
    }

    fn plan(&self, state: &u32) -> Result<Plan<u32>> {
        Ok(Plan::Change(Change { before: *state, summary: String::new(), diff: None, effects: Vec::new() }))
    }

    async fn apply(&self, host: &Host, _before: &u32, _keep: &Keep) -> Result<()> {
        toy(host, "apply", &self.name).await
    }

    fn standing(&self, _state: &u32, _before: &u32, _keep: &Keep) -> Standing {
        Standing::AsBefore
    }

    async fn undo(&self, _host: &Host, _before: &u32, _keep: &Keep) -> Result<Remains> {
        Ok(Remains::new())
    }

    async fn settle(&self, host: &Host, first: &u32, before: &u32, _keep: &Keep) -> Result<Remains> {
        let after = if first == before { String::new() } else { format!("-{before}-after-{first}") };
        toy(host, "settle", &format!("{}{after}", self.name)).await.map(|()| Remains::new())
    }
}

fn spec() -> HostSpec {
    HostSpec {
        name: "m1".to_owned(),
        address: "192.0.2.1".to_owned(),
        port: 22,
        user: "root".to_owned(),
        identity_files: Vec::new(),
        passphrase: None,
        agent: false,
        known_hosts: "/dev/null".into(),
        host_key: HostKeyPolicy::Strict,
        escalation: Become::No,
        jump: None,
        node_name: None,
        connect_timeout: std::time::Duration::from_secs(5),
        vars: std::collections::BTreeMap::new(),
    }
}

struct Bench {
    _folder: tempfile::TempDir,
    store: Store,
    id: String,
    memory: Arc<Memory>,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let id = store.create().unwrap().id;
        Bench { _folder: folder, store, id, memory: Arc::default() }
    }

    fn attempt(&self) -> Arc<Run> {
        let inventory = Inventory { hosts: vec![spec()], ..Inventory::default() };
        let (events, _) = Events::channel();
        let (cancel, wires) = (CancellationToken::new(), Arc::new(Wires(self.memory.clone())));
        let hosts = Hosts::new(Arc::new(inventory), wires, events.clone(), cancel.clone());
        let journal = self.store.look(&self.id).unwrap().journal().unwrap();
        let (since, state) = (jiff::Timestamp::UNIX_EPOCH, String::new());
        let holder = Holder { run: self.id.clone(), operator: "tester".to_owned(), state, since, dead: None };
        Run::new(self.id.clone(), Mode::Apply { journal, holder }, hosts, events, cancel)
    }

    async fn make(&self, names: &[&str]) {
        let run = self.attempt();
        let journal = self.store.look(&self.id).unwrap().journal().unwrap();
        let head = Entry::Run {
            version: VERSION,
            run: self.id.clone(),
            recipe: "a.rhai".into(),
            parameters: serde_json::json!({}),
            inventory: vec![],
            operator: "tester".into(),
        };
        journal.append(vec![head]).await.unwrap();
        let host = run.hosts().get("m1").unwrap();
        for (name, seen) in names.iter().zip(0..) {
            let ops = [Set { name: (*name).to_owned(), seen }];
            for (_, result) in run.ensure(&Place::default(), std::slice::from_ref(&host), &ops).await {
                result.unwrap();
            }
        }
        run.finish("succeeded").await;
    }

    async fn undo(&self) -> Result<()> {
        let mut registry = Registry::default();
        registry.add(StateVerb::<Set>::shared());
        let run = self.attempt();
        let result = run.undo(&registry, &self.plan()).await;
        run.hosts().close().await;
        result
    }

    fn plan(&self) -> UndoPlan {
        UndoPlan::of(&self.store.look(&self.id).unwrap().state().unwrap())
    }

    fn said(&self) -> Vec<String> {
        std::mem::take(&mut *self.memory.said.lock().unwrap())
    }
}

#[tokio::test]
async fn what_was_left_is_done_at_the_end_in_the_order_of_the_changes() {
    let bench = Bench::new();
    bench.make(&["one", "two"]).await;
    bench.said();
    bench.undo().await.unwrap();
    assert_eq!(bench.said(), ["toy settle one", "toy settle two"]);
    assert!(bench.store.look(&bench.id).unwrap().state().unwrap().is_undone());
}

#[tokio::test]
async fn what_did_not_settle_is_settled_by_the_next_undo() {
    let bench = Bench::new();
    bench.make(&["one", "two"]).await;
    *bench.memory.failing.lock().unwrap() = Some("toy settle two".to_owned());
    bench.said();
    assert_eq!(bench.undo().await.unwrap_err().code(), "host.exit");
    assert_eq!(bench.said(), ["toy settle one"]);
    let left = bench.plan();
    assert!(!left.is_empty() && left.calls.is_empty());
    assert_eq!(left.unsettled.iter().map(|change| change.key.target.as_str()).collect::<Vec<_>>(), ["two"]);
    assert_eq!(left.unsettled[0].phase, Phase::Unsettled);
    *bench.memory.failing.lock().unwrap() = None;
    bench.undo().await.unwrap();
    assert_eq!(bench.said(), ["toy settle two"]);
    assert!(bench.plan().is_empty());
}

#[tokio::test]
async fn a_later_change_of_a_target_knows_what_the_first_one_saw() {
    let bench = Bench::new();
    bench.make(&["one", "two", "one"]).await;
    bench.said();
    bench.undo().await.unwrap();
    assert_eq!(bench.said(), ["toy settle one", "toy settle two", "toy settle one-2-after-0"]);
}
