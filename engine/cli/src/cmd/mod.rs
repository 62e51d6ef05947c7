//! The commands, a file for each.

pub mod doc;
pub mod lab;
pub mod runs;
pub mod show;
pub mod undo;
