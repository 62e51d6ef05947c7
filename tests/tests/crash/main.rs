//! The engine is killed everywhere: `resume` ends as if nothing had been, `undo` leaves nothing.
//!
//! | file | what |
//! |---|---|
//! | stage | hosts, what they are before and after a run that nobody disturbed, and a run that is killed |
//! | case | where a run is killed, and what must be true then |
//! | manifest, exceptions | all that hosts are, and what of it does not count |
//! | etcd_cluster, etcd_add_member, add_master, ha_from_single | recipes with hosts of their own |
//! | before_api | recipes that share a cluster with two masters |
//!
//! Cases share hosts and follow one another. Needs root; says so and passes where it is not root.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says where it stands"
)]
#![expect(clippy::disallowed_methods, reason = "it reads its own environment")]

mod add_master;
mod before_api;
mod case;
mod etcd_add_member;
mod etcd_cluster;
mod exceptions;
mod ha_from_single;
mod manifest;
mod stage;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use haengine_tests::{site, took};
use libtest_mimic::{Arguments, Trial};

use crate::stage::{Stage, Subject};

const SUBJECTS: [&Subject; 8] = [
    &etcd_cluster::SUBJECT,
    &etcd_add_member::SUBJECT,
    &add_master::SUBJECT,
    &ha_from_single::SUBJECT,
    &before_api::HAPROXY_KEEPALIVED,
    &before_api::HAPROXY_APISERVER,
    &before_api::HAPROXY_ETCD,
    &before_api::EXTEND_CERTS,
];

/// The hosts of one recipe at a time, and of those that stand on the same.
type Slot = Arc<Mutex<Option<Stage>>>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let seed = seed();
    println!("HAENGINE_SEED={seed}");
    let slot = Slot::default();
    let mut trials = vec![trial(&slot, SUBJECTS[0], "manifest::it_sees".to_owned(), manifest::it_sees)];
    for subject in SUBJECTS {
        let every_op = trial(&slot, subject, format!("{}::every_op", subject.recipe), case::every_op);
        trials.push(every_op.with_ignored_flag(subject.sample.is_empty()));
        for case in (subject.cases)(subject, seed) {
            let (name, ignored) = (case.name(subject), !case.is_in_sample(subject));
            trials.push(trial(&slot, subject, name, move |stage| case.play(stage)).with_ignored_flag(ignored));
        }
    }
    if !arguments.list && !site::possible() {
        return ExitCode::SUCCESS;
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(slot.lock().unwrap_or_else(PoisonError::into_inner).take());
    took::tell();
    conclusion.exit_code()
}

fn seed() -> u64 {
    let given = std::env::var("HAENGINE_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| u64::from(std::process::id()))
}

fn trial(slot: &Slot, subject: &'static Subject, name: String, play: impl Fn(&mut Stage) + Send + 'static) -> Trial {
    let slot = slot.clone();
    Trial::test(name.clone(), move || {
        let mut stage = slot.lock().unwrap_or_else(PoisonError::into_inner);
        took::timed(&name, || play(Stage::of(&mut stage, subject)));
        Ok(())
    })
}
