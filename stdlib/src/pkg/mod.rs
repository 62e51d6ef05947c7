//! Packages of the distribution.
//!
//! | file | what |
//! |---|---|
//! | installed | the verb |
//! | package | how packages are called, and which manager has them |
//! | planned | what later calls of a plan see of it |
//! | observed | what a host says of packages, and what apt would do |
//! | places | what an installation may touch, and what undo does about each |
//! | names | which places bear a name of what came in |
//! | leftovers | what an installation left behind, and what undo does about it |
//! | failure | why a package manager did not do as it was told |

mod failure;
mod installed;
mod leftovers;
mod names;
mod observed;
mod package;
mod places;
mod planned;

use haengine_kernel::module::Module;

pub use installed::Installed;
pub use places::NOT_RESTORED;
pub use planned::PlannedPackage;

/// The module, as recipes see it. `package` is a reserved word there.
pub fn module() -> Module {
    Module::new("pkg", ABOUT).op::<Installed>()
}

const ABOUT: &str = "Packages of the distribution, with apt, dnf or yum.";
