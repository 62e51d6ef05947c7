//! The toy module keeps the contracts of verbs: a run changes the world, a second one does not, and a plan never does.

#![allow(clippy::unwrap_used)]

mod toy;

use haengine_kernel::error::Kind;
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
async fn checks_are_done_beside_each_other_and_never_touch() {
    let world = World::new();
    let body = r#"let span = 0.4;
        preflight("the hosts", group("all").map(|h| check(h.name, || { sleep(span); toy::get(h, "/a") })));
        preflight("they refuse", [check("one", || false), check("two", || toy::get(host("master1"), "/a"))]);
        toy::set(host("master1"), "/a", "never");"#;
    for plan in [true, false] {
        let started = std::time::Instant::now();
        let fault = run(&world, plan, body).await.unwrap_err();
        assert_eq!((fault.error().code(), fault.error().kind()), ("preflight.refused", Kind::Refused));
        let seconds = started.elapsed().as_secs_f64();
        assert!((0.4..1.1).contains(&seconds), "three checks of 0.4 s took {seconds} s");
        assert!(world.entries().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_can_be_made_to_fail() {
    let world = World::new();
    let body = r#"toy::set(host("master1"), "/a", "one")"#;
    world.fail("master1", Failure::Unreachable);
    assert_eq!(run(&world, false, body).await.unwrap_err().error().code(), "toy.unreachable");
    world.fail("master1", Failure::Command("set"));
    assert_eq!(run(&world, false, body).await.unwrap_err().error().code(), "host.exit");
    world.heal("master1");
    assert_eq!(run(&world, false, body).await.unwrap(), 1);
}
