//! Members of etcd come and go through the built binary, on hosts of the lab, while somebody writes.
//!
//! | file | what |
//! |---|---|
//! | stage | hosts with a cluster of etcd, and what is there of it |
//! | growing | one member becomes three, and is one again |
//! | changing | members are added, lost, replaced, removed; and what is refused |
//! | restoring | all data is lost, and comes back from a snapshot |
//!
//! Scenarios follow one another, each on hosts of its own. Needs root; says so and passes where it is not root.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says what it measured"
)]

mod changing;
mod growing;
mod restoring;
mod stage;

use std::process::ExitCode;

use haengine_tests::{site, took};
use libtest_mimic::{Arguments, Trial};

use crate::stage::Stage;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let trials = vec![
        trial("growing::from_one_to_three_and_back", 1, growing::from_one_to_three_and_back),
        trial("changing::a_lost_member_is_replaced", 3, changing::a_lost_member_is_replaced),
        // `make test-long` plays it: what etcd itself does then is not always the same.
        trial("changing::a_host_that_is_off", 3, changing::a_host_that_is_off_is_replaced_by_another)
            .with_ignored_flag(true),
        trial("restoring::from_a_snapshot_and_back", 3, restoring::from_a_snapshot_and_back),
    ];
    if !arguments.list && !site::possible() {
        return ExitCode::SUCCESS;
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    took::tell();
    conclusion.exit_code()
}

/// A scenario on a cluster with so many members.
fn trial(name: &'static str, members: usize, scenario: impl Fn(&Stage) + Send + 'static) -> Trial {
    Trial::test(name, move || {
        took::timed(name, || scenario(&Stage::with(members)));
        Ok(())
    })
}
