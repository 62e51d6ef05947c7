//! Lines that do not do what they seem to: comparisons that never hold, branches on what a plan cannot know, and what is
//! never reached.

use rhai::{ASTFlags, Expr, FnCallExpr, Position, Stmt};

use crate::lint::call::Call;
use crate::lint::follow::Follow;
use crate::lint::known::Known;
use crate::lint::literal::string;

impl Follow<'_, '_> {
    /// A comparison of values that are never equal.
    pub fn comparison(&mut self, operator: &str, left: &Known, right: &Known, call: &FnCallExpr, position: Position) {
        let (Some(one), Some(other)) = (left.name(), right.name()) else { return };
        if left.may_equal(right) {
            return;
        }
        let always = if operator == "!=" { "true" } else { "false" };
        let message = match operator {
            "==" | "!=" => format!("{one} is never equal to {other}: this is always {always}"),
            _ => format!("{one} and {other} have no order: this is always {always}"),
        };
        let hint = call.args.iter().find_map(|part| unquoted(part, left, right)).or_else(|| converted(left, right));
        self.warning("check.comparison", position, message, hint);
    }

    /// A decision: a plan cannot make it on what an action gives.
    pub fn branch(&mut self, decides: &Known, position: Position) {
        if let (Known::Result(function, _), false) = (decides, self.passed_over) {
            let message = format!("this decides on what `{function}` gives, which a plan does not know");
            let hint = "decide on a read, or let the action's `unless:` say that there is nothing to do";
            self.warning("check.action_result", position, message, hint.to_owned());
        }
    }

    /// The first statement behind one that is always left.
    pub fn unreachable(&mut self, statements: &[Stmt]) {
        let Some(end) = statements.iter().position(|statement| self.ends(statement).is_some()) else { return };
        let Some(word) = self.ends(&statements[end]) else { return };
        let rest = statements[end + 1..].iter().find(|statement| !matches!(statement, Stmt::Noop(_) | Stmt::Share(_)));
        let Some(next) = rest else { return };
        let what = match step_of(next) {
            Some(name) => format!("the step `{name}` is never reached"),
            None => "this is never reached".to_owned(),
        };
        let message = format!("{what}: {word} stands before it");
        self.warning("check.unreachable", next.position(), message, "remove it, or put a condition before".to_owned());
    }

    /// What ends the block at this statement in any case.
    fn ends(&self, statement: &Stmt) -> Option<&'static str> {
        match statement {
            Stmt::Return(_, flags, _) => Some(if flags.contains(ASTFlags::BREAK) { "`throw`" } else { "`return`" }),
            Stmt::BreakLoop(_, flags, _) => {
                Some(if flags.contains(ASTFlags::BREAK) { "`break`" } else { "`continue`" })
            }
            Stmt::FnCall(call, position) => self.fails(call, *position),
            Stmt::Expr(expression) => match expression.as_ref() {
                Expr::FnCall(call, position) => self.fails(call, *position),
                _ => None,
            },
            Stmt::Block(block) => block.statements().iter().find_map(|inner| self.ends(inner)),
            Stmt::If(parts, _) => {
                let [body, branch] =
                    [&parts.body, &parts.branch].map(|part| part.iter().find_map(|inner| self.ends(inner)));
                branch.and(body)
            }
            _ => None,
        }
    }

    fn fails(&self, call: &FnCallExpr, position: Position) -> Option<&'static str> {
        let call = Call::of(call, position)?;
        let is_fail = call.module.is_empty() && call.name == "fail" && self.sheet.function("fail").is_none();
        is_fail.then_some("`fail`")
    }
}

fn step_of(statement: &Stmt) -> Option<&str> {
    let call = match statement {
        Stmt::FnCall(call, _) => call,
        Stmt::Expr(expression) => match expression.as_ref() {
            Expr::FnCall(call, _) => call,
            _ => return None,
        },
        _ => return None,
    };
    let is_step = call.name == "step" && call.namespace.is_empty();
    call.args.first().filter(|_| is_step).and_then(string)
}

/// `"1"` where a number is meant.
fn unquoted(part: &Expr, left: &Known, right: &Known) -> Option<String> {
    let text = string(part)?;
    let other = if matches!(left, Known::String) { right } else { left };
    let fits = match other {
        Known::Integer => text.parse::<i64>().is_ok(),
        Known::Float => text.parse::<f64>().is_ok(),
        Known::Boolean => ["true", "false"].contains(&text),
        _ => false,
    };
    // Permissions are written with a leading zero.
    let number = match text.strip_prefix('0') {
        Some(octal) if octal.len() == 3 => format!("0o{octal}"),
        _ => text.to_owned(),
    };
    fits.then(|| format!("write `{number}` without quotes"))
}

fn converted(left: &Known, right: &Known) -> Option<String> {
    match (left, right) {
        (Known::String, Known::Integer) | (Known::Integer, Known::String) => {
            Some("make one of them what the other is: `parse_int(text)`, or `number.to_string()`".to_owned())
        }
        (Known::String, Known::Host) | (Known::Host, Known::String) => Some("compare the host's `name`".to_owned()),
        _ => None,
    }
}
