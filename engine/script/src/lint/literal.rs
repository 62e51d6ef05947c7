//! Values that a recipe writes out.

use haengine_kernel::value::Value;
use rhai::{Expr, Stmt};

/// The value, if the expression is written out as a whole.
pub(super) fn literal(expression: &Expr) -> Option<Value> {
    Some(match expression {
        Expr::Unit(_) => Value::Null,
        Expr::BoolConstant(value, _) => Value::Boolean(*value),
        Expr::IntegerConstant(value, _) => Value::Integer(*value),
        Expr::FloatConstant(value, _) => Value::Float(**value),
        Expr::CharConstant(value, _) => Value::String(value.to_string()),
        Expr::StringConstant(value, _) => Value::String(value.to_string()),
        Expr::Array(items, _) => Value::List(items.iter().map(literal).collect::<Option<_>>()?),
        Expr::Map(map, _) => {
            let pairs = map.0.iter().map(|(key, value)| Some((key.name.to_string(), literal(value)?)));
            Value::Map(pairs.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// A string that is written out.
pub(super) fn string(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::StringConstant(value, _) => Some(value),
        _ => None,
    }
}

/// `{ … }` where `|| { … }` is meant. A closure that captures is a block too; it begins with the sharing.
pub(super) fn is_bare_block(expression: &Expr) -> bool {
    match expression {
        Expr::Stmt(block) => !matches!(block.statements().first(), Some(Stmt::Share(..))),
        _ => false,
    }
}
