//! A module of verbs for the tests of the language and of runs, over hosts that are maps in memory. It serves these alone:
//! no verb of the library is proven with it.
//!
//! - `toy::set(hosts, path, content, #{ mode, flag })` is a state op,
//! - `toy::get(hosts, path)` a read: the content, or `()`,
//! - `toy::act(hosts, word, #{ unless })` an action that leaves `/said/WORD`; its result is the word,
//! - `toy::lock(hosts)` a guard that leaves `/lock` as long as the run lasts.

#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test binary uses another part of it"
)]

mod act;
mod get;
mod lock;
mod run;
mod set;
mod wire;

use std::path::Path;
use std::sync::Arc;

use haengine_kernel::cancel::Cancel;
use haengine_kernel::event::Events;
use haengine_kernel::host::Hosts;
use haengine_kernel::inventory::Inventory;
use haengine_kernel::module::Module;
use haengine_script::Library;
use tokio_util::sync::CancellationToken;

pub use run::{run, run_in};
pub use wire::{Failure, Wires, World};

/// The module.
pub fn module() -> Module {
    Module::new("toy", "Entries of a map.\n\nFor the tests of the language.")
        .op::<set::Set>()
        .read::<get::Get>()
        .action::<act::Act>()
        .guard::<lock::Lock>()
}

/// The language with `toy` as its only module.
pub fn library() -> Library {
    Library::new(vec![module()], CancellationToken::new())
}

/// Two masters, a worker, and a variable.
pub fn inventory() -> Inventory {
    let text = "hosts: { master1: , master2: { vars: { rack: b } }, worker1: }\n\
                groups: { masters: [master1, master2], workers: [worker1] }\n\
                vars: { rack: a }";
    Inventory::parse(text, Path::new("site.yaml"), None).unwrap()
}

/// The hosts of [`inventory`] in a world.
pub fn hosts(world: &Arc<World>, events: Events, cancel: impl Into<Cancel>) -> Arc<Hosts> {
    Hosts::new(Arc::new(inventory()), Arc::new(wire::Wires(world.clone())), events, cancel)
}
