//! What expressions give.

use std::collections::BTreeMap;

use rhai::{ASTFlags, Expr, FnCallExpr, Position};

use crate::lint::changed::{first_method, is_changing};
use crate::lint::follow::Follow;
use crate::lint::known::Known;

impl Follow<'_, '_> {
    /// What an expression gives, as far as it is known; all in it is looked at.
    pub fn value(&mut self, expression: &Expr) -> Known {
        match expression {
            Expr::Unit(_) => Known::Nothing,
            Expr::BoolConstant(..) => Known::Boolean,
            Expr::IntegerConstant(..) => Known::Integer,
            Expr::FloatConstant(..) => Known::Float,
            Expr::CharConstant(..) => Known::Character,
            Expr::StringConstant(..) => Known::String,
            Expr::InterpolatedString(parts, _) => {
                let parts: Vec<Known> = parts.iter().map(|part| self.value(part)).collect();
                parts.iter().fold(Known::String, Known::made_of)
            }
            Expr::Array(items, _) => {
                let items: Vec<Known> = items.iter().map(|item| self.value(item)).collect();
                Known::List(Box::new(items.into_iter().reduce(Known::or).unwrap_or(Known::Anything)))
            }
            Expr::Map(map, _) => {
                let fields = map.0.iter().map(|(key, value)| (key.name.to_string(), self.value(value)));
                Known::Map(fields.collect::<BTreeMap<_, _>>())
            }
            Expr::Variable(variable, ..) => {
                if variable.2.is_empty() {
                    self.hidden(&variable.1, expression.start_position());
                }
                self.read(&variable.1, variable.2.path.first())
            }
            Expr::Dot(chain, flags, _) | Expr::Index(chain, flags, _) => {
                let is_index = matches!(expression, Expr::Index(..));
                self.whole_chain(&chain.lhs, &chain.rhs, *flags, is_index)
            }
            Expr::FnCall(call, position) => self.call(call, *position, true),
            Expr::Stmt(_) | Expr::DynamicConstant(..) => self.block_or_closure(expression),
            Expr::And(parts, _) | Expr::Or(parts, _) => {
                let parts: Vec<Known> = parts.iter().map(|part| self.value(part)).collect();
                parts.iter().fold(Known::Boolean, Known::made_of)
            }
            Expr::Coalesce(parts, _) => {
                let parts: Vec<Known> = parts.iter().map(|part| self.value(part)).collect();
                parts.into_iter().reduce(Known::or).unwrap_or(Known::Anything)
            }
            _ => Known::Anything,
        }
    }

    fn block_or_closure(&mut self, expression: &Expr) -> Known {
        if self.closure(expression, Vec::new(), None).is_some() {
            return Known::Closure;
        }
        if let Expr::Stmt(block) = expression {
            self.block(block.statements());
        }
        Known::Anything
    }

    fn read(&mut self, name: &str, module: Option<&rhai::Ident>) -> Known {
        match module {
            Some(module) if module.name == "global" => self.globals.get(name).cloned().unwrap_or(Known::Anything),
            Some(_) => Known::Anything,
            None => {
                self.tell_lost(name);
                self.variable(name).map_or(Known::Anything, |variable| variable.known.clone())
            }
        }
    }

    fn whole_chain(&mut self, first: &Expr, rest: &Expr, flags: ASTFlags, is_index: bool) -> Known {
        let variable = match first {
            Expr::Variable(variable, ..) if variable.2.is_empty() => Some(variable.1.to_string()),
            _ => None,
        };
        if let Some(name) = &variable
            && first_method(rest).is_some_and(is_changing)
        {
            self.written(name, first.start_position());
        }
        let base = self.value(first);
        self.chain(base, variable.as_deref(), rest, flags, is_index)
    }

    /// What follows the first part of `a.b[c].d()`; `variable` is that first part, where it is one.
    fn chain(&mut self, base: Known, variable: Option<&str>, rest: &Expr, flags: ASTFlags, is_index: bool) -> Known {
        let asks = flags.contains(ASTFlags::NEGATED);
        match rest {
            Expr::Dot(chain, inner, _) | Expr::Index(chain, inner, _)
                if !is_index || !flags.contains(ASTFlags::BREAK) =>
            {
                let next = self.link(base, variable, &chain.lhs, is_index, asks);
                self.chain(next, None, &chain.rhs, *inner, matches!(rest, Expr::Index(..)))
            }
            last => self.link(base, variable, last, is_index, asks),
        }
    }

    fn link(&mut self, base: Known, variable: Option<&str>, link: &Expr, is_index: bool, asks: bool) -> Known {
        let base = if asks { Known::Anything } else { base };
        match link {
            Expr::StringConstant(name, position) if is_index => self.property(&base, variable, name, *position),
            index if is_index => {
                let known = self.value(index);
                base.element().made_of(&known)
            }
            Expr::Property(property, position) => self.property(&base, variable, &property.2, *position),
            Expr::MethodCall(call, position) => self.method(&base, call, *position),
            other => self.value(other),
        }
    }

    /// `a + b`, `a == b`, `!a` and the like.
    pub fn operator(&mut self, call: &FnCallExpr, position: Position) -> Known {
        let parts: Vec<Known> = call.args.iter().map(|part| self.value(part)).collect();
        let gives = match (call.name.as_str(), parts.as_slice()) {
            (operator @ ("==" | "!=" | "<" | "<=" | ">" | ">="), [left, right]) => {
                self.comparison(operator, left, right, call, position);
                Known::Boolean
            }
            ("!" | "contains", _) => Known::Boolean,
            ("+", [left, right]) => sum(left, right),
            ("-" | "*" | "/" | "%", [left, right]) => number(left, right),
            _ => Known::Anything,
        };
        parts.iter().fold(gives, Known::made_of)
    }
}

fn sum(left: &Known, right: &Known) -> Known {
    match (left, right) {
        (Known::String, Known::Secret) | (Known::Secret, Known::String) => Known::Anything,
        (Known::String, _) => Known::String,
        (Known::Map(one), Known::Map(other)) => {
            let both = one.clone().into_iter().chain(other.clone());
            Known::Map(both.collect())
        }
        (Known::List(one), Known::List(other)) => Known::List(Box::new((**one).clone().or((**other).clone()))),
        _ => number(left, right),
    }
}

fn number(left: &Known, right: &Known) -> Known {
    match (left, right) {
        (Known::Integer, Known::Integer) => Known::Integer,
        (Known::Integer | Known::Float, Known::Integer | Known::Float) => Known::Float,
        _ => Known::Anything,
    }
}
