//! What `check` says of calls of real verbs, case by case: each `check/NAME.rhai` is a recipe with mistakes, and
//! `check/NAME.txt` all that is said of it. `HAENGINE_BLESS=1` writes the texts anew.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and may be blessed"
)]

use std::path::{Path, PathBuf};

use haengine_script::{Library, Sources};
use tokio_util::sync::CancellationToken;

fn cases() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/check")
}

/// All that is said of a recipe. Paths are told from the folder of the cases.
fn said(path: &Path) -> String {
    let library = Library::new(haengine_stdlib::modules(), CancellationToken::new());
    let findings = library.check(&Sources::default(), path.to_str().unwrap(), None);
    let drawn: Vec<String> = findings.iter().map(|finding| finding.draw(false) + "\n").collect();
    let folder = cases().display().to_string();
    drawn.join("\n").replace(&format!("{folder}/"), "").replace(&folder, "HERE")
}

#[test]
fn each_case_says_what_it_should() {
    let bless = std::env::var_os("HAENGINE_BLESS").is_some();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "rhai"));
    paths.sort();
    assert!(paths.len() > 3, "the cases are not where they were");
    let mut failures = Vec::new();
    for path in paths {
        let (expected, said) = (path.with_extension("txt"), said(&path));
        if bless {
            std::fs::write(&expected, &said).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert_eq!(wanted.is_empty(), name.starts_with("clean"), "{name}: only clean recipes have no findings");
        if said != wanted {
            failures.push(format!("{name}\n--- expected\n{wanted}--- said\n{said}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
