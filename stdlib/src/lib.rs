//! The verbs that recipes call. One module a folder, one verb a file.

pub mod cert;
pub mod etcd;
pub mod file;
pub mod hostile;
pub mod k8s;
pub mod lb;
pub mod node;
pub mod pkg;
pub mod service;
pub mod ssh;
pub mod vip;

use haengine_kernel::module::Module;
use include_dir::{Dir, include_dir};

/// What recipes import: helpers in their own language.
pub static LIBRARIES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/rhai");

/// All modules, in the order of the book.
pub fn modules() -> Vec<Module> {
    vec![
        ssh::module(),
        file::module(),
        service::module(),
        pkg::module(),
        node::module(),
        etcd::module(),
        cert::module(),
        k8s::module(),
        lb::module(),
        vip::module(),
    ]
}
