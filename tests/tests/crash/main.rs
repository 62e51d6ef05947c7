//! The engine is killed everywhere: `resume` ends as if nothing had been, `undo` leaves nothing.
//!
//! | file | what |
//! |---|---|
//! | stage | hosts, what they are before and after a run that nobody disturbed, and a run that is killed |
//! | case | where a run is killed, and what must be true then |
//! | manifest, exceptions | all that hosts are, and what of it does not count |
//! | etcd_cluster, add_master | the recipes |
//!
//! Cases of one recipe share its hosts and follow one another. Needs root; says so and passes where it is not root.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says where it stands"
)]
#![expect(clippy::disallowed_methods, reason = "it reads its own environment")]

mod add_master;
mod case;
mod etcd_cluster;
mod exceptions;
mod manifest;
mod stage;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use haengine_tests::site;
use libtest_mimic::{Arguments, Trial};

use crate::case::Case;
use crate::stage::{Stage, Subject};

const SUBJECTS: [&Subject; 2] = [&etcd_cluster::SUBJECT, &add_master::SUBJECT];

/// The hosts of one recipe at a time: two clusters are more than a small machine bears.
type Slot = Arc<Mutex<Option<Stage>>>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They share the hosts.
    arguments.test_threads = Some(1);
    let seed = seed();
    println!("HAENGINE_SEED={seed}");
    let slot = Slot::default();
    let mut trials = vec![trial(&slot, SUBJECTS[0], "manifest::it_sees".to_owned(), manifest::it_sees)];
    for subject in SUBJECTS {
        let every_op = trial(&slot, subject, format!("{}::every_op", subject.recipe), case::every_op);
        trials.push(every_op.with_ignored_flag(subject.sample.is_empty()));
        for case in Case::all(subject, seed) {
            let (name, ignored) = (case.name(subject), !case.is_in_sample(subject));
            trials.push(trial(&slot, subject, name, move |stage| case.play(stage)).with_ignored_flag(ignored));
        }
    }
    if !arguments.list && !site::possible() {
        return ExitCode::SUCCESS;
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    lock(&slot).take();
    conclusion.exit_code()
}

fn seed() -> u64 {
    let given = std::env::var("HAENGINE_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| u64::from(std::process::id()))
}

fn lock(slot: &Slot) -> std::sync::MutexGuard<'_, Option<Stage>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

fn trial(slot: &Slot, subject: &'static Subject, name: String, play: impl Fn(&mut Stage) + Send + 'static) -> Trial {
    let slot = slot.clone();
    Trial::test(name, move || {
        let mut stage = lock(&slot);
        let played = catch_unwind(AssertUnwindSafe(|| play(Stage::of(&mut stage, subject))));
        played.map_err(|panic| resume_unwind(panic))
    })
}
