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
//! | `shape` | `main` and `params()` |
//! | `place` | what is called outside of `main` |
//! | `preflight` | what is called inside and outside of checks |

mod call;
mod check;
mod finding;
mod imported;
mod literal;
mod names;
mod place;
mod preflight;
mod properties;
mod shape;
mod sheet;
mod verb;

pub use finding::{Finding, Severity};
pub(crate) use names::Names;
