//! Phases: what each takes, which go together, and functions that seem to be meant as one.

use std::collections::BTreeSet;

use haengine_kernel::signature::nearest;
use rhai::{ASTNode, Expr, FnAccess, FnPtr};

use crate::lint::call::Call;
use crate::lint::check::Lint;
use crate::lint::shape::definition;
use crate::lint::sheet::Sheet;
use crate::phases::{ACT, Form, PARTS, PHASES, Phase};

impl Lint<'_> {
    /// Phases take what the engine gives them, and those of a recipe and of its parts are never played together.
    pub fn phases(&mut self, sheet: &Sheet, phases: &[&Phase]) {
        let ast = &sheet.file.ast;
        if let Some(phase) = PHASES.iter().find(|phase| PARTS.is_in(ast) && phase.is_in(ast)) {
            let message = format!("the recipe has both `parts` and `{}`", phase.name);
            let hint = "leave out `parts`; or move the phases into a recipe of their own, and make that a part";
            self.error(sheet, "check.phases", definition(sheet, phase.name), message, hint.to_owned());
        }
        for phase in phases {
            let Some(counts) = sheet.function(phase.name) else { continue };
            if let Some(count) = counts.iter().find(|count| **count != phase.takes.len()) {
                let message = format!("`{}` must take {}, not {count}", phase.name, phase.arguments());
                let hint = format!("write `{}`", phase.written());
                self.error(sheet, "check.phases", definition(sheet, phase.name), message, hint);
            }
        }
        if sheet.form == Form::Phases {
            self.misspelt(sheet);
        }
    }

    /// A phase of another name is not played: a warning, since others may import the function.
    fn misspelt(&mut self, sheet: &Sheet) {
        let (parameters, called) = (ACT.first_argument(&sheet.file.ast), called(sheet));
        let takes_parameters = |names: &[&str]| names.first().copied() == parameters.as_deref();
        for function in sheet.file.ast.iter_functions().filter(|function| function.access == FnAccess::Public) {
            let (name, count) = (function.name, function.params.len());
            let missing = PHASES.iter().filter(|phase| phase.takes.len() == count && !phase.is_in(&sheet.file.ast));
            let is_phase = PHASES.iter().any(|phase| phase.name == name);
            if is_phase || called.contains(name) || !takes_parameters(&function.params) {
                continue;
            }
            if let Some(near) = nearest(name, missing.map(|phase| phase.name)) {
                let message = format!("`{name}` is no phase, and nothing here calls it");
                let hint = format!("write `{near}`, if it is meant as that phase");
                self.warning(sheet, "check.phases", definition(sheet, name), message, hint);
            }
        }
    }
}

/// The functions that a file calls or hands on by their names.
fn called(sheet: &Sheet) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    sheet.file.ast.walk(&mut |nodes: &[ASTNode]| {
        match nodes.last() {
            Some(ASTNode::Expr(Expr::DynamicConstant(value, _))) => {
                names.extend(value.read_lock::<FnPtr>().map(|function| function.fn_name().to_owned()));
            }
            Some(ASTNode::Expr(Expr::Variable(variable, ..))) => _ = names.insert(variable.1.to_string()),
            Some(node) => names.extend(Call::at(node).map(|call| call.name.to_owned())),
            None => {}
        }
        true
    });
    names
}
