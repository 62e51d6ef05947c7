//! A run from its beginning to its end, through the crate's own front door, on hosts that are maps in memory.

#![allow(clippy::unwrap_used)]

#[path = "../../script/tests/toy/mod.rs"]
mod toy;

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
use toy::{Failure, Wires, World};

/// Agrees to everything, unless told otherwise.
struct Operator {
    events: Events,
    cancel: Cancel,
    declines: AtomicBool,
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
struct Site {
    folder: TempDir,
    world: Arc<World>,
    person: Arc<Operator>,
    workshop: Workshop,
    told: UnboundedReceiver<Stamped>,
}

const SITE: &str = "hosts: { master1: , master2: }\ngroups: { masters: [master1, master2] }\n";

const GREET: &str =
    r#"toy::set(host("master1"), "/a", "one"); step("greet", || toy::set(host("master2"), "/b", "two"));"#;

impl Site {
    fn new(body: &str) -> Site {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("site.yaml"), SITE).unwrap();
        let (events, told) = Events::channel();
        let person = Arc::new(Operator { events, cancel: Cancel::new(), declines: AtomicBool::new(false) });
        let world = World::new();
        let there = world.clone();
        let way = move |_, _| -> Arc<dyn Connect> { Arc::new(Wires(there.clone())) };
        let workshop = Workshop {
            inventory: vec![folder.path().join("site.yaml")],
            ..Workshop::new(person.clone(), || vec![toy::module()], Sources::default(), way)
        };
        let site = Site { folder, world, person, workshop, told };
        site.write(body);
        site
    }

    fn recipe(&self) -> PathBuf {
        self.folder.path().join("greet.rhai")
    }

    fn write(&self, body: &str) {
        std::fs::write(self.recipe(), format!("fn main() {{\n    {body}\n}}\n")).unwrap();
    }

    fn prepare(&self) -> std::result::Result<Prepared, Refusal> {
        self.workshop.prepare(self.recipe().to_str().unwrap(), &[])
    }

