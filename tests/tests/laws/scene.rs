//! One case: a lane, a user, and a state folder of its own.

use std::cell::Cell;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::event::{Event, Events, Stamped, Status, Totals};
use haengine_kernel::host::Hosts;
use haengine_kernel::inventory::{Inventory, SecretRef, SecretSource};
use haengine_kernel::journal::{Entry, RunFolder, State, Store, VERSION};
use haengine_kernel::lock::{DeadRuns, Holder};
use haengine_kernel::run::{Mode, Run, UndoPlan};
use haengine_kernel::secret::Secret;
use haengine_script::{Library, Prompt, Sources, Surroundings};
use haengine_stdlib::ssh::client::{Options, SshConnector};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::Law;
use crate::lane::Lane;
use crate::manifest::{Difference, Manifest};
use crate::stage::{Stage, said};
use crate::wire::{Wire, Wired};

/// Who logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// `root`.
    Root,
    /// `operator`, who becomes root with sudo and is not asked.
    Sudo,
    /// `keeper`, whom sudo asks for the password.
    Password,
}

impl User {
    pub fn name(self) -> &'static str {
        match self {
            User::Root => "root",
            User::Sudo => "sudo",
            User::Password => "password",
        }
    }

    fn defaults(self) -> &'static str {
        match self {
            User::Root => "user: root",
            User::Sudo => "user: operator, become: true",
            User::Password => "user: keeper, become: true, become_password: \"env:SUDO\"",
        }
    }
}

/// What stands for a secret: a word that is nowhere else.
pub const CANARY: &str = "laws-canary-7f2e9c";

/// How an example says that it needs an API.
pub const WITH_API: &str = "k8s_cluster";

/// What it may then ask for.
const API: &str = include_str!("k8s.sh");

/// Knows the canary and the password for sudo, and agrees to everything.
struct Operator;

impl SecretSource for Operator {
    fn resolve(&self, reference: &SecretRef) -> Result<Secret> {
        match reference {
            SecretRef::Environment(name) if name == "CANARY" => Ok(Secret::new(CANARY.to_owned())),
            SecretRef::Environment(name) if name == "SCRIPT" => {
                Ok(Secret::new(format!("umask 077\n: {CANARY}\nsleep 0.1\n")))
            }
            SecretRef::Environment(name) if name == "SUDO" => Ok(Secret::new("lab-password".to_owned())),
            _ => Err(Error::new(Kind::Usage, "secret.missing", "there is no such secret")),
        }
    }
}

impl Prompt for Operator {
    fn confirm(&self, _question: &str) -> Result<bool> {
        Ok(true)
    }
}

/// A case.
pub struct Scene<'a> {
    pub stage: &'a Stage,
    pub lane: &'a Lane,
    folder: TempDir,
    inventory: Arc<Inventory>,
    library: Library,
    /// Whether runs hide the canary wherever it occurs.
    hides: Cell<bool>,
}

/// What a plan, a run or an undo told.
pub struct Told {
    pub run: String,
    pub result: Law,
    pub totals: Totals,
    pub events: Vec<Stamped>,
}

/// What hosts are.
pub type Looks = Vec<(String, Manifest)>;

/// Op, host, target.
pub type What = (String, String, String);

