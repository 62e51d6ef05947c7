//! What values have by their type: methods and properties, as the engine has them.

use std::any::TypeId;
use std::collections::BTreeMap;

use haengine_kernel::secret::Secret;
use haengine_kernel::signature::nearest;
use rhai::{Array, Dynamic, Engine, FLOAT, FnPtr, INT, ImmutableString, Map};

use crate::host::HostRef;
use crate::lint::known::Known;

/// The engine's functions by name, properties as `get$NAME`.
pub(super) struct Types(BTreeMap<String, Vec<Overload>>);

/// One function of a name.
struct Overload {
    /// The type of what it is called on; none where it has no arguments.
    first: Option<TypeId>,
    /// How many arguments it takes, that one included.
    count: usize,
    gives: Known,
}

impl Types {
    /// What this engine has.
    pub fn of(engine: &Engine) -> Types {
        let known = engine.collect_fn_metadata(
            None,
            |function| {
                let metadata = function.metadata;
                let overload = Overload {
                    first: metadata.param_types.first().copied(),
                    count: metadata.num_params,
                    gives: named(&metadata.return_type),
                };
                function.namespace.is_empty().then(|| (metadata.name.to_string(), overload))
            },
            true,
        );
        let mut types: BTreeMap<String, Vec<Overload>> = BTreeMap::new();
        for (name, overload) in known {
            types.entry(name).or_default().push(overload);
        }
        Types(types)
    }

    /// Whether such a value has such a method.
    pub fn has_method(&self, value: &Known, name: &str) -> bool {
        self.0.get(name).is_some_and(|all| all.iter().any(|one| one.takes(value)))
    }

    /// What a function gives that is called with this many arguments, the first of this type.
    pub fn gives(&self, name: &str, first: &Known, count: usize) -> Known {
        let all = self.0.get(name).into_iter().flatten();
        let mut fitting = all.filter(|one| one.count == count && one.takes(first)).map(|one| one.gives.clone());
        fitting.next().map_or(Known::Anything, |gives| fitting.fold(gives, Known::or))
    }

    /// What a property gives; none when such a value does not have it.
    pub fn property(&self, value: &Known, name: &str) -> Option<Known> {
        let getter = format!("get${name}");
        let mut all = self.0.get(&getter).into_iter().flatten();
        all.find(|one| one.takes(value)).map(|one| one.gives.clone())
    }

    /// The method of such a value that was probably meant.
    pub fn near_method(&self, value: &Known, name: &str) -> Option<&str> {
        nearest(name, self.of_type(value).filter(|known| !known.contains('$') && rhai::is_valid_identifier(known)))
    }

    /// The property of such a value that was probably meant.
    pub fn near_property(&self, value: &Known, name: &str) -> Option<&str> {
        nearest(name, self.of_type(value).filter_map(|known| known.strip_prefix("get$")))
    }

    fn of_type(&self, value: &Known) -> impl Iterator<Item = &str> {
        let fits = |overload: &&Overload| overload.first != Some(TypeId::of::<Dynamic>()) && overload.takes(value);
        let names = self.0.iter().filter(move |(_, all)| all.iter().any(|one| fits(&one)));
        names.map(|(name, _)| name.as_str())
    }
}

impl Overload {
    fn takes(&self, value: &Known) -> bool {
        let Some(first) = self.first else { return false };
        first == TypeId::of::<Dynamic>() || ids(value).is_none_or(|ids| ids.contains(&first))
    }
}

/// How Rhai calls the type; none where it is not known.
fn ids(value: &Known) -> Option<Vec<TypeId>> {
    Some(match value {
        Known::Anything => return None,
        Known::Nothing => vec![TypeId::of::<()>()],
        Known::Boolean => vec![TypeId::of::<bool>()],
        Known::Integer => vec![TypeId::of::<INT>()],
        Known::Float => vec![TypeId::of::<FLOAT>()],
        Known::Character => vec![TypeId::of::<char>()],
        Known::String => vec![TypeId::of::<ImmutableString>(), TypeId::of::<String>(), TypeId::of::<&str>()],
        Known::Closure => vec![TypeId::of::<FnPtr>()],
        Known::Host => vec![TypeId::of::<HostRef>()],
        Known::Secret => vec![TypeId::of::<Secret>()],
        Known::List(_) => vec![TypeId::of::<Array>()],
        Known::Map(_) | Known::Named(_) | Known::Parameters(_) => vec![TypeId::of::<Map>()],
        Known::Result(_, inner) => return ids(inner),
    })
}

/// The type of this name, as Rhai's registration writes it.
fn named(text: &str) -> Known {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let inner = ["RhaiResultOf<", "Result<"].iter().find_map(|start| text.strip_prefix(start));
    let text = inner.map_or(text.as_str(), |rest| rest.split([',', '>']).next().unwrap_or(rest));
    match text.rsplit("::").next().unwrap_or(text) {
        "bool" => Known::Boolean,
        "INT" | "i64" => Known::Integer,
        "FLOAT" | "f64" => Known::Float,
        "char" => Known::Character,
        "ImmutableString" | "String" | "SmartString" | "&str" | "string" => Known::String,
        "Array" => Known::List(Box::new(Known::Anything)),
        "Map" => Known::Named(Box::new(Known::Anything)),
        "()" => Known::Nothing,
        _ => Known::Anything,
    }
}
