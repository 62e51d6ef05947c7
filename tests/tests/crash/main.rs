//! The engine is killed everywhere: `resume` ends as if nothing had been, `undo` leaves nothing.
//!
//! | file | what |
//! |---|---|
//! | stage | hosts, what they are before and after a run that nobody disturbed, and a run that is killed |
//! | case | where a run is killed, and what must be true then |
//! | manifest, exceptions | all that hosts are, and what of it does not count |
//! | etcd_cluster, add_master, ha_from_single | recipes with hosts of their own |
//! | before_api | recipes that share a cluster with two masters |
//!
//! Cases of one recipe share its hosts and follow one another. All of the matrix is played on two labs side by side: one works
//! while the other waits. Needs root; says so and passes where it is not root.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says where it stands"
)]
#![expect(clippy::disallowed_methods, reason = "it reads its own environment")]

mod add_master;
mod before_api;
mod case;
mod etcd_cluster;
mod exceptions;
mod ha_from_single;
mod manifest;
mod stage;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use haengine_tests::site;
use libtest_mimic::{Arguments, Trial};

use crate::stage::{Stage, Subject};

const SUBJECTS: [&Subject; 7] = [
    &etcd_cluster::SUBJECT,
    &add_master::SUBJECT,
    &ha_from_single::SUBJECT,
    &before_api::HAPROXY_KEEPALIVED,
    &before_api::HAPROXY_APISERVER,
    &before_api::HAPROXY_ETCD,
    &before_api::EXTEND_CERTS,
];

/// Each has the hosts of one recipe at a time. The sample is too short for a second one.
type Slots = Arc<[Mutex<Option<Stage>>; 2]>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(if arguments.ignored { 2 } else { 1 });
    let seed = seed();
    println!("HAENGINE_SEED={seed}");
    let slots = Slots::default();
    let mut trials = vec![trial(&slots, SUBJECTS[0], "manifest::it_sees".to_owned(), manifest::it_sees)];
    for subject in SUBJECTS {
        let every_op = trial(&slots, subject, format!("{}::every_op", subject.recipe), case::every_op);
        trials.push(every_op.with_ignored_flag(subject.sample.is_empty()));
        for case in (subject.cases)(subject, seed) {
            let (name, ignored) = (case.name(subject), !case.is_in_sample(subject));
            trials.push(trial(&slots, subject, name, move |stage| case.play(stage)).with_ignored_flag(ignored));
        }
    }
    if !arguments.list && !site::possible() {
        return ExitCode::SUCCESS;
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    slots.iter().for_each(|slot| drop(lock(slot).take()));
    conclusion.exit_code()
}

fn seed() -> u64 {
    let given = std::env::var("HAENGINE_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| u64::from(std::process::id()))
}

fn lock(slot: &Mutex<Option<Stage>>) -> MutexGuard<'_, Option<Stage>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// There are no more threads than slots.
fn free(slots: &Slots) -> MutexGuard<'_, Option<Stage>> {
    let free = slots.iter().find_map(|slot| match slot.try_lock() {
        Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Ok(slot) => Some(slot),
    });
    free.unwrap_or_else(|| lock(&slots[0]))
}

fn trial(slots: &Slots, subject: &'static Subject, name: String, play: impl Fn(&mut Stage) + Send + 'static) -> Trial {
    let slots = slots.clone();
    Trial::test(name, move || {
        let mut stage = free(&slots);
        let played = catch_unwind(AssertUnwindSafe(|| play(Stage::of(&mut stage, subject))));
        played.map_err(|panic| resume_unwind(panic))
    })
}
