//! What awaits a file is settled as soon as that is back, on one host after the other, before anything else goes.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::event::Events;
use haengine_kernel::host::{Host, Hosts};
use haengine_kernel::inventory::{Become, HostKeyPolicy, HostSpec, Inventory};
use haengine_kernel::journal::{Entry, Store, VERSION};
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

/// What was said to the hosts, and what fails.
#[derive(Default)]
struct Memory {
    said: Mutex<Vec<String>>,
    failing: Mutex<Option<String>>,
}

struct Wire(Arc<Memory>, String);

#[async_trait]
impl Transport for Wire {
    async fn exec(&self, command: &Command) -> Result<Output> {
        let text = format!("{}: {}", self.1, command.to_sh());
        let fails = self.0.failing.lock().unwrap().as_ref() == Some(&text);
        let mut stdout = Vec::new();
        if text.contains(": toy look ") {
            let undone = text.replace("toy look", "toy undo");
            stdout.extend(self.0.said.lock().unwrap().contains(&undone).to_string().into_bytes());
        } else if text.contains(": toy ") && !fails {
            self.0.said.lock().unwrap().push(text);
        }
        Ok(Output { exit: Exit::Status(i32::from(fails)), stdout, stderr: Vec::new() })
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
    async fn connect(&self, host: &HostSpec) -> Result<Arc<dyn Transport>> {
        Ok(Arc::new(Wire(self.0.clone(), host.name.clone())))
    }
}

/// A thing; a service awaits the file `/f`.
#[derive(Clone, Serialize, Deserialize)]
struct Thing {
    name: String,
}

#[async_trait]
impl Op for Thing {
    const NAME: &'static str = "toy.thing";
    const ABOUT: &'static str = "";
    const SIGNATURE: Signature = Signature { positional: &[], options: &[] };
    const EXAMPLES: &'static [Example] = &[];
    const SETTLES: bool = true;
    type State = bool;
    type Before = ();

    fn parse(_arguments: &Arguments) -> Result<Vec<Self>> {
        Ok(Vec::new())
    }

    fn target(&self) -> String {
        self.name.clone()
    }

    async fn observe(&self, host: &Host) -> Result<bool> {
        Ok(host.ok(&Command::new("toy").arg("look").arg(&self.name)).await?.text() == "true")
    }

    fn plan(&self, _state: &bool) -> Result<Plan<()>> {
        Ok(Plan::Change(Change { before: (), summary: String::new(), diff: None, effects: Vec::new() }))
    }

    async fn apply(&self, _host: &Host, _before: &(), _keep: &Keep) -> Result<()> {
        Ok(())
    }

    fn standing(&self, is_undone: &bool, _before: &(), _keep: &Keep) -> Standing {
        if *is_undone { Standing::AsBefore } else { Standing::Ours }
    }

    async fn undo(&self, host: &Host, _before: &(), _keep: &Keep) -> Result<Remains> {
        host.ok(&Command::new("toy").arg("undo").arg(&self.name)).await.map(|_| Remains::new())
    }

    fn awaits(&self, _first: &(), _before: &()) -> Vec<String> {
        if self.name == "service" { vec!["/f".to_owned()] } else { Vec::new() }
    }

    async fn settle(&self, host: &Host, _first: &(), _before: &(), _keep: &Keep) -> Result<Remains> {
        host.ok(&Command::new("toy").arg("settle").arg(&self.name)).await.map(|_| Remains::new())
    }
}

fn spec(name: &str) -> HostSpec {
    HostSpec {
        name: name.to_owned(),
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
    /// A run that made these things on these hosts, one after the other.
    async fn with(made: &[(&str, &str)]) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let id = store.create().unwrap().id;
        let bench = Bench { _folder: folder, store, id, memory: Arc::default() };
        let head = Entry::Run {
            version: VERSION,
            run: bench.id.clone(),
            recipe: "a.rhai".into(),
            parameters: serde_json::json!({}),
            inventory: vec![],
            operator: "tester".into(),
        };
        let run = bench.attempt();
        bench.store.look(&bench.id).unwrap().journal().unwrap().append(vec![head]).await.unwrap();
        for (host, name) in made {
            let host = run.hosts().get(host).unwrap();
            let ops = [Thing { name: (*name).to_owned() }];
            for (_, result) in run.ensure(&Place::default(), std::slice::from_ref(&host), &ops).await {
                result.unwrap();
            }
        }
        run.finish("succeeded").await;
        bench
    }

    fn attempt(&self) -> Arc<Run> {
        let inventory = Inventory { hosts: vec![spec("m1"), spec("m2")], ..Inventory::default() };
        let (events, _) = Events::channel();
        let (cancel, wires) = (CancellationToken::new(), Arc::new(Wires(self.memory.clone())));
        let hosts = Hosts::new(Arc::new(inventory), wires, events.clone(), cancel.clone());
        let journal = self.store.look(&self.id).unwrap().journal().unwrap();
        let (since, state) = (jiff::Timestamp::UNIX_EPOCH, String::new());
        let holder = Holder { run: self.id.clone(), operator: "tester".to_owned(), state, since, dead: None };
        Run::new(self.id.clone(), Mode::Apply { journal, holder }, hosts, events, cancel)
    }

    /// What an undo says to the hosts.
    async fn undo(&self) -> (Result<()>, Vec<String>) {
        let mut registry = Registry::default();
        registry.add(StateVerb::<Thing>::shared());
        let run = self.attempt();
        let plan = UndoPlan::of(&self.store.look(&self.id).unwrap().state().unwrap());
        let from = self.memory.said.lock().unwrap().len();
        let result = run.undo(&registry, &plan).await;
        run.hosts().close().await;
        (result, self.memory.said.lock().unwrap()[from..].to_vec())
    }
}

/// A balancer, and then two services that ask through it, one host after the other.
const ROLLING: [(&str, &str); 6] =
    [("m1", "balancer"), ("m2", "balancer"), ("m1", "/f"), ("m1", "service"), ("m2", "/f/below"), ("m2", "service")];

#[tokio::test]
async fn a_service_runs_as_before_when_what_it_depends_on_goes() {
    let bench = Bench::with(&ROLLING).await;
    let (result, said) = bench.undo().await;
    result.unwrap();
    let (order, end) = said.split_at(8);
    assert!(end.iter().all(|said| said.contains("toy settle")), "{end:?}");
    assert_eq!(
        order,
        [
            "m2: toy undo service",
            "m2: toy undo /f/below",
            "m2: toy settle service",
            "m1: toy undo service",
            "m1: toy undo /f",
            "m1: toy settle service",
            "m2: toy undo balancer",
            "m1: toy undo balancer",
        ]
    );
}

#[tokio::test]
async fn the_next_host_waits_until_the_first_is_back() {
    let bench = Bench::with(&ROLLING).await;
    *bench.memory.failing.lock().unwrap() = Some("m2: toy settle service".to_owned());
    let (result, said) = bench.undo().await;
    assert_eq!(result.unwrap_err().code(), "host.exit");
    assert_eq!(said, ["m2: toy undo service", "m2: toy undo /f/below"]);
    *bench.memory.failing.lock().unwrap() = None;
    let (result, said) = bench.undo().await;
    result.unwrap();
    assert_eq!(said[..2], ["m2: toy settle service", "m1: toy undo service"]);
    assert!(bench.store.look(&bench.id).unwrap().state().unwrap().is_undone());
}