    fn runs(&self) -> Runs<'_> {
        Runs::new(&self.workshop, self.store())
    }

    fn store(&self) -> Store {
        Store::open(&self.folder.path().join("state")).unwrap()
    }

    fn newest(&self) -> String {
        self.store().ids().unwrap().remove(0)
    }

    /// The commands that began, and the outcomes in which they ended, since it was last asked.
    fn told(&mut self) -> Vec<String> {
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

const FAILED: End = End::Failed { kind: Kind::Failed, touched: true };

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_is_planned_run_taken_back_and_forgotten() {
    let mut site = Site::new(GREET);
    let (end, totals) = site.workshop.plan(site.prepare().unwrap()).await;
    assert_eq!((end, totals.changed, site.world.entries().len()), (End::Done, 2, 0));
    assert_eq!(site.runs().run(site.prepare().unwrap(), None).await.unwrap(), End::Done);
    assert_eq!(site.world.content("master2", "/b").unwrap(), "two");
    assert_eq!(site.told(), ["plan", "succeeded", "run", "succeeded"]);
    assert_eq!(site.runs().resume(&site.newest(), None).await.unwrap(), End::Done);
    assert_eq!(site.runs().undo(&site.newest(), &[]).await.unwrap(), End::Done);
    assert!(site.world.entries().is_empty());
    assert_eq!(site.runs().undo(&site.newest(), &[]).await.unwrap(), End::Done);
    assert_eq!(site.runs().forget(&site.newest(), &[]).await.unwrap(), End::Done);
    assert_eq!(site.told(), ["resume", "succeeded", "undo", "succeeded", "undo", "succeeded", "forget", "succeeded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_fail_is_refused_before_anything_is_begun() {
    let site = Site::new("toy::sett(host(\"master1\"), \"/a\", \"one\");");
    let Err(Refusal::Findings(findings)) = site.prepare() else { panic!("it must be refused") };
    assert_eq!(findings.len(), 1);
    assert!(site.store().ids().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_failed_is_found_and_goes_on() {
    let mut site = Site::new(GREET);
    site.world.fail("master2", Failure::Command("set"));
    assert_eq!(site.runs().run(site.prepare().unwrap(), None).await.unwrap(), FAILED);
    let failed = site.newest();
    site.world.heal("master2");
    let prepared = site.prepare().unwrap();
    let found = site.runs().find(&prepared).unwrap().unwrap();
    assert!(found.agree(site.person.as_ref()).unwrap());
    assert_eq!(site.runs().go_on(found, prepared, None).await.unwrap(), End::Done);
    assert_eq!((site.newest(), site.store().summary(&failed).unwrap().attempts), (failed, 2));
    assert_eq!(site.told(), ["run", "host.exit", "failed", "resume", "succeeded"]);
    assert!(site.runs().find(&site.prepare().unwrap()).unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_failed_is_resumed_with_what_it_was_made_of() {
    let site = Site::new(GREET);
    site.world.fail("master2", Failure::Command("set"));
    assert_eq!(site.runs().run(site.prepare().unwrap(), None).await.unwrap(), FAILED);
    site.world.heal("master2");
    site.write("toy::set(host(\"master1\"), \"/other\", \"another recipe by now\");");
    assert_eq!(site.runs().resume(&site.newest(), None).await.unwrap(), End::Done);
    assert_eq!(site.world.content("master2", "/b").unwrap(), "two");
    assert!(site.world.content("master1", "/other").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_no_to_an_undo_is_left_alone() {
    let site = Site::new(GREET);
    site.runs().run(site.prepare().unwrap(), None).await.unwrap();
    site.person.declines.store(true, Ordering::Relaxed);
    let Err(Refusal::Fault(fault)) = site.runs().undo(&site.newest(), &[]).await else { panic!("it was declined") };
    assert_eq!(fault.error().code(), haengine_runs::undo::DECLINED);
    assert_eq!(site.world.entries().len(), 2);
}

/// Wishes one thing after the other; the world is mended before the first.
struct Mechanic<'a> {
    site: &'a Site,
    wishes: Vec<Wish>,
    edit: Option<&'a str>,
    heard: Vec<String>,
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
async fn mended(site: &Site, wish: Wish, edit: Option<&str>) -> (End, Vec<String>) {
    site.world.fail("master2", Failure::Command("set"));
    let mut mechanic = Mechanic { site, wishes: vec![wish], edit, heard: Vec::new() };
    let end = site.runs().run(site.prepare().unwrap(), Some(&mut mechanic)).await.unwrap();
    (end, mechanic.heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_is_retried_passed_over_or_taken_back() {
    let site = Site::new(GREET);
    let (end, heard) = mended(&site, Wish::Retry, None).await;
    assert_eq!((end, heard.join(", ").as_str()), (End::Done, "greet, turned away"));
    assert_eq!(site.world.content("master2", "/b").unwrap(), "two");

    let site = Site::new(GREET);
    assert_eq!(mended(&site, Wish::Skip, None).await.0, End::Done);
    assert!(site.world.content("master2", "/b").is_none());

    let mut site = Site::new(GREET);
    assert_eq!(mended(&site, Wish::Undo, None).await.0, FAILED);
    assert!(site.world.entries().is_empty());
    assert_eq!(site.told(), ["run", "undo", "succeeded"]);
    assert_eq!(mended(&site, Wish::Leave, None).await.0, FAILED);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_recipe_begins_at_the_top_of_the_same_run() {
    let site = Site::new(GREET);
    let edited =
        r#"toy::set(host("master1"), "/a", "one"); step("greet", || toy::set(host("master2"), "/c", "three"));"#;
    let (end, heard) = mended(&site, Wish::Retry, Some(edited)).await;
    assert_eq!(end, End::Done);
    assert!(heard.contains(&"the recipe was edited: version 2 begins at the top".to_owned()), "{heard:?}");
    assert_eq!((site.world.content("master2", "/c").unwrap(), site.store().ids().unwrap().len()), ("three".into(), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_a_run_like_any_other_and_leave_no_trace_without_changes() {
    let site = Site::new(GREET);
    let runs = site.runs();
    let line = |room: &Room<'_>, line: &str| {
        let repl = room.repl().clone();
        let line = line.to_owned();
        tokio::task::spawn_blocking(move || repl.lock().unwrap().evaluate(&line).map(drop))
    };
    let mut room = Room::open(&runs, site.workshop.inventory().unwrap()).await.unwrap();
    line(&room, r#"toy::set(master1, "/a", "one")"#).await.unwrap().unwrap();
    assert!(room.has_touched());
    assert_eq!(room.take_back(true).await.unwrap(), End::Done);
    assert!(site.world.entries().is_empty() && !room.has_touched());
    room.leave("succeeded").await;
    let ids = site.store().ids().unwrap();
    assert_eq!(ids.len(), 1, "the run that changed nothing has gone");
    assert_eq!(site.store().summary(&ids[0]).unwrap().outcome, "undone");
}
