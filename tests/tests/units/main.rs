//! Units and packages on a real host: systemd and apt are asked, not imitated.

#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod bench;
mod host;
mod pkg;
mod service;
