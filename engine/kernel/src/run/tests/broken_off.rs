//! Verbs that break off: the journal has it, and everything else goes on.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::action::{Action, Performed};
use crate::arguments::Arguments;
use crate::error::Result;
use crate::fake::{Append, Before, Set, Stage};
use crate::host::Host;
use crate::journal::{Entry, Phase};
use crate::keep::Keep;
use crate::op::{Example, Op, Plan, Standing};
use crate::overlay::Overlay;
use crate::read::{Foreseen, Read};
use crate::registry::Registry;
use crate::remnant::Remains;
use crate::run::{Mode, Nobody, Place, Run, UndoPlan};
use crate::signature::Signature;
use crate::steady::PANIC;
use crate::transport::Command;
use crate::uses::Uses;
use crate::value::Value;
use crate::verb::{ActionVerb, StateVerb};

/// Does what [`Set`] does, and breaks off where the host's key `breaks` says.
#[derive(Clone, Serialize, Deserialize)]
struct Brittle(Set);

/// The same of [`Append`].
#[derive(Clone, Serialize, Deserialize)]
struct Fragile(Append);

async fn breaks(host: &Host, at: &str) {
    let said = host.exec(&Command::new("get").arg("breaks")).await.unwrap().text();
    assert_ne!(said, at, "broken at {at}");
}

#[async_trait]
impl Op for Brittle {
    const NAME: &'static str = "toy.brittle";
    const ABOUT: &'static str = "Sets a key.";
    const SIGNATURE: Signature = Set::SIGNATURE;
    const EXAMPLES: &'static [Example] = &[];
    const SETTLES: bool = true;
    type State = (Option<String>, bool);
    type Before = Before;

    fn parse(_arguments: &Arguments) -> Result<Vec<Brittle>> {
        Ok(Vec::new())
    }

    fn target(&self) -> String {
        self.0.target()
    }

    fn uses(&self) -> Uses {
        assert_ne!(self.0.value, "no uses");
        self.0.uses()
    }

    async fn observe(&self, host: &Host) -> Result<Self::State> {
        breaks(host, "observe").await;
        let plans = host.exec(&Command::new("get").arg("breaks")).await?.text() != "plan";
        Ok((self.0.observe(host).await?, plans))
    }

    fn plan(&self, state: &Self::State) -> Result<Plan<Before>> {
        assert!(state.1, "broken at plan");
        self.0.plan(&state.0)
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        breaks(host, "apply").await;
        self.0.apply(host, before, keep).await
    }

    fn standing(&self, state: &Self::State, before: &Before, keep: &Keep) -> Standing {
        self.0.standing(&state.0, before, keep)
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        breaks(host, "undo").await;
        self.0.undo(host, before, keep).await
    }

    async fn settle(&self, host: &Host, _first: &Before, _before: &Before, _keep: &Keep) -> Result<Remains> {
        breaks(host, "settle").await;
        Ok(Remains::new())
    }
}

#[async_trait]
impl Action for Fragile {
    const NAME: &'static str = "toy.fragile";
    const ABOUT: &'static str = "Adds a letter.";
    const SIGNATURE: Signature = Append::SIGNATURE;
    const EXAMPLES: &'static [Example] = &[];

    fn parse(arguments: &Arguments) -> Result<Fragile> {
        Append::parse(arguments).map(Fragile)
    }

    fn target(&self) -> String {
        self.0.target()
    }

    async fn done(&self, host: &Host) -> Result<Option<bool>> {
        breaks(host, "done").await;
        Ok(None)
    }

    async fn before(&self, host: &Host) -> Result<serde_json::Value> {
        breaks(host, "before").await;
        self.0.before(host).await
    }

    async fn perform(&self, host: &Host) -> Result<Value> {
        breaks(host, "perform").await;
        self.0.perform(host).await
    }

    fn inverse(&self) -> Option<String> {
        self.0.inverse()
    }

    async fn undo(&self, host: &Host, performed: &Performed<'_>) -> Result<()> {
        breaks(host, "undo").await;
        self.0.undo(host, performed).await
    }
}

/// A read that breaks off, on the host or already in a plan.
#[derive(Clone)]
struct Blink;

#[async_trait]
impl Read for Blink {
    const NAME: &'static str = "toy.blink";
    const ABOUT: &'static str = "Sees nothing.";
    const SIGNATURE: Signature = Append::SIGNATURE;
    const EXAMPLES: &'static [Example] = &[];

    fn parse(_arguments: &Arguments) -> Result<Blink> {
        Ok(Blink)
    }

    fn foresee(&self, _host: &Host, _overlay: &Overlay) -> Foreseen {
        panic!("broken at foresee")
    }

    async fn read(&self, _host: &Host) -> Result<Value> {
        panic!("broken at read")
    }
}

fn set(key: &str, value: &str) -> Brittle {
    Brittle(Set { key: key.to_owned(), value: value.to_owned() })
}

fn append() -> Fragile {
    Fragile(Append { key: "/log".to_owned(), letter: "a".to_owned(), unless: None, repeatable: false })
}

/// From now on the verbs of `m1` break off there.
fn break_at(stage: &Stage, at: &str) {
    stage.world.values.lock().unwrap().insert(("m1".into(), "breaks".into()), at.into());
}

/// The codes of what each host gives.
async fn ensure(run: &Arc<Run>, op: &Brittle) -> Vec<&'static str> {
    let hosts = ["m1", "m2"].map(|name| run.hosts().get(name).unwrap());
    let results = run.ensure(&Place::default(), &hosts, std::slice::from_ref(op)).await;
    results.into_iter().map(|(_, result)| result.err().map_or("", |error| error.code())).collect()
}

