//! What the language knows, for people: each function, verb, parameter type and property with signature and examples.
//!
//! | file | what |
//! |---|---|
//! | `core` | the functions of the language itself |
//! | `phases` | what recipes define and the engine calls |
//! | `entry` | one thing that can be looked up |
//! | `find` | looking it up by name |
//! | `findings` | what each finding of `check` means |
//! | `definitions` | all of it for editors |
//! | `page` | the book's reference |

mod core;
mod definitions;
mod entry;
mod find;
mod findings;
mod page;
mod phases;

pub(crate) use self::core::{Argument, Core, Takes, functions, named};
pub use definitions::definitions;
pub use entry::{Entry, EntrySort, Field, Sample, verb};
pub use find::{all, find};
pub use findings::{Meaning, meaning, meanings};
pub use page::{language, page};
