//! Files, directories and links on hosts.

mod absent;
mod copy_tree;
mod directory;
mod edit;
mod find;
mod former;
mod in_place;
mod line;
mod link;
pub mod look;
pub(crate) mod owner;
pub(crate) mod path;
pub mod place;
mod put;
pub(crate) mod read;
mod render;
mod replace;
mod stat;
pub mod succeed;
mod template;
mod tree;
mod variables;

use haengine_kernel::module::Module;

pub use absent::Absent;
pub use copy_tree::CopyTree;
pub use directory::Directory;
pub use find::Find;
pub use line::Line;
pub use link::{Before as LinkBefore, Link};
pub use put::Put;
pub use read::Read;
pub(crate) use render::render;
pub use replace::Replace;
pub use stat::Stat;
pub use template::Template;

/// The module, as recipes see it.
pub fn module() -> Module {
    Module::new("file", ABOUT)
        .read::<Read>()
        .read::<Stat>()
        .read::<Find>()
        .op::<Put>()
        .op::<Template>()
        .op::<Replace>()
        .op::<Line>()
        .op::<Directory>()
        .op::<Link>()
        .op::<Absent>()
        .op::<CopyTree>()
}

const ABOUT: &str = "Files, directories and links on hosts.

A file is written beside its place and renamed into it, so nobody sees half of it. What a change replaces or removes
is kept on the host until the run is undone or forgotten.";
