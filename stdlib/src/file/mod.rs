//! Files, directories and links on hosts.

mod absent;
mod copy_tree;
mod directory;
pub mod look;
pub(crate) mod path;
pub mod place;
mod put;
mod read;
mod stat;
mod tree;

use haengine_script::Module;

pub use absent::Absent;
pub use copy_tree::CopyTree;
pub use directory::Directory;
pub use put::Put;
pub use read::Read;
pub use stat::Stat;

/// The module, as recipes see it.
pub fn module() -> Module {
    Module::new("file", ABOUT)
        .read::<Read>()
        .read::<Stat>()
        .op::<Put>()
        .op::<Directory>()
        .op::<Absent>()
        .op::<CopyTree>()
}

const ABOUT: &str = "Files, directories and links on hosts.

A file is written beside its place and renamed into it, so nobody sees half of it. What a change replaces or removes
is kept on the host until the run is undone or forgotten.";
