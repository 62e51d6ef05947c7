//! What a node of a cluster is: asked of its host, read from its files, and those files for another node.
//!
//! | file | what |
//! |---|---|
//! | survey, sockets | what a host says of itself; who listens and who is connected |
//! | servers | which API servers the kubeconfigs of a host name |
//! | renamed | the files of a node as another one shall have them |
//! | repointed | the files of a node once they name another API server |
//! | with_flag | the files of a unit once its program is given another value for a flag |
//! | settings | how a unit's member of etcd is set up |
//! | with_settings, member | the files of a member of etcd once it is told something else; a member as a unit runs it |
//! | resolved | what endpoints stand for on a host |
//! | networks | the files of CNI around a node's part of the pods' network |
//! | releases | which Kubernetes the programs in a folder are, and which flags they take |
//! | said, file, linked | an answer in parts; a file in an answer; files where links lead |
//!
//! A change of files, as `renamed` and `repointed` make it:
//!
//! | file | what |
//! |---|---|
//! | change, identity, naming | from which node and API servers to which ones; who a node is; what a value means |
//! | in_units, unit_files, meant | a change in units and what they read; units as recipes say them; a value and what it means |
//! | in_variables | in variables that no command line names |
//! | in_documents, in_any_document | in a document whose values are known; in any other one |
//! | text, in_files | in a file that belongs to no unit, by what it is; in all files of a host |
//! | mention, mentions | what goes on naming what the change leaves, and why |
//!
//! Units, and what is in them:
//!
//! | file | what |
//! |---|---|
//! | traced | text that knows where each of its characters is written; files, and edits of them |
//! | words | a line split into words by systemd's rules |
//! | specifier | what `%n` stands for |
//! | fragments | which files make up a unit |
//! | unit | a unit with its drop-ins |
//! | variable_file | a file of variables |
//! | environment | `Environment=`, such files, and what of them counts |
//! | expansion | variables put in for `$NAME` and `${NAME}` |
//! | service | a unit with its environment and its command lines |
//! | program | the program that a service runs |
//! | flags, kinds | its flags, and which of them need no value |
//! | hosts | where in a value its hosts stand |
//! | rewrite | a value changed where it is written |
//!
//! Documents in YAML and JSON:
//!
//! | file | what |
//! |---|---|
//! | document, entry, reading, scalar, edit | a text in YAML or JSON: its values with their places, and others written in their stead |
//! | endpoint | where a server is: addresses, names, ports |
//! | kubeconfig | clusters, users, contexts; the only reader of kubeconfigs |
//! | configuration | the components' configuration files |
//! | etcd | etcd's configuration file |
//! | network, subnet | the files of CNI, and the parts of networks in them |
//! | manifest | static pods |
//!
//! But for `survey`, `sockets`, `servers`, `renamed`, `repointed`, `with_flag`, `settings`, `with_settings`, `networks`, `resolved` and `releases` nothing here asks a host: texts and their files' names go in, values and edited
//! texts come out. What is not understood is refused with file and line; an error never quotes a document, since there may be a secret
//! in it.

pub mod change;
pub mod configuration;
mod credentials;
pub mod document;
pub mod edit;
pub mod endpoint;
mod entry;
pub mod environment;
pub mod etcd;
mod expansion;
pub mod file;
pub mod flags;
pub mod fragments;
pub mod hosts;
pub mod identity;
mod in_any_document;
pub mod in_documents;
pub mod in_files;
pub mod in_units;
mod in_variables;
mod kinds;
pub mod kubeconfig;
pub mod linked;
mod login;
pub mod manifest;
mod meant;
pub mod member;
pub mod mention;
mod mentions;
pub mod naming;
pub mod network;
mod networks;
pub mod program;
mod reading;
pub mod releases;
mod renamed;
mod repointed;
mod resolved;
mod rewrite;
mod said;
pub mod scalar;
mod servers;
pub mod service;
mod settings;
mod sockets;
mod specifier;
pub mod subnet;
mod survey;
mod text;
pub mod traced;
pub mod unit;
pub mod unit_files;
pub mod variable_file;
pub mod with_flag;
mod with_settings;
pub mod words;

use haengine_kernel::module::Module;

pub use credentials::Credentials;
pub use networks::Networks;
pub use releases::Releases;
pub use renamed::Renamed;
pub use repointed::Repointed;
pub use resolved::Resolved;
pub use servers::Servers;
pub use settings::Settings;
pub use sockets::Sockets;
pub use survey::Survey;
pub use with_flag::WithFlag;
pub use with_settings::WithSettings;

/// The module, as recipes see it.
pub fn module() -> Module {
    Module::new("node", ABOUT)
        .read::<Survey>()
        .read::<Sockets>()
        .read::<Renamed>()
        .read::<Repointed>()
        .read::<WithFlag>()
        .read::<Settings>()
        .read::<WithSettings>()
        .read::<Servers>()
        .read::<Credentials>()
        .read::<Resolved>()
        .read::<Networks>()
        .read::<Releases>()
}

const ABOUT: &str =
    "What a node of a cluster is: its programs with their flags, units, files, listeners and connections.";
