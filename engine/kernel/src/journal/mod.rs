//! What a run did, on disk before the wire is touched.
//!
//! A journal is a file of JSON lines in the run's own folder, with one writer. [`entry`] says what a line
//! is, [`state`] in which order lines may come, `file` how they reach the disk, [`store`] where runs are found.

mod entry;
mod file;
mod state;
mod store;

pub use entry::{Entry, Key, Line, VERSION};
pub use file::{Journal, read, read_from};
pub use state::{Answer, Attempt, ChangeState, Guarded, Phase, State};
pub use store::{RunFolder, RunSummary, Store};
