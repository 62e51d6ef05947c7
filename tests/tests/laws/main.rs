//! The laws of DESIGN §6: every verb's own examples, on real hosts, as root and through sudo.
//!
//! | file | what |
//! |---|---|
//! | stage, lane | the lab, and pairs of hosts that cases borrow and give back clean |
//! | scene, wire | a case: its recipe planned, run and undone over a real connection that can be made to break |
//! | manifest | all that a host is, and how two manifests differ |
//! | state, action, read | the laws of each sort of verb |
//! | broken | a failure at any point and then undo is a clean slate |
//! | owner | who owns a folder gets nothing of root's |
//! | watched | who watches a file sees it go |
//! | in_place | a file that is written into stays the same one, wherever that breaks off |
//! | k8s.sh | a real API for the examples that need one |
//! | secret | no secret is seen anywhere but where it belongs |
//! | stranger | somebody else works on the host at the same time, and loses nothing |
//! | guards | each line that keeps what is a stranger's is needed |
//! | old | the laws on hosts with the programs of CentOS 7 |
//! | generated | the laws of state ops with generated arguments on generated hosts |
//! | cases | what is tested, from the verbs themselves |
//!
//! Names are `VERB::EXAMPLE::USER`, so `cargo test -p haengine-tests --test laws file.put` runs those of one verb.
//! `HAENGINE_LAWS=long` breaks every example at every point; without it, a few points of each example. `HAENGINE_CASES`
//! is the number of generated batches of each verb, `HAENGINE_SEED` what they are made from.
//! Needs root; says so and passes where it is not root.

#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "it is the main program of a test")]

mod action;
mod broken;
mod cases;
mod etcd;
mod generated;
mod guards;
mod in_place;
mod lane;
mod manifest;
mod old;
mod owner;
mod read;
mod scene;
mod secret;
mod stage;
mod state;
mod stranger;
mod watched;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use haengine_tests::took;
use libtest_mimic::{Arguments, Trial};

use crate::stage::Stage;

/// What a law says: nothing, or how it was broken.
type Law<T = ()> = Result<T, String>;

/// The stage, once it stands; cases are named before it does.
type Later = Arc<OnceLock<Stage>>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let stage = Later::default();
    let kubernetes = kubernetes();
    let long = std::env::var_os("HAENGINE_LAWS").is_some_and(|word| word == "long");
    let trials = cases::trials(&stage, long, kubernetes.is_some());
    if arguments.list || !trials.iter().any(|trial| is_wanted(&arguments, trial)) {
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    if !nix::unistd::geteuid().is_root() {
        eprintln!("\n*** SKIPPED the laws of all verbs ({} cases): a lab needs root ***\n", trials.len());
        return ExitCode::SUCCESS;
    }
    if kubernetes.is_none() {
        eprintln!("\n*** SKIPPED the laws of k8s: `haengine lab kubernetes` gets what they need ***\n");
    }
    let lanes = *arguments.test_threads.get_or_insert(3);
    match Stage::set(&cache(), lanes, kubernetes) {
        Ok(ready) => {
            let _ = stage.set(ready);
        }
        Err(error) => {
            eprintln!("the lab cannot be set up: {error}");
            return ExitCode::FAILURE;
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(stage) = stage.get() {
        stage.strike();
    }
    took::tell();
    conclusion.exit_code()
}

/// As libtest-mimic decides it; nobody shall wait for a lab in which nothing happens.
fn is_wanted(arguments: &Arguments, trial: &Trial) -> bool {
    let name = trial.name();
    let is = |filter: &String| if arguments.exact { name == filter } else { name.contains(filter.as_str()) };
    arguments.filter.as_ref().is_none_or(is) && !arguments.skip.iter().any(is)
}

/// Kubernetes' programs, given or built before; to build them here would take minutes without a word.
fn kubernetes() -> Option<PathBuf> {
    let (cache, given) = (cache().join("lab"), std::env::var_os("KUBE_BIN_DIR").map(PathBuf::from));
    let is_there = given.is_some() || haengine_lab::kubernetes::is_built(&cache);
    is_there
        .then(|| haengine_lab::kubernetes::binaries(&cache, given.as_deref(), &haengine_lab::quiet()).ok())
        .flatten()
}

fn cache() -> PathBuf {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
    named("HAENGINE_CACHE")
        .or_else(|| Some(named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?.join("haengine")))
        .unwrap_or_else(|| PathBuf::from("/var/cache/haengine"))
}
