//! The commands, a file for each.

pub mod check;
pub mod completions;
pub mod describe;
pub mod doc;
pub mod eject;
pub mod forget;
pub mod init;
pub mod lab;
pub mod list;
mod repair;
pub mod repl;
pub mod resume;
pub mod run;
pub mod runs;
pub mod show;
pub mod undo;
pub mod watch;
