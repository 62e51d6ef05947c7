//! `nginx_keepalived`, `haproxy_keepalived`, `haproxy_apiserver` and `haproxy_etcd` through the built binary, on a real cluster
//! of the lab with two masters.
//!
//! | file | what |
//! |---|---|
//! | stage | the cluster, and what stands before it |
//! | recipe | a recipe planned, run, run again, undone |
//! | front | haproxy without an address that moves, before API servers and before etcd |
//! | lock | the lock on the cluster while an API server is away |
//! | refused | what is refused |
//! | drill | what a client sees, fifty times a second, while something fails |
//!
//! Scenarios follow one another on one cluster, which comes up once. Each can be run alone:
//! `cargo test -p haengine-tests --test balancer drill::nginx`. Needs root; says so and passes where it is not root.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, says what it skips, and tells what it measured"
)]

mod drill;
mod front;
mod lock;
mod recipe;
mod refused;
mod stage;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use haengine_tests::{look, site, took};
use libtest_mimic::{Arguments, Trial};

use crate::stage::{HAPROXY, NGINX, Stage};

/// The cluster of all scenarios; none before the first, and after one that failed.
type Slot = Arc<Mutex<Option<Stage>>>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They share the hosts.
    arguments.test_threads = Some(1);
    let slot = Slot::default();
    let mut trials: Vec<Trial> = refused::CASES
        .iter()
        .map(|case| trial(&slot, format!("refused::{}", case.name), move |stage| refused::scenario(stage, case)))
        .collect();
    trials.push(trial(&slot, "lock::an_api_server_that_dies".to_owned(), lock::an_api_server_that_dies));
    trials.push(trial(&slot, "front::apiserver".to_owned(), front::apiserver));
    trials.push(trial(&slot, "front::etcd".to_owned(), front::etcd));
    for balancer in [&NGINX, &HAPROXY] {
        let name = format!("recipe::{}", balancer.name);
        let played = trial(&slot, name, move |stage| recipe::scenario(stage, balancer));
        // haproxy itself is before API servers and etcd above.
        trials.push(played.with_ignored_flag(balancer.name != NGINX.name));
        for drill in drill::DRILLS {
            let name = format!("drill::{}::{}", balancer.name, drill.name);
            let drilled = trial(&slot, name, move |stage| drill::scenario(stage, balancer, drill));
            trials.push(drilled.with_ignored_flag(balancer.name != NGINX.name));
        }
    }
    if !arguments.list && !site::possible() {
        return ExitCode::SUCCESS;
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    took::tell();
    conclusion.exit_code()
}

/// A scenario; one that fails spoils the hosts, and shows what the cluster was like.
fn trial(slot: &Slot, name: String, scenario: impl Fn(&mut Stage) + Send + 'static) -> Trial {
    let slot = slot.clone();
    Trial::test(name.clone(), move || {
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let stage = slot.get_or_insert_with(Stage::set);
        let played = took::timed(&name, || catch_unwind(AssertUnwindSafe(|| scenario(stage))));
        if let Err(panic) = played {
            // A host that is off has nothing to show.
            if let Ok(scene) = catch_unwind(AssertUnwindSafe(|| look::scene(&stage.cluster.site))) {
                eprintln!("{scene}");
            }
            slot.take();
            resume_unwind(panic);
        }
        Ok(())
    })
}
