//! `p.NAME` in `main(p)` and in the phases: is NAME a parameter of the recipe?

use std::collections::BTreeSet;

use rhai::{AST, ASTFlags, ASTNode, Dynamic, Expr, FnPtr, Ident, Position, Stmt};

use crate::body::body_of;
use crate::lint::check::Lint;
use crate::lint::sheet::Sheet;

/// What a function and its closures do with the recipe's parameters.
#[derive(std::default::Default)]
struct Uses {
    /// Names that are read, and where.
    read: Vec<(String, Position)>,
    /// Names that the recipe gives values itself.
    written: BTreeSet<String>,
    /// Another value under the same name: nothing is known any more.
    replaced: bool,
    /// Closures that see the parameter.
    closures: Vec<String>,
}

impl Lint<'_> {
    /// Parameters that `params()` does not declare.
    pub fn properties(&mut self, sheet: &Sheet) {
        let Some(declared) = self.parameters(sheet.file) else { return };
        let names: Vec<String> = declared.iter().map(|parameter| parameter.name.clone()).collect();
        let all = sheet.file.ast.iter_functions();
        for function in all.filter(|function| sheet.gets_parameters(function.name, function.params.len())) {
            let Some(parameter) = function.params.first() else { continue };
            let uses = uses(&sheet.file.ast, function.name, parameter);
            if !uses.replaced {
                self.undeclared(sheet, parameter, &names, uses);
            }
        }
    }

    fn undeclared(&mut self, sheet: &Sheet, parameter: &str, names: &[String], uses: Uses) {
        for (name, position) in uses.read {
            if !names.contains(&name) && !uses.written.contains(&name) {
                let message = format!("the recipe has no parameter `{name}`");
                let hint = other(parameter, &name, names);
                self.error(sheet, "check.unknown_parameter", position, message, hint);
            }
        }
    }
}

/// What to write instead of a parameter that there is not.
pub(super) fn other(parameter: &str, name: &str, names: &[String]) -> String {
    match haengine_kernel::signature::nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("write `{parameter}.{near}`"),
        None => format!("declare `{name}` in `params()`"),
    }
}

/// The function first, then the closures that it hands its parameter to, and so on.
fn uses(ast: &AST, function: &str, parameter: &str) -> Uses {
    let mut uses = Uses { closures: vec![function.to_owned()], ..Uses::default() };
    let mut seen = BTreeSet::new();
    while let Some(function) = uses.closures.pop() {
        if seen.insert(function.clone()) {
            body_of(ast, &function).walk(&mut |nodes: &[ASTNode]| {
                if let Some(node) = nodes.last() {
                    uses.look(node, parameter);
                }
                true
            });
        }
    }
    uses
}

impl Uses {
    fn look(&mut self, node: &ASTNode, parameter: &str) {
        match node {
            ASTNode::Stmt(statement) => self.look_at_statement(statement, parameter),
            // A closure that captures is `curry(closure, variables …)`; one with its own `p` does not capture ours.
            ASTNode::Expr(Expr::FnCall(call, _)) if call.name == "curry" => {
                if let [Expr::DynamicConstant(closure, _), captured @ ..] = call.args.as_slice()
                    && captured.iter().any(|variable| is_variable(variable, parameter))
                {
                    self.closures.extend(name_of(closure));
                }
            }
            // `p?.NAME` asks whether there is one.
            ASTNode::Expr(Expr::Dot(chain, flags, _) | Expr::Index(chain, flags, _))
                if !flags.intersects(ASTFlags::NEGATED) && is_variable(&chain.lhs, parameter) =>
            {
                self.read.extend(first_property(&chain.rhs));
            }
            _ => {}
        }
    }

    fn look_at_statement(&mut self, statement: &Stmt, parameter: &str) {
        let is = |ident: &Ident| ident.name == parameter;
        match statement {
            Stmt::Var(variable, ..) => self.replaced |= is(&variable.0),
            Stmt::For(iteration, _) => self.replaced |= is(&iteration.0) || iteration.1.as_ref().is_some_and(is),
            Stmt::TryCatch(parts, _) => self.replaced |= is_variable(&parts.expr, parameter),
            Stmt::Assignment(assignment) => match &assignment.1.lhs {
                Expr::Dot(chain, ..) | Expr::Index(chain, ..) if is_variable(&chain.lhs, parameter) => {
                    self.written.extend(first_property(&chain.rhs).map(|(name, _)| name));
                }
                target => self.replaced |= is_variable(target, parameter),
            },
            _ => {}
        }
    }
}

fn is_variable(expression: &Expr, name: &str) -> bool {
    matches!(expression, Expr::Variable(variable, ..) if variable.1 == name && variable.2.is_empty())
}

/// The NAME of `.NAME`, `.NAME.more`, `["NAME"]`.
fn first_property(expression: &Expr) -> Option<(String, Position)> {
    match expression {
        Expr::Property(property, position) => Some((property.2.to_string(), *position)),
        Expr::StringConstant(name, position) => Some((name.to_string(), *position)),
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => first_property(&chain.lhs),
        _ => None,
    }
}

fn name_of(closure: &Dynamic) -> Option<String> {
    closure.read_lock::<FnPtr>().map(|closure| closure.fn_name().to_owned())
}
