//! What a recipe of phases does, as far as its text says so. Nothing is run for it.

use haengine_kernel::verb::Sort;

use crate::phases::{ACT, CHECKS, Form, LOCK, PARTS, PROVE, Phase};
use crate::recipe::Recipe;
use crate::written::{Reader, Written};

/// What a recipe of phases does. A name that only a run can know is `…`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    /// What must hold before something is touched.
    pub checks: Vec<CheckGroup>,
    /// The verb that keeps others away; none where nothing does.
    pub lock: Option<String>,
    /// What `act` does: names of steps, those of inner ones behind the outer ones' with ` / ` between.
    pub steps: Vec<String>,
    /// What is verified, by `act` and by `prove`.
    pub proofs: Vec<String>,
    /// The recipes that it is made of; it has nothing else then.
    pub parts: Vec<String>,
}

/// Checks that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckGroup {
    /// What they are about; empty where the recipe does not say.
    pub name: String,
    /// The names of the checks.
    pub checks: Vec<String>,
}

impl Recipe {
    /// What its phases do; none when it has a `main`.
    pub fn outline(&self) -> Option<Outline> {
        match Form::of(&self.snapshot().main_file().ast) {
            Form::Phases => {}
            Form::Parts => return Some(Outline { parts: self.written(&PARTS).parts, ..Outline::default() }),
            Form::Main | Form::Library => return None,
        }
        let (act, prove) = (self.written(&ACT), self.written(&PROVE));
        Some(Outline {
            checks: groups(self.written(&CHECKS).checks),
            lock: self.lock(),
            steps: distinct(act.steps),
            proofs: distinct(act.proofs.into_iter().chain(prove.proofs).collect()),
            parts: Vec::new(),
        })
    }

    fn written(&self, phase: &Phase) -> Written {
        Reader::of(self.snapshot()).read(self.snapshot().main_file(), phase.name, phase.takes.len())
    }

    fn lock(&self) -> Option<String> {
        if !LOCK.is_in(&self.snapshot().main_file().ast) {
            return None;
        }
        let is_guard = |function: &&String| {
            let verb = self.library().registry().get(&function.replace("::", "."));
            verb.is_ok_and(|verb| verb.sort() == Sort::Guard)
        };
        let calls = self.written(&LOCK).calls;
        Some(calls.iter().find(is_guard).cloned().unwrap_or_else(|| "…".to_owned()))
    }
}

/// Checks by their group, in the order in which they are written.
fn groups(checks: Vec<(String, String)>) -> Vec<CheckGroup> {
    let mut groups: Vec<CheckGroup> = Vec::new();
    for (name, check) in checks {
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) if group.checks.contains(&check) => {}
            Some(group) => group.checks.push(check),
            None => groups.push(CheckGroup { name, checks: vec![check] }),
        }
    }
    groups
}

fn distinct(names: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}
