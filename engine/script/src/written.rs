//! Reads what a function and all that it calls say of themselves: names of checks, steps and verifications.

use std::collections::BTreeMap;

use rhai::{AST, ASTNode, Expr, FnPtr, Position, Stmt};

use crate::lint::Call;
use crate::phases::{ACT, Form, PROVE};
use crate::preflight::GROUPED;
use crate::snapshot::{Snapshot, SnapshotFile};

/// A name that only a run can know.
const UNKNOWN: &str = "…";

/// What functions say of themselves, in the order in which it is written.
#[derive(Default)]
pub(crate) struct Written {
    /// Groups, and names of checks.
    pub checks: Vec<(String, String)>,
    /// Names of steps, each behind those around it.
    pub steps: Vec<String>,
    /// Names of verifications.
    pub proofs: Vec<String>,
    /// Recipes that are named as parts.
    pub parts: Vec<String>,
    /// Functions of modules that are called.
    pub calls: Vec<String>,
}

/// Where in the names something stands.
#[derive(Clone, Default)]
struct Place {
    group: String,
    steps: Vec<String>,
    /// The variable that gets it, with the number of the function that has it.
    variable: Option<(usize, String)>,
}

/// Checks by the variables that hold them until they are named.
type Held = BTreeMap<String, Vec<(String, String)>>;

/// A walk through functions, closures and imported files.
pub(crate) struct Reader<'a> {
    snapshot: &'a Snapshot,
    /// The functions that are gone through, so that one that calls itself is read once.
    within: Vec<(String, String)>,
    held: Vec<Held>,
    written: Written,
}

impl<'a> Reader<'a> {
    pub fn of(snapshot: &'a Snapshot) -> Reader<'a> {
        Reader { snapshot, within: Vec::new(), held: Vec::new(), written: Written::default() }
    }

    /// What a function of a file says.
    pub fn read(mut self, file: &SnapshotFile, function: &str, arguments: usize) -> Written {
        self.function(file, function, Some(arguments), &Place::default());
        self.written
    }

    /// Goes through a function, or a closure, whatever it takes.
    fn function(&mut self, file: &SnapshotFile, function: &str, arguments: Option<usize>, place: &Place) {
        let id = (file.label.clone(), function.to_owned());
        if self.within.contains(&id) {
            return;
        }
        self.within.push(id);
        self.held.push(Held::new());
        let mut body: AST = file.ast.clone_functions_only();
        body.retain_functions(|_, _, name, count| name == function && arguments.is_none_or(|wanted| wanted == count));
        body.walk(&mut |nodes: &[ASTNode]| {
            self.node(file, nodes, place);
            true
        });
        self.within.pop();
        // What no variable's name has handed on.
        for (group, name) in self.held.pop().into_iter().flat_map(BTreeMap::into_values).flatten() {
            self.check(place, group, name);
        }
    }

    fn node(&mut self, file: &SnapshotFile, nodes: &[ASTNode], place: &Place) {
        let Some((node, around)) = nodes.split_last() else { return };
        let mut place = place.clone();
        if let Some(variable) = around.iter().rev().find_map(assigned) {
            place.variable = Some((self.held.len() - 1, variable));
        }
        for call in around.iter().filter_map(Call::at).filter(|call| call.module.is_empty()) {
            match (call.name, call.arguments.first()) {
                // What a check and a verification do is nobody's name.
                ("check" | "verify", _) => return,
                ("step", Some(name)) => place.steps.push(named(name, file)),
                (GROUPED, Some(name)) => place.group = named(name, file),
                _ => {}
            }
        }
        if let Some(call) = Call::at(node) {
            self.call(file, &call, place);
        } else if let ASTNode::Expr(Expr::Variable(variable, ..)) = node {
            let held = self.held.last_mut().and_then(|held| held.remove(variable.1.as_str()));
            for (group, name) in held.into_iter().flatten() {
                self.check(&place, if group.is_empty() { place.group.clone() } else { group }, name);
            }
        } else if let ASTNode::Expr(Expr::DynamicConstant(value, _)) = node
            && let Some(closure) = value.read_lock::<FnPtr>()
        {
            self.function(file, closure.fn_name(), None, &place);
        }
    }

    fn call(&mut self, file: &SnapshotFile, call: &Call, place: Place) {
        let (count, name) = (call.arguments.len(), || call.arguments.first().map(|name| named(name, file)));
        let is_own = call.module.is_empty() && file.ast.iter_functions().any(|function| function.name == call.name);
        match (call.module.as_str(), call.name) {
            _ if is_own => self.function(file, call.name, Some(count), &place),
            ("", "check") => name().into_iter().for_each(|name| self.check(&place, place.group.clone(), name)),
            ("", "verify") => self.written.proofs.extend(name()),
            ("", "step") => {
                self.written.steps.extend(name().map(|name| [place.steps, vec![name]].concat().join(" / ")))
            }
            ("", _) => {}
            (module, function) => match self.import(file, module) {
                Some(imported) => self.imported(imported, function, count, &place),
                None => self.written.calls.push(call.function()),
            },
        }
    }

    /// A check belongs where it is named in a list: a variable holds it until then.
    fn check(&mut self, place: &Place, group: String, name: String) {
        let held = place.variable.as_ref().and_then(|(function, variable)| {
            self.held.get_mut(*function).map(|held| held.entry(variable.clone()).or_default())
        });
        held.unwrap_or(&mut self.written.checks).push((group, name));
    }

    /// A function of another file; its `main` may be made of its phases.
    fn imported(&mut self, file: &'a SnapshotFile, function: &str, arguments: usize, place: &Place) {
        match Form::of(&file.ast) {
            Form::Phases if function == "part" => self.written.parts.push(file.stem().to_owned()),
            Form::Phases if function == "main" => {
                [ACT, PROVE].iter().for_each(|phase| self.function(file, phase.name, Some(phase.takes.len()), place));
            }
            _ => self.function(file, function, Some(arguments), place),
        }
    }

    fn import(&self, file: &SnapshotFile, name: &str) -> Option<&'a SnapshotFile> {
        let path = file.import_paths().into_iter().find(|(known, _)| known == name)?.1;
        self.snapshot.files.get(file.imports.get(&path)?)
    }
}

/// The variable that gets what stands behind it.
fn assigned(node: &ASTNode) -> Option<String> {
    match node {
        ASTNode::Stmt(Stmt::Var(variable, ..)) => Some(variable.0.name.to_string()),
        ASTNode::Stmt(Stmt::Assignment(assignment)) => match &assignment.1.lhs {
            Expr::Variable(variable, ..) => Some(variable.1.to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// A name as it is written.
fn named(expression: &Expr, file: &SnapshotFile) -> String {
    match expression {
        Expr::StringConstant(text, _) => text.to_string(),
        Expr::InterpolatedString(..) => {
            template(&file.text, expression.start_position()).unwrap_or_else(|| UNKNOWN.to_owned())
        }
        _ => UNKNOWN.to_owned(),
    }
}

/// The text between the quotes of a template that begins here.
fn template(text: &str, position: Position) -> Option<String> {
    let line = text.lines().nth(position.line()? - 1)?;
    let rest: String = line.chars().skip(position.position()? - 1).collect();
    let (mut inner, mut depth) = (String::new(), 0_usize);
    for character in rest.strip_prefix('`')?.chars() {
        match character {
            '`' if depth == 0 => return Some(inner),
            '{' if depth > 0 || inner.ends_with('$') => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        inner.push(character);
    }
    None
}
