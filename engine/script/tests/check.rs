//! `check`, case by case: each `check/NAME.rhai` is a recipe with mistakes, and `check/NAME.txt` all that is said of it.
//! `HAENGINE_BLESS=1` writes the texts anew. A case whose first line ends with `(no inventory)` is checked without one.
//! `check/lib` holds recipes that cases import.

#![allow(clippy::unwrap_used)]

mod toy;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use haengine_kernel::inventory::Inventory;
use haengine_script::{Sources, docs};

#[allow(clippy::disallowed_methods, reason = "a test asks where it is when it runs")]
fn here(path: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join(path)
}

/// The files of a folder by name, folders left out.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(here(folder)).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.path().is_file());
    files.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn inventory(text: &str) -> Option<Inventory> {
    let without = text.lines().next().is_some_and(|line| line.ends_with("(no inventory)"));
    (!without).then(toy::inventory)
}

/// All that is said of a recipe. Paths are told from the crate's folder, so that they are the same everywhere.
fn said(path: &str) -> String {
    let inventory = inventory(&std::fs::read_to_string(here(path)).unwrap());
    let findings = toy::library().check(&Sources::default(), path, inventory.as_ref());
    findings.iter().map(|finding| finding.draw(false) + "\n").collect::<Vec<_>>().join("\n")
}

#[test]
#[allow(clippy::disallowed_methods, reason = "tests are blessed through the environment")]
fn each_case_says_what_it_should() {
    let bless = std::env::var_os("HAENGINE_BLESS").is_some();
    let mut failures = Vec::new();
    for name in names("tests/check").iter().filter_map(|name| name.strip_suffix(".rhai").map(str::to_owned)) {
        let (path, expected) = (format!("tests/check/{name}.rhai"), here(&format!("tests/check/{name}.txt")));
        let said = said(&path);
        if bless {
            std::fs::write(&expected, &said).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        if said != wanted {
            failures.push(format!("{path}\n--- expected\n{wanted}--- said\n{said}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn no_case_is_forgotten() {
    let names = names("tests/check");
    assert!(names.len() > 20, "the cases are not where they were");
    for name in &names {
        let (stem, ending) = name.rsplit_once('.').unwrap();
        let other = match ending {
            "rhai" => format!("{stem}.txt"),
            "txt" => format!("{stem}.rhai"),
            _ => panic!("{name} is neither a case nor what is said of it"),
        };
        assert!(names.contains(&other), "{name} has no {other}");
    }
    for name in names.iter().filter(|name| name.ends_with(".txt")) {
        let empty = std::fs::read_to_string(here("tests/check").join(name)).unwrap().is_empty();
        assert_eq!(empty, name.starts_with("clean"), "{name}: only clean recipes have no findings");
    }
}

/// The codes that the sources of `check` name.
fn codes() -> BTreeSet<String> {
    let texts = names("src/lint").into_iter().map(|name| std::fs::read_to_string(here("src/lint").join(name)).unwrap());
    let words: Vec<String> = texts.flat_map(|text| text.split('"').map(str::to_owned).collect::<Vec<_>>()).collect();
    let codes = words.into_iter().filter(|word| {
        word.strip_prefix("check.").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    });
    codes.collect()
}

#[test]
fn each_code_has_a_case_and_a_section_in_the_book() {
    let codes = codes();
    assert!(codes.len() > 10, "the codes are not where they were: {codes:?}");
    // Those that only a real verb can show have their cases there.
    let folders = ["tests/check", "../../stdlib/tests/check"];
    let texts = folders.iter().flat_map(|folder| names(folder).into_iter().map(|name| here(folder).join(name)));
    let texts = texts.filter(|path| path.extension().is_some_and(|ending| ending == "txt"));
    let cases: String = texts.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let page = std::fs::read_to_string(here("../../book/src/check.md")).unwrap();
    let sections: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## `check.")?.strip_suffix('`'))
        .map(|rest| format!("check.{rest}"))
        .collect();
    for code in &codes {
        assert!(cases.contains(&format!("[{code}]")), "no case shows {code}");
    }
    assert_eq!(sections, codes, "book/src/check.md has other sections than there are codes");
    for code in &codes {
        let meaning = docs::meaning(code).unwrap();
        assert!(meaning.about.contains("```rhai"), "{code} has no example");
        assert!(meaning.summary().ends_with('.') && meaning.summary().len() > 20, "{code}: {}", meaning.summary());
        assert!(meaning.about.lines().last().unwrap().ends_with('.'), "{code} does not end with what to do");
    }
}

/// What runs without an error has no finding. Of these, each shows on purpose what `check` finds.
const SHOWN: [&str; 2] = ["each_copies", "preflight_passes"];

#[test]
fn what_runs_is_clean() {
    let sources = Sources { folders: vec![here("tests/language/lib")], ..Sources::default() };
    let (mut seen, mut wrong) = (0, Vec::new());
    for name in names("tests/language").iter().filter_map(|name| name.strip_suffix(".rhai").map(str::to_owned)) {
        let path = here(&format!("tests/language/{name}.rhai"));
        let told = std::fs::read_to_string(path.with_extension("txt")).unwrap();
        if told.contains("error[") || told.contains("error:") || told.is_empty() {
            continue;
        }
        seen += 1;
        let findings = toy::library().check(&sources, path.to_str().unwrap(), Some(&toy::inventory()));
        let said: Vec<String> = findings.iter().map(|finding| finding.draw(false)).collect();
        if said.is_empty() == SHOWN.contains(&name.as_str()) {
            wrong.push(format!("{name}:\n{}", said.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 10, "only {seen} cases run without an error");
}

/// A phase as a recipe of its own, with the verbs that there are here.
fn in_phases(name: &str, code: &str) -> String {
    let code = code.replace("k8s::lock", "toy::lock").replace("file::read", "toy::get");
    let rest = if name == "act" { "" } else { "fn act(p, found) { }" };
    format!("fn params() {{ #{{}} }}\n{code}\n{rest}\n")
}

const GREETING: &str = r#"fn params() { #{ text: param::string("What to say.") } }
fn act(p, found) { log(p.text); }
"#;

/// Each example of the language is a recipe without findings.
#[test]
fn examples_of_the_language_are_clean() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("example.rhai");
    std::fs::write(folder.path().join("greeting.rhai"), GREETING).unwrap();
    let entries = docs::all(&toy::library());
    assert!(entries.len() > 30);
    for entry in entries {
        for sample in &entry.examples {
            let code = match entry.sort {
                docs::EntrySort::Phase if entry.name == "parts" => sample.code.clone(),
                docs::EntrySort::Phase => in_phases(&entry.name, &sample.code),
                _ if sample.code.starts_with("fn params") => format!("{}\nfn main(p) {{ }}\n", sample.code),
                _ => format!("fn main(p) {{\n    let h = host(\"master1\");\n    {};\n}}\n", sample.code),
            };
            std::fs::write(&file, &code).unwrap();
            let findings = toy::library().check(&Sources::default(), file.to_str().unwrap(), Some(&toy::inventory()));
            let said: Vec<String> = findings.iter().map(|finding| finding.draw(false)).collect();
            assert!(said.is_empty(), "{}\n{code}\n{}", entry.name, said.join("\n"));
        }
    }
}
