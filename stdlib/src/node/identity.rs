//! Who a node is.

use std::collections::BTreeMap;
use std::net::IpAddr;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::value::Value;

use super::endpoint::Host;

/// What a node is called and where it is reached.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Its addresses: one, or one of each family.
    pub addresses: Vec<IpAddr>,
    /// Its names: the first is the node's, others may be the host's.
    pub names: Vec<String>,
}

impl Identity {
    /// A node as a recipe writes it: `#{ address, names }`, for this argument of this verb.
    ///
    /// # Errors
    /// `call.type` where one of the two is missing, `node.endpoint` for an address that is none.
    pub(super) fn of_values(verb: &str, argument: &str, value: &BTreeMap<String, Value>) -> Result<Identity> {
        let address = match value.get("address") {
            Some(Value::String(address)) => address,
            _ => return Err(unclear(verb, argument)),
        };
        let names: Vec<String> = match value.get("names") {
            Some(Value::List(names)) => names.iter().filter_map(name).collect(),
            _ => Vec::new(),
        };
        if names.is_empty() || value.len() != 2 {
            return Err(unclear(verb, argument));
        }
        match Host::parse(address)? {
            Host::Address(address) => Ok(Identity { addresses: vec![address], names }),
            Host::Name(name) => {
                let message = format!("`{name}` is no address of a node");
                Err(Error::new(Kind::Usage, "node.endpoint", message).hint("write its IPv4 or IPv6 address"))
            }
        }
    }
}

fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()),
        _ => None,
    }
}

fn unclear(verb: &str, argument: &str) -> Error {
    let message = format!("`{argument}` of `{verb}` needs `address` and `names`");
    Error::new(Kind::Usage, "call.type", message).hint("write `#{ address: \"192.0.2.1\", names: [\"node1\"] }`")
}
