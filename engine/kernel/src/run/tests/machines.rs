//! A name that leads to another machine by now.

use std::sync::Arc;

use super::{ensure, registry, set, undo};
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::fake::Stage;
use crate::journal::{Entry, Phase};
use crate::run::{Nobody, Run, UndoPlan};

fn machine(stage: &Stage, host: &str, said: &str, key: &str) {
    stage.world.machines.lock().unwrap().insert(host.to_owned(), (said.to_owned(), key.to_owned()));
}

/// A run that changed two hosts, each a machine of its own.
async fn made(stage: &Stage) -> Arc<Run> {
    machine(stage, "m1", "a1 d1 b1", "k1");
    machine(stage, "m2", "a2 d2 b2", "k2");
    let run = stage.run(None);
    ensure(&run, &["m1", "m2"], &set("/a", "1")).await;
    ensure(&run, &["m1", "m2"], &set("/b", "2")).await;
    run.finish("failed").await;
    run
}

fn replaced(error: &Error) {
    assert_eq!((error.kind(), error.code(), error.host()), (Kind::Refused, "host.replaced", Some("m1")), "{error}");
    assert!(error.message().contains("machine-id was a1 and is a3"), "{error}");
    assert!(error.advice().unwrap().contains("--replaced m1"), "{:?}", error.advice());
}

#[tokio::test]
async fn who_a_host_is_stands_before_its_first_change() {
    let stage = Stage::new();
    let run = made(&stage).await;
    let text = std::fs::read_to_string(stage.store().look(run.id()).unwrap().path.join("journal.jsonl")).unwrap();
    let of_m1: Vec<&str> = text.lines().filter(|line| line.contains("\"m1\"") && !line.contains("succeeded")).collect();
    let told = r#""entry":"host","host":"m1","machine_id":"a1","host_key":"k1","product_uuid":"d1","boot_id":"b1"}"#;
    assert!(of_m1[0].ends_with(told), "{of_m1:?}");
    assert_eq!(text.matches(r#""entry":"host""#).count(), 2, "once a host: {text}");
}

#[tokio::test]
async fn undo_forget_and_resume_leave_another_machine_alone_and_all_other_hosts_too() {
    let stage = Stage::new();
    let run = made(&stage).await;
    machine(&stage, "m1", "a3 d3 b3", "k1");
    let (before, id) = (stage.values(), run.id());
    let lines = || std::fs::read_to_string(stage.store().look(id).unwrap().path.join("journal.jsonl")).unwrap();
    let journal = lines();

    let undoing = stage.run(Some(id));
    let error = undoing.undo(&registry(), &UndoPlan::of(&stage.state(id))).await.unwrap_err();
    replaced(&error);
    assert!(!undoing.has_touched());
    replaced(&stage.run(Some(id)).forget(&stage.state(id), "eve", &[]).await.unwrap_err());
    assert_eq!(lines(), journal, "nothing has begun");
    replaced(&stage.resume(id, Arc::new(Nobody)).await.rejoin().await.unwrap_err());
    assert_eq!(stage.values(), before);

    machine(&stage, "m1", "a1 d1 b9", "k1");
    undo(&stage, id).await.unwrap();
    assert!(stage.values().is_empty());
}

#[tokio::test]
async fn a_new_key_of_the_same_machine_is_said() {
    let mut stage = Stage::new();
    let run = made(&stage).await;
    machine(&stage, "m1", "a1 d1 b1", "k9");
    undo(&stage, run.id()).await.unwrap();
    let mut said = Vec::new();
    while let Ok(stamped) = stage.told.try_recv() {
        if let Event::Log { message, .. } = stamped.event {
            said.push(message);
        }
    }
    let said: Vec<_> = said.iter().filter(|message| message.contains("host key was k1 and is k9")).collect();
    assert_eq!(said.len(), 1, "{said:?}");
}

#[tokio::test]
async fn what_was_on_a_machine_that_is_no_more_is_given_up() {
    let stage = Stage::new();
    let run = made(&stage).await;
    machine(&stage, "m1", "a3 d3 b3", "k3");
    stage.world.down.lock().unwrap().insert("m1".to_owned());
    let journal = stage.store().look(run.id()).unwrap().journal().unwrap();
    journal.append(vec![Entry::GivenUp { host: "m1".into(), operator: "eve".into() }]).await.unwrap();
    let left = UndoPlan::of(&stage.state(run.id()));
    assert!(left.calls.iter().flatten().all(|change| change.key.host == "m2"));
    undo(&stage, run.id()).await.unwrap();
    let state = stage.state(run.id());
    assert!(state.is_undone());
    let phases: Vec<_> = state.changes.values().map(|change| (&*change.key.host, &change.phase)).collect();
    assert!(phases.iter().all(|(host, phase)| (*host == "m1") == (**phase == Phase::GivenUp)), "{phases:?}");
    assert!(stage.value("m2", "/a").is_none() && stage.value("m1", "/a").is_some());
}

#[tokio::test]
async fn hosts_that_say_nothing_are_not_compared() {
    let stage = Stage::new();
    let run = stage.run(None);
    ensure(&run, &["m1"], &set("/a", "1")).await;
    run.finish("succeeded").await;
    machine(&stage, "m1", "a3 d3 b3", "k1");
    undo(&stage, run.id()).await.unwrap();
}

/// The connection breaks, and the name leads elsewhere when it stands again.
#[tokio::test]
async fn a_run_does_not_go_on_with_another_machine() {
    let stage = Stage::new();
    machine(&stage, "m1", "a1 d1 b1", "k1");
    let run = stage.run(None);
    assert_eq!(ensure(&run, &["m1"], &set("/a", "1")).await, [Ok(())]);
    run.hosts().close().await;
    machine(&stage, "m1", "a3 d1 b1", "k1");
    assert_eq!(ensure(&run, &["m1"], &set("/b", "1")).await, [Err(Kind::Refused)]);
    assert!(stage.value("m1", "/b").is_none());
}
