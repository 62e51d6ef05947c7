//! A module of verbs, as recipes see it: `file::put(…)`.

use std::sync::Arc;

use crate::action::Action;
use crate::guard::Guard;
use crate::op::Op;
use crate::read::Read;
use crate::verb::{ActionVerb, GuardVerb, ReadVerb, StateVerb, Verb};

/// Verbs under one name. The script functions, argument checks, help and the book's page follow from it.
#[derive(Clone)]
pub struct Module {
    /// Its name in recipes.
    pub name: &'static str,
    /// What it is about, in Markdown; the first line stands alone.
    pub about: &'static str,
    /// Its verbs, in the order of the book.
    pub verbs: Vec<Arc<dyn Verb>>,
}

impl Module {
    /// A module without verbs.
    pub fn new(name: &'static str, about: &'static str) -> Module {
        Module { name, about, verbs: Vec::new() }
    }

    /// The same with a state op.
    #[must_use]
    pub fn op<O: Op>(self) -> Module {
        self.with(StateVerb::<O>::shared())
    }

    /// The same with an action.
    #[must_use]
    pub fn action<A: Action>(self) -> Module {
        self.with(ActionVerb::<A>::shared())
    }

    /// The same with a read.
    #[must_use]
    pub fn read<R: Read>(self) -> Module {
        self.with(ReadVerb::<R>::shared())
    }

    /// The same with a guard.
    #[must_use]
    pub fn guard<G: Guard>(self) -> Module {
        self.with(GuardVerb::<G>::shared())
    }

    fn with(mut self, verb: Arc<dyn Verb>) -> Module {
        debug_assert!(verb.name().starts_with(&format!("{}.", self.name)), "{} is not in {}", verb.name(), self.name);
        self.verbs.push(verb);
        self
    }
}
