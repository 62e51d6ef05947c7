//! Calls of imported recipes: `add::main(#{ … })` and `add::part(#{ … })` apply that recipe's parameters.

use std::collections::BTreeSet;

use haengine_kernel::signature::{nearest, quoted};
use rhai::Expr;

use crate::lint::Severity;
use crate::lint::call::Call;
use crate::lint::check::Lint;
use crate::lint::literal::literal;
use crate::lint::sheet::{Sheet, functions};
use crate::params::{Default, Parameter};
use crate::part::no_part;
use crate::phases::Form;
use crate::snapshot::SnapshotFile;

impl<'a> Lint<'a> {
    /// A call of a function of another file.
    pub fn imported(&mut self, sheet: &Sheet, call: &Call, file: &'a SnapshotFile) {
        let mut known = functions(&file.ast, false);
        let is_part = call.name == "part" && !functions(&file.ast, true).contains_key("part");
        if is_part && let Some(error) = no_part(file) {
            return self.told(sheet, "check.phases", call.position, &error);
        }
        let made = ["main", "part"].into_iter().filter(|_| !Form::of(&file.ast).phases().is_empty());
        for name in made.filter(|name| is_part || *name == "main") {
            known.insert(name.to_owned(), [1].into());
        }
        let Some(counts) = known.get(call.name) else {
            let names: Vec<String> =
                known.keys().filter(|name| *name != "params").map(|name| format!("{}::{name}", call.module)).collect();
            let wanted = call.function();
            if let Some(instead) = gone(file, call.name) {
                let message = format!("`{}` has no function `{}` any more", file.label, call.name);
                return self.error(sheet, "check.gone", call.position, message, instead.to_owned());
            }
            let hint = match nearest(&wanted, names.iter().map(String::as_str)) {
                Some(near) => format!("write `{near}`"),
                None if names.is_empty() => format!("define it in `{}`", file.label),
                None => format!("use one of {}", quoted(&names)),
            };
            let message = format!("`{}` has no function `{}`", file.label, call.name);
            return self.error(sheet, "check.unknown_function", call.position, message, hint);
        };
        if call.name != "main" && !is_part {
            return self.count(sheet, call, counts);
        }
        match call.arguments {
            [given] => self.main_of(sheet, call, file, given),
            _ => {
                let hint = format!("write `{}(#{{ … }})`, with that recipe's parameters", call.function());
                self.wrong_count(sheet, call, "1 argument", hint);
            }
        }
    }

    fn main_of(&mut self, sheet: &Sheet, call: &Call, file: &SnapshotFile, given: &Expr) {
        let Some(parameters) = self.parameters(file).map(<[Parameter]>::to_vec) else { return };
        let Expr::Map(map, _) = given else {
            if let Some(value) = literal(given) {
                let message =
                    format!("argument 1 of `{}` must be a map of parameters, not {}", call.function(), value.kind());
                let hint = "write the parameters as `#{ name: value }`".to_owned();
                self.error(sheet, "check.type", given.start_position(), message, hint);
            }
            return;
        };
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let mut given = BTreeSet::new();
        for (key, _) in &map.0 {
            given.insert(key.name.to_string());
            if !names.contains(&key.name.as_str()) {
                let message = format!("`{}` has no parameter `{}`", file.label, key.name);
                self.error(sheet, "check.unknown_parameter", key.pos, message, other_parameter(&key.name, &names));
            }
        }
        let missing = |parameter: &&Parameter| {
            matches!(parameter.default, Default::Required)
                && !given.contains(&parameter.name)
                && self.inventory.is_none_or(|inventory| !inventory.vars.contains_key(&parameter.name))
        };
        let missing: Vec<&Parameter> = parameters.iter().filter(missing).collect();
        missing.into_iter().for_each(|parameter| self.missing(sheet, call, file, parameter));
    }

    /// Without an inventory it is only probable: a variable of that name would do.
    fn missing(&mut self, sheet: &Sheet, call: &Call, file: &SnapshotFile, parameter: &Parameter) {
        let Parameter { name, about, .. } = parameter;
        let message = format!("parameter `{name}` of `{}` is missing: {about}", file.label);
        let (severity, hint) = match self.inventory {
            Some(_) => (Severity::Error, format!("add `{name}: …` to the map")),
            None => (Severity::Warning, format!("add `{name}: …` to the map, or a variable `{name}` to the inventory")),
        };
        let code = "check.missing_parameter";
        match severity {
            Severity::Error => self.error(sheet, code, call.position, message, hint),
            Severity::Warning => self.warning(sheet, code, call.position, message, hint),
        }
    }
}

/// What a file says of a function that it had: "// `NAME` is gone: write …".
fn gone<'f>(file: &'f SnapshotFile, name: &str) -> Option<&'f str> {
    let note = format!("// `{name}` is gone: ");
    file.text.lines().find_map(|line| line.strip_prefix(&note)).map(|instead| instead.trim_end_matches('.'))
}

/// What to write instead of a parameter that a recipe does not have.
pub(super) fn other_parameter(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("write `{near}`"),
        None if known.is_empty() => "leave it out: the recipe takes no parameters".to_owned(),
        None => format!("use one of {}", quoted(known)),
    }
}
