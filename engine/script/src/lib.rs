//! Rhai meets the kernel: recipes, their parameters, steps and errors. It knows no module by name.

mod module;

pub use module::Module;
