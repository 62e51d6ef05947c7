//! Recipes and bad input through the built binary, against real hosts of the lab.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and one that is skipped says so"
)]

mod bad_input;
mod etcd_cluster;
mod interrupted;
mod old_journal;
mod output;
mod phases;
mod replaced;
mod resume;
mod secrets;
mod session;
mod time_sync;

use haengine_tests::site;
