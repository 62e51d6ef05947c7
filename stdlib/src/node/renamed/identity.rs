//! From which node to which one, as a recipe says it.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::value::Value;

use crate::node::endpoint::{Endpoint, Host};
use crate::node::moving::Move;
use crate::node::rename::{Identity, Rename};

/// The parameters of both.
#[derive(Clone)]
pub(super) struct Change {
    /// For units and flags.
    pub rename: Rename,
    /// For documents.
    pub to: Move,
}

/// One node: its address, and its names, the node's first.
pub(super) struct Node {
    /// Of IPv4 or IPv6.
    pub address: String,
    /// The node's name, and the host's where that is another one.
    pub names: Vec<String>,
}

impl Change {
    /// `servers` are the API servers that files may name, `HOST:PORT`; the new node's own is `server`.
    ///
    /// # Errors
    /// `node.endpoint` for what is none, and where a node has no name or no address.
    pub fn new(old: &Node, new: &Node, servers: &[String], server: &str) -> Result<Change> {
        let (was, is) = (Host::parse(&old.address)?, Host::parse(&new.address)?);
        let endpoints = servers.iter().map(|server| Endpoint::parse(server)).collect::<Result<Vec<_>>>()?;
        let own = Endpoint::parse(server)?;
        let rename = Rename {
            old: identity(old)?,
            new: identity(new)?,
            servers: endpoints.iter().filter_map(|server| server.host.as_ref()).map(Host::to_string).collect(),
            ports: endpoints.iter().filter_map(Endpoint::port).chain(own.port()).collect(),
        };
        let names = (old.names[0].clone(), new.names[0].to_ascii_lowercase());
        Ok(Change { rename, to: Move { addresses: vec![(was, is)], names, servers: endpoints, server: Some(own) } })
    }
}

/// A node as a recipe writes it: `#{ address, names }`.
pub(super) fn node(argument: &str, value: &std::collections::BTreeMap<String, Value>) -> Result<Node> {
    let address = match value.get("address") {
        Some(Value::String(address)) => address.clone(),
        _ => return Err(unclear(argument)),
    };
    let names: Vec<String> = match value.get("names") {
        Some(Value::List(names)) => names.iter().filter_map(name).collect(),
        _ => Vec::new(),
    };
    if names.is_empty() || value.len() != 2 { Err(unclear(argument)) } else { Ok(Node { address, names }) }
}

fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()),
        _ => None,
    }
}

fn identity(node: &Node) -> Result<Identity> {
    match Host::parse(&node.address)? {
        Host::Address(address) => Ok(Identity { addresses: vec![address], names: node.names.clone() }),
        Host::Name(name) => {
            let message = format!("`{name}` is no address of a node");
            Err(Error::new(Kind::Usage, "node.endpoint", message).hint("write its IPv4 or IPv6 address"))
        }
    }
}

fn unclear(argument: &str) -> Error {
    let message = format!("option `{argument}` of `node::renamed` needs `address` and `names`");
    Error::new(Kind::Usage, "call.type", message).hint("write `#{ address: \"192.0.2.1\", names: [\"node1\"] }`")
}
