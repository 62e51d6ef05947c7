//! The laws of state ops with generated arguments on generated hosts.
//!
//! | file | what |
//! |---|---|
//! | arguments | arguments from a verb's signature; where only some make sense, from a list beside it |
//! | state | what a host is before: commands one after the other |
//! | text | words, lines and how `sh` and a recipe write them |
//! | law | what must be true of whatever comes out, refusals included |
//!
//! `HAENGINE_CASES` says how many batches of calls each verb gets. A failure prints the seed that brings it back:
//! `HAENGINE_SEED=… cargo test -p haengine-tests --test laws VERB::generated`.

mod arguments;
mod law;
mod state;
mod text;

use std::cell::RefCell;
use std::sync::Arc;

use haengine_kernel::verb::{Sort, Verb};
use libtest_mimic::{Failed, Trial};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use crate::scene::{Scene, User};
use crate::{Later, Law};

/// Batches of a verb where nothing else is said.
const CASES: u32 = 1;

/// A failure is made smaller so often; each time takes seconds.
const SHRINKS: u32 = 30;

/// What cannot be generated, and why.
const WITHOUT: [(&str, &str); 5] = [
    ("k8s.apply", "an API keeps what a case leaves, and no manifest sees it"),
    ("k8s.delete", "an API keeps what a case leaves, and no manifest sees it"),
    ("k8s.approve", "only a kubelet asks what it answers"),
    ("k8s.approve_serving", "only a kubelet asks what it answers"),
    ("k8s.enroll", "an API keeps what a case leaves, and no manifest sees it"),
];

/// One call of a verb.
#[derive(Clone, Debug)]
pub struct Call {
    /// What makes its corner of the host.
    given: String,
    /// A call that a former run made there, and that nobody took back.
    former: Option<String>,
    code: String,
}

/// Calls of one recipe, each with a corner of the host of its own.
#[derive(Clone, Debug)]
struct Batch {
    calls: Vec<Call>,
    sudo: bool,
}

/// One trial for each state op.
pub fn trials(stage: &Later, verbs: &[Arc<dyn Verb>]) -> Vec<Trial> {
    let ops = verbs.iter().filter(|verb| verb.sort() == Sort::State);
    let wanted = ops.filter(|verb| WITHOUT.iter().all(|(name, _)| *name != verb.name()));
    wanted.map(|verb| trial(stage, verb.clone())).collect()
}

fn trial(stage: &Later, verb: Arc<dyn Verb>) -> Trial {
    let stage = stage.clone();
    Trial::test(format!("{}::generated", verb.name()), move || {
        let stage = stage.get().ok_or("the lab is not up")?;
        let lane = RefCell::new(stage.take());
        let (seed, cases) = (number("HAENGINE_SEED"), number("HAENGINE_CASES"));
        let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
        let config = Config {
            cases: cases.and_then(|cases| u32::try_from(cases).ok()).unwrap_or(CASES),
            max_shrink_iters: SHRINKS,
            failure_persistence: None,
            ..Config::default()
        };
        let mut runner = TestRunner::new_with_rng(config, rng(seed));
        let result = runner.run(&batches(verb.as_ref()), |batch| {
            let result = {
                let lane = lane.borrow();
                let user = if batch.sudo { User::Sudo } else { User::Root };
                Scene::new(stage, &lane, user).and_then(|scene| law::law(&scene, &batch.calls))
            };
            let clean = lane.borrow().clean(stage, false);
            if clean != Ok(true) {
                let new = stage.replace(&lane.borrow()).map_err(TestCaseError::fail)?;
                *lane.borrow_mut() = new;
            }
            result.map_err(TestCaseError::fail)
        });
        stage.give(lane.into_inner());
        result.map_err(|error| Failed::from(told(verb.name(), seed, &error)))
    })
}

fn batches(verb: &dyn Verb) -> impl Strategy<Value = Batch> + use<> {
    let (name, signature) = (verb.name(), verb.signature());
    let most = match name.split('.').next() {
        Some("pkg") => 1,
        Some("cert" | "service") => 3,
        _ => 6,
    };
    let corners: Vec<_> = (0..most).map(|number| corner(name, signature, number)).collect();
    let some = proptest::sample::subsequence((0..most).collect::<Vec<usize>>(), 1..=most);
    (corners, some, any::<bool>()).prop_map(|(calls, some, sudo)| {
        let calls = some.into_iter().map(|number| calls[number].clone()).collect();
        Batch { calls, sudo }
    })
}

/// One corner of a host, and a call that works there.
fn corner(name: &'static str, signature: haengine_kernel::signature::Signature, number: usize) -> BoxedStrategy<Call> {
    let place = text::place(number);
    let call = move |place: text::Place| {
        let code = || arguments::call(name, &signature, &place);
        (state::given(name, &place), proptest::option::weighted(0.25, code()), code())
            .prop_map(|(given, former, code)| Call { given: state::owned(given, &code), former, code })
    };
    place.prop_flat_map(call).boxed()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn rng(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

fn told(verb: &str, seed: u64, error: &TestError<Batch>) -> String {
    let again = format!("HAENGINE_SEED={seed} cargo test -p haengine-tests --test laws {verb}::generated");
    match error {
        TestError::Fail(reason, batch) => {
            let calls: Vec<String> = batch
                .calls
                .iter()
                .map(|call| format!("given:\n{}\nformer: {:?}\ncall: {}", call.given, call.former, call.code))
                .collect();
            format!("{reason}\n\n{}\nsudo: {}\n\nagain: {again}", calls.join("\n\n"), batch.sudo)
        }
        TestError::Abort(reason) => format!("{reason}\nagain: {again}"),
    }
}

/// Every state op is generated, or it is said why not.
pub fn is_complete(verbs: &[Arc<dyn Verb>]) -> Law {
    let gone = WITHOUT.iter().filter(|(name, _)| verbs.iter().all(|verb| verb.name() != *name));
    let gone: Vec<&str> = gone.map(|(name, _)| *name).collect();
    if gone.is_empty() { Ok(()) } else { Err(format!("there are no such verbs: {}", gone.join(", "))) }
}
