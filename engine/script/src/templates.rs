//! The templates that recipes name: read together with them, so that a run never sees two versions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use haengine_kernel::arguments::LocalTexts;
use rhai::{ASTNode, Expr};

use crate::snapshot::{Files, SnapshotFile, reach_of};

/// The ending by which a text is known to name a template.
const ENDING: &str = ".j2";

/// The templates that these files name, may read, and that are on disk, with those that they include, by the path under which a call
/// finds them.
pub(crate) fn read(files: &Files) -> LocalTexts {
    let (mut found, reach) = (BTreeMap::new(), reach_of(files));
    let mut left: Vec<PathBuf> = places(files).into_iter().collect();
    while let Some(path) = left.pop() {
        if found.contains_key(&path) {
            continue;
        }
        // One that cannot or must not be read is told by the call that needs it.
        if reach.as_ref().is_some_and(|reach| reach.check(&path, "").is_err()) {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let folder = path.parent().unwrap_or(Path::new(""));
        left.extend(included(&text).map(|name| folder.join(name)));
        found.insert(path, text.into());
    }
    found.into()
}

/// Where the templates that these files name would be.
pub(crate) fn places(files: &Files) -> BTreeSet<PathBuf> {
    let folders: BTreeSet<&Path> = files.values().filter_map(SnapshotFile::folder).collect();
    let names: BTreeSet<String> = files.values().flat_map(named).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).collect()
}

/// Strings of a file that name templates.
fn named(file: &SnapshotFile) -> Vec<String> {
    let mut names = Vec::new();
    file.ast.walk(&mut |nodes: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::StringConstant(text, _))) = nodes.last()
            && text.ends_with(ENDING)
        {
            names.push(text.to_string());
        }
        true
    });
    names
}

/// What a template names between quotes.
fn included(text: &str) -> impl Iterator<Item = &str> {
    text.split(['"', '\'']).filter(|part| part.ends_with(ENDING) && !part.contains('\n'))
}
