//! One function of a file.

use rhai::AST;

/// The file's function of this name, with all its numbers of arguments, and nothing else of the file.
/// `AST::clone_functions_only_filtered` promises the same, but into an empty tree it copies all functions.
pub(crate) fn body_of(ast: &AST, function: &str) -> AST {
    let mut body = ast.clone_functions_only();
    body.retain_functions(|_, _, name, _| name == function);
    body
}
