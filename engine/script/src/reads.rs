//! What a recipe reads on the operator's machine, as far as its text says so. Nothing is read for it.

use haengine_kernel::error::Error;
use haengine_kernel::inventory::SecretRef;
use haengine_kernel::signature::ParamKind;
use rhai::{ASTNode, Expr, Position};

use crate::body::body_of;
use crate::lint::Call;
use crate::params::{Default, Parameter, ParameterKind};
use crate::recipe::Recipe;
use crate::snapshot::SnapshotFile;

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
        let mut seen = std::collections::BTreeSet::new();
        found.retain(|line| seen.insert(line.clone()));
        found
    }
}

/// The paths that are written out in an argument of this kind.
pub(crate) fn named(kind: ParamKind, given: &Expr) -> Vec<(&str, Position)> {
    if !kind.reads_locally() {
        return Vec::new();
    }
    let items = match given {
        Expr::Array(items, _) => items.iter().collect(),
        one => vec![one],
    };
    let text = |item: &&'_ Expr| matches!(item, Expr::StringConstant(text, _) if !text.contains('\n'));
    let strings = items.into_iter().filter(text);
    strings
        .filter_map(|item| if let Expr::StringConstant(text, at) = item { Some((text.as_str(), *at)) } else { None })
        .collect()
}

/// Where a secret is found that nobody gives, as the recipe writes it.
fn default_of(parameter: &Parameter) -> Option<String> {
    match (&parameter.kind, &parameter.default) {
        (ParameterKind::Secret, Default::Value(value)) => value.clone().into_string().ok(),
        _ => None,
    }
}

fn told_default(parameter: &Parameter) -> Option<String> {
    let place = default_of(parameter).filter(|place| place != "prompt")?;
    Some(format!("`{place}` (parameter `{}`, where it is not given)", parameter.name))
}

/// Why a secret that nobody gives would be refused, with its place.
pub(crate) fn refused_default(
    parameter: &Parameter,
    file: &SnapshotFile,
    recipe: &crate::snapshot::Snapshot,
) -> Option<(Position, Error)> {
    let (text, reach) = (default_of(parameter)?, recipe.reach()?);
    let what = format!("parameter `{}`", parameter.name);
    let reference = SecretRef::parse(&text, std::path::Path::new("."), None, &what).ok()?;
    let error = reach.check_secret(&reference, &text).err()?;
    let mut place = Position::NONE;
    body_of(&file.ast, "params").walk(&mut |nodes: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::StringConstant(found, at))) = nodes.last()
            && found.as_str() == text
        {
            place = *at;
        }
        true
    });
    Some((place, error))
}
