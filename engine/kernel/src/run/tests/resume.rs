//! Runs that die, and go on.

use std::sync::Arc;
use std::sync::Mutex;

use proptest::prelude::*;

use super::{ensure, set, undo};
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Status};
use crate::fake::{Append, Moment, Set, Stage};
use crate::journal::Phase;
use crate::registry::Registry;
use crate::run::{Decide, Decision, Mode, Nobody, Place, Run, UndoPlan, Unfinished};
use crate::value::Value;
use crate::verb::{ActionVerb, StateVerb};

fn append(letter: &str) -> Append {
    Append { key: "/log".to_owned(), letter: letter.to_owned(), unless: None, repeatable: false }
}

async fn act(run: &Arc<Run>, action: &Append) -> Result<Value> {
    let hosts = [run.hosts().get("m1").unwrap()];
    run.act(&Place::default(), &hosts, action).await.pop().unwrap().1
}

/// All that was noted is on disk.
async fn flushed(run: &Run) {
    if let Mode::Apply { journal, .. } = &run.mode {
        journal.append(Vec::new()).await.unwrap();
    }
}

/// Works until it is done or the engine is killed; true when it is done.
async fn until_killed(stage: &Stage, run: &Run, work: impl Future<Output = ()>) -> bool {
    let done = tokio::select! {
        biased;
        () = stage.world.killed.notified() => false,
        () = work => true,
    };
    *stage.world.death.lock().unwrap() = None;
    flushed(run).await;
    done
}

fn kill(stage: &Stage, writes: usize, moment: Moment) {
    *stage.world.death.lock().unwrap() = Some((writes, moment));
}

/// Says the same of every action, and remembers what it was asked.
struct Person(Decision, Mutex<Vec<String>>);

impl Decide for Person {
    fn decide(&self, unfinished: &Unfinished<'_>) -> Result<Decision> {
        self.1.lock().unwrap().push(unfinished.action());
        Ok(self.0)
    }
}

fn person(decision: Decision) -> Arc<Person> {
    Arc::new(Person(decision, Mutex::default()))
}

/// A run that was killed while it added `letter`.
async fn killed_action(stage: &Stage, action: &Append, moment: Moment) -> String {
    let run = stage.run(None);
    kill(stage, 0, moment);
    assert!(!until_killed(stage, &run, async { _ = act(&run, action).await }).await);
    run.id().to_owned()
}

async fn undo_all(stage: &Stage, id: &str) -> Result<()> {
    let mut registry = Registry::default();
    registry.add(StateVerb::<Set>::shared());
    registry.add(ActionVerb::<Append>::shared());
    let run = stage.run(Some(id));
    run.undo(&registry, &UndoPlan::of(&stage.state(id))).await
}

#[tokio::test]
async fn an_action_that_is_done_gives_what_it_gave_and_is_not_done_again() {
    let mut stage = Stage::new();
    let run = stage.run(None);
    act(&run, &append("a")).await.unwrap();
    flushed(&run).await;
    stage.changes();
    let next = stage.resume(run.id(), Arc::new(Nobody)).await;
    let Value::Map(result) = act(&next, &append("a")).await.unwrap() else { panic!("a map") };
    assert!(result["text"] == Value::from("a"));
    assert!(matches!(result["said"], Value::Unknown(_)), "words that stand for a secret are no result");
    assert_eq!(stage.value("m1", "/log").as_deref(), Some("a"));
    assert_eq!(stage.changes(), [("m1".into(), "/log".into(), Status::Skipped)]);
    act(&next, &append("b")).await.unwrap();
    assert_eq!(stage.value("m1", "/log").as_deref(), Some("ab"), "the second of its kind is another one");
    undo_all(&stage, run.id()).await.unwrap();
    assert!(stage.values().is_empty());
}

