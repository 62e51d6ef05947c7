//! What is tested: every example of every verb, and what comes with a verb's sort.

use std::sync::Arc;

use haengine_kernel::op::Example;
use haengine_kernel::verb::{Sort, Verb};
use haengine_tests::took;
use libtest_mimic::{Failed, Trial};

use crate::scene::{Scene, User, WITH_API};
use crate::{
    Later, Law, action, broken, etcd, generated, guards, in_place, old, owner, read, secret, state, stranger, watched,
};

/// One trial for each law of each example; those that need an API only where the lab has Kubernetes.
pub fn trials(stage: &Later, long: bool, has_kubernetes: bool) -> Vec<Trial> {
    let verbs: Vec<Arc<dyn Verb>> = haengine_stdlib::modules().into_iter().flat_map(|module| module.verbs).collect();
    let mut trials = vec![Trial::test("every_verb_has_examples_and_secret_cases", {
        let verbs = verbs.clone();
        move || secret::is_complete(&verbs).and_then(|()| generated::is_complete(&verbs)).map_err(Failed::from)
    })];
    for (turn, verb) in verbs.iter().enumerate() {
        let more = MORE.iter().filter(|(name, _)| *name == verb.name()).map(|(_, example)| example);
        let (examples, strangers) = (verb.examples().len(), number("HAENGINE_STRANGERS").unwrap_or(stranger::CASES));
        let seed = number("HAENGINE_SEED").unwrap_or(std::process::id() as usize) as u64;
        let possible = |example: &&Example| has_kubernetes || !example.given.contains(WITH_API);
        for (index, example) in verb.examples().iter().chain(more).filter(possible).enumerate() {
            let name = |law: &str| format!("{}::{index}::{law}", verb.name());
            for user in users(index, turn, long) {
                let law = match verb.sort() {
                    Sort::State => state::law,
                    Sort::Action => action::law,
                    // A guard leaves nothing behind, and tells no change.
                    Sort::Read | Sort::Guard => read::law,
                };
                trials.push(trial(stage, name(user.name()), *user, example.code, move |scene| law(scene, example)));
            }
            if verb.sort() == Sort::State {
                let points = if long { usize::MAX } else { broken::POINTS };
                let broken = trial(stage, name("broken"), User::Root, example.code, move |scene| {
                    broken::law(scene, example, points)
                });
                // A verb's further examples go much the same way.
                trials.push(broken.with_ignored_flag(!long && index > 0));
                let user = if index % 2 == 0 { User::Sudo } else { User::Root };
                trials.push(trial(stage, name("stranger"), user, example.code, move |scene| {
                    let examples = examples.max(1);
                    stranger::law(scene, example, seed.wrapping_add(index as u64), strangers.div_ceil(examples))
                }));
            }
        }
        trials.extend(old::trials(stage, verb.as_ref(), turn, long, has_kubernetes));
    }
    trials.extend(generated::trials(stage, &verbs));
    trials.extend(guards::trials(stage));
    trials.extend(owner::trials(stage));
    trials.extend(watched::trials(stage));
    trials.extend(in_place::trials(stage));
    trials.extend(etcd::trials(stage));
    for (turn, case) in secret::CASES.iter().enumerate() {
        let by_turns = &[User::Root, User::Sudo][turn % 2..=turn % 2];
        for &user in if long { &[User::Root, User::Sudo] } else { by_turns } {
            let name = format!("{}::secret_{}::{}", case.verb, case.takes.join("_"), user.name());
            trials.push(trial(stage, name, user, case.code, move |scene| secret::law(scene, case)));
        }
    }
    trials.push(trial(stage, "a_secret_argument_would_be_seen".to_owned(), User::Root, "", secret::would_be_seen));
    trials
}

fn number(variable: &str) -> Option<usize> {
    std::env::var(variable).ok()?.parse().ok()
}

/// A verb's first example is played by everybody, the others by root and through sudo. Where time counts they take turns:
/// whether sudo asks for a password is none of a verb's business.
fn users(index: usize, turn: usize, long: bool) -> &'static [User] {
    match (index, turn % 2) {
        (0, _) if long => &[User::Root, User::Sudo, User::Password],
        (0, 0) => &[User::Root, User::Sudo],
        (0, _) => &[User::Root, User::Password],
        _ if long => &[User::Root, User::Sudo],
        _ if index.is_multiple_of(2) => &[User::Root],
        _ => &[User::Sudo],
    }
}

/// What no example of the book shows, since it needs two hosts.
const MORE: &[(&str, Example)] = &[(
    "file.copy_tree",
    Example {
        about: "From one host to another.",
        given: "mkdir -p /opt/demo/sub; printf a >/opt/demo/a; printf b >/opt/demo/sub/b; chmod 600 /opt/demo/sub/b; ln -sfn a /opt/demo/link",
        code: r#"file::copy_tree(h, "/opt/demo", h2, "/srv/demo")"#,
        gives: "",
    },
)];

/// A trial on a lane that is clean before and after it.
pub fn trial(
    stage: &Later,
    name: String,
    user: User,
    code: &str,
    law: impl Fn(&Scene) -> Law + Send + 'static,
) -> Trial {
    let (stage, both) = (stage.clone(), code.contains("h2"));
    Trial::test(name.clone(), move || {
        let stage = stage.get().ok_or("the lab is not up")?;
        let lane = stage.take();
        let result = took::timed(&name, || {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| law(&Scene::new(stage, &lane, user)?)))
        });
        let clean = lane.clean(stage, both);
        stage.give(if clean == Ok(true) { lane } else { stage.replace(&lane)? });
        match result {
            Ok(result) => result.map_err(Failed::from),
            Err(_) => Err(Failed::from("the test itself panicked")),
        }
    })
}
