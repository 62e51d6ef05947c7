//! The files of nodes once they name another API server, case by case: `node/repointed/NAME/host` holds files as they lie on a
//! host, `case.json` the endpoints and the units, and `expected.json` what comes of each file. `HAENGINE_BLESS=1` writes that again.
//!
//! Beside what is expected: whoever repoints again changes nothing, and the way back leads to the same bytes.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and may be blessed"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use haengine_stdlib::node::change::Change;
use haengine_stdlib::node::endpoint::Endpoint;
use haengine_stdlib::node::file::File;
use haengine_stdlib::node::in_files::Outcome;
use haengine_stdlib::node::linked::Linked;
use haengine_stdlib::node::mention::Mention;
use haengine_stdlib::node::unit_files::UnitFiles;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What is asked of a set.
#[derive(Deserialize)]
struct Case {
    old: Vec<String>,
    new: String,
    #[serde(default)]
    units: BTreeMap<String, Vec<String>>,
    /// Why the way back leads elsewhere.
    #[serde(default)]
    one_way: Option<String>,
}

fn change(old: &[String], new: &str) -> Change {
    let at = |text: &str| Endpoint::parse(text).unwrap();
    Change { servers: old.iter().map(|old| at(old)).collect(), server: Some(at(new)), ..Change::default() }
}

/// The files below a folder by their paths on the host; links there lead to files of the same set.
fn host(folder: &Path) -> Vec<Linked> {
    let (mut files, mut folders): (BTreeMap<String, Linked>, _) = (BTreeMap::new(), vec![folder.to_owned()]);
    let mut links = Vec::new();
    let name = |path: &Path| format!("/{}", path.strip_prefix(folder).unwrap().display());
    while let Some(next) = folders.pop() {
        for path in std::fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_symlink() {
                links.push((name(&path), name(&std::fs::canonicalize(&path).unwrap())));
            } else if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(name(&path), Linked { file: read(name(&path), &path), links: Vec::new() });
            }
        }
    }
    for (link, file) in links {
        files.get_mut(&file).unwrap().links.push(link);
    }
    files.into_values().collect()
}

fn read(name: String, path: &Path) -> File {
    match String::from_utf8(std::fs::read(path).unwrap()) {
        Ok(text) => File { path: name, mode: 0o644, text: Some(text), bytes: Vec::new() },
        Err(error) => File { path: name, mode: 0o644, text: None, bytes: error.into_bytes() },
    }
}

fn with(files: &[Linked], outcomes: &[Outcome]) -> Vec<Linked> {
    let after = files.iter().zip(outcomes).map(|(linked, outcome)| {
        let (path, text) = (linked.file.path.clone(), outcome.becomes.as_ref().or(linked.file.text.as_ref()).cloned());
        let bytes = linked.file.bytes.clone();
        Linked { file: File { path, mode: 0o644, text, bytes }, links: linked.links.clone() }
    });
    after.collect()
}

fn texts(files: &[Linked]) -> Vec<(&str, Option<&str>)> {
    files.iter().map(|linked| (linked.file.path.as_str(), linked.file.text.as_deref())).collect()
}

/// The lines that are other than before, by their numbers, and what is kept, or why it is not understood.
fn picture(linked: &Linked, outcome: &Outcome) -> Value {
    if let Some(problem) = &outcome.problem {
        return json!({ "problem": problem });
    }
    let mut picture = Map::new();
    if let (Some(before), Some(after)) = (&linked.file.text, &outcome.becomes) {
        let (before, after): (Vec<&str>, Vec<&str>) = (before.split('\n').collect(), after.split('\n').collect());
        assert_eq!(before.len(), after.len(), "{}: no line more", linked.file.path);
        let lines = before.iter().zip(&after).enumerate().filter(|(_, (before, after))| before != after);
        let lines: Map<String, Value> =
            lines.map(|(number, (_, after))| ((number + 1).to_string(), (*after).into())).collect();
        picture.insert("changed".to_owned(), lines.into());
    }
    let kept = |kept: &Mention| format!("{}: {} — {}", kept.line, kept.word, kept.reason.unwrap_or("?"));
    if !outcome.kept.is_empty() {
        picture.insert("kept".to_owned(), outcome.kept.iter().map(kept).collect());
    }
    if !linked.links.is_empty() {
        picture.insert("links".to_owned(), linked.links.clone().into());
    }
    picture.into()
}

/// What is not as expected in a set.
fn check(set: &Path, bless: bool) -> Option<String> {
    let case: Case = serde_json::from_str(&std::fs::read_to_string(set.join("case.json")).unwrap()).unwrap();
    let (files, units) = (host(&set.join("host")), UnitFiles(case.units.clone()));
    let there = change(&case.old, &case.new);
    let outcomes = there.files(&files, &units, "node1");
    let after = with(&files, &outcomes);
    assert!(
        there.files(&after, &units, "node1").iter().all(|again| again.becomes.is_none()),
        "{}: twice",
        set.display()
    );
    if case.one_way.is_none() {
        let back = change(std::slice::from_ref(&case.new), &case.old[0]).files(&after, &units, "node1");
        assert_eq!(texts(&with(&after, &back)), texts(&files), "{}: there and back", set.display());
    }
    let pictures =
        files.iter().zip(&outcomes).map(|(linked, outcome)| (linked.file.path.clone(), picture(linked, outcome)));
    let said = serde_json::to_string_pretty(&Value::Object(pictures.collect())).unwrap() + "\n";
    let place = set.join("expected.json");
    if bless {
        std::fs::write(&place, &said).unwrap();
    }
    let expected = std::fs::read_to_string(&place).unwrap_or_default();
    (said != expected).then(|| format!("{}\n--- expected\n{expected}--- said\n{said}", set.display()))
}

#[test]
fn each_host_is_repointed_as_expected() {
    let bless = std::env::var_os("HAENGINE_BLESS").is_some();
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/node/repointed");
    let mut sets: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    sets.sort();
    assert!(sets.len() >= 10, "{} sets", sets.len());
    let wrong: Vec<String> = sets.iter().filter_map(|set| check(set, bless)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
