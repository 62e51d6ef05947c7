//! What functions and closures of a file are made of.

use std::collections::BTreeMap;

use rhai::{AST, ASTNode, Stmt};

/// A function or closure: the names of its arguments, those that a closure captures first, and its statements.
#[derive(Clone)]
pub(super) struct Body {
    pub arguments: Vec<String>,
    pub statements: Vec<Stmt>,
}

/// All functions of a file, by name and number of arguments.
pub(super) struct Bodies(BTreeMap<(String, usize), Body>);

impl Bodies {
    pub fn of(ast: &AST) -> Bodies {
        let all = ast.iter_functions().map(|function| {
            let key = (function.name.to_owned(), function.params.len());
            let arguments = function.params.iter().map(|name| (*name).to_owned()).collect();
            let statements = statements(ast, &key);
            (key, Body { arguments, statements })
        });
        Bodies(all.collect())
    }

    /// The closure of this name; nobody else has it.
    pub fn closure(&self, name: &str) -> Option<&Body> {
        self.0.iter().find(|((known, _), _)| known == name).map(|(_, body)| body)
    }

    /// The functions that have a name.
    pub fn functions(&self) -> impl Iterator<Item = (&str, &Body)> {
        self.0.iter().filter(|((name, _), _)| !name.starts_with("anon$")).map(|((name, _), body)| (name.as_str(), body))
    }
}

/// Rhai shows the statements of a function only to those who walk through them.
fn statements(ast: &AST, (name, count): &(String, usize)) -> Vec<Stmt> {
    let mut only = ast.clone_functions_only();
    only.retain_functions(|_, _, known, arguments| known == name && arguments == *count);
    let mut found = Vec::new();
    only.walk(&mut |nodes: &[ASTNode]| {
        if let [ASTNode::Stmt(statement)] = nodes {
            found.push((*statement).clone());
        }
        true
    });
    found
}
