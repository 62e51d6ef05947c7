//! Goes through a file as a run would, statement by statement, with what is known of each variable.

use std::collections::BTreeMap;

use rhai::{ASTFlags, ASTNode, Expr, FlowControl, Position, Stmt};

use crate::lint::bodies::{Bodies, Body};
use crate::lint::changed::Changed;
use crate::lint::check::Lint;
use crate::lint::known::Known;
use crate::lint::sheet::Sheet;

/// How often a file is gone through at most until it is known what its functions are given.
const PASSES: usize = 4;

/// What functions of a file are given, by name and number of arguments.
type Given = BTreeMap<(String, usize), Vec<Known>>;

/// A walk through a file.
pub(super) struct Follow<'l, 'a> {
    pub lint: &'l mut Lint<'a>,
    pub sheet: &'l Sheet<'a>,
    pub bodies: &'l Bodies,
    pub changed: &'l Changed,
    /// The variables that are seen here, the innermost last.
    pub scope: Vec<Variable>,
    /// The variables around the closure that is gone through, by name.
    pub around: Vec<String>,
    /// The constants of the file's top.
    pub globals: BTreeMap<String, Known>,
    pub given: Given,
    /// False while it is only found out what functions are given.
    pub tells: bool,
    /// True in closures that a plan passes over.
    pub passed_over: bool,
}

/// A variable as it is seen at some place.
#[derive(Clone)]
pub(super) struct Variable {
    pub name: String,
    pub known: Known,
    /// The function whose closure has a copy of it.
    pub copied: Option<&'static str>,
    /// Where that copy is written to.
    pub written: Option<Position>,
    /// Where a copy of it was written to, and in the closure of which function; nobody has read it since.
    pub lost: Option<(Position, &'static str)>,
}

impl<'a> Lint<'a> {
    /// What shows only to those who know what values are.
    pub fn follow(&mut self, sheet: &Sheet<'a>, is_recipe: bool) {
        let (bodies, changed) = (Bodies::of(&sheet.file.ast), Changed::of(sheet));
        let mut follow = Follow {
            lint: self,
            sheet,
            bodies: &bodies,
            changed: &changed,
            scope: Vec::new(),
            around: Vec::new(),
            globals: BTreeMap::new(),
            given: Given::new(),
            tells: false,
            passed_over: false,
        };
        // Functions of a library are given what nobody here knows.
        let settled = is_recipe && follow.settle();
        if !settled {
            follow.given.clear();
        }
        follow.tells = true;
        follow.pass(settled);
    }
}

impl Follow<'_, '_> {
    /// Goes through the file until it is known what its functions are given; false when that has no end.
    fn settle(&mut self) -> bool {
        for _ in 0..PASSES {
            let before = self.given.clone();
            self.pass(true);
            if self.given == before {
                return true;
            }
        }
        false
    }

    fn pass(&mut self, settled: bool) {
        self.scope.clear();
        let mut top = (*self.sheet.file.ast).clone();
        top.clear_functions();
        let mut statements = Vec::new();
        top.walk(&mut |nodes: &[ASTNode]| {
            if let [ASTNode::Stmt(statement)] = nodes {
                statements.push((*statement).clone());
            }
            true
        });
        self.statements(&statements);
        let constants = self.scope.drain(..).map(|variable| (variable.name, variable.known));
        self.globals = constants.collect();
        let functions: Vec<(String, Body)> =
            self.bodies.functions().map(|(name, body)| (name.to_owned(), body.clone())).collect();
        for (name, body) in functions {
            let given = self.arguments(&name, body.arguments.len(), settled);
            self.function(&body, given);
        }
    }

