//! Commands, files and facts over SSH.

pub mod client;
