//! The hosts that a run may touch, as the operator's file names them.

mod address;
mod duration;
mod host;
mod load;
mod lookup;
mod mask;
mod merge;
mod name;
mod node;
mod parse;
mod path;
mod secret_ref;
mod settings;
mod source;
mod suggest;
mod table;
#[cfg(test)]
mod tests;

pub use host::{Become, HostKeyPolicy, HostSpec};
pub use lookup::Named;
pub use secret_ref::{SecretRef, SecretSource};

use std::collections::BTreeMap;

use crate::value::Value;

/// Hosts, groups and variables. Names are unique across hosts and groups. It holds no secret, only where they are found, so a
/// run may keep it.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Inventory {
    /// Hosts in the order of the file.
    pub hosts: Vec<HostSpec>,
    /// Names of hosts by group, in the order of the file.
    pub groups: Vec<(String, Vec<String>)>,
    /// Variables for all hosts; a host's own win.
    pub vars: BTreeMap<String, Variable>,
}

impl Inventory {
    /// All texts among the variables for all hosts: what the operator has named.
    pub fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for variable in self.vars.values() {
            if let Variable::Plain(json) = variable {
                collect(json, &mut texts);
            }
        }
        texts
    }
}

fn collect(json: &serde_json::Value, texts: &mut Vec<String>) {
    use serde_json::Value as Json;
    match json {
        Json::String(text) => texts.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Json::Object(map) => map.values().for_each(|item| collect(item, texts)),
        _ => {}
    }
}

/// A variable of the inventory: plain data, or a secret that is named and resolved when it is read.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variable {
    /// Plain data.
    Plain(serde_json::Value),
    /// Where the secret is found.
    Secret(SecretRef),
}

impl Variable {
    /// The value; a secret is asked from `source`.
    ///
    /// # Errors
    /// When the secret cannot be had.
    pub fn value(&self, source: &dyn SecretSource) -> crate::error::Result<Value> {
        match self {
            Variable::Plain(json) => Ok(json.clone().into()),
            Variable::Secret(reference) => source.resolve(reference).map(Value::Secret),
        }
    }
}