async fn act(run: &Arc<Run>) -> &'static str {
    let hosts = [run.hosts().get("m1").unwrap()];
    let (_, result) = run.act(&Place::default(), &hosts, &append()).await.pop().unwrap();
    result.err().map_or("", |error| error.code())
}

async fn undo(stage: &Stage, id: &str) -> Result<()> {
    let mut registry = Registry::default();
    registry.add(StateVerb::<Brittle>::shared());
    registry.add(ActionVerb::<Fragile>::shared());
    let run = stage.run(Some(id));
    let result = run.undo(&registry, &UndoPlan::of(&stage.state(id))).await;
    run.finish(if result.is_ok() { "succeeded" } else { "failed" }).await;
    result
}

/// How each change of a run stands in its journal.
async fn phases(stage: &Stage, run: &Run) -> Vec<String> {
    let Mode::Apply { journal, .. } = &run.mode else { unreachable!() };
    journal.append(Vec::<Entry>::new()).await.unwrap();
    let told = |phase: &Phase| match phase {
        Phase::Failed(error) => format!("failed: {} {}", error.code, error.causes.join("")),
        phase => format!("{phase:?}"),
    };
    stage.state(run.id()).changes.values().map(|change| told(&change.phase)).collect()
}

#[tokio::test]
async fn an_op_that_breaks_off_is_told_and_ends_nothing_else() {
    for (at, begun) in [("observe", false), ("plan", false), ("apply", true)] {
        let stage = Stage::new();
        break_at(&stage, at);
        let run = stage.run(None);
        assert_eq!(ensure(&run, &set("/a", "1")).await, [PANIC, ""], "{at}");
        assert_eq!(stage.value("m2", "/a").as_deref(), Some("1"), "the other host goes on");
        let told = phases(&stage, &run).await;
        let why = told.iter().filter(|phase| phase.contains(&format!("{PANIC} assertion"))).count();
        assert_eq!((told.len(), why), if begun { (2, 1) } else { (1, 0) }, "{at}: {told:?}");
        let totals = run.finish("failed").await;
        assert_eq!((totals.changed, totals.failed), (1, 1), "{at}");
        break_at(&stage, "nowhere");
        undo(&stage, run.id()).await.unwrap();
        let left: Vec<_> = stage.values().into_keys().filter(|(_, key)| key != "breaks").collect();
        assert!(left.is_empty(), "{at}: {left:?}");
    }
}

#[tokio::test]
async fn an_undo_that_breaks_off_is_told_and_can_be_tried_again() {
    for at in ["undo", "settle", "observe"] {
        let stage = Stage::new();
        let run = stage.run(None);
        for key in ["/a", "/b"] {
            assert_eq!(ensure(&run, &set(key, "1")).await, ["", ""]);
        }
        run.finish("succeeded").await;
        break_at(&stage, at);
        let error = undo(&stage, run.id()).await.unwrap_err();
        assert_eq!((error.code(), error.host()), (PANIC, Some("m1")), "{at}");
        let state = stage.state(run.id());
        let told = state.changes.values().filter(|change| format!("{:?}", change.phase).contains(PANIC)).count();
        assert_eq!(told, if at == "settle" { 0 } else { 2 }, "{at}: both of m1 are told");
        assert_eq!(stage.store().summary(run.id()).unwrap().outcome, "partly undone", "{at}");
        assert!(stage.value("m2", "/a").is_none(), "{at}: the other host is as before");
        break_at(&stage, "nowhere");
        undo(&stage, run.id()).await.unwrap();
        assert!(stage.state(run.id()).is_undone(), "{at}");
    }
}

#[tokio::test]
async fn what_nobody_can_say_what_it_uses_stays_with_all_before_it() {
    let stage = Stage::new();
    let run = stage.run(None);
    for (key, value) in [("/a", "1"), ("/b", "no uses")] {
        ensure(&run, &set(key, value)).await;
    }
    run.finish("succeeded").await;
    break_at(&stage, "undo");
    undo(&stage, run.id()).await.unwrap_err();
    assert_eq!(stage.value("m1", "/a").as_deref(), Some("1"));
    assert!(stage.value("m2", "/a").is_none());
}

#[tokio::test]
async fn an_action_that_breaks_off_is_told() {
    for at in ["done", "before", "perform"] {
        let stage = Stage::new();
        break_at(&stage, at);
        let run = stage.run(None);
        assert_eq!(act(&run).await, PANIC, "{at}");
        let told = phases(&stage, &run).await;
        assert_eq!(told.len(), usize::from(at == "perform"), "{at}: {told:?}");
        break_at(&stage, "nowhere");
        let next = act(&stage.resume(run.id(), Arc::new(Nobody)).await).await;
        assert_eq!(next, if at == "perform" { "resume.unknown" } else { "" }, "{at}: how far it came nobody knows");
    }
}

#[tokio::test]
async fn an_inverse_that_breaks_off_is_told() {
    let stage = Stage::new();
    let run = stage.run(None);
    assert_eq!(act(&run).await, "");
    run.finish("succeeded").await;
    break_at(&stage, "undo");
    assert_eq!(undo(&stage, run.id()).await.unwrap_err().code(), PANIC);
    break_at(&stage, "nowhere");
    undo(&stage, run.id()).await.unwrap();
    assert_eq!(stage.value("m1", "/log"), None);
}

#[tokio::test]
async fn a_read_that_breaks_off_is_an_error_of_its_host() {
    let stage = Stage::new();
    for run in [stage.run(None), stage.plan()] {
        let hosts = ["m1", "m2"].map(|name| run.hosts().get(name).unwrap());
        let results = run.read(&hosts, &Blink).await;
        let told: Vec<_> = results.into_iter().map(|(_, result)| result.err().unwrap().code()).collect();
        assert_eq!(told, [PANIC, PANIC]);
    }
}
