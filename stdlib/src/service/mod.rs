//! The `service` module.

use haengine_script::Module;

/// The module, as recipes see it.
pub fn module() -> Module {
    Module::new("service", "")
}
