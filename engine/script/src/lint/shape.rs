//! What a recipe is made of: `main` with one argument, or phases, and `params()` that says what each parameter is for.

use haengine_kernel::inventory::Inventory;
use rhai::{ASTNode, Expr, Position};

use crate::body::body_of;
use crate::lint::check::Lint;
use crate::lint::literal::string;
use crate::lint::sheet::Sheet;
use crate::params::{Default, Parameter, ParameterKind};
use crate::phases::{ACT, CHECKS, Form, LOCK, PARTS, PHASES, PROVE};

/// A parameter in the text of `params()`.
struct Written {
    name: String,
    position: Position,
    /// Where the text of its default stands.
    default: Option<Position>,
}

impl Lint<'_> {
    /// `main` and `params()` of a file; only the recipe that was asked for must have a `main`.
    pub fn shape(&mut self, sheet: &Sheet, is_recipe: bool) {
        self.main(sheet, is_recipe);
        if let Some(counts) = sheet.function("params").filter(|counts| !counts.contains(&0)) {
            let message = format!("`params` takes no arguments, it has {}", counts.iter().next().unwrap_or(&0));
            let place = definition(sheet, "params");
            self.error(sheet, "check.params", place, message, "write `fn params() { #{ … } }`".to_owned());
        }
        let written = written(sheet);
        for parameter in self.parameters(sheet.file).map(<[Parameter]>::to_vec).unwrap_or_default() {
            if let Some(written) = written.iter().find(|written| written.name == parameter.name) {
                self.described(sheet, &parameter, written);
                self.default_host(sheet, &parameter, written);
            }
        }
    }

    fn main(&mut self, sheet: &Sheet, is_recipe: bool) {
        match sheet.form {
            Form::Main => self.written_main(sheet),
            Form::Phases | Form::Parts => self.phases(sheet, sheet.form.phases()),
            Form::Library if is_recipe => self.no_main(sheet),
            Form::Library => {}
        }
    }

    fn written_main(&mut self, sheet: &Sheet) {
        let counts = sheet.function("main").into_iter().flatten();
        if let Some(count) = counts.copied().find(|count| *count > 1) {
            let message = format!("`main` must take one argument, the parameters, not {count}");
            self.error(sheet, "check.main", definition(sheet, "main"), message, "write `fn main(p) { … }`".to_owned());
        }
        let ast = &sheet.file.ast;
        if ACT.is_in(ast) && [CHECKS, LOCK, PROVE].iter().any(|phase| phase.is_in(ast)) {
            let message = "the recipe has both `main` and `act`: its phases are never played".to_owned();
            let hint = "leave out `main`, which is made of the phases; or give `act` another name".to_owned();
            self.error(sheet, "check.phases", definition(sheet, "main"), message, hint);
        }
    }

    /// Who has phases beside a wrong `act` has meant them.
    fn no_main(&mut self, sheet: &Sheet) {
        let counts = sheet.function(ACT.name);
        if counts.is_some_and(|counts| !counts.contains(&ACT.takes.len())) {
            return self.phases(sheet, &PHASES);
        }
        let hint = match PARTS.is_in(&sheet.file.ast) {
            true => "add `fn params() { #{ } }` beside `parts`: a recipe of recipes has both".to_owned(),
            false => "add `fn main(p) { … }`, or phases: `fn act(p, found) { … }`".to_owned(),
        };
        self.error(sheet, "check.no_main", Position::START, "the recipe has no `main`".to_owned(), hint);
    }

    fn described(&mut self, sheet: &Sheet, parameter: &Parameter, written: &Written) {
        if parameter.about.trim().is_empty() {
            let message = format!("parameter `{}` does not say what it is for", parameter.name);
            let hint = format!("write `{}: param::{}(\"What it is for.\")`", parameter.name, parameter.kind.name());
            self.warning(sheet, "check.params", written.position, message, hint);
        }
    }

    /// A default may be meant for another site, and a variable of the inventory wins: a warning.
    fn default_host(&mut self, sheet: &Sheet, parameter: &Parameter, written: &Written) {
        let Some(inventory) = self.inventory.filter(|inventory| !inventory.vars.contains_key(&parameter.name)) else {
            return;
        };
        let Default::Value(value) = &parameter.default else { return };
        let Some(error) = value.clone().into_string().ok().and_then(|name| unknown(inventory, parameter, &name)) else {
            return;
        };
        let message = format!("the default of parameter `{}`: {}", parameter.name, error.message());
        let position = written.default.unwrap_or(written.position);
        let code = if parameter.kind == ParameterKind::Host { "check.unknown_host" } else { "check.unknown_group" };
        let hint = error.advice().map(|hint| format!("{hint}; or give `{}=…` when it is run", parameter.name));
        self.warning(sheet, code, position, message, hint);
    }
}

fn unknown(inventory: &Inventory, parameter: &Parameter, names: &str) -> Option<haengine_kernel::error::Error> {
    match parameter.kind {
        ParameterKind::Host => inventory.host(names).err(),
        ParameterKind::Hosts => {
            let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
            names.map(|name| inventory.resolve(name)).find_map(Result::err)
        }
        _ => None,
    }
}

/// The parameters as the file writes them: the first map in `params()`.
fn written(sheet: &Sheet) -> Vec<Written> {
    let mut found: Vec<Written> = Vec::new();
    let params = body_of(&sheet.file.ast, "params");
    params.walk(&mut |nodes: &[ASTNode]| {
        if let (Some(ASTNode::Expr(Expr::Map(map, _))), true) = (nodes.last(), found.is_empty()) {
            found = map
                .0
                .iter()
                .map(|(key, value)| Written {
                    name: key.name.to_string(),
                    position: key.pos,
                    default: default_of(value),
                })
                .collect();
        }
        true
    });
    found
}

/// Where the text in `param::host("…").or("HERE")` stands.
fn default_of(expression: &Expr) -> Option<Position> {
    match expression {
        Expr::Dot(chain, ..) => default_of(&chain.rhs).or_else(|| default_of(&chain.lhs)),
        Expr::MethodCall(call, _) if call.name == "or" => {
            call.args.first().filter(|given| string(given).is_some()).map(Expr::start_position)
        }
        _ => None,
    }
}

pub(super) fn definition(sheet: &Sheet, function: &str) -> Position {
    sheet.file.definition(function).unwrap_or(Position::START)
}
