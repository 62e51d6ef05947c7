//! A session: lines that a person writes one after the other, on hosts that stay connected.
//!
//! | file | what |
//! |---|---|
//! | `text` | where a text ends, and where it names the last value |
//! | `repl` | what was said so far, and the next line |
//! | `imports` | the files that lines import, read anew when they have changed |
//! | `answer` | what a line gives |
//! | `complete` | what could follow |
//! | `save` | the session as a recipe |

mod answer;
mod complete;
mod imports;
mod repl;
mod save;
mod text;

pub use answer::Answer;
pub use complete::{Completion, Suggestion};
pub use imports::Reloaded;
pub use repl::Repl;
pub use text::is_whole;

/// What errors and the journal call the lines of a session.
pub const NAME: &str = "repl";
