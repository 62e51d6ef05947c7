//! What a recipe names on the operator's machine, where that is written out.

use std::path::Path;

use haengine_kernel::error::Error;
use haengine_kernel::inventory::SecretRef;
use rhai::{ASTNode, Expr, Position};

use crate::body::body_of;
use crate::params::{Default, Parameter, ParameterKind};
use crate::snapshot::{Snapshot, SnapshotFile};

/// The paths that are written out in an argument.
pub(crate) fn named(given: &Expr) -> Vec<(&str, Position)> {
    let items = match given {
        Expr::Array(items, _) => items.iter().collect(),
        one => vec![one],
    };
    let paths = items.into_iter().filter_map(|item| match item {
        Expr::StringConstant(text, at) if !text.contains('\n') => Some((text.as_str(), *at)),
        _ => None,
    });
    paths.collect()
}

/// Where a secret is found that nobody gives, as the recipe writes it.
pub(crate) fn default_of(parameter: &Parameter) -> Option<String> {
    match (&parameter.kind, &parameter.default) {
        (ParameterKind::Secret, Default::Value(value)) => value.clone().into_string().ok(),
        _ => None,
    }
}

/// Why a secret that nobody gives would be refused, with its place.
pub(crate) fn refused_default(
    parameter: &Parameter,
    file: &SnapshotFile,
    recipe: &Snapshot,
) -> Option<(Position, Error)> {
    let (text, reach) = (default_of(parameter)?, recipe.reach()?);
    let what = format!("parameter `{}`", parameter.name);
    let reference = SecretRef::parse(&text, Path::new("."), None, &what).ok()?;
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
