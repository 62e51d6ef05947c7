//! Values for declared parameters: from `key=value`, from a map, from the inventory's variables, from defaults.

use std::path::Path;
use std::sync::Arc;

use haengine_kernel::arguments::parse_duration;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::inventory::{Inventory, Named, SecretRef, SecretSource, Variable};
use haengine_kernel::reach::Reach;
use haengine_kernel::secret::Secret;
use haengine_kernel::signature::{nearest, quoted};
use haengine_kernel::value::Value;
use rhai::{Array, Dynamic, Map};

use crate::host::{HostRef, host_names};
use crate::params::{Default, Parameter, ParameterKind};
use crate::value::{to_kernel, to_rhai, type_name};

/// Parameters with their values, ready for `main`.
#[derive(Clone)]
pub struct Bound {
    pub(crate) values: Map,
    /// What the recipe may read on the operator's machine; everything where nothing is said.
    pub(crate) reach: Option<Arc<Reach>>,
}

impl Bound {
    /// The values for the journal and for people, secrets redacted.
    pub fn redacted(&self) -> serde_json::Value {
        let pairs = self.values.iter().map(|(name, value)| {
            let shown = to_kernel(value).map_or(serde_json::Value::Null, |value| value.redacted());
            (name.to_string(), shown)
        });
        serde_json::Value::Object(pairs.collect())
    }
}

/// What a value needs to become one.
pub(crate) struct Context<'a> {
    pub inventory: &'a Inventory,
    pub secrets: &'a dyn SecretSource,
    pub home: Option<&'a Path>,
    /// What the recipe may read on the operator's machine, what the operator has named included.
    pub reach: Option<Arc<Reach>>,
}

/// Who wrote a value.
#[derive(Clone, Copy, PartialEq)]
enum Author {
    /// On the command line or in the inventory.
    Operator,
    /// In a recipe.
    Recipe,
}

/// Values for a call from the command line.
///
/// # Errors
/// Unknown, missing, repeated and ill-typed parameters, each with its name and the next step.
pub(crate) fn bind_pairs(parameters: &[Parameter], pairs: &[(String, String)], context: &Context) -> Result<Bound> {
    let mut given = Map::new();
    for (name, text) in pairs {
        known(parameters, name)?;
        if given.insert(name.as_str().into(), text.clone().into()).is_some() {
            return Err(Error::new(Kind::Usage, "param.twice", format!("parameter `{name}` is given twice")));
        }
    }
    let values = bind(parameters, given, Author::Operator, context)?;
    Ok(Bound { values, reach: context.reach.clone() })
}

/// Values for a call from another recipe: texts are converted as on the command line.
///
/// # Errors
/// As [`bind_pairs`].
pub(crate) fn bind_map(parameters: &[Parameter], given: Map, context: &Context) -> Result<Map> {
    bind(parameters, given, Author::Recipe, context)
}

fn bind(parameters: &[Parameter], mut given: Map, author: Author, context: &Context) -> Result<Map> {
    if let Some(unknown) = given.keys().find(|name| !parameters.iter().any(|known| known.name == name.as_str())) {
        known(parameters, unknown)?;
    }
    let mut bound = Map::new();
    for parameter in parameters {
        let value = match (given.remove(parameter.name.as_str()), context.inventory.vars.get(&parameter.name)) {
            (Some(value), _) => convert(parameter, value, author, context)?,
            (None, Some(variable)) => from_variable(parameter, variable, context)?,
            (None, None) => from_default(parameter, context)?,
        };
        bound.insert(parameter.name.as_str().into(), value);
    }
    Ok(bound)
}

fn known(parameters: &[Parameter], name: &str) -> Result<()> {
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    if names.contains(&name) {
        return Ok(());
    }
    let error = Error::new(Kind::Usage, "param.unknown", format!("the recipe has no parameter `{name}`"));
    Err(match nearest(name, names.iter().copied()) {
        Some(near) => error.hint(format!("write `{near}=…`")),
        None if names.is_empty() => error.hint("leave it out: the recipe takes no parameters"),
        None => error.hint(format!("use one of {}", quoted(&names))),
    })
}

/// A variable of the inventory with the parameter's name stands in for it.
fn from_variable(parameter: &Parameter, variable: &Variable, context: &Context) -> Result<Dynamic> {
    let value = variable.value(context.secrets)?;
    if let (ParameterKind::Secret, Value::Secret(secret)) = (&parameter.kind, &value) {
        return Ok(Dynamic::from(secret.clone()));
    }
    convert(parameter, to_rhai(value), Author::Operator, context)
}