#[tokio::test]
async fn an_action_whose_end_is_not_known_is_asked_about() {
    for moment in [Moment::BeforeTheWrite, Moment::AfterTheWrite] {
        let stage = Stage::new();
        let id = killed_action(&stage, &append("a"), moment).await;
        let error = act(&stage.resume(&id, Arc::new(Nobody)).await, &append("a")).await.err().unwrap();
        assert_eq!((error.code(), error.kind(), error.host()), ("resume.unknown", Kind::Unknown, Some("m1")));
        assert!(error.message().contains("`toy.append /log`"), "{error}");
        assert!(error.advice().unwrap().contains(&format!("haengine resume {id} --unknown repeat")));
        let decision = if moment == Moment::BeforeTheWrite { Decision::Repeat } else { Decision::Done };
        let person = person(decision);
        let next = stage.resume(&id, person.clone()).await;
        let result = act(&next, &append("a")).await.unwrap();
        assert_eq!(person.1.lock().unwrap().len(), 1);
        assert!((result == Value::Null) == (decision == Decision::Done));
        assert_eq!(stage.value("m1", "/log").as_deref(), Some("a"));
        flushed(&next).await;
        act(&stage.resume(&id, Arc::new(Nobody)).await, &append("a")).await.unwrap();
        undo_all(&stage, &id).await.unwrap();
        assert!(stage.values().is_empty(), "its inverse runs once, however often it was tried");
        assert!(stage.state(&id).is_undone());
    }
}

#[tokio::test]
async fn an_action_that_may_be_repeated_or_says_that_it_is_not_done_is_not_asked_about() {
    let actions = [
        (Append { repeatable: true, ..append("a") }, Moment::AfterTheWrite, "aa"),
        (Append { unless: Some("/done".to_owned()), ..append("a") }, Moment::BeforeTheWrite, "a"),
        (Append { unless: Some("/log".to_owned()), ..append("a") }, Moment::AfterTheWrite, "a"),
    ];
    for (action, moment, log) in actions {
        let stage = Stage::new();
        let id = killed_action(&stage, &action, moment).await;
        act(&stage.resume(&id, Arc::new(Nobody)).await, &action).await.unwrap();
        assert_eq!(stage.value("m1", "/log").as_deref(), Some(log), "{action:?}");
        undo_all(&stage, &id).await.unwrap();
        assert!(stage.values().is_empty(), "back to what was there before its first attempt: {action:?}");
    }
}

#[tokio::test]
async fn an_action_that_failed_is_done_again_and_one_whose_connection_broke_is_asked_about() {
    let stage = Stage::new();
    *stage.world.fuse.lock().unwrap() = Some(0);
    let run = stage.run(None);
    act(&run, &append("a")).await.err().unwrap();
    *stage.world.fuse.lock().unwrap() = None;
    let error = act(&stage.resume(run.id(), Arc::new(Nobody)).await, &append("a")).await.err().unwrap();
    assert_eq!(error.code(), "resume.unknown");

    let stage = Stage::new();
    let run = stage.run(None);
    let key = run.key(&Place::default(), "toy.append", "m1", "/log");
    let Mode::Apply { journal, .. } = &run.mode else { panic!("a run") };
    let (arguments, before) = (serde_json::json!({}), serde_json::Value::Null);
    let (change, call, reversible, summary, diff) = (1, 1, true, String::new(), None);
    let error = Error::new(Kind::Failed, "host.exit", "status 1");
    let lines = vec![
        crate::journal::Entry::Started {
            change,
            call,
            key,
            arguments,
            before,
            reversible,
            together: Vec::new(),
            nonce: String::new(),
            summary,
            diff,
        },
        crate::journal::Entry::Failed { change, error: (&error).into() },
    ];
    journal.append(lines).await.unwrap();
    act(&stage.resume(run.id(), Arc::new(Nobody)).await, &append("a")).await.unwrap();
    assert_eq!(stage.value("m1", "/log").as_deref(), Some("a"));
}

#[tokio::test]
async fn an_action_that_the_recipe_retried_until_it_was_done_is_not_done_again() {
    let stage = Stage::new();
    let run = stage.run(None);
    *stage.world.fuse.lock().unwrap() = Some(0);
    act(&run, &append("a")).await.err().unwrap();
    *stage.world.fuse.lock().unwrap() = None;
    act(&run, &append("b")).await.unwrap();
    let next = stage.resume(run.id(), Arc::new(Nobody)).await;
    act(&next, &append("b")).await.unwrap();
    assert_eq!(stage.value("m1", "/log").as_deref(), Some("ab"));
    act(&next, &append("c")).await.unwrap();
    assert_eq!(stage.value("m1", "/log").as_deref(), Some("abc"), "the next of its kind is a new one");
    undo_all(&stage, run.id()).await.unwrap();
    assert!(stage.values().is_empty(), "each is taken back");
}

