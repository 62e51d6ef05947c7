//! Recipes and bad input through the built binary, against real hosts of the lab.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, reads its own environment, and says what it skips"
)]

mod bad_input;
mod etcd_cluster;
mod interrupted;
mod output;
mod site;
mod time_sync;
