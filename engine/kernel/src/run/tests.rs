//! A run's promises, on the in-memory host.

mod broken_off;
mod machines;
mod patience;
mod resume;
mod stuck;

use std::sync::Arc;

use crate::error::Kind;
use crate::event::Status;
use crate::fake::{Set, Stage};
use crate::journal::{Entry, Phase};
use crate::registry::Registry;
use crate::run::{Mode, Place, Run, UndoPlan};
use crate::verb::StateVerb;

fn set(key: &str, value: &str) -> Set {
    Set { key: key.to_owned(), value: value.to_owned() }
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.add(StateVerb::<Set>::shared());
    registry
}

async fn ensure(run: &Arc<Run>, host_names: &[&str], op: &Set) -> Vec<Result<(), Kind>> {
    let hosts: Vec<_> = host_names.iter().map(|name| run.hosts().get(name).unwrap()).collect();
    let results = run.ensure(&Place::default(), &hosts, std::slice::from_ref(op)).await;
    results.into_iter().map(|(_, result)| result.map(|_| ()).map_err(|error| error.kind())).collect()
}

async fn undo(stage: &Stage, id: &str) -> crate::error::Result<()> {
    let run = stage.run(Some(id));
    let plan = UndoPlan::of(&stage.store().look(id).unwrap().state().unwrap());
    let result = run.undo(&registry(), &plan).await;
    run.finish(if result.is_ok() { "succeeded" } else { "failed" }).await;
    result
}

#[tokio::test]
async fn a_plan_touches_nothing_and_lists_what_the_run_changes() {
    let mut stage = Stage::new();
    let plan = stage.plan();
    ensure(&plan, &["m1", "m2"], &set("/a", "1")).await;
    ensure(&plan, &["m1"], &set("/a", "1")).await;
    let planned = stage.changes();
    assert!(stage.values().is_empty());
    let run = stage.run(None);
    ensure(&run, &["m1", "m2"], &set("/a", "1")).await;
    ensure(&run, &["m1"], &set("/a", "1")).await;
    let made: Vec<_> = stage.changes();
    let same = |(host, target, status): &(String, String, Status)| {
        (host.clone(), target.clone(), if *status == Status::Planned { Status::Changed } else { *status })
    };
    assert_eq!(planned.iter().map(same).collect::<Vec<_>>(), made);
    assert_eq!(made.iter().filter(|(_, _, status)| *status == Status::Unchanged).count(), 1);
    assert!(run.has_touched() && !plan.has_touched());
}

#[tokio::test]
async fn undo_restores_and_a_second_undo_changes_nothing() {
    let mut stage = Stage::new();
    stage.world.values.lock().unwrap().insert(("m1".into(), "/a".into()), "old".into());
    let before = stage.values();
    let run = stage.run(None);
    for op in [set("/a", "1"), set("/b", "2"), set("/a", "3")] {
        ensure(&run, &["m1", "m2"], &op).await;
    }
    run.finish("succeeded").await;
    let took = stage.store().summary(run.id()).unwrap().seconds;
    undo(&stage, run.id()).await.unwrap();
    assert_eq!(stage.values(), before);
    let summary = stage.store().summary(run.id()).unwrap();
    assert_eq!((summary.outcome.as_str(), summary.seconds), ("undone", took), "the undo is no part of the run's time");
    stage.changes();
    undo(&stage, run.id()).await.unwrap();
    assert_eq!(stage.changes(), []);
}

#[tokio::test]
async fn a_connection_lost_at_any_write_leaves_what_undo_can_clean_up() {
    for fuse in 0..3 {
        let stage = Stage::new();
        stage.world.values.lock().unwrap().insert(("m1".into(), "/a".into()), "old".into());
        let before = stage.values();
        *stage.world.fuse.lock().unwrap() = Some(fuse);
        let run = stage.run(None);
        assert_eq!(ensure(&run, &["m1"], &set("/a", "new")).await, [Err(Kind::Unreachable)]);
        run.finish("failed").await;
        *stage.world.fuse.lock().unwrap() = None;
        let state = stage.store().look(run.id()).unwrap().state().unwrap();
        assert!(matches!(state.changes[&1].phase, Phase::Failed(_)), "fuse {fuse}");
        undo(&stage, run.id()).await.unwrap();
        assert_eq!(stage.values(), before, "fuse {fuse}");
    }
}

#[tokio::test]
async fn what_somebody_else_changed_since_is_not_overwritten() {
    let stage = Stage::new();
    let run = stage.run(None);
    ensure(&run, &["m1", "m2"], &set("/a", "1")).await;
    run.finish("succeeded").await;
    stage.world.values.lock().unwrap().insert(("m1".into(), "/a".into()), "theirs".into());
    let error = undo(&stage, run.id()).await.unwrap_err();
    assert_eq!((error.kind(), error.host()), (Kind::Drift, Some("m1")));
    assert_eq!(stage.value("m1", "/a").as_deref(), Some("theirs"));
    assert_eq!(stage.value("m2", "/a"), None, "the other host goes on");
    stage.world.values.lock().unwrap().insert(("m1".into(), "/a".into()), "1".into());
    undo(&stage, run.id()).await.unwrap();
    assert!(stage.values().is_empty());
}

