//! What units and their files say, case by case: `node/programs/NAME/host` holds files as they lie on a host,
//! `case.json` the units to look at and perhaps what the node shall be instead, and `expected.json` the picture, whole.
//! `HAENGINE_BLESS=1` writes the pictures anew.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and may be blessed"
)]

use std::path::{Path, PathBuf};

use haengine_kernel::error::{Error, Result};
use haengine_stdlib::node::change::Change;
use haengine_stdlib::node::endpoint::Endpoint;
use haengine_stdlib::node::fragments::fragments;
use haengine_stdlib::node::identity::Identity;
use haengine_stdlib::node::in_units::ChangedUnits;
use haengine_stdlib::node::program::Program;
use haengine_stdlib::node::service::Service;
use haengine_stdlib::node::traced::{Files, text};
use serde_json::{Map, Value, json};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node/programs");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 25, "the cases are not where they were");
    cases
}

/// The files below a folder, by their paths on the host.
fn host(folder: &Path) -> Files {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    let mut files = Files::default();
    for path in found {
        let name = format!("/{}", path.strip_prefix(folder).unwrap().display());
        files.add(name, std::fs::read_to_string(&path).unwrap());
    }
    files
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap_or("null".to_owned())).unwrap()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|item| item.as_str().unwrap().to_owned()).collect()
}

fn service(files: &Files, case: &Value, unit: &str) -> Result<Service> {
    let paths: Vec<&str> = files.paths().collect();
    Service::read(files, unit, &fragments(unit, &paths), case["hostname"].as_str())
}

fn picture(case: &Value, files: &Files) -> Value {
    let units = strings(&case["units"]);
    let services: Vec<Result<Service>> = units.iter().map(|unit| service(files, case, unit)).collect();
    let mut picture = Map::new();
    for (unit, service) in units.iter().zip(&services) {
        let told = match service {
            Ok(service) => picture_of(files, service),
            Err(error) => json!({ "refused": refusal(error) }),
        };
        picture.insert(unit.clone(), told);
    }
    if let Some(change) = change(&case["rename"]) {
        let services: Vec<Service> = services.into_iter().map(Result::unwrap).collect();
        let told = change.units(files, &services).map_or_else(
            |error| json!({ "refused": refusal(&error) }),
            |renamed| {
                assert_settled(&change, files, case, &renamed);
                renamed_picture(files, &renamed)
            },
        );
        picture.insert("renamed".to_owned(), told);
    }
    Value::Object(picture)
}

fn picture_of(files: &Files, service: &Service) -> Value {
    let variables = service.environment.variables.values();
    let environment: Map<String, Value> =
        variables.map(|variable| (variable.name.clone(), text(&variable.value).into())).collect();
    let started = service.commands.iter().filter(|line| line.setting == "ExecStart");
    let arguments: Vec<Vec<String>> = started.map(|line| line.words.iter().map(|word| word.text()).collect()).collect();
    let mut told = json!({ "arguments": arguments, "environment": environment });
    match Program::of(files, service) {
        Err(error) => told["refused"] = refusal(&error).into(),
        Ok(program) => {
            let mut flags = Map::new();
            for flag in &program.flags.given {
                flags.insert(flag.name.clone(), program.flags.values(&flag.name).into());
            }
            for (name, value) in &program.variables {
                flags.entry(name.clone()).or_insert_with(|| vec![text(value)].into());
            }
            told["program"] = program.name.into();
            told["flags"] = Value::Object(flags);
        }
    }
    told
}

fn refusal(error: &Error) -> String {
    format!("{}: {}", error.code(), error.message())
}

fn change(said: &Value) -> Option<Change> {
    let identity = |said: &Value| Identity {
        addresses: strings(&said["addresses"]).iter().map(|address| address.parse().unwrap()).collect(),
        names: strings(&said["names"]),
    };
    let bracketed = |host: &str| if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let at = |host: &str, port: &Value| Endpoint::parse(&format!("{}:{port}", bracketed(host))).unwrap();
    let ports: Vec<&Value> = said["ports"].as_array().into_iter().flatten().collect();
    let mut hosts = strings(&said["servers"]);
    hosts.retain(|host| !strings(&said["old"]["names"]).contains(host));
    let servers = hosts.iter().flat_map(|host| ports.iter().map(|port| at(host, port))).collect();
    let server = ports.first().map(|port| at(&strings(&said["new"]["addresses"])[0], port));
    said.is_object().then(|| Change { old: identity(&said["old"]), new: identity(&said["new"]), servers, server })
}

/// The lines that are other than before, by their numbers, and what still names the old node.
fn renamed_picture(files: &Files, renamed: &ChangedUnits) -> Value {
    let mut changed = Map::new();
    for (path, text) in &renamed.texts {
        let before: Vec<&str> = files.text(files.number(path).unwrap()).split('\n').collect();
        let after: Vec<&str> = text.split('\n').collect();
        assert_eq!(before.len(), after.len(), "{path}: a rename adds no lines");
        let lines = before.iter().zip(&after).enumerate().filter(|(_, (before, after))| before != after);
        let lines: Map<String, Value> =
            lines.map(|(number, (_, after))| ((number + 1).to_string(), (*after).into())).collect();
        changed.insert(path.clone(), lines.into());
    }
    let left = renamed.kept.iter().map(|one| {
        let reason = one.reason.unwrap_or("NOT RIGHT");
        format!("{}:{} {}: {reason}", one.path, one.line, one.word)
    });
    json!({ "changed": changed, "left": left.collect::<Vec<_>>() })
}

/// The new files, read again, have nothing more to rename.
fn assert_settled(change: &Change, files: &Files, case: &Value, renamed: &ChangedUnits) {
    let mut after = files.clone();
    for (path, text) in &renamed.texts {
        after.add(path, text);
    }
    let units = strings(&case["units"]);
    let services: Vec<Service> = units.iter().map(|unit| service(&after, case, unit).unwrap()).collect();
    let again = change.units(&after, &services).unwrap();
    assert!(again.texts.is_empty(), "a second rename changes {:?}", again.texts);
    assert_eq!(again.kept.len(), renamed.kept.len());
}

#[test]
fn each_host_gives_its_picture() {
    let bless = std::env::var_os("HAENGINE_BLESS").is_some();
    let mut failures = Vec::new();
    for case in cases() {
        let picture = picture(&read(&case.join("case.json")), &host(&case.join("host")));
        let said = serde_json::to_string_pretty(&picture).unwrap() + "\n";
        if bless {
            std::fs::write(case.join("expected.json"), &said).unwrap();
        }
        let expected = std::fs::read_to_string(case.join("expected.json")).unwrap_or_default();
        if said != expected {
            failures.push(format!("{}\n--- expected\n{expected}--- said\n{said}", case.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
