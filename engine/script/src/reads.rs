//! What a recipe reads and writes on the operator's machine, as far as its text says so. Nothing is read for it.

use std::collections::BTreeSet;

use haengine_kernel::signature::ParamKind;
use rhai::ASTNode;

use crate::lint::Call;
use crate::local::{default_of, named};
use crate::params::Parameter;
use crate::recipe::Recipe;

impl Recipe {
    /// What it and all that it imports read on the operator's machine, where that is written out, in words: files by the names
    /// that it gives them, and where secrets are found that nobody gives.
    pub fn local_reads(&self) -> Vec<String> {
        let secrets = self.parameters().iter().filter_map(told_default);
        let mut seen = BTreeSet::new();
        let all = secrets.chain(self.local_names(ParamKind::reads_locally));
        all.filter(|line| seen.insert(line.clone())).collect()
    }

    /// What they write there, likewise.
    pub fn local_writes(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        self.local_names(ParamKind::writes_locally).into_iter().filter(|line| seen.insert(line.clone())).collect()
    }

    /// The names in arguments of such a kind, each with its verb. What is worked out as it runs is told as such where something is
    /// written.
    fn local_names(&self, is_local: fn(ParamKind) -> bool) -> Vec<String> {
        let mut found = Vec::new();
        for file in self.snapshot().files.values().filter(|file| file.path.is_some()) {
            file.ast.walk(&mut |nodes: &[ASTNode]| {
                if let Some(call) = nodes.last().and_then(Call::at) {
                    let verb = self.library().registry().get(&call.function().replace("::", "."));
                    let positional = verb.map(|verb| verb.signature().positional).unwrap_or_default();
                    let given = positional.iter().zip(call.arguments).filter(|(param, _)| is_local(param.kind));
                    for (param, given) in given {
                        let names = named(given);
                        if names.is_empty() && param.kind.writes_locally() {
                            found.push(format!("what it works out as it runs ({})", call.function()));
                        }
                        found.extend(names.into_iter().map(|(name, _)| format!("`{name}` ({})", call.function())));
                    }
                }
                true
            });
        }
        found
    }
}

fn told_default(parameter: &Parameter) -> Option<String> {
    let place = default_of(parameter).filter(|place| place != "prompt")?;
    Some(format!("`{place}` (parameter `{}`, where it is not given)", parameter.name))
}
