//! What a verb gives, as far as it is known before any host is asked.

use crate::value::Value;

/// The shape of a result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// It depends, or may be nothing.
    Anything,
    /// Yes or no.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// A text.
    String,
    /// A text, or a secret where the call asks for one.
    Text,
    /// Any number of these.
    List(&'static Shape),
    /// A map with these keys, and no others. A key may be absent.
    Map(&'static [(&'static str, Shape)]),
    /// A map whose keys nobody knows beforehand.
    Named(&'static Shape),
}

impl Shape {
    /// True when a result is of this shape. What only a run can know is of every shape.
    pub fn holds(&self, value: &Value) -> bool {
        match (self, value) {
            (Shape::Anything, _)
            | (_, Value::Unknown(_))
            | (Shape::Boolean, Value::Boolean(_))
            | (Shape::Integer, Value::Integer(_))
            | (Shape::Float, Value::Float(_))
            | (Shape::String | Shape::Text, Value::String(_))
            | (Shape::Text, Value::Secret(_)) => true,
            (Shape::List(shape), Value::List(values)) => values.iter().all(|value| shape.holds(value)),
            (Shape::Named(shape), Value::Map(values)) => values.values().all(|value| shape.holds(value)),
            (Shape::Map(fields), Value::Map(values)) => values.iter().all(|(name, value)| {
                let field = fields.iter().find(|(field, _)| field == name);
                field.is_some_and(|(_, shape)| shape.holds(value))
            }),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_may_lack_keys_and_has_no_others() {
        static SHAPE: Shape = Shape::Map(&[("exists", Shape::Boolean), ("sizes", Shape::List(&Shape::Integer))]);
        let sizes = || Value::List(vec![Value::Integer(1)]);
        assert!(SHAPE.holds(&Value::map([("exists", Value::Boolean(true)), ("sizes", sizes())])));
        assert!(SHAPE.holds(&Value::map([("exists", Value::Boolean(false))])));
        assert!(!SHAPE.holds(&Value::map([("exists", Value::Integer(1))])));
        assert!(!SHAPE.holds(&Value::map([("size", Value::Integer(1))])));
        assert!(Shape::Named(&SHAPE).holds(&Value::map([("m1", Value::map([("sizes", sizes())]))])));
        assert!(!Shape::String.holds(&Value::Null));
    }
}