impl<'a> Scene<'a> {
    pub fn new(stage: &'a Stage, lane: &'a Lane, user: User) -> Law<Scene<'a>> {
        let [a, b] = lane.specs();
        let text = format!(
            "defaults: {{ {}, identity_file: {}, known_hosts: {} }}\nhosts: {{ {}: {{ address: {} }}, {}: {{ address: {} }} }}",
            user.defaults(),
            stage.lab.identity().display(),
            stage.lab.known_hosts().display(),
            a.name,
            a.address,
            b.name,
            b.address
        );
        let inventory = Inventory::parse(&text, &PathBuf::from("laws.yaml"), None).map_err(said)?;
        let library = Library::new(haengine_stdlib::modules(), CancellationToken::new());
        let folder = tempfile::tempdir().map_err(said)?;
        Ok(Scene { stage, lane, folder, inventory: inventory.into(), library, hides: Cell::new(false) })
    }

    /// From now on runs hide the canary wherever it occurs, as real ones do with all secrets that they are given. Without
    /// that a secret must stay where it belongs by itself.
    pub fn hide(&self) {
        self.hides.set(true);
    }

    /// What runs left on this machine.
    pub fn state_folder(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Prepares `h` as an example wishes.
    pub fn given(&self, script: &str) -> Law {
        let script = if script.contains(WITH_API) { format!("set -e\n{API}\n{script}") } else { script.to_owned() };
        self.stage.sh(self.lane.hosts()[0], &script, &[]).map(|_| ())
    }

    /// What the hosts are that `code` speaks of.
    pub fn look(&self, code: &str) -> Law<Looks> {
        let [h, h2] = self.lane.hosts();
        let hosts = if code.contains("h2") { vec![h, h2] } else { vec![h] };
        hosts.into_iter().map(|host| Ok((host.to_owned(), Manifest::of(self.stage, host)?))).collect()
    }

    /// Fails with each item that a plan or a read touched.
    pub fn untouched(&self, looks: &Looks, when: &str) -> Law {
        self.same(looks, when, |_| true)
    }

    /// Fails with each item that undo did not bring back.
    pub fn brought_back(&self, looks: &Looks, when: &str) -> Law {
        self.same(looks, when, |difference| {
            !difference.is_bookkeeping() && !difference.is_aside() && !difference.is_of_a_member()
        })
    }

    fn same(&self, looks: &Looks, when: &str, counts: impl Fn(&Difference) -> bool) -> Law {
        for (host, expected) in looks {
            if let Some(differences) = Manifest::settled(self.stage, host, expected, &counts)? {
                let shown: Vec<String> = differences.iter().take(12).map(|d| format!("    {d}")).collect();
                let more = differences.len().saturating_sub(shown.len());
                return Err(format!("{when}, {host} is not as it was:\n{}\n    … and {more} more", shown.join("\n")));
            }
        }
        Ok(())
    }

    /// Plans a recipe whose `main` evaluates `code`. What it gives is in the events.
    pub fn plan(&self, code: &str) -> Law<Told> {
        self.perform(code, "plan".to_owned(), |_| Ok(Mode::Plan), &Wire::whole())
    }

    pub fn run(&self, code: &str) -> Law<Told> {
        self.run_over(code, &Wire::whole())
    }

    pub fn run_over(&self, code: &str, wire: &Arc<Wire>) -> Law<Told> {
        let folder = self.store()?.create().map_err(said)?;
        let id = folder.id.clone();
        let told = self.perform(code, id, |_| self.mode(&folder, Some(head(&folder.id))), wire);
        drop(folder);
        told
    }

    /// The journal of a run.
    pub fn journal(&self, run: &str) -> Law<State> {
        self.store()?.look(run).and_then(|folder| folder.state()).map_err(said)
    }

    /// Undoes a run; none when nothing is left to take back.
    pub fn undo(&self, run: &str) -> Law<Option<Told>> {
        self.take_back(run, &Wire::whole(), true)
    }

    /// The same where somebody else works on the hosts too: what stays is theirs.
    pub fn undo_over(&self, run: &str, wire: &Arc<Wire>) -> Law<Option<Told>> {
        self.take_back(run, wire, false)
    }

    fn take_back(&self, run: &str, wire: &Arc<Wire>, is_alone: bool) -> Law<Option<Told>> {
        let folder = self.enter(run)?;
        let plan = UndoPlan::of(&folder.state().map_err(said)?);
        if plan.is_empty() {
            return Ok(None);
        }
        plan.refuse_if_built_upon(&self.store()?, run).map_err(said)?;
        self.stage.runtime.block_on(async {
            let (events, mut reader) = Events::channel();
            let mode = self.mode(&folder, None)?;
            let undo = self.begin(run.to_owned(), mode, &events, wire);
            let mut result = undo.undo(self.library.registry(), &plan).await.map_err(full);
            if result.is_ok() && is_alone {
                result = self.forget_aside(&undo, &folder).await;
            }
            let totals = undo.finish(if result.is_ok() { "succeeded" } else { "failed" }).await;
            Ok(Some(Told { run: run.to_owned(), result, totals, events: drain(&mut reader) }))
        })
    }

    /// Where nobody else is at work nothing is left but what goes aside by rule, and that stays until the run is forgotten.
    async fn forget_aside(&self, undo: &Run, folder: &RunFolder) -> Law {
        let state = folder.state().map_err(said)?;
        let remains: Vec<_> = state.changes.values().flat_map(|change| &change.remains).collect();
        if let Some(left) = remains.iter().find(|remnant| !remnant.by_rule) {
            return Err(format!("undo leaves what it cannot prove to be the run's: {}", left.line()));
        }
        if remains.is_empty() { Ok(()) } else { undo.forget(&state, "laws", &[]).await.map_err(full) }
    }

    pub fn library(&self) -> &Library {
        &self.library
    }

    fn perform(&self, code: &str, id: String, mode: impl Fn(()) -> Law<Mode>, wire: &Arc<Wire>) -> Law<Told> {
        let file = self.folder.path().join("laws.rhai");
        let [h, h2] = self.lane.hosts();
        let text = format!(
            "fn params() {{ #{{ s: param::secret(\"A canary.\"), t: param::secret(\"A script.\") }} }}\n\
             fn main(p) {{\n    let s = p.s;\n    let t = p.t;\n    let h = host(\"{h}\");\n    let h2 = host(\"{h2}\");\n    \
             log(#{{ gives: {code} }});\n}}\n"
        );
        std::fs::write(&file, text).map_err(said)?;
        self.write_local().map_err(said)?;
        let recipe = self.library.load(&Sources::default(), &file.to_string_lossy()).map_err(|f| f.draw(false))?;
        let pairs = [("s", "env:CANARY"), ("t", "env:SCRIPT")].map(|(name, place)| (name.to_owned(), place.to_owned()));
        let bound = recipe.bind(&pairs, &self.inventory, &Operator, None).map_err(|f| f.draw(false))?;
        self.stage.runtime.block_on(async {
            let (events, mut reader) = Events::channel();
            if self.hides.get() {
                events.known().add(&Secret::new(CANARY.to_owned()));
            }
            let run = self.begin(id.clone(), mode(())?, &events, wire);
            let (prompt, secrets) = (Arc::new(Operator), Arc::new(Operator));
            let surroundings = Surroundings { run: run.clone(), prompt, secrets, forks: 4 };
            let result = recipe.run(bound, surroundings).await.map_err(|fault| fault.draw(false));
            let totals = run.finish(if result.is_ok() { "succeeded" } else { "failed" }).await;
            Ok(Told { run: id, result, totals, events: drain(&mut reader) })
        })
    }

    /// What is beside the recipe: a template, a program, and a folder with something in it.
    fn write_local(&self) -> std::io::Result<()> {
        let path = |name: &str| self.folder.path().join(name);
        std::fs::write(path("demo.j2"), "token={{ token }}\n")?;
        std::fs::write(path("tool"), "#!/bin/sh\nexit 0\n")?;
        std::fs::set_permissions(path("tool"), std::fs::Permissions::from_mode(0o755))?;
        std::fs::create_dir_all(path("folder/inner"))?;
        std::fs::write(path("folder/one"), "one\n")?;
        std::fs::write(path("folder/inner/two"), "two\n")
    }

    fn begin(&self, id: String, mode: Mode, events: &Events, wire: &Arc<Wire>) -> Arc<Run> {
        let spool = self.folder.path().to_owned();
        let options = Options { agent_socket: None, spool, notices: Arc::new(|_| {}) };
        let inner = Arc::new(SshConnector::new(self.inventory.clone(), Arc::new(Operator), options));
        let (connector, cancel) = (Arc::new(Wired { inner, wire: wire.clone() }), CancellationToken::new());
        let hosts = Hosts::new(self.inventory.clone(), connector, events.clone(), cancel.clone());
        Run::new(id, mode, hosts, events.clone(), cancel)
    }

    fn mode(&self, folder: &RunFolder, head: Option<Entry>) -> Law<Mode> {
        let journal = folder.journal().map_err(said)?;
        if let Some(head) = head {
            futures::executor::block_on(journal.append(vec![head])).map_err(said)?;
        }
        let holder = Holder {
            run: folder.id.clone(),
            operator: "laws".to_owned(),
            state: self.state_folder().display().to_string(),
            since: jiff::Timestamp::now(),
            // A run whose connection was cut is as dead as one whose process was killed.
            dead: Some(DeadRuns(Arc::new(|_| true))),
        };
        Ok(Mode::Apply { journal, holder })
    }

    /// A process that another case starts at this moment holds the run's lock until it has become a program.
    fn enter(&self, run: &str) -> Law<RunFolder> {
        for _ in 0..100 {
            match self.store()?.enter(run.to_owned()) {
                Err(error) if error.kind() == Kind::Locked => std::thread::sleep(Duration::from_millis(10)),
                entered => return entered.map_err(said),
            }
        }
        Err(format!("run {run} never ends"))
    }

    fn store(&self) -> Law<Store> {
        Store::open(&self.state_folder()).map_err(said)
    }
}

