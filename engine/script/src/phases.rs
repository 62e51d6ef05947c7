//! What makes a file a recipe: a `main`, phases that are played in their order, or parts.

use rhai::AST;

/// What makes a file a recipe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    /// It has a `main`.
    Main,
    /// It has an `act`, and no `main`.
    Phases,
    /// It has `parts` and `params`, and neither.
    Parts,
    /// It is no recipe: others import its functions.
    Library,
}

/// A phase: a function that the engine calls by its name.
#[derive(Debug, PartialEq)]
pub(crate) struct Phase {
    pub name: &'static str,
    /// Its arguments, as the book calls them.
    pub takes: &'static [&'static str],
    /// What it may do.
    pub may: May,
}

/// What a phase may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum May {
    /// Neither ask a host nor change one.
    Reckon,
    /// Ask hosts.
    Read,
    /// Change them.
    Change,
}

const fn phase(name: &'static str, takes: &'static [&'static str], may: May) -> Phase {
    Phase { name, takes, may }
}

pub(crate) const LOOK: Phase = phase("look", &["p"], May::Read);
pub(crate) const EXPECT: Phase = phase("expect", &["p", "found", "earlier"], May::Reckon);
pub(crate) const CHECKS: Phase = phase("checks", &["p", "found"], May::Read);
pub(crate) const LOCK: Phase = phase("lock", &["p", "found"], May::Change);
pub(crate) const ACT: Phase = phase("act", &["p", "found"], May::Change);
pub(crate) const PROVE: Phase = phase("prove", &["p", "found"], May::Change);
pub(crate) const PARTS: Phase = phase("parts", &["p"], May::Reckon);

/// The phases of a recipe that has no parts, in their order.
pub(crate) const PHASES: [&Phase; 6] = [&LOOK, &EXPECT, &CHECKS, &LOCK, &ACT, &PROVE];

impl Form {
    /// The form of a file. A library may have a function of any of these names.
    pub fn of(ast: &AST) -> Form {
        let declares = || has(ast, "params", 0);
        if ast.iter_functions().any(|function| function.name == "main") {
            Form::Main
        } else if ACT.is_in(ast) && (declares() || LOOK.is_in(ast)) {
            Form::Phases
        } else if PARTS.is_in(ast) && declares() {
            Form::Parts
        } else {
            Form::Library
        }
    }

    /// The functions that the engine calls with the recipe's parameters first.
    pub fn phases(self) -> &'static [&'static Phase] {
        match self {
            Form::Phases => &PHASES,
            Form::Parts => &[&PARTS],
            Form::Main | Form::Library => &[],
        }
    }
}

impl Phase {
    /// True when a file has it.
    pub fn is_in(&self, ast: &AST) -> bool {
        has(ast, self.name, self.takes.len())
    }

    /// What a file calls the parameters in it.
    pub fn first_argument(&self, ast: &AST) -> Option<String> {
        let function = ast.iter_functions().find(|function| self.is(function.name, function.params.len()))?;
        function.params.first().map(|name| (*name).to_owned())
    }

    fn is(&self, name: &str, arguments: usize) -> bool {
        self.name == name && self.takes.len() == arguments
    }

    /// How many arguments it takes, in words.
    pub fn arguments(&self) -> String {
        match self.takes.len() {
            1 => "one argument".to_owned(),
            more => format!("{more} arguments"),
        }
    }

    /// What to do instead of reading in it.
    pub fn instead_of_a_read(&self) -> &'static str {
        match *self == PARTS {
            true => "leave it to the parts: each reads in a `look` of its own",
            false => "read in `look`, and hand on what it found",
        }
    }

    /// How it is written: `fn act(p, found) { … }`.
    pub fn written(&self) -> String {
        format!("fn {}({}) {{ … }}", self.name, self.takes.join(", "))
    }
}

fn has(ast: &AST, name: &str, arguments: usize) -> bool {
    ast.iter_functions().any(|function| function.name == name && function.params.len() == arguments)
}
