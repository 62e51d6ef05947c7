//! What is known of a value before the recipe runs.

use std::collections::BTreeMap;

use haengine_kernel::shape::Shape;

use crate::params::{Default, Parameter, ParameterKind};

/// What a value is, as far as it is certain.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Known {
    Anything,
    Nothing,
    Boolean,
    Integer,
    Float,
    Character,
    String,
    Closure,
    Host,
    Secret,
    List(Box<Known>),
    /// A map with exactly these keys.
    Map(BTreeMap<String, Known>),
    /// A map with keys that nobody knows, and these values.
    Named(Box<Known>),
    /// The recipe's parameters.
    Parameters(BTreeMap<String, Known>),
    /// What an action gives, or what was made of it: a plan does not know it. With the function that gave it.
    Result(String, Box<Known>),
}

impl Known {
    /// The parameters that `main` gets.
    pub fn parameters(declared: &[Parameter]) -> Known {
        Known::Parameters(declared.iter().map(|one| (one.name.clone(), parameter(one))).collect())
    }

    /// What it is, as recipes' authors call it, with its article; none where that is not known.
    pub fn name(&self) -> Option<&'static str> {
        Some(match self {
            Known::Anything | Known::Result(..) => return None,
            Known::Nothing => "nothing",
            Known::Boolean => "a boolean",
            Known::Integer => "an integer",
            Known::Float => "a float",
            Known::Character => "a character",
            Known::String => "a string",
            Known::Closure => "a closure",
            Known::Host => "a host",
            Known::Secret => "a secret",
            Known::List(_) => "an array",
            Known::Map(_) | Known::Named(_) | Known::Parameters(_) => "a map",
        })
    }

    /// What both are, for a value that may be either.
    pub fn or(self, other: Known) -> Known {
        match (self, other) {
            (one, other) if one == other => one,
            (Known::List(_), Known::List(_)) => Known::List(Box::new(Known::Anything)),
            _ => Known::Anything,
        }
    }

    /// False when no value of the one is equal to a value of the other.
    pub fn may_equal(&self, other: &Known) -> bool {
        use Known::{
            Anything, Character, Float, Integer, List, Map, Named, Nothing, Parameters, Result, Secret, String,
        };
        match (self, other) {
            (Anything | Result(..) | Secret, _) | (_, Anything | Result(..) | Secret) => true,
            (Integer | Float, Integer | Float) | (String | Character, String | Character) => true,
            (Map(_) | Named(_) | Parameters(_), Map(_) | Named(_) | Parameters(_)) | (List(_), List(_)) => true,
            // A read gives nothing where the call says that something may be missing.
            (List(_) | Map(_) | Named(_), Nothing) | (Nothing, List(_) | Map(_) | Named(_)) => true,
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        }
    }

    /// The elements, when it is gone through or indexed.
    pub fn element(&self) -> Known {
        match self {
            Known::List(element) | Known::Named(element) => (**element).clone(),
            Known::Result(of, inner) => Known::Result(of.clone(), Box::new(inner.element())),
            _ => Known::Anything,
        }
    }

    /// The same, made of what an action gave.
    pub fn made_of(self, source: &Known) -> Known {
        match (source, self) {
            (Known::Result(..), same @ Known::Result(..)) => same,
            (Known::Result(of, _), other) => Known::Result(of.clone(), Box::new(other)),
            (_, other) => other,
        }
    }
}

impl From<&Shape> for Known {
    fn from(shape: &Shape) -> Known {
        match shape {
            Shape::Anything => Known::Anything,
            Shape::Boolean => Known::Boolean,
            Shape::Integer => Known::Integer,
            Shape::Float => Known::Float,
            // A secret has no method that a string does not have.
            Shape::String | Shape::Text => Known::String,
            Shape::List(element) => Known::List(Box::new((*element).into())),
            Shape::Map(fields) => {
                Known::Map(fields.iter().map(|(name, shape)| ((*name).to_owned(), shape.into())).collect())
            }
            Shape::Named(value) => Known::Named(Box::new((*value).into())),
        }
    }
}

fn parameter(parameter: &Parameter) -> Known {
    if matches!(parameter.default, Default::Optional) {
        return Known::Anything;
    }
    match parameter.kind {
        ParameterKind::Host => Known::Host,
        ParameterKind::Hosts => Known::List(Box::new(Known::Host)),
        ParameterKind::Integer => Known::Integer,
        ParameterKind::Boolean => Known::Boolean,
        ParameterKind::Secret => Known::Secret,
        ParameterKind::List => Known::List(Box::new(Known::Anything)),
        // A number of seconds, or a text.
        ParameterKind::Duration => Known::Anything,
        ParameterKind::String | ParameterKind::Address | ParameterKind::Path | ParameterKind::Choice(_) => {
            Known::String
        }
    }
}
