//! The toy module keeps the contracts of verbs: a run changes the world, a second one does not, and a plan never does.

#![allow(clippy::unwrap_used)]

mod toy;

use toy::{Failure, World, run};

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
