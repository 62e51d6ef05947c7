//! No circle of imports: files of a crate that lead back to themselves can be neither read nor moved one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::imports::Crate;
use crate::{none, product, product_sources};

const CRATES: [&str; 6] =
    ["engine/kernel/src", "engine/script/src", "engine/runs/src", "engine/lab/src", "engine/cli/src", "stdlib/src"];

#[test]
fn no_file_imports_itself_in_a_circle() {
    let circles = CRATES.iter().flat_map(|root| circles(Path::new(root)));
    let names = |circle: BTreeSet<PathBuf>| {
        circle.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join("\n    ")
    };
    none(
        "These files import each other in a circle; move what they share into a file of its own.",
        circles.map(names).collect(),
    );
}

/// The circles among the files below `root`: each is all files that lead to each other.
fn circles(root: &Path) -> Vec<BTreeSet<PathBuf>> {
    let sources = product_sources().into_iter().filter(|file| file.starts_with(root));
    let read = Crate::read(root, sources.map(|file| (file.clone(), product(&file))));
    let imports = read.imports();
    let reached: BTreeMap<&Path, BTreeSet<&Path>> =
        imports.keys().map(|file| (*file, reached(file, &imports))).collect();
    let circle = |file: &&Path| -> BTreeSet<PathBuf> {
        let back = reached[*file].iter().filter(|other| reached[**other].contains(*file));
        back.map(|other| (*other).to_owned()).collect()
    };
    let found: BTreeSet<BTreeSet<PathBuf>> = imports.keys().map(circle).filter(|circle| !circle.is_empty()).collect();
    found.into_iter().collect()
}

/// All files to which the imports of one lead.
fn reached<'a>(from: &Path, imports: &BTreeMap<&'a Path, BTreeSet<&'a Path>>) -> BTreeSet<&'a Path> {
    let (mut reached, mut next) = (BTreeSet::new(), imports[from].clone());
    while let Some(file) = next.pop_first() {
        if reached.insert(file) {
            next.extend(&imports[file]);
        }
    }
    reached
}
