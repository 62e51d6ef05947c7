//! The `file` module.

use haengine_script::Module;

/// The module, as recipes see it.
pub fn module() -> Module {
    Module::new("file", "")
}
