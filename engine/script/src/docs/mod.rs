//! What the language knows, for people: each function, verb, parameter type and property with signature and examples.
//!
//! | file | what |
//! |---|---|
//! | `core` | the functions of the language itself |
//! | `entry` | one thing that can be looked up |
//! | `find` | looking it up by name |
//! | `page` | the book's reference |

mod core;
mod entry;
mod find;
mod page;

pub(crate) use self::core::{Argument, Core, Takes, functions, named};
pub use entry::{Entry, EntrySort, Field, Sample, verb};
pub use find::{all, find};
pub use page::{language, page};
