//! Methods and properties of values whose type is known.

use haengine_kernel::signature::{nearest, quoted};
use rhai::{FnCallExpr, Position};

use crate::lint::Names;
use crate::lint::follow::Follow;
use crate::lint::known::Known;

/// Methods whose closure gets an element.
const OF_ELEMENTS: [&str; 12] =
    ["all", "dedup", "drain", "filter", "find", "find_map", "index_of", "map", "reduce", "retain", "some", "sort"];

impl Follow<'_, '_> {
    /// A method of a value.
    pub fn method(&mut self, value: &Known, call: &FnCallExpr, position: Position) -> Known {
        let element = match value {
            Known::List(element) if OF_ELEMENTS.contains(&call.name.as_str()) && call.name != "reduce" => {
                (**element).clone()
            }
            _ => Known::Anything,
        };
        for argument in &call.args {
            if self.closure(argument, vec![element.clone()], None).is_none() {
                self.value(argument);
            }
        }
        self.no_method(value, &call.name, position);
        let gives = match (call.name.as_str(), value) {
            ("filter", Known::List(_)) => value.clone(),
            ("keys", Known::Map(_) | Known::Named(_) | Known::Parameters(_)) => Known::List(Box::new(Known::String)),
            ("values", Known::Named(value)) => Known::List(value.clone()),
            _ if self.is_foreign(value, &call.name) => Known::Anything,
            _ => self.lint.types.gives(&call.name, value, call.args.len() + 1),
        };
        self.unknown_arguments(&call.name);
        gives.made_of(value)
    }

    /// A function of the file, a closure in a map, or what Rhai understands by itself.
    fn is_foreign(&self, value: &Known, name: &str) -> bool {
        let in_map =
            matches!(value, Known::Map(_) | Known::Named(_) | Known::Parameters(_)) && self.sheet.has_key(name);
        in_map || self.sheet.function(name).is_some() || Names::is_keyword(name)
    }

    fn no_method(&mut self, value: &Known, name: &str, position: Position) {
        let Some(article) = value.name().filter(|_| self.lint.names.function(name).is_some()) else { return };
        if self.is_foreign(value, name) || self.lint.types.has_method(value, name) {
            return;
        }
        let message = format!("{article} has no method `{name}`");
        let hint = self.lint.types.near_method(value, name).map(|near| format!("write `{near}`"));
        self.error("check.unknown_method", position, message, hint);
    }

    /// A property or a key of a value; `variable` is what the value is called, where it is a variable.
    pub fn property(&mut self, value: &Known, variable: Option<&str>, name: &str, position: Position) -> Known {
        match value {
            Known::Anything => Known::Anything,
            Known::Named(inner) => (**inner).clone(),
            Known::Result(of, inner) => Known::Result(of.clone(), Box::new(self.property(inner, None, name, position))),
            Known::Map(fields) => match fields.get(name) {
                Some(known) => known.clone(),
                None => self.no_key(fields.keys().map(String::as_str).collect(), name, position),
            },
            Known::Parameters(fields) => match fields.get(name) {
                Some(known) => known.clone(),
                None => {
                    let names: Vec<String> = fields.keys().cloned().collect();
                    let hint = crate::lint::properties::other(variable.unwrap_or("p"), name, &names);
                    let message = format!("the recipe has no parameter `{name}`");
                    self.error("check.unknown_parameter", position, message, hint);
                    Known::Anything
                }
            },
            other => match self.lint.types.property(other, name) {
                Some(known) => known,
                None => self.no_property(other, name, position),
            },
        }
    }

    fn no_key(&mut self, keys: Vec<&str>, name: &str, position: Position) -> Known {
        let hint = match nearest(name, keys.iter().copied()) {
            Some(near) => format!("write `{near}`"),
            None if keys.is_empty() => "the map is empty".to_owned(),
            None => format!("use one of {}", quoted(&keys)),
        };
        self.error("check.unknown_key", position, format!("this map has no key `{name}`"), hint);
        Known::Anything
    }

    fn no_property(&mut self, value: &Known, name: &str, position: Position) -> Known {
        let Some(article) = value.name() else { return Known::Anything };
        let types = &self.lint.types;
        let hint = match types.near_property(value, name) {
            _ if types.has_method(value, name) => Some(format!("write `{name}()`: it is a method")),
            Some(near) => Some(format!("write `{near}`")),
            None => None,
        };
        self.error("check.unknown_key", position, format!("{article} has no property `{name}`"), hint);
        Known::Anything
    }
}
