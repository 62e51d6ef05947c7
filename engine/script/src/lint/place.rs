//! Calls outside of `main`: loading a recipe runs its top level, and its parameters are asked before any run.

use rhai::{ASTNode, Position};

use crate::docs;
use crate::frame::outside;
use crate::lint::call::Call;
use crate::lint::check::Lint;
use crate::lint::sheet::Sheet;

impl Lint<'_> {
    /// What needs a run, but stands at the top level or in `params()`.
    pub fn outside_main(&mut self, sheet: &Sheet) {
        let mut found: Vec<(String, Position)> = Vec::new();
        let mut top = (*sheet.file.ast).clone();
        top.retain_functions(|_, _, name, count| name == "params" && count == 0);
        top.walk(&mut |nodes: &[ASTNode]| {
            if let Some(call) = nodes.last().and_then(Call::at).filter(|call| self.needs_a_run(sheet, call)) {
                found.push((call.function(), call.position));
            }
            true
        });
        for (function, position) in found {
            let error = outside(&function, sheet.form);
            self.told(sheet, "check.outside_main", position, &error);
        }
    }

    fn needs_a_run(&self, sheet: &Sheet, call: &Call) -> bool {
        if call.module.is_empty() {
            return sheet.function(call.name).is_none() && docs::named(call.name).is_some();
        }
        let is_import = sheet.import(&call.module).is_some();
        let is_verb = || self.library.registry().get(&format!("{}.{}", call.module, call.name)).is_ok();
        if is_import { ["main", "part"].contains(&call.name) } else { is_verb() }
    }
}
