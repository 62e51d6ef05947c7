//! Rhai meets the kernel: recipes, their parameters, steps and errors. It knows no module by name.
//!
//! | file | what |
//! |---|---|
//! | [`library`] | the language: an engine with our functions and the modules it is given |
//! | [`sources`], `load`, [`snapshot`] | from a name to an immutable snapshot |
//! | `templates` | the templates that it names |
//! | [`versions`], [`watch`] | the versions of a recipe that is edited |
//! | [`ejected`] | stock recipes that a site has taken over |
//! | [`recipe`], [`params`] | what a recipe says of itself, and its run |
//! | `bridge`, `frame` | from a call in a recipe to a verb of the kernel |
//! | `phases`, `piece`, `play`, `part`, `parts`, `difference` | what makes a file a recipe, and how phases and parts are played |
//! | [`outline`], `written`, `reads`, `local` | what phases do, and what is read on the operator's machine, from their text |
//! | `limits` | how deep, large and long things may become |
//! | `step`, `preflight` (with `check`, `findings`), `options`, `fanout`, `waiting`, `talk`, `import`, `lookup` | the functions of the language |
//! | [`session`] | lines that a person writes one after the other |
//! | [`repair`], `remedy` | what can be done about a step that fails |
//! | [`host`], `value`, `unknown` | hosts and values as recipes hold them, and those that only a run can know |
//! | [`fault`], [`spot`], `raise`, `from_rhai`, `syntax`, `picture` | errors, drawn with file, line, caret and call stack |
//! | [`docs`], [`lint`] | what the language knows, and what of a recipe it does not know |

mod body;
mod bridge;
mod check;
mod closure;
mod difference;
mod fanout;
mod findings;
mod frame;
mod from_rhai;
mod import;
mod limits;
mod load;
mod local;
mod lookup;
mod options;
mod part;
mod parts;
mod phases;
mod picture;
mod piece;
mod play;
mod preflight;
mod raise;
mod reads;
mod remedy;
mod step;
mod syntax;
mod talk;
mod templates;
mod unknown;
mod value;
mod waiting;
mod written;

pub mod docs;
pub mod ejected;
pub mod fault;
pub mod host;
pub mod library;
pub mod lint;
pub mod outline;
pub mod params;
pub mod prompt;
pub mod recipe;
pub mod repair;
pub mod session;
pub mod snapshot;
pub mod sources;
pub mod spot;
pub mod versions;
pub mod watch;

pub use fault::Fault;
pub use frame::Surroundings;
pub use library::Library;
pub use lint::Finding;
pub use outline::Outline;
pub use params::{Bound, Parameter};
pub use prompt::Prompt;
pub use recipe::Recipe;
pub use session::Repl;
pub use sources::Sources;
pub use versions::Versions;
