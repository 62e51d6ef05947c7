//! Commands, files and facts over SSH.

pub mod client;
mod download;
mod facts;
mod live;
pub(crate) mod local_file;
mod once;
mod query;
mod run;
mod script;
mod sent;
mod setting;
mod sources;
mod upload;
mod wait;

pub use download::Download;
pub use facts::Facts;
pub use query::Query;
pub use run::Run;
pub use script::Script;
pub use upload::Upload;
pub use wait::Wait;

use haengine_kernel::module::Module;

/// The module, as recipes see it.
pub fn module() -> Module {
    Module::new("ssh", ABOUT)
        .action::<Run>()
        .read::<Query>()
        .action::<Script>()
        .op::<Upload>()
        .read::<Download>()
        .read::<Facts>()
        .read::<Wait>()
}

const ABOUT: &str = "Commands, files and facts over SSH.

`ssh::run` and `ssh::script` do something once; tell them with `unless` how to know that it is done. Where an end state
can be described, a verb of another module (`file`, `service`, `pkg`) serves better: it sees by itself what is left to
do, shows it in a plan, and takes it back.";
