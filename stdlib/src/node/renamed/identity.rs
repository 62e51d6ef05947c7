//! From which node to which one, as a recipe says it.

use std::collections::BTreeMap;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::value::Value;

use crate::node::change::Change;
use crate::node::endpoint::{Endpoint, Host};
use crate::node::identity::Identity;

/// `servers` are the API servers that files may name, `HOST:PORT`; the new node's own is `server`.
///
/// # Errors
/// `node.endpoint` for what is none.
pub(super) fn change(old: Identity, new: Identity, servers: &[String], server: &str) -> Result<Change> {
    let servers = servers.iter().map(|server| Endpoint::parse(server)).collect::<Result<_>>()?;
    Ok(Change { old, new, servers, server: Some(Endpoint::parse(server)?) })
}

/// A node as a recipe writes it: `#{ address, names }`.
pub(super) fn node(argument: &str, value: &BTreeMap<String, Value>) -> Result<Identity> {
    let address = match value.get("address") {
        Some(Value::String(address)) => address,
        _ => return Err(unclear(argument)),
    };
    let names: Vec<String> = match value.get("names") {
        Some(Value::List(names)) => names.iter().filter_map(name).collect(),
        _ => Vec::new(),
    };
    if names.is_empty() || value.len() != 2 {
        return Err(unclear(argument));
    }
    match Host::parse(address)? {
        Host::Address(address) => Ok(Identity { addresses: vec![address], names }),
        Host::Name(name) => {
            let message = format!("`{name}` is no address of a node");
            Err(Error::new(Kind::Usage, "node.endpoint", message).hint("write its IPv4 or IPv6 address"))
        }
    }
}

fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()),
        _ => None,
    }
}

fn unclear(argument: &str) -> Error {
    let message = format!("option `{argument}` of `node::renamed` needs `address` and `names`");
    Error::new(Kind::Usage, "call.type", message).hint("write `#{ address: \"192.0.2.1\", names: [\"node1\"] }`")
}
