//! What several tests use; the tests are in `tests/`.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, reads its own environment, and says what it skips"
)]

pub mod canary;
pub mod look;
pub mod site;
pub mod stage;