fn from_default(parameter: &Parameter, context: &Context) -> Result<Dynamic> {
    match &parameter.default {
        Default::Value(value) => convert(parameter, value.clone(), Author::Recipe, context),
        Default::Optional => Ok(Dynamic::UNIT),
        Default::Required => {
            let message = format!("parameter `{}` is missing: {}", parameter.name, parameter.about);
            let hint = format!("add `{}=…`: {}", parameter.name, parameter.kind.takes());
            Err(Error::new(Kind::Usage, "param.missing", message).hint(hint))
        }
    }
}

fn convert(parameter: &Parameter, value: Dynamic, author: Author, context: &Context) -> Result<Dynamic> {
    let value = value.flatten();
    let text = value.clone().into_string().ok();
    match (&parameter.kind, text) {
        (ParameterKind::Host, Some(name)) => one_host(&name, context),
        (ParameterKind::Host, None) if value.is::<HostRef>() => Ok(value),
        (ParameterKind::Hosts, Some(names)) => several_hosts(&names, context),
        (ParameterKind::Hosts, None) if host_names(&value).is_some() => Ok(as_array(value)),
        (ParameterKind::Secret, Some(text)) => secret(parameter, &text, author, context),
        (ParameterKind::Secret, None) if value.is::<Secret>() => Ok(value),
        (ParameterKind::List, Some(text)) => Ok(list(&text)),
        (ParameterKind::List, None) if value.is_array() => Ok(value),
        (ParameterKind::Integer, None) if value.is_int() => Ok(value),
        (ParameterKind::Boolean, None) if value.is_bool() => Ok(value),
        (ParameterKind::Duration, None) if value.is_int() => Ok(value),
        (_, Some(text)) => scalar(&parameter.kind, &text).ok_or_else(|| ill_typed(parameter, &format!("`{text}`"))),
        (_, None) => Err(ill_typed(parameter, type_name(&value))),
    }
}

fn scalar(kind: &ParameterKind, text: &str) -> Option<Dynamic> {
    match kind {
        ParameterKind::String => Some(text.to_owned().into()),
        ParameterKind::Integer => text.parse::<i64>().ok().map(Dynamic::from),
        ParameterKind::Boolean => text.parse::<bool>().ok().map(Dynamic::from),
        ParameterKind::Address => is_address(text).then(|| text.to_owned().into()),
        ParameterKind::Path => text.starts_with('/').then(|| text.to_owned().into()),
        ParameterKind::Duration => parse_duration(text).map(|_| text.to_owned().into()),
        ParameterKind::Choice(words) => words.iter().any(|word| word == text).then(|| text.to_owned().into()),
        _ => None,
    }
}

/// An IP address, or a name of letters, digits, dots and hyphens (RFC 1123).
fn is_address(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    // What is made of digits and dots alone is meant as an address.
    let number_like = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    text.parse::<std::net::IpAddr>().is_ok() || (!number_like && text.len() <= 253 && text.split('.').all(label))
}

fn one_host(name: &str, context: &Context) -> Result<Dynamic> {
    Ok(Dynamic::from(HostRef::new(context.inventory.host(name)?.clone())))
}

fn several_hosts(names: &str, context: &Context) -> Result<Dynamic> {
    let mut hosts = Array::new();
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let found = match context.inventory.resolve(name)? {
            Named::Host(host) => vec![host],
            Named::Group(hosts) => hosts,
        };
        hosts.extend(found.into_iter().map(|host| Dynamic::from(HostRef::new(host.clone()))));
    }
    Ok(hosts.into())
}

fn as_array(hosts: Dynamic) -> Dynamic {
    if hosts.is_array() { hosts } else { vec![hosts].into() }
}

fn list(text: &str) -> Dynamic {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(|item| Dynamic::from(item.to_owned())).collect::<Array>().into()
}

/// Where a secret is found is the operator's to say: a recipe may only name what it may read anyway.
fn secret(parameter: &Parameter, text: &str, author: Author, context: &Context) -> Result<Dynamic> {
    let what = format!("parameter `{}`", parameter.name);
    let reference = SecretRef::parse(text, Path::new("."), context.home, &what)?;
    if let (Author::Recipe, Some(reach)) = (author, &context.reach) {
        reach.check_secret(&reference, text).map_err(|error| named_by_you(error, parameter, text))?;
    }
    context.secrets.resolve(&reference).map(Dynamic::from)
}

fn named_by_you(error: Error, parameter: &Parameter, text: &str) -> Error {
    let name = &parameter.name;
    error.hint(format!("give it yourself, if the recipe shall have it: `{name}={text}`"))
}

fn ill_typed(parameter: &Parameter, given: &str) -> Error {
    let message = format!("parameter `{}` must be {}, not {given}", parameter.name, parameter.kind.takes());
    Error::new(Kind::Usage, "param.type", message)
}
