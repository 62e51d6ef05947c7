//! One call: is there such a function, does it take so many arguments, and do those that are written out fit?

use std::collections::BTreeSet;

use haengine_kernel::error::RENAMED_CODES;
use haengine_kernel::signature::quoted;
use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use crate::docs;
use crate::lint::Names;
use crate::lint::check::Lint;
use crate::lint::literal::string;
use crate::lint::sheet::Sheet;

/// A call that is not a method's.
pub(crate) struct Call<'a> {
    /// `file` of `file::put`; empty for a plain call.
    pub module: String,
    pub name: &'a str,
    pub arguments: &'a [Expr],
    /// Where it begins, module included.
    pub position: Position,
}

impl<'a> Call<'a> {
    /// The call at a node, if it is one.
    pub fn at(node: &'a ASTNode) -> Option<Call<'a>> {
        let (call, position): (&FnCallExpr, Position) = match node {
            ASTNode::Expr(Expr::FnCall(call, position)) => (call, *position),
            ASTNode::Stmt(Stmt::FnCall(call, position)) => (call, *position),
            _ => return None,
        };
        Call::of(call, position)
    }

    /// The call, unless it is an operator's.
    pub fn of(call: &'a FnCallExpr, position: Position) -> Option<Call<'a>> {
        if call.is_operator_call() {
            return None;
        }
        let path = &call.namespace.path;
        let words: Vec<&str> = path.iter().map(|word| word.name.as_str()).collect();
        let position = path.first().map_or(position, |first| first.pos);
        Some(Call { module: words.join("::"), name: &call.name, arguments: &call.args, position })
    }

    /// The function as the recipe writes it.
    pub fn function(&self) -> String {
        if self.module.is_empty() { self.name.to_owned() } else { format!("{}::{}", self.module, self.name) }
    }
}

impl<'a> Lint<'a> {
    /// Checks what stands at a node.
    pub fn node(&mut self, sheet: &Sheet<'a>, nodes: &[ASTNode]) {
        let Some(node) = nodes.last() else { return };
        if let Some(call) = Call::at(node) {
            return self.call(sheet, &call);
        }
        match node {
            ASTNode::Expr(Expr::MethodCall(call, position)) => self.method(sheet, &call.name, *position),
            ASTNode::Stmt(Stmt::Import(import, _)) if string(&import.0).is_none() => {
                let message = "the path of an `import` must be a plain string".to_owned();
                let hint = "write the path out: a recipe's files are read before it runs, all of them".to_owned();
                self.error(sheet, "check.import", import.0.start_position(), message, hint);
            }
            ASTNode::Expr(Expr::StringConstant(text, position)) => self.code(sheet, text, *position),
            _ => {}
        }
    }

    /// A code of errors that has another name now.
    fn code(&mut self, sheet: &Sheet, text: &str, position: Position) {
        if let Some((code, now)) = RENAMED_CODES.iter().find(|(code, _)| *code == text) {
            let message = format!("no error has the code `{code}` any more");
            self.warning(sheet, "check.gone", position, message, format!("write `\"{now}\"`"));
        }
    }

    fn call(&mut self, sheet: &Sheet<'a>, call: &Call) {
        if call.module.is_empty() {
            return self.plain(sheet, call);
        }
        if let Some(imported) = sheet.import(&call.module) {
            return imported.into_iter().for_each(|file| self.imported(sheet, call, file));
        }
        if call.module == "global" || call.module.contains("::") {
            return;
        }
        if !self.names.has_module(&call.module) {
            return self.unknown_module(sheet, call);
        }
        let Some(counts) = self.names.member(&call.module, call.name).cloned() else {
            return self.unknown_member(sheet, call);
        };
        let library = self.library;
        let verb = library.registry().get(&format!("{}.{}", call.module, call.name)).ok();
        match (verb, docs::named(&call.function())) {
            (Some(verb), _) => self.verb(sheet, call, &verb.signature()),
            (None, Some(core)) => self.core(sheet, call, core),
            (None, None) => self.count(sheet, call, &counts),
        }
    }

    fn plain(&mut self, sheet: &Sheet<'a>, call: &Call) {
        let own = sheet.function(call.name);
        let rhai = self.names.function(call.name);
        match (own, docs::named(call.name), rhai) {
            (Some(counts), _, _) => {
                let counts: BTreeSet<usize> = counts.iter().chain(rhai.into_iter().flatten()).copied().collect();
                self.count(sheet, call, &counts);
            }
            (None, Some(core), _) => self.core(sheet, call, core),
            (None, None, Some(counts)) => self.count(sheet, call, &counts.clone()),
            (None, None, None) if Names::is_keyword(call.name) => {}
            (None, None, None) => {
                let near = self.names.near_function(call.name, sheet.function_names());
                let hint = near.map(|near| format!("write `{near}`"));
                let message = format!("there is no function `{}`", call.name);
                let hint = hint.unwrap_or_else(|| "list all functions with `haengine doc`".to_owned());
                self.error(sheet, "check.unknown_function", call.position, message, hint);
            }
        }
    }

    fn unknown_module(&mut self, sheet: &Sheet, call: &Call) {
        let hint = match self.names.near_module(&call.module, sheet.import_names()) {
            Some(near) => format!("write `{near}::{}`", call.name),
            None => format!("use one of {}, or import a recipe", quoted(&self.names.modules())),
        };
        let message = format!("there is no module `{}`", call.module);
        self.error(sheet, "check.unknown_module", call.position, message, hint);
    }

    fn unknown_member(&mut self, sheet: &Sheet, call: &Call) {
        let hint = match self.names.near_member(&call.module, call.name) {
            Some(near) => format!("write `{near}`"),
            None => format!("use one of {}", quoted(&self.names.members(&call.module))),
        };
        let message = format!("the module `{}` has no function `{}`", call.module, call.name);
        self.error(sheet, "check.unknown_function", call.position, message, hint);
    }

    /// Methods are known by name only: the type of what they are called on shows when run.
    fn method(&mut self, sheet: &Sheet, name: &str, position: Position) {
        let known = self.names.function(name).is_some() || sheet.function(name).is_some();
        if known || Names::is_keyword(name) || sheet.has_key(name) {
            return;
        }
        let message = format!("nothing has a method `{name}`");
        let hint = self.names.near_method(name).map(|near| format!("write `{near}`"));
        self.error(sheet, "check.unknown_method", position, message, hint);
    }

    /// The number of arguments, where that is all that is known of a function.
    pub fn count(&mut self, sheet: &Sheet, call: &Call, counts: &BTreeSet<usize>) {
        if counts.contains(&call.arguments.len()) {
            return;
        }
        let takes: Vec<String> = counts.iter().map(usize::to_string).collect();
        let takes = match counts.iter().next() {
            Some(1) if counts.len() == 1 => "1 argument".to_owned(),
            _ => format!("{} arguments", takes.join(" or ")),
        };
        let meant = self.names.in_a_module(call.name).filter(|_| call.module.is_empty());
        self.wrong_count(sheet, call, &takes, meant.map(|member| format!("write `{member}`")));
    }

    pub fn wrong_count(&mut self, sheet: &Sheet, call: &Call, takes: &str, hint: impl Into<Option<String>>) {
        let given = match call.arguments.len() {
            0 => "none was given".to_owned(),
            1 => "1 was given".to_owned(),
            more => format!("{more} were given"),
        };
        let message = format!("`{}` takes {takes}, {given}", call.function());
        self.error(sheet, "check.arity", call.position, message, hint);
    }
}
