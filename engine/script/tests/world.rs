//! The toy module keeps the contracts of verbs: a run changes the world, a second one does not, and a plan never does.

#![allow(clippy::unwrap_used)]

mod toy;

use std::sync::Arc;

use haengine_kernel::error::Result;
use haengine_kernel::event::Events;
use haengine_kernel::inventory::{SecretRef, SecretSource};
use haengine_kernel::journal::Store;
use haengine_kernel::lock::Holder;
use haengine_kernel::run::{Mode, Run};
use haengine_kernel::secret::Secret;
use haengine_script::{Fault, Prompt, Sources, Surroundings};
use tokio_util::sync::CancellationToken;
use toy::{Failure, World};

struct Nobody;

impl Prompt for Nobody {
    fn confirm(&self, _question: &str) -> Result<bool> {
        Ok(false)
    }
}

impl SecretSource for Nobody {
    fn resolve(&self, _reference: &SecretRef) -> Result<Secret> {
        Ok(Secret::new(String::new()))
    }
}

/// Runs `main` with this body; how many changes it made or planned.
async fn run(world: &Arc<World>, plan: bool, body: &str) -> Result<u64, Fault> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.rhai");
    std::fs::write(&file, format!("fn main() {{\n    {body}\n}}\n")).unwrap();
    let recipe = toy::library().load(&Sources::default(), file.to_str().unwrap())?;
    let (events, _reader) = Events::channel();
    let cancel = CancellationToken::new();
    let mode = if plan { Mode::Plan } else { apply(folder.path()) };
    let run = Run::new("r".into(), mode, toy::hosts(world, events.clone(), cancel.clone()), events, cancel);
    let nobody = Arc::new(Nobody);
    let bound = recipe.bind(&[], &toy::inventory(), &Nobody, None)?;
    let surroundings = Surroundings { run: run.clone(), prompt: nobody.clone(), secrets: nobody, forks: 4 };
    let result = recipe.run(bound, surroundings).await;
    let totals = run.finish("succeeded").await;
    result.map(|()| totals.changed)
}

fn apply(folder: &std::path::Path) -> Mode {
    let run = Store::open(folder).unwrap().create().unwrap();
    let (since, state) = (jiff::Timestamp::UNIX_EPOCH, String::new());
    let holder = Holder { run: run.id.clone(), operator: "tester".to_owned(), state, since, dead: None };
    Mode::Apply { journal: run.journal().unwrap(), holder }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_changes_what_its_plan_said_and_the_second_nothing() {
    let world = World::new();
    world.given("master1", "/b", "as it shall be");
    let body = r#"toy::set(group("masters"), "/a", "one", #{ mode: 0o600 });
        toy::set(host("master1"), "/b", "as it shall be");
        toy::act(host("worker1"), "hello", #{ unless: "/said/hello" });"#;
    let before = world.entries();
    assert_eq!(run(&world, true, body).await.unwrap(), 3);
    assert_eq!(world.entries(), before);
    assert_eq!(run(&world, false, body).await.unwrap(), 3);
    assert_eq!(world.content("master2", "/a").unwrap(), "one");
    assert_eq!(world.entry("master1", "/a").unwrap().mode, 0o600);
    assert_eq!(world.content("worker1", "/said/hello").unwrap(), "once");
    assert_eq!(run(&world, false, body).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_can_be_made_to_fail() {
    let world = World::new();
    let body = r#"toy::set(host("master1"), "/a", "one")"#;
    world.fail("master1", Failure::Unreachable);
    assert_eq!(run(&world, false, body).await.unwrap_err().error().code(), "toy.unreachable");
    world.fail("master1", Failure::Command("set"));
    assert_eq!(run(&world, false, body).await.unwrap_err().error().code(), "ssh.exit");
    world.heal("master1");
    assert_eq!(run(&world, false, body).await.unwrap(), 1);
}
