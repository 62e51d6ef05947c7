//! A recipe's parameters: declared by its `params()`, given as `key=value` or as a map, checked before any host is touched.

mod bind;
mod declare;

pub use bind::Bound;
pub(crate) use bind::{Context, bind_map, bind_pairs};
pub(crate) use declare::{declared, register};

use rhai::Dynamic;

/// One declared parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub kind: ParameterKind,
    /// What it is for.
    pub about: String,
    /// What holds when it is not given.
    pub default: Default,
}

/// What a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// A host of the inventory.
    Host,
    /// A group, or hosts with commas between.
    Hosts,
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// An IP address or a host name.
    Address,
    /// An absolute path on a host.
    Path,
    /// A time span such as `30s`.
    Duration,
    /// A reference to a secret: `env:NAME`, `file:PATH`, `age:PATH` or `prompt`.
    Secret,
    /// Texts with commas between, or a list.
    List,
    /// One of these words.
    Choice(Vec<String>),
}

/// What holds when a parameter is not given.
#[derive(Clone, Debug)]
pub enum Default {
    /// It must be given.
    Required,
    /// Nothing: the recipe sees `()`.
    Optional,
    /// This value.
    Value(Dynamic),
}

impl ParameterKind {
    /// Its name, as `param::NAME` declares it.
    pub fn name(&self) -> &'static str {
        match self {
            ParameterKind::Host => "host",
            ParameterKind::Hosts => "hosts",
            ParameterKind::String => "string",
            ParameterKind::Integer => "integer",
            ParameterKind::Boolean => "boolean",
            ParameterKind::Address => "address",
            ParameterKind::Path => "path",
            ParameterKind::Duration => "duration",
            ParameterKind::Secret => "secret",
            ParameterKind::List => "list",
            ParameterKind::Choice(_) => "choice",
        }
    }

    /// What it takes, for messages.
    pub(crate) fn takes(&self) -> String {
        match self {
            ParameterKind::Host => "a host of the inventory".to_owned(),
            ParameterKind::Hosts => "a group or hosts of the inventory".to_owned(),
            ParameterKind::String => "a text".to_owned(),
            ParameterKind::Integer => "a whole number".to_owned(),
            ParameterKind::Boolean => "`true` or `false`".to_owned(),
            ParameterKind::Address => "an IP address or a host name".to_owned(),
            ParameterKind::Path => "an absolute path".to_owned(),
            ParameterKind::Duration => "a time span such as `30s`".to_owned(),
            ParameterKind::Secret => "`env:NAME`, `file:PATH`, `age:PATH` or `prompt`".to_owned(),
            ParameterKind::List => "texts with commas between".to_owned(),
            ParameterKind::Choice(words) => format!("one of {}", haengine_kernel::signature::quoted(words)),
        }
    }
}
