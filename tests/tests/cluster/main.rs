//! `bootstrap_cluster`, `add_master`, `repoint_workers` and `ha_from_single` through the built binary, on a real cluster of the lab.
//!
//! | file | what |
//! |---|---|
//! | bootstrap, add_master, audited, ending, killed, member, refused, repointed, from_single | the scenarios |
//! | variants | the layouts that operators have; each has a cluster of its own |
//!
//! Scenarios follow one another on one lab. One that needs a state that the former did not leave goes back to a snapshot,
//! so each can be run alone: `cargo test -p haengine-tests --test cluster refused`. `-- --ignored` runs the long ones.
//! Needs root; says so and passes where it is not root.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails, and says what it skips")]

mod add_master;
mod audited;
mod bootstrap;
mod ending;
mod from_single;
mod killed;
mod member;
mod refused;
mod repointed;
mod variants;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;

use haengine_tests::{look, reader, site, stage, took};
use libtest_mimic::{Arguments, Trial};

use crate::stage::{Needs, Slot, Stage};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They share the hosts.
    arguments.test_threads = Some(1);
    let slot = Slot::default();
    let mut trials = vec![
        trial(&slot, "bootstrap", Needs::Bare, bootstrap::scenario),
        trial(&slot, "add_master", Needs::Founded, add_master::scenario),
    ];
    trials.extend(refused::CASES.iter().map(|case| {
        trial(&slot, &format!("refused::{}", case.name), Needs::Founded, move |stage| refused::scenario(stage, case))
    }));
    trials.push(trial(&slot, "audit", Needs::Founded, audited::scenario));
    trials.push(trial(&slot, "a_kubelet_that_ends_again", Needs::Founded, ending::scenario));
    trials.push(trial(&slot, "etcd_add_member", Needs::Founded, member::scenario));
    trials.push(trial(&slot, "repoint_workers", Needs::Founded, repointed::scenario));
    trials.push(trial(&slot, "ha_from_single", Needs::Founded, from_single::scenario));
    trials.extend(killed::MOMENTS.iter().map(|moment| {
        let name = format!("killed::{}", moment.name);
        trial(&slot, &name, Needs::Spare, move |stage| killed::scenario(stage, moment))
            .with_ignored_flag(moment.is_long)
    }));
    for (name, scenario) in variants::ALL {
        trials.push(trial(&slot, &format!("variant::{name}"), Needs::Bare, scenario).with_ignored_flag(true));
    }
    if !arguments.list && !site::possible() {
        return ExitCode::SUCCESS;
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    slot.lock().take();
    took::tell();
    conclusion.exit_code()
}

/// A scenario from the state that it needs. It says in which state it leaves the hosts; one that fails spoils them, and
/// shows what the cluster was like.
fn trial(slot: &Slot, name: &str, needs: Needs, scenario: impl Fn(&mut Stage) + Send + 'static) -> Trial {
    let (slot, name) = (slot.clone(), name.to_owned());
    Trial::test(name.clone(), move || {
        let mut stage = slot.lock();
        let played =
            took::timed(&name, || catch_unwind(AssertUnwindSafe(|| scenario(Stage::ready(&mut stage, needs)))));
        if let Err(panic) = played {
            // A host that is off has nothing to show.
            if let Some(Ok(scene)) =
                stage.as_ref().map(|stage| catch_unwind(AssertUnwindSafe(|| look::scene(&stage.site))))
            {
                eprintln!("{scene}");
            }
            resume_unwind(panic);
        }
        Ok(())
    })
}