#[tokio::test]
async fn what_somebody_changed_in_between_is_made_again_and_undo_goes_back_to_the_first_state() {
    let mut stage = Stage::new();
    let key = ("m1".to_owned(), "/a".to_owned());
    stage.world.values.lock().unwrap().insert(key.clone(), "old".into());
    let run = stage.run(None);
    ensure(&run, &["m1"], &set("/a", "new")).await;
    flushed(&run).await;
    stage.world.values.lock().unwrap().insert(key.clone(), "theirs".into());
    while stage.told.try_recv().is_ok() {}
    let next = stage.resume(run.id(), Arc::new(Nobody)).await;
    assert_eq!(ensure(&next, &["m1"], &set("/a", "new")).await, [Ok(())]);
    let mut said = Vec::new();
    while let Ok(stamped) = stage.told.try_recv() {
        if let Event::Log { message, .. } = stamped.event {
            said.push(message);
        }
    }
    assert_eq!(said, ["`/a` is no longer as this run left it, and is made so again"]);
    next.finish("succeeded").await;
    let summary = stage.store().summary(run.id()).unwrap();
    assert_eq!((summary.attempts, summary.outcome.as_str(), summary.changes), (2, "succeeded", 2));
    undo(&stage, run.id()).await.unwrap();
    assert_eq!(stage.value("m1", "/a").as_deref(), Some("old"), "the earliest state counts");
    assert!(stage.state(run.id()).is_undone());
}

#[tokio::test]
async fn what_somebody_changed_after_the_last_attempt_is_not_overwritten() {
    let stage = Stage::new();
    let key = ("m1".to_owned(), "/a".to_owned());
    let run = stage.run(None);
    ensure(&run, &["m1"], &set("/a", "new")).await;
    flushed(&run).await;
    stage.world.values.lock().unwrap().insert(key.clone(), "theirs".into());
    let next = stage.resume(run.id(), Arc::new(Nobody)).await;
    ensure(&next, &["m1"], &set("/a", "new")).await;
    flushed(&next).await;
    stage.world.values.lock().unwrap().insert(key, "somebody else's".into());
    assert_eq!(undo(&stage, run.id()).await.err().unwrap().kind(), Kind::Drift);
    assert_eq!(stage.value("m1", "/a").as_deref(), Some("somebody else's"));
}

#[tokio::test]
async fn a_full_disk_of_the_operator_stops_the_run_before_the_wire_is_touched() {
    let stage = Stage::new();
    let journal = crate::journal::Journal::open(std::path::Path::new("/dev/full")).unwrap();
    let since = jiff::Timestamp::now();
    let holder = crate::lock::Holder { run: "r".into(), operator: "o".into(), state: String::new(), since, dead: None };
    let mode = Mode::Apply { journal, holder };
    let run = Run::new("r".to_owned(), mode, stage.hosts(), stage.events.clone(), stage.cancel.clone());
    assert_eq!(ensure(&run, &["m1"], &set("/a", "1")).await, [Err(Kind::Local)]);
    assert_eq!(act(&run, &append("a")).await.err().unwrap().code(), "journal.write");
    assert!(stage.values().is_empty() && !run.has_touched());
}

#[tokio::test]
async fn what_a_forgotten_run_has_built_upon_is_changed_back_by_hand() {
    let stage = Stage::new();
    let (first, second) = (stage.run(None), stage.run(None));
    ensure(&first, &["m1"], &set("/a", "1")).await;
    ensure(&second, &["m1"], &set("/a", "2")).await;
    first.finish("succeeded").await;
    flushed(&second).await;
    second.forget(&stage.state(second.id()), "eve", &[]).await.unwrap();
    second.finish("succeeded").await;
    assert_eq!(stage.store().summary(second.id()).unwrap().outcome, "forgotten");
    let plan = UndoPlan::of(&stage.state(first.id()));
    let error = plan.refuse_if_built_upon(&stage.store(), first.id()).unwrap_err();
    assert!(error.advice().unwrap().contains("was forgotten"), "{:?}", error.advice());
}

