//! No circle of imports: files of a crate that lead back to themselves can be neither read nor moved one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::imports::Crate;
use crate::{none, product, product_sources};

/// Files that stand in circles, and shall not for long: the list only shrinks.
const KNOWN: [&str; 0] = [];

const CRATES: [&str; 6] =
    ["engine/kernel/src", "engine/script/src", "engine/runs/src", "engine/lab/src", "engine/cli/src", "stdlib/src"];

#[test]
fn no_file_imports_itself_in_a_circle() {
    let circles: Vec<BTreeSet<PathBuf>> = CRATES.iter().flat_map(|root| circles(Path::new(root))).collect();
    let caught: BTreeSet<&Path> = circles.iter().flatten().map(PathBuf::as_path).collect();
    let is_new =
        |circle: &&BTreeSet<PathBuf>| circle.iter().any(|file| !KNOWN.iter().any(|known| file == Path::new(known)));
    let names = |circle: &BTreeSet<PathBuf>| {
        circle.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join("\n    ")
    };
    let offences = circles.iter().filter(is_new).map(names).collect();
    none("These files import each other in a circle; move what they share into a file of its own.", offences);
    let free = KNOWN.iter().filter(|known| !caught.contains(Path::new(known))).map(|known| (*known).to_owned());
    none("These files stand in no circle any more; take them off the list.", free.collect());
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
