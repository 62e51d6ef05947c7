//! Checks of a preflight, `look` and `checks`: they only read, and nothing but a check may refuse as one does.

use std::collections::BTreeSet;

use haengine_kernel::verb::Sort;
use rhai::{ASTNode, Expr, FnPtr, Position};

use crate::body::body_of;
use crate::docs::{self, Takes};
use crate::lint::call::Call;
use crate::lint::check::Lint;
use crate::lint::sheet::Sheet;
use crate::phases::{LOOK, May, Phase};

/// Functions of the language that have no place in a check; the run refuses the same.
const NOT_IN_A_CHECK: [&str; 5] = ["audit", "confirm", "preflight", "step", "verify"];

/// What was called in some part of a file, and where.
type Calls = Vec<(String, Position)>;

impl Lint<'_> {
    /// What a check does beside reading, and `refuse` where no check is around it. Functions are followed by name, and
    /// closures where they stand in the call that runs them; what comes from elsewhere shows when run.
    pub fn preflight(&mut self, sheet: &Sheet) {
        let (mut inside, mut outside) = (Parts::default(), Parts::default());
        sheet.file.ast.walk(&mut |nodes: &[ASTNode]| {
            if let Some(call) = nodes.last().and_then(Call::at).filter(|call| is_check(sheet, call)) {
                inside.waiting.extend(call.arguments.get(1..).into_iter().flatten().flat_map(closures));
            }
            true
        });
        outside.waiting.extend(sheet.entries());
        for phase in sheet.form.phases().iter().filter(|phase| phase.may != May::Change) {
            self.reading(sheet, phase);
        }
        for (function, position) in inside.calls(sheet) {
            if self.is_more_than_a_read(sheet, &function) {
                let message = format!("`{function}` is called inside of a check");
                let hint = "let the check only read, and say what it found with `refuse` or `warn`";
                self.error(sheet, "check.inside_check", position, message, hint.to_owned());
            }
        }
        for (_, position) in outside.calls(sheet).into_iter().filter(|(name, _)| name == "refuse") {
            let message = "`refuse` is called outside of a check".to_owned();
            let hint = "write `fail(message, hint)`, or move it into a `check` of a `preflight`";
            self.error(sheet, "check.outside_check", position, message, hint.to_owned());
        }
    }

    /// What a phase does beside reading. A step is a heading in `look`.
    fn reading(&mut self, sheet: &Sheet, phase: &Phase) {
        let parts = Parts { waiting: vec![phase.name.to_owned()], ..Parts::default() };
        for (function, position) in parts.calls(sheet) {
            let is_heading = function == "step" && *phase == LOOK;
            if self.is_more_than_a_read(sheet, &function) && !is_heading {
                let message = format!("`{function}` is called inside of `{}`", phase.name);
                let hint = "move the call into `act`, which is played once all checks are done";
                self.error(sheet, "check.inside_check", position, message, hint.to_owned());
            } else if phase.may == May::Reckon && self.is_read(sheet, &function) {
                let message = format!("`{function}` is called inside of `{}`", phase.name);
                let hint = phase.instead_of_a_read().to_owned();
                self.error(sheet, "check.inside_check", position, message, hint);
            }
        }
    }

    fn is_read(&self, sheet: &Sheet, function: &str) -> bool {
        function.rsplit_once("::").is_some_and(|(module, _)| {
            sheet.import(module).is_none() && self.library.registry().get(&function.replace("::", ".")).is_ok()
        })
    }

    fn is_more_than_a_read(&self, sheet: &Sheet, function: &str) -> bool {
        match function.rsplit_once("::") {
            None => NOT_IN_A_CHECK.contains(&function),
            Some((module, _)) if sheet.import(module).is_some() => false,
            Some(_) => {
                let verb = self.library.registry().get(&function.replace("::", "."));
                verb.is_ok_and(|verb| verb.sort() != Sort::Read)
            }
        }
    }
}

/// Functions and closures of a file, each looked at once.
#[derive(Default)]
struct Parts {
    waiting: Vec<String>,
    seen: BTreeSet<String>,
}

impl Parts {
    /// All calls in these parts and in what they call, but for the file's own functions.
    fn calls(mut self, sheet: &Sheet) -> Calls {
        let mut calls = Calls::new();
        while let Some(part) = self.waiting.pop() {
            if self.seen.insert(part.clone()) {
                body_of(&sheet.file.ast, &part).walk(&mut |nodes: &[ASTNode]| {
                    if let Some(call) = nodes.last().and_then(Call::at) {
                        self.call(sheet, &call, &mut calls);
                    }
                    true
                });
            }
        }
        calls
    }

    fn call(&mut self, sheet: &Sheet, call: &Call, calls: &mut Calls) {
        if call.module.is_empty() && sheet.function(call.name).is_some() {
            return self.waiting.push(call.name.to_owned());
        }
        calls.push((call.function(), call.position));
        let core = docs::named(&call.function()).filter(|core| core.name != "check");
        let shape = core.and_then(|core| core.shapes.iter().find(|shape| shape.len() == call.arguments.len()));
        for (argument, given) in shape.into_iter().flat_map(|shape| shape.iter().zip(call.arguments)) {
            if matches!(argument.takes, Takes::Closure) {
                self.waiting.extend(closures(given));
            }
        }
    }
}

fn is_check(sheet: &Sheet, call: &Call) -> bool {
    call.module.is_empty() && call.name == "check" && sheet.function("check").is_none()
}

/// The closure that is written here. One that captures is a block that ends with `curry(closure, variables …)`.
fn closures(expression: &Expr) -> Vec<String> {
    let mut names = Vec::new();
    expression.walk(&mut Vec::new(), &mut |nodes: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::DynamicConstant(value, _))) = nodes.last() {
            names.extend(value.read_lock::<FnPtr>().map(|closure| closure.fn_name().to_owned()));
        }
        true
    });
    names
}
