//! A file as `check` sees it: the functions it defines, what it imports, and where it is.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Expr, FnAccess, Position, Stmt};

use crate::phases::{Form, Phase};
use crate::snapshot::{Snapshot, SnapshotFile};
use crate::spot::Spot;

/// A file of the snapshot.
pub(super) struct Sheet<'a> {
    pub file: &'a SnapshotFile,
    pub form: Form,
    /// Numbers of arguments by name, closures left out.
    functions: BTreeMap<String, BTreeSet<usize>>,
    /// Imported files by the name that the import gives them; none when the path is no plain string.
    imports: BTreeMap<String, Option<&'a SnapshotFile>>,
    /// Keys of maps that the file writes: a map's closure is called like a method.
    keys: BTreeSet<String>,
}

impl<'a> Sheet<'a> {
    pub fn of(file: &'a SnapshotFile, snapshot: &'a Snapshot) -> Sheet<'a> {
        let (mut imports, mut keys) = (BTreeMap::new(), BTreeSet::new());
        file.ast.walk(&mut |nodes: &[ASTNode]| {
            match nodes.last() {
                Some(ASTNode::Stmt(Stmt::Import(import, _))) => {
                    let target = match &import.0 {
                        Expr::StringConstant(path, _) => file.imports.get(path.as_str()),
                        _ => None,
                    };
                    imports.insert(import.1.name.to_string(), target.and_then(|label| snapshot.files.get(label)));
                }
                Some(ASTNode::Expr(Expr::Map(map, _))) => {
                    keys.extend(map.0.iter().map(|(key, _)| key.name.to_string()));
                }
                Some(ASTNode::Expr(Expr::Property(property, _))) if is_assigned(nodes) => {
                    keys.insert(property.2.to_string());
                }
                _ => {}
            }
            true
        });
        Sheet { file, form: Form::of(&file.ast), functions: functions(&file.ast, true), imports, keys }
    }

    /// How many arguments a function of the file takes.
    pub fn function(&self, name: &str) -> Option<&BTreeSet<usize>> {
        self.functions.get(name)
    }

    /// True for a function that the engine calls with the recipe's parameters first.
    pub fn gets_parameters(&self, name: &str, count: usize) -> bool {
        let is = |phase: &&Phase| phase.name == name && phase.takes.len() == count;
        self.form.phases().iter().any(is) || self.form == Form::Main && name == "main" && count == 1
    }

    /// Where a run begins: `main`, or the phases.
    pub fn entries(&self) -> Vec<String> {
        match self.form.phases() {
            [] => vec!["main".to_owned()],
            phases => phases.iter().map(|phase| phase.name.to_owned()).collect(),
        }
    }

    /// The names of the file's functions that a recipe calls.
    pub fn function_names(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str).filter(|name| !["main", "params"].contains(name))
    }

    /// The file behind an import's name; the inner none is a file that only a run knows.
    pub fn import(&self, name: &str) -> Option<Option<&'a SnapshotFile>> {
        self.imports.get(name).copied()
    }

    /// The names that imports give.
    pub fn import_names(&self) -> impl Iterator<Item = &str> {
        self.imports.keys().map(String::as_str)
    }

    /// Whether a map of this file has a value of this name.
    pub fn has_key(&self, name: &str) -> bool {
        self.keys.contains(name)
    }

    /// A place in this file.
    pub fn spot(&self, position: Position) -> Spot {
        let (line, column) = (position.line().unwrap_or(1), position.position().unwrap_or(1));
        Spot { file: self.file.label.clone(), line, column, function: None }
    }
}

fn is_assigned(nodes: &[ASTNode]) -> bool {
    nodes.iter().any(|node| matches!(node, ASTNode::Stmt(Stmt::Assignment(_))))
}

/// The functions of a file with their numbers of arguments, private ones on demand.
pub(super) fn functions(ast: &AST, private: bool) -> BTreeMap<String, BTreeSet<usize>> {
    let mut functions: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for function in ast.iter_functions() {
        if !function.name.starts_with("anon$") && (private || function.access == FnAccess::Public) {
            functions.entry(function.name.to_owned()).or_default().insert(function.params.len());
        }
    }
    functions
}
