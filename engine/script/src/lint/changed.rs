//! Variables that are written to after they were made: of these less is known.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{ASTNode, Expr, Stmt};

use crate::lint::known::Known;
use crate::lint::sheet::Sheet;

/// Methods that change what they are called on.
const CHANGING: [&str; 26] = [
    "append",
    "chop",
    "clear",
    "crop",
    "dedup",
    "drain",
    "fill_with",
    "insert",
    "make_lower",
    "make_upper",
    "mixin",
    "pad",
    "pop",
    "push",
    "remove",
    "replace",
    "retain",
    "reverse",
    "set",
    "shift",
    "sort",
    "sort_by",
    "sort_desc",
    "splice",
    "trim",
    "truncate",
];

/// Names of a file's variables, whichever functions they are in.
pub(super) struct Changed {
    /// They get other values.
    assigned: BTreeSet<String>,
    /// Something in them changes: elements, keys.
    inside: BTreeSet<String>,
    /// Something in what they have under a key changes.
    below: BTreeSet<(String, String)>,
}

impl Changed {
    pub fn of(sheet: &Sheet) -> Changed {
        let mut changed = Changed { assigned: BTreeSet::new(), inside: BTreeSet::new(), below: BTreeSet::new() };
        sheet.file.ast.walk(&mut |nodes: &[ASTNode]| {
            match nodes.last() {
                Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => match &assignment.1.lhs {
                    Expr::Variable(variable, ..) => _ = changed.assigned.insert(variable.1.to_string()),
                    Expr::Dot(chain, ..) | Expr::Index(chain, ..) => changed.change(&chain.lhs, &chain.rhs),
                    _ => {}
                },
                Some(ASTNode::Expr(Expr::Dot(chain, ..) | Expr::Index(chain, ..))) => {
                    let changes = |method: &str| is_changing(method) || sheet.function(method).is_some();
                    if first_method(&chain.rhs).is_some_and(changes) {
                        changed.change(&chain.lhs, &chain.rhs);
                    }
                }
                _ => {}
            }
            true
        });
        changed
    }

    /// What `rest` of a chain leads to changes: in the variable itself, or below one of its keys.
    fn change(&mut self, first: &Expr, rest: &Expr) {
        let Expr::Variable(variable, ..) = first else { return };
        let name = variable.1.to_string();
        match rest {
            Expr::Dot(chain, ..) | Expr::Index(chain, ..) => match &chain.lhs {
                Expr::Property(property, _) => _ = self.below.insert((name, property.2.to_string())),
                _ => _ = self.inside.insert(name),
            },
            _ => _ = self.inside.insert(name),
        }
    }

    /// What is known of a variable of this name that begins as this.
    pub fn loosened(&self, name: &str, known: Known) -> Known {
        if self.assigned.contains(name) {
            return Known::Anything;
        }
        if self.inside.contains(name) {
            return loose(known);
        }
        let fields = |fields: BTreeMap<String, Known>| {
            let is_changed = |field: &str| self.below.contains(&(name.to_owned(), field.to_owned()));
            let one = |(field, known): (String, Known)| {
                if is_changed(&field) { (field, loose(known)) } else { (field, known) }
            };
            fields.into_iter().map(one).collect()
        };
        match known {
            Known::Map(map) => Known::Map(fields(map)),
            Known::Parameters(map) => Known::Parameters(fields(map)),
            known => known,
        }
    }
}

/// What is left when anything may have been put in.
fn loose(known: Known) -> Known {
    match known {
        Known::List(_) => Known::List(Box::new(Known::Anything)),
        Known::Map(_) | Known::Parameters(_) | Known::Named(_) => Known::Named(Box::new(Known::Anything)),
        Known::Result(..) => Known::Anything,
        known => known,
    }
}

/// Whether a method changes what it is called on.
pub(super) fn is_changing(method: &str) -> bool {
    CHANGING.contains(&method)
}

/// The first method of a chain: `push` in `.names.push(1)`.
pub(super) fn first_method(rest: &Expr) -> Option<&str> {
    match rest {
        Expr::MethodCall(call, _) => Some(&call.name),
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => first_method(&chain.lhs).or_else(|| first_method(&chain.rhs)),
        _ => None,
    }
}