impl Told {
    /// The told, if it went well.
    pub fn well(self, what: &str) -> Law<Told> {
        match &self.result {
            Ok(()) => Ok(self),
            Err(error) => Err(format!("{what} failed: {error}")),
        }
    }

    /// What was told of changes of this status, sorted.
    pub fn changes(&self, status: Status) -> Vec<What> {
        let mut changes: Vec<What> = self.told().filter(|told| told.0 == status).map(|told| told.1).collect();
        changes.sort();
        changes
    }

    /// How many changes were told, whatever became of them.
    pub fn count(&self) -> usize {
        self.told().count()
    }

    /// What the example's code evaluated to.
    pub fn gave(&self) -> serde_json::Value {
        let messages = self.events.iter().filter_map(|stamped| match &stamped.event {
            Event::Log { message, .. } => serde_json::from_str::<serde_json::Value>(message).ok(),
            _ => None,
        });
        messages.filter_map(|json| json.get("gives").cloned()).next_back().unwrap_or_default()
    }

    fn told(&self) -> impl Iterator<Item = (Status, What)> {
        self.events.iter().filter_map(|stamped| match &stamped.event {
            Event::Change(change) => {
                Some((change.status, (change.op.clone(), change.host.clone(), change.target.clone())))
            }
            _ => None,
        })
    }
}

fn head(run: &str) -> Entry {
    Entry::Run {
        version: VERSION,
        run: run.to_owned(),
        recipe: "laws.rhai".to_owned(),
        parameters: serde_json::json!({}),
        inventory: vec![],
        operator: "laws".to_owned(),
    }
}

fn drain(reader: &mut tokio::sync::mpsc::UnboundedReceiver<Stamped>) -> Vec<Stamped> {
    std::iter::from_fn(|| reader.try_recv().ok()).collect()
}

/// An error with its causes and its advice.
fn full(error: Error) -> String {
    let causes: String = error.causes().iter().map(|cause| format!("\n    because {cause}")).collect();
    format!("{error} [{}]{causes}\n    hint: {}", error.code(), error.advice().unwrap_or("none"))
}
