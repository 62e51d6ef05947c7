//! Closures: what they see, what of their writing is lost, and where they are left.

use rhai::{ASTFlags, ASTNode, Expr, FnPtr, Position, Stmt};

use crate::lint::follow::{Follow, Variable};
use crate::lint::known::Known;

/// A closure where it is written: the name that Rhai gives it, and what it captures.
struct Closure<'e> {
    name: String,
    captured: &'e [Expr],
}

impl Follow<'_, '_> {
    /// Goes through a closure, if the expression is one, and says what it gives. `own` is what its arguments are; `copies`
    /// is the function that calls it with copies of what it captures.
    pub fn closure(&mut self, expression: &Expr, own: Vec<Known>, copies: Option<&'static str>) -> Option<Known> {
        let closure = written(expression)?;
        let Some(body) = self.bodies.closure(&closure.name) else { return Some(Known::Anything) };
        let captured: Vec<Variable> = closure.captured.iter().filter_map(|one| self.captured(one, copies)).collect();
        let outer = std::mem::replace(&mut self.scope, captured.clone());
        let known_before = self.around.len();
        self.around.extend(outer.iter().map(|variable| variable.name.clone()));
        let own = own.into_iter().chain(std::iter::repeat(Known::Anything));
        for (name, known) in body.arguments.iter().skip(captured.len()).zip(own) {
            self.define(name, known);
        }
        let gives = self.block(&body.statements);
        self.around.truncate(known_before);
        let inner = std::mem::replace(&mut self.scope, outer);
        for seen in inner.into_iter().take(captured.len()) {
            self.returned(&seen, copies);
        }
        Some(gives)
    }

    /// A `verify` whose closure gives what is neither true nor false.
    pub fn verdict(&mut self, closure: &Expr, gives: &Known) {
        let Some(what) = gives.name().filter(|_| !matches!(gives, Known::Boolean | Known::Nothing)) else { return };
        let message = format!("the closure of `verify` gives {what}, and must give true or false");
        let hint = "compare it with what it should be, or end the line with `;` where an error says enough".to_owned();
        self.error("check.verify", closure.start_position(), message, hint);
    }

    fn captured(&mut self, variable: &Expr, copies: Option<&'static str>) -> Option<Variable> {
        let Expr::Variable(variable, ..) = variable else { return None };
        self.tell_lost(&variable.1);
        let outer = self.variable(&variable.1).cloned();
        let unknown =
            Variable { name: variable.1.to_string(), known: Known::Anything, copied: None, written: None, lost: None };
        let seen = outer.unwrap_or(unknown);
        Some(Variable { copied: copies.or(seen.copied), written: None, lost: None, ..seen })
    }

    /// What a closure did to a variable that it captures.
    fn returned(&mut self, seen: &Variable, copies: Option<&'static str>) {
        let Some(outer) = self.variable(&seen.name) else { return };
        match (copies, seen.written) {
            (Some(function), Some(position)) => outer.lost = Some((position, function)),
            (None, Some(position)) => outer.written = Some(position),
            (_, None) => {}
        }
        if seen.lost.is_some() && copies.is_none() {
            outer.lost = seen.lost;
        }
    }

    /// A variable is written to.
    pub fn written(&mut self, name: &str, position: Position) {
        if let Some(variable) = self.variable(name)
            && variable.copied.is_some()
        {
            variable.written.get_or_insert(position);
        }
    }

    /// A variable is read: what was written to a copy of it is not in it.
    pub fn tell_lost(&mut self, name: &str) {
        let Some((position, function)) = self.variable(name).and_then(|variable| variable.lost.take()) else { return };
        let message = format!("what is written to `{name}` here is lost: the closure of `{function}` has a copy");
        let hint = match function {
            "check" => "let the check say what it finds with `refuse` or `warn`".to_owned(),
            _ => format!("let the closure give the value: `{function}` gives a map of all values by host"),
        };
        self.warning("check.lost_write", position, message, hint);
    }

    /// A variable is read in a closure, which sees a function of the file in its place.
    pub fn hidden(&mut self, name: &str, position: Position) {
        let is_hidden = self.sheet.function(name).is_some() && self.around.iter().any(|around| around == name);
        if is_hidden && self.variable(name).is_none() {
            let message = format!("`{name}` is the function here, not the variable around the closure");
            self.error("check.hidden_variable", position, message, "give the variable a name of its own".to_owned());
        }
    }

    /// `return` in a step's closure.
    pub fn leaves(&mut self, closure: &Expr, used: bool) {
        let Some(body) = written(closure).and_then(|closure| self.bodies.closure(&closure.name)) else { return };
        let mut found = Vec::new();
        for statement in &body.statements {
            statement.walk(&mut Vec::new(), &mut |nodes: &[ASTNode]| {
                if let Some(ASTNode::Stmt(Stmt::Return(value, flags, position))) = nodes.last()
                    && !flags.contains(ASTFlags::BREAK)
                    && (value.is_none() || !used)
                {
                    found.push(*position);
                }
                true
            });
        }
        for position in found {
            let message = "this `return` leaves the step only: the recipe goes on behind it".to_owned();
            let hint = "put the rest of the step into an `else`, or what follows the step into an `if`";
            self.warning("check.return_in_step", position, message, hint.to_owned());
        }
    }
}

/// The closure that is written here. One that captures is a block that ends with `curry(closure, variables …)`.
fn written(expression: &Expr) -> Option<Closure<'_>> {
    match expression {
        Expr::DynamicConstant(value, _) => {
            let name = value.read_lock::<FnPtr>().map(|closure| closure.fn_name().to_owned())?;
            Some(Closure { name, captured: &[] })
        }
        Expr::Stmt(block) if matches!(block.statements().first(), Some(Stmt::Share(..))) => {
            block.statements().iter().rev().find_map(|statement| match statement {
                Stmt::Expr(curried) => curry(curried),
                Stmt::FnCall(call, _) => curried(call),
                _ => None,
            })
        }
        other => curry(other),
    }
}

fn curry(expression: &Expr) -> Option<Closure<'_>> {
    match expression {
        Expr::FnCall(call, _) => curried(call),
        _ => None,
    }
}

fn curried(call: &rhai::FnCallExpr) -> Option<Closure<'_>> {
    let [Expr::DynamicConstant(value, _), captured @ ..] = call.args.as_slice() else { return None };
    let name = value.read_lock::<FnPtr>().map(|closure| closure.fn_name().to_owned())?;
    (call.name == "curry").then_some(Closure { name, captured })
}
