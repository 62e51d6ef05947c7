//! Commands, files and facts over SSH.

pub mod client;

use haengine_script::Module;

/// The module, as recipes see it.
pub fn module() -> Module {
    Module::new("ssh", "")
}
