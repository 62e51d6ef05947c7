//! One thing that cannot be taken back keeps what depends on it, and nothing else.

use std::sync::Arc;

use super::{ensure, set, undo};
use crate::error::Kind;
use crate::event::Event;
use crate::fake::Stage;
use crate::run::{Place, Run};

fn theirs(stage: &Stage, host: &str, key: &str) {
    stage.world.values.lock().unwrap().insert((host.to_owned(), key.to_owned()), "theirs".to_owned());
}

/// What is still there of the run, as `m1 /a`.
fn left(stage: &Stage) -> Vec<String> {
    stage.values().keys().map(|(host, key)| format!("{host} {key}")).collect()
}

async fn made(stage: &Stage, keys: &[&str]) -> Arc<Run> {
    let run = stage.run(None);
    for key in keys {
        assert_eq!(ensure(&run, &["m1"], &set(key, "ours")).await, [Ok(())]);
    }
    run.finish("succeeded").await;
    run
}

#[tokio::test]
async fn a_path_that_is_stuck_keeps_what_is_above_it_and_lets_all_others_go() {
    let mut stage = Stage::new();
    let run = made(&stage, &["/etc/x", "/srv/a", "/srv/a/b", "/srv/ab", "/srv/a/b/c", "/srv/late"]).await;
    theirs(&stage, "m1", "/srv/a/b/c");
    let error = undo(&stage, run.id()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Drift);
    assert_eq!(left(&stage), ["m1 /srv/a", "m1 /srv/a/b", "m1 /srv/a/b/c"]);
    let mut said = Vec::new();
    while let Ok(stamped) = stage.told.try_recv() {
        if let Event::Log { message, .. } = stamped.event {
            said.push(message);
        }
    }
    assert!(said.contains(&"2 earlier changes stay until that is taken back".to_owned()), "{said:?}");

    // The next undo tries it again, and what waited for it.
    assert_eq!(undo(&stage, run.id()).await.unwrap_err().kind(), Kind::Drift);
    assert_eq!(left(&stage).len(), 3);
    stage.world.values.lock().unwrap().insert(("m1".into(), "/srv/a/b/c".into()), "ours".into());
    undo(&stage, run.id()).await.unwrap();
    assert!(stage.values().is_empty());
    assert!(stage.state(run.id()).is_undone());
}

#[tokio::test]
async fn what_is_no_path_keeps_all_that_came_before_it_on_its_host() {
    let stage = Stage::new();
    let run = stage.run(None);
    for key in ["/etc/before", "unit", "/etc/after"] {
        ensure(&run, &["m1", "m2"], &set(key, "ours")).await;
    }
    run.finish("succeeded").await;
    theirs(&stage, "m1", "unit");
    assert_eq!(undo(&stage, run.id()).await.unwrap_err().host(), Some("m1"));
    assert_eq!(left(&stage), ["m1 /etc/before", "m1 unit"]);
}

/// What waits for something stuck keeps others in its turn: the unit has the file that stays, and needs its folder.
#[tokio::test]
async fn what_stays_with_something_stuck_keeps_what_came_before_it() {
    let stage = Stage::new();
    let run = made(&stage, &["/etc/first", "package", "/etc/conf", "/etc/other"]).await;
    theirs(&stage, "m1", "/etc/conf");
    undo(&stage, run.id()).await.unwrap_err();
    assert_eq!(left(&stage), ["m1 /etc/conf", "m1 /etc/first", "m1 package"]);
}

#[tokio::test]
async fn a_failed_undo_has_touched_something_and_an_unreachable_host_has_not() {
    let stage = Stage::new();
    let run = made(&stage, &["/etc/conf", "/etc/other"]).await;
    let attempt = async |down: bool| {
        let again = stage.run(Some(run.id()));
        let plan = crate::run::UndoPlan::of(&stage.state(run.id()));
        if down {
            stage.world.down.lock().unwrap().insert("m1".to_owned());
        }
        let error = again.undo(&super::registry(), &plan).await.unwrap_err();
        again.finish("failed").await;
        stage.world.down.lock().unwrap().clear();
        (error.kind(), again.has_touched(), again.totals("failed").unreachable)
    };
    assert_eq!(attempt(true).await, (Kind::Unreachable, false, 1), "it is asked once");
    theirs(&stage, "m1", "/etc/conf");
    theirs(&stage, "m1", "/etc/other");
    assert_eq!(attempt(false).await, (Kind::Drift, true, 0));
}

/// A step on both hosts, marked or not, then a unit on one that is stuck; the other host has been there before too.
async fn cluster(stage: &Stage, together: usize) -> Arc<Run> {
    let run = stage.run(None);
    let hosts: Vec<_> = ["m1", "m2"].map(|name| run.hosts().get(name).unwrap()).into();
    ensure(&run, &["m1", "m2"], &set("/etc/before", "ours")).await;
    let place = Place { recipe: String::new(), step: vec!["etcd".to_owned(), "start".to_owned()], together };
    for result in run.ensure(&place, &hosts, &[set("etcd", "ours")]).await {
        result.1.unwrap();
    }
    ensure(&run, &["m1"], &set("kubelet", "ours")).await;
    ensure(&run, &["m2"], &set("/etc/later", "ours")).await;
    run.finish("failed").await;
    run
}

#[tokio::test]
async fn hosts_that_need_a_stuck_one_keep_what_came_before_too() {
    let stage = Stage::new();
    let run = cluster(&stage, 1).await;
    assert_eq!(stage.state(run.id()).changes[&3].together, ["etcd"]);
    theirs(&stage, "m1", "kubelet");
    undo(&stage, run.id()).await.unwrap_err();
    assert_eq!(left(&stage), ["m1 /etc/before", "m1 etcd", "m1 kubelet", "m2 /etc/before", "m2 etcd"]);
    stage.world.values.lock().unwrap().insert(("m1".into(), "kubelet".into()), "ours".into());
    undo(&stage, run.id()).await.unwrap();
    assert!(stage.values().is_empty());
}

#[tokio::test]
async fn hosts_that_do_not_need_a_stuck_one_go_on() {
    let stage = Stage::new();
    let run = cluster(&stage, 0).await;
    theirs(&stage, "m1", "kubelet");
    undo(&stage, run.id()).await.unwrap_err();
    assert_eq!(left(&stage), ["m1 /etc/before", "m1 etcd", "m1 kubelet"]);
}

/// Once the step itself is taken back nobody needs the host for it any more.
#[tokio::test]
async fn a_step_that_is_taken_back_binds_nobody() {
    let stage = Stage::new();
    let run = cluster(&stage, 1).await;
    theirs(&stage, "m1", "/etc/before");
    undo(&stage, run.id()).await.unwrap_err();
    assert_eq!(left(&stage), ["m1 /etc/before"]);
}
