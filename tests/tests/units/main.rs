//! Units and packages on a real host: systemd and apt are asked, not imitated.

#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used, missing_docs)]

mod bench;
mod host;
mod owned;
mod pkg;
mod service;
