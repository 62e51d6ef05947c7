//! What several tests use; the tests are in `tests/`.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::exit,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, reads its own environment, says what it skips, and ends when interrupted"
)]

pub mod canary;
pub mod interrupted;
pub mod look;
pub mod once;
pub mod reader;
pub mod refused;
pub mod site;
pub mod stage;
pub mod took;
pub mod writer;
