//! What a recipe reads on the operator's machine, as far as its text says so. Nothing is read for it.

use std::collections::BTreeSet;

use rhai::ASTNode;

use crate::lint::Call;
use crate::local::{default_of, named};
use crate::params::Parameter;
use crate::recipe::Recipe;

impl Recipe {
    /// What it and all that it imports read on the operator's machine, where that is written out, in words: files by the names
    /// that it gives them, and where secrets are found that nobody gives.
    pub fn local_reads(&self) -> Vec<String> {
        let mut found: Vec<String> = self.parameters().iter().filter_map(told_default).collect();
        for file in self.snapshot().files.values().filter(|file| file.path.is_some()) {
            file.ast.walk(&mut |nodes: &[ASTNode]| {
                if let Some(call) = nodes.last().and_then(Call::at) {
                    let verb = self.library().registry().get(&call.function().replace("::", "."));
                    let positional = verb.map(|verb| verb.signature().positional).unwrap_or_default();
                    let given =
                        positional.iter().zip(call.arguments).flat_map(|(param, given)| named(param.kind, given));
                    found.extend(given.map(|(name, _)| format!("`{name}` ({})", call.function())));
                }
                true
            });
        }
        let mut seen = BTreeSet::new();
        found.retain(|line| seen.insert(line.clone()));
        found
    }
}

fn told_default(parameter: &Parameter) -> Option<String> {
    let place = default_of(parameter).filter(|place| place != "prompt")?;
    Some(format!("`{place}` (parameter `{}`, where it is not given)", parameter.name))
}