#[tokio::test]
async fn an_unreachable_host_is_counted_once_and_the_others_finish() {
    let stage = Stage::new();
    stage.world.down.lock().unwrap().insert("m2".to_owned());
    let run = stage.run(None);
    for key in ["/a", "/b"] {
        assert_eq!(ensure(&run, &["m1", "m2"], &set(key, "1")).await, [Ok(()), Err(Kind::Unreachable)]);
    }
    let totals = run.finish("failed").await;
    assert_eq!((totals.changed, totals.unreachable, totals.failed), (2, 1, 0));
}

#[tokio::test]
async fn a_later_run_on_the_same_target_is_undone_first() {
    let stage = Stage::new();
    let (first, second) = (stage.run(None), stage.run(None));
    ensure(&first, &["m1"], &set("/a", "1")).await;
    first.finish("succeeded").await;
    ensure(&second, &["m1"], &set("/a/b", "2")).await;
    second.finish("succeeded").await;
    let plan = UndoPlan::of(&stage.store().look(first.id()).unwrap().state().unwrap());
    let error = plan.refuse_if_built_upon(&stage.store(), first.id()).unwrap_err();
    assert!(error.message().contains(second.id()), "{error}");
    undo(&stage, second.id()).await.unwrap();
    plan.refuse_if_built_upon(&stage.store(), first.id()).unwrap();
}

/// The clock went back between two runs: the later one has the lower id.
#[tokio::test]
async fn the_later_of_two_runs_is_undone_first_whatever_the_clock_said() {
    let stage = Stage::new();
    let made = async |value: &str, id: &str| {
        let run = stage.run(None);
        ensure(&run, &["m1"], &set("/a", value)).await;
        run.finish("succeeded").await;
        let path = stage.store().look(run.id()).unwrap().path;
        std::fs::rename(&path, path.with_file_name(id)).unwrap();
    };
    made("1", "20260314-120000-kqzt").await;
    made("2", "20260314-110000-kqzt").await;
    let plan = |id: &str| UndoPlan::of(&stage.store().look(id).unwrap().state().unwrap());
    let refused = |id: &str| plan(id).refuse_if_built_upon(&stage.store(), id).map_err(|error| error.code());
    assert_eq!(refused("20260314-120000-kqzt"), Err("undo.built_upon"));
    assert_eq!(refused("20260314-110000-kqzt"), Ok(()));
    undo(&stage, "20260314-110000-kqzt").await.unwrap();
    assert_eq!(refused("20260314-120000-kqzt"), Ok(()));
    undo(&stage, "20260314-120000-kqzt").await.unwrap();
    assert!(stage.values().is_empty());
}

#[tokio::test]
async fn calls_beside_each_other_on_one_target_are_one_after_the_other() {
    let stage = Stage::new();
    let before = stage.values();
    let run = stage.run(None);
    let (one, two) = (set("/a", "1"), set("/a", "2"));
    futures::join!(ensure(&run, &["m1", "m2"], &one), ensure(&run, &["m2", "m1"], &two));
    run.finish("succeeded").await;
    let found: Vec<_> = stage
        .store()
        .look(run.id())
        .unwrap()
        .state()
        .unwrap()
        .changes
        .into_values()
        .map(|change| change.before)
        .collect();
    assert_eq!(found.iter().filter(|before| before.is_null()).count(), 2, "each host was found empty once: {found:?}");
    undo(&stage, run.id()).await.unwrap();
    assert_eq!(stage.values(), before);
}

#[tokio::test]
async fn a_run_that_died_with_its_guards_holds_them_until_they_are_let_go() {
    let stage = Stage::new();
    let run = stage.run(None);
    let Mode::Apply { journal, .. } = &run.mode else { unreachable!() };
    let guarded = Entry::Guarded { op: "toy.gone".into(), host: "m1".into(), arguments: serde_json::Value::Null };
    journal.append(vec![guarded]).await.unwrap();
    let plan = || UndoPlan::of(&stage.store().look(run.id()).unwrap().state().unwrap());
    assert!(plan().is_empty() && plan().is_held(), "it may have died just now");
    assert!(run.let_go(&registry(), &plan()).await.is_err(), "nobody knows this guard");
    assert!(plan().is_held(), "it is not let go");
    run.finish("failed").await;
    assert!(!plan().is_held(), "a run that ends has let them go itself");
}

#[tokio::test]
async fn an_interrupted_run_starts_nothing_more() {
    let stage = Stage::new();
    let run = stage.run(None);
    stage.cancel.cancel();
    assert_eq!(ensure(&run, &["m1"], &set("/a", "1")).await, [Err(Kind::Cancelled)]);
    assert!(stage.values().is_empty() && !run.has_touched());
}
