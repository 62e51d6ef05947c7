//! What a node of a cluster is.

mod said;
mod sockets;
mod survey;

use haengine_script::Module;

pub use sockets::Sockets;
pub use survey::Survey;

/// The module, as recipes see it.
pub fn module() -> Module {
    Module::new("node", ABOUT).read::<Survey>().read::<Sockets>()
}

const ABOUT: &str =
    "What a node of a cluster is: its programs with their flags, units, files, listeners and connections.";
