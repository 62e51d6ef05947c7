//! What can be known of a recipe before any host is touched.
//!
//! Rhai checks nothing but syntax and variables before a line is reached: an unknown function, a forgotten argument or a
//! misspelt option shows in the middle of a run. So `check` reads all files of a snapshot first.
//!
//! | file | what |
//! |---|---|
//! | `check` | the walk through all files of a snapshot |
//! | `finding` | one finding, and how it is drawn |
//! | `names` | what the engine knows; also asked when a line fails in a run |
//! | `sheet` | a file: its functions and imports |
//! | `call`, `verb`, `imported`, `literal` | a call: its function, its arguments as far as they are written out |
//! | `properties` | `p.NAME` |
//! | `shape`, `phases` | `main`, phases and `params()` |
//! | `place` | what is called outside of `main` and of phases |
//! | `preflight` | what is called inside and outside of checks, and in phases that only read |
//! | `follow`, `bodies`, `changed` | a walk through a file, with what is known of each variable |
//! | `known`, `types`, `value` | what a value is, what its type has, what expressions give |
//! | `twins` | functions of the same name in two files |
//! | `functions`, `members`, `closures`, `doubtful` | what shows to those who know what values are |

mod bodies;
mod call;
mod changed;
mod check;
mod closures;
mod doubtful;
mod finding;
mod follow;
mod functions;
mod imported;
mod known;
mod literal;
mod members;
mod names;
mod phases;
mod place;
mod preflight;
mod properties;
mod shape;
mod sheet;
mod twins;
mod types;
mod value;
mod verb;

pub(crate) use call::Call;
pub use finding::{Finding, Severity};
pub(crate) use names::Names;
