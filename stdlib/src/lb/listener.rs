//! A port of a balancer, and what is behind it.

use std::collections::BTreeMap;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::signature::{Param, ParamKind, nearest, quoted};
use haengine_kernel::value::Value;

/// The argument `listeners`.
pub(super) const LISTENERS: Param =
    Param::new("listeners", ParamKind::Any, "An array of maps: the ports, and what is behind each.");

/// What every listener says, and what it may say.
const KEYS: [&str; 8] = ["name", "port", "backends", "address", "check", "check_port", "plain", "expect"];

/// The listeners of a call, whole: as a template takes them.
///
/// # Errors
/// `lb.listener` when one lacks something, says something unknown, or shares its name or port with another.
pub(super) fn listeners(arguments: &Arguments) -> Result<Vec<Value>> {
    let function = arguments.function();
    let listeners = match arguments.get("listeners") {
        Some(Value::List(items)) if !items.is_empty() => items,
        _ => return Err(wrong(format!("`{function}` needs an array of listeners"), EXAMPLE)),
    };
    let listeners: Vec<BTreeMap<String, Value>> = listeners.iter().map(listener).collect::<Result<_>>()?;
    for key in ["name", "port"] {
        for (number, one) in listeners.iter().enumerate() {
            if listeners[..number].iter().any(|other| other[key] == one[key]) {
                return Err(wrong(format!("two listeners have the same `{key}`"), "give each its own"));
            }
        }
    }
    Ok(listeners.into_iter().map(Value::Map).collect())
}

const EXAMPLE: &str = "write `[#{ name: \"apiserver\", port: 16443, backends: [\"192.0.2.1:6443\"] }]`";

fn listener(value: &Value) -> Result<BTreeMap<String, Value>> {
    let Value::Map(said) = value else { return Err(wrong("a listener is a map".to_owned(), EXAMPLE)) };
    if let Some(key) = said.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let hint = match nearest(key, KEYS) {
            Some(near) => format!("write `{near}`"),
            None => format!("use {}", quoted(&KEYS)),
        };
        return Err(wrong(format!("a listener has no `{key}`"), hint));
    }
    let mut listener = said.clone();
    let name = match said.get("name") {
        Some(Value::String(name)) if is_name(name) => name.clone(),
        _ => return Err(wrong("a listener needs a `name` of letters, digits, `-` and `_`".to_owned(), EXAMPLE)),
    };
    match said.get("port") {
        Some(Value::Integer(1..=65535)) => {}
        _ => return Err(wrong(format!("the listener `{name}` needs a `port`"), "write a number from 1 to 65535")),
    }
    listener.insert("backends".to_owned(), backends(&name, said.get("backends"))?);
    Ok(listener)
}

/// Sorted, so that the order in which a recipe found them is no change.
fn backends(listener: &str, said: Option<&Value>) -> Result<Value> {
    let Some(Value::List(said)) = said else {
        return Err(wrong(format!("the listener `{listener}` needs an array of `backends`"), EXAMPLE));
    };
    let mut backends = Vec::new();
    for backend in said {
        match backend {
            Value::String(backend) if is_endpoint(backend) => backends.push(backend.clone()),
            _ => return Err(wrong(format!("a backend of `{listener}` is no endpoint"), "write it as `ADDRESS:PORT`")),
        }
    }
    backends.sort();
    backends.dedup();
    if backends.is_empty() {
        return Err(wrong(format!("the listener `{listener}` has no backend"), "name at least one, as `ADDRESS:PORT`"));
    }
    Ok(Value::List(backends.into_iter().map(Value::from).collect()))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn is_endpoint(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    text.rsplit_once(':').is_some_and(|(address, port)| {
        !address.is_empty() && address.chars().all(legal) && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

fn wrong(message: String, hint: impl Into<String>) -> Error {
    Error::new(Kind::Usage, "lb.listener", message).hint(hint.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(pairs: &[(&str, Value)]) -> Value {
        Value::Map(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    fn list(items: &[&str]) -> Value {
        Value::List(items.iter().map(|item| Value::from(*item)).collect())
    }

    #[test]
    fn backends_are_sorted_and_named_once() {
        let said = one(&[
            ("name", "api".into()),
            ("port", Value::Integer(16443)),
            ("backends", list(&["192.0.2.9:6443", "192.0.2.1:6443", "192.0.2.9:6443"])),
        ]);
        assert!(listener(&said).unwrap()["backends"] == list(&["192.0.2.1:6443", "192.0.2.9:6443"]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let message = |pairs: &[(&str, Value)]| listener(&one(pairs)).err().unwrap().message().to_owned();
        let (name, port) = (("name", Value::from("api")), ("port", Value::Integer(1)));
        assert_eq!(message(&[("nmae", "api".into())]), "a listener has no `nmae`");
        assert_eq!(message(&[("name", "a b".into())]), "a listener needs a `name` of letters, digits, `-` and `_`");
        assert_eq!(message(std::slice::from_ref(&name)), "the listener `api` needs a `port`");
        assert_eq!(message(&[name.clone(), port.clone()]), "the listener `api` needs an array of `backends`");
        assert_eq!(
            message(&[name.clone(), port.clone(), ("backends", list(&[]))]),
            "the listener `api` has no backend"
        );
        for backend in ["a", "a:", ":1", "a b:1", "a:0", "a;b:1"] {
            assert_eq!(
                message(&[name.clone(), port.clone(), ("backends", list(&[backend]))]),
                "a backend of `api` is no endpoint",
                "{backend}"
            );
        }
    }
}