    /// What a function is given, as far as it is known.
    fn arguments(&self, name: &str, count: usize, settled: bool) -> Vec<Known> {
        match self.lint.parameters(self.sheet.file) {
            Some(declared) if self.sheet.gets_parameters(name, count) => vec![Known::parameters(declared)],
            _ if settled => self.given.get(&(name.to_owned(), count)).cloned().unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    fn function(&mut self, body: &Body, given: Vec<Known>) {
        self.scope.clear();
        let all = given.into_iter().chain(std::iter::repeat(Known::Anything));
        for (name, known) in body.arguments.iter().zip(all) {
            self.define(name, known);
        }
        self.statements(&body.statements);
    }

    /// A new variable.
    pub fn define(&mut self, name: &str, known: Known) {
        let known = self.changed.loosened(name, known);
        self.scope.push(Variable { name: name.to_owned(), known, copied: None, written: None, lost: None });
    }

    /// The variable of this name.
    pub fn variable(&mut self, name: &str) -> Option<&mut Variable> {
        self.scope.iter_mut().rev().find(|variable| variable.name == name)
    }

    /// Statements with variables of their own; what is certain of the value of the last one.
    pub fn block(&mut self, statements: &[Stmt]) -> Known {
        let outer = self.scope.len();
        let gives = self.statements(statements);
        self.scope.truncate(outer);
        gives
    }

    fn statements(&mut self, statements: &[Stmt]) -> Known {
        self.unreachable(statements);
        let mut gives = Known::Anything;
        for (index, statement) in statements.iter().enumerate() {
            gives = self.statement(statement, index + 1 == statements.len());
        }
        gives
    }

    /// The last statement of a block gives the block's value.
    fn statement(&mut self, statement: &Stmt, is_last: bool) -> Known {
        match statement {
            Stmt::FnCall(call, position) => return self.call(call, *position, is_last),
            Stmt::Expr(expression) => {
                return match expression.as_ref() {
                    Expr::FnCall(call, position) => self.call(call, *position, is_last),
                    other => self.value(other),
                };
            }
            Stmt::Var(variable, _, _) => {
                let known = self.value(&variable.1);
                self.define(&variable.0.name, known);
            }
            Stmt::Assignment(assignment) => {
                self.value(&assignment.1.rhs);
                self.target(&assignment.1.lhs);
            }
            Stmt::Block(block) => _ = self.block(block.statements()),
            Stmt::If(parts, _) => self.branches(parts),
            Stmt::While(parts, _) | Stmt::Do(parts, _, _) => self.repeated(parts),
            Stmt::For(iteration, _) => {
                let element = self.value(&iteration.2.expr).element();
                let outer = self.scope.len();
                self.define(&iteration.0.name, element);
                iteration.1.iter().for_each(|counter| self.define(&counter.name, Known::Integer));
                self.block(iteration.2.body.statements());
                self.scope.truncate(outer);
            }
            Stmt::TryCatch(parts, _) => {
                self.block(parts.body.statements());
                let outer = self.scope.len();
                if let Expr::Variable(caught, ..) = &parts.expr {
                    self.define(&caught.1, Known::Anything);
                }
                self.block(parts.branch.statements());
                self.scope.truncate(outer);
            }
            Stmt::Switch(switch, _) => {
                let known = self.value(&switch.0);
                self.branch(&known, switch.0.start_position());
                for case in &switch.1.expressions {
                    self.value(&case.lhs);
                    self.value(&case.rhs);
                }
            }
            Stmt::Return(Some(value), ..) | Stmt::BreakLoop(Some(value), ..) => _ = self.value(value),
            _ => {}
        }
        Known::Anything
    }

    fn branches(&mut self, parts: &FlowControl) {
        let known = self.value(&parts.expr);
        self.branch(&known, parts.expr.start_position());
        self.block(parts.body.statements());
        self.block(parts.branch.statements());
    }

    fn repeated(&mut self, parts: &FlowControl) {
        let known = self.value(&parts.expr);
        self.branch(&known, parts.expr.start_position());
        self.block(parts.body.statements());
    }

    /// What is assigned to: it is written, and what stands in its brackets is read.
    fn target(&mut self, target: &Expr) {
        match target {
            Expr::Variable(variable, ..) => self.written(&variable.1, target.start_position()),
            Expr::Dot(chain, flags, _) | Expr::Index(chain, flags, _) => {
                if let Expr::Variable(variable, ..) = &chain.lhs {
                    self.written(&variable.1, target.start_position());
                }
                self.brackets(&chain.rhs, *flags, matches!(target, Expr::Index(..)));
            }
            _ => {}
        }
    }

    fn brackets(&mut self, rest: &Expr, flags: ASTFlags, is_index: bool) {
        match rest {
            Expr::Dot(chain, inner, _) | Expr::Index(chain, inner, _)
                if !is_index || !flags.contains(ASTFlags::BREAK) =>
            {
                if is_index {
                    self.value(&chain.lhs);
                }
                self.brackets(&chain.rhs, *inner, matches!(rest, Expr::Index(..)));
            }
            index if is_index => _ = self.value(index),
            _ => {}
        }
    }

    /// Tells an error, unless it is only found out what functions are given.
    pub fn error(&mut self, code: &'static str, position: Position, message: String, hint: impl Into<Option<String>>) {
        if self.tells {
            self.lint.error(self.sheet, code, position, message, hint);
        }
    }

    /// Tells a warning in the same way.
    pub fn warning(
        &mut self,
        code: &'static str,
        position: Position,
        message: String,
        hint: impl Into<Option<String>>,
    ) {
        if self.tells {
            self.lint.warning(self.sheet, code, position, message, hint);
        }
    }
}
