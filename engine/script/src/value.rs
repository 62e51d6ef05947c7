//! Values of Rhai and of the kernel, in both directions.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::secret::Secret;
use haengine_kernel::value::{Unknown, Value};
use rhai::{Array, Dynamic, Map};

use crate::host::HostRef;
use crate::part::Part;
use crate::unknown::refuse_marked;

/// How deep a value may be that leaves the recipe: the journal is read back to about so deep.
const DEEPEST: usize = 100;

/// A Rhai value for an op.
///
/// # Errors
/// `call.value` for what no op takes, such as a closure, and for lists in lists without end.
pub(crate) fn to_kernel(value: &Dynamic) -> Result<Value> {
    within(value, DEEPEST)
}

fn within(value: &Dynamic, left: usize) -> Result<Value> {
    if left == 0 {
        let message = format!("a value is nested deeper than {DEEPEST} lists and maps");
        return Err(Error::new(Kind::Usage, "call.value", message).hint("pass on the part of it that is needed"));
    }
    let value = value.flatten_clone();
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(boolean) = value.as_bool() {
        return Ok(Value::Boolean(boolean));
    }
    if let Ok(integer) = value.as_int() {
        return Ok(Value::Integer(integer));
    }
    if let Ok(float) = value.as_float() {
        return Ok(Value::Float(float));
    }
    if let Ok(character) = value.as_char() {
        return Ok(Value::String(character.to_string()));
    }
    if value.is_string() {
        let text = value.into_string().unwrap_or_default();
        return refuse_marked(&text).map(|()| Value::String(text));
    }
    if let Some(array) = value.read_lock::<Array>() {
        return array.iter().map(|item| within(item, left - 1)).collect::<Result<_>>().map(Value::List);
    }
    if let Some(map) = value.read_lock::<Map>() {
        let pairs = map.iter().map(|(name, value)| Ok((name.to_string(), within(value, left - 1)?)));
        return pairs.collect::<Result<_>>().map(Value::Map);
    }
    custom_to_kernel(&value)
}

fn custom_to_kernel(value: &Dynamic) -> Result<Value> {
    if let Some(host) = value.read_lock::<HostRef>() {
        return Ok(Value::String(host.name().to_owned()));
    }
    if let Some(secret) = value.read_lock::<Secret>() {
        return Ok(Value::Secret(secret.clone()));
    }
    if let Some(unknown) = value.read_lock::<Unknown>() {
        return Ok(Value::Unknown(unknown.clone()));
    }
    Err(Error::new(Kind::Usage, "call.value", format!("{} cannot be passed to an op", type_name(value))))
}

/// A value of an op for Rhai.
pub(crate) fn to_rhai(value: Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Boolean(value) => value.into(),
        Value::Integer(value) => value.into(),
        Value::Float(value) => value.into(),
        Value::String(value) => value.into(),
        Value::Secret(secret) => Dynamic::from(secret),
        Value::Unknown(unknown) => Dynamic::from(unknown),
        Value::List(values) => values.into_iter().map(to_rhai).collect::<Array>().into(),
        Value::Map(values) => {
            values.into_iter().map(|(name, value)| (name.into(), to_rhai(value))).collect::<Map>().into()
        }
    }
}

/// What a value is, as recipes' authors call it, with its article.
pub(crate) fn type_name(value: &Dynamic) -> &'static str {
    match value.type_name() {
        "()" => "nothing",
        "bool" => "a boolean",
        "i64" => "an integer",
        "f64" => "a float",
        "string" | "alloc::string::String" => "a string",
        "char" => "a character",
        "array" => "an array",
        "map" => "a map",
        "Fn" => "a function",
        _ if value.is::<HostRef>() => "a host",
        _ if value.is::<Secret>() => "a secret",
        _ if value.is::<Part>() => "a part",
        _ if value.is::<Unknown>() => "a value known only when run",
        _ => "a value",
    }
}