#[tokio::test]
async fn a_later_run_that_cannot_be_read_may_build_on_this_one() {
    let stage = Stage::new();
    let (first, second) = (stage.run(None), stage.run(None));
    ensure(&first, &["m1"], &set("/a", "1")).await;
    first.finish("succeeded").await;
    second.finish("succeeded").await;
    let place = stage.folder.path().join("runs").join(second.id()).join("journal.jsonl");
    std::fs::write(place, "{}\n").unwrap();
    let plan = UndoPlan::of(&stage.state(first.id()));
    let error = plan.refuse_if_built_upon(&stage.store(), first.id()).unwrap_err();
    assert_eq!((error.code(), error.kind()), ("undo.unreadable", Kind::Refused));
    assert!(error.message().contains(second.id()), "{error}");
}

/// What a recipe does in these tests: a key gets a value.
fn recipe(values: &[u8]) -> Vec<Set> {
    values.iter().enumerate().map(|(key, value)| set(&format!("/{key}"), &value.to_string())).collect()
}

async fn attempt(run: &Arc<Run>, ops: &[Set]) {
    for op in ops {
        let results = ensure(run, &["m1", "m2"], op).await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
    }
}

#[derive(Clone, Debug)]
struct Death {
    writes: usize,
    before: bool,
    /// What somebody does then: a key and its value.
    drift: Option<(usize, u8)>,
}

fn deaths() -> impl Strategy<Value = Vec<Death>> {
    let drift = proptest::option::of((0_usize..4, 0_u8..4));
    let death = (0_usize..24, any::<bool>(), drift);
    let death = death.prop_map(|(writes, before, drift)| Death { writes, before, drift });
    proptest::collection::vec(death, 0..3)
}

async fn dies_and_goes_on(old: &[Option<u8>], wanted: &[u8], deaths: &[Death]) -> Result<(), TestCaseError> {
    let stage = Stage::new();
    let place = |key: usize| ("m1".to_owned(), format!("/{key}"));
    for (key, value) in old.iter().enumerate() {
        if let Some(value) = value {
            stage.world.values.lock().unwrap().insert(place(key), value.to_string());
        }
    }
    let ops = recipe(wanted);
    let mut before = stage.values();
    let mut run = stage.run(None);
    let id = run.id().to_owned();
    for death in deaths {
        kill(&stage, death.writes, if death.before { Moment::BeforeTheWrite } else { Moment::AfterTheWrite });
        until_killed(&stage, &run, attempt(&run, &ops)).await;
        if let Some((key, value)) = death.drift.filter(|(key, _)| *key < ops.len()) {
            stage.world.values.lock().unwrap().insert(place(key), value.to_string());
            let known = stage.state(&id).changes.into_values().map(|change| (change.key.host, change.key.target));
            if !known.into_iter().any(|changed| changed == place(key)) {
                // Not ours yet: undo goes back to what they made.
                before.insert(place(key), value.to_string());
            }
        }
        run = stage.resume(&id, Arc::new(Nobody)).await;
    }
    attempt(&run, &ops).await;
    run.finish("succeeded").await;
    let mut ended = stage.values();
    ended.retain(|(_, key), _| ops.iter().any(|op| op.key == *key));
    let expected = ["m1", "m2"]
        .into_iter()
        .flat_map(|host| ops.iter().map(move |op| ((host.to_owned(), op.key.clone()), op.value.clone())));
    prop_assert_eq!(ended, expected.collect());
    undo(&stage, &id).await.map_err(|error| TestCaseError::fail(format!("{error}: {:?}", error.causes())))?;
    prop_assert_eq!(stage.values(), before);
    let all = stage.state(&id).changes;
    prop_assert!(all.values().all(|change| change.phase == Phase::Undone));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// However often the engine dies, wherever, and whatever somebody does meanwhile: the end is the same, and undo
    /// goes back to the beginning.
    #[test]
    fn a_run_that_dies_goes_on_to_the_same_end_and_back(
        old in proptest::collection::vec(proptest::option::of(0_u8..4), 4),
        wanted in proptest::collection::vec(0_u8..4, 1..5),
        deaths in deaths(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(dies_and_goes_on(&old, &wanted, &deaths))?;
    }
}
