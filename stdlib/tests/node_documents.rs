//! Files as operators have them, each with what is read in it. A folder below `node/documents` is a set: its files, `expected.json`
//! with what is asked and what is found, and below `edited` the files that come out. `HAENGINE_BLESS=1` writes what is
//! found, and what comes out, anew.
//!
//! Beside what is expected, every value of every file is replaced once, alone: all bytes around it must stay.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and may be blessed"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use haengine_kernel::error::{Error, Result};
use haengine_stdlib::node::change::Change;
use haengine_stdlib::node::configuration::Configuration;
use haengine_stdlib::node::document::Document;
use haengine_stdlib::node::edit::Edit;
use haengine_stdlib::node::endpoint::Endpoint;
use haengine_stdlib::node::etcd::Etcd;
use haengine_stdlib::node::identity::Identity;
use haengine_stdlib::node::in_documents::Changed;
use haengine_stdlib::node::kubeconfig::{Kubeconfig, Material};
use haengine_stdlib::node::manifest::{Container, Manifest, Verdict};
use haengine_stdlib::node::mention::Mention;
use haengine_stdlib::node::naming::Meaning;
use haengine_stdlib::node::network::Network;
use haengine_stdlib::node::subnet::Subnet;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// What is asked of a set, and what is found in its files.
#[derive(Serialize, Deserialize)]
struct Case {
    about: String,
    kind: String,
    /// For kubeconfigs: servers, and those that they become.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    servers: BTreeMap<String, String>,
    /// For all others: from which node to which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved: Option<Asked>,
    #[serde(default)]
    files: BTreeMap<String, Json>,
}

#[derive(Serialize, Deserialize)]
struct Asked {
    addresses: Vec<(String, String)>,
    names: (String, String),
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    servers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<(String, String)>,
}

fn folder() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/node/documents")
}

fn files(set: &Path) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(set).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = listed.filter(|path| path.is_file() && !path.ends_with("expected.json")).collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn every_set_is_read_and_edited_as_expected() {
    let bless = std::env::var_os("HAENGINE_BLESS").is_some();
    let mut sets: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    sets.retain(|path| path.is_dir());
    sets.sort();
    assert!(sets.len() >= 20, "{} sets", sets.len());
    let wrong: Vec<String> = sets.iter().flat_map(|set| check(set, bless)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is not as expected in a set.
fn check(set: &Path, bless: bool) -> Vec<String> {
    let place = set.join("expected.json");
    let text = std::fs::read_to_string(&place).unwrap();
    let mut case: Case = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
    let (mut found, mut wrong) = (BTreeMap::new(), Vec::new());
    for path in files(set) {
        let (name, text) = (name(&path), std::fs::read_to_string(&path).unwrap());
        let (picture, edited) = picture(&case, &name, &text).unwrap_or_else(|error| (refused(&error), None));
        if Document::parse(&name, &text).is_ok() {
            stay(&name, &text);
        }
        found.insert(name.clone(), picture);
        let place = set.join("edited").join(&name);
        let edited = edited.filter(|edited| *edited != text);
        if bless {
            write(&place, edited.as_deref());
        } else if std::fs::read_to_string(&place).ok() != edited {
            wrong.push(format!("{}: comes out as\n{}", place.display(), edited.unwrap_or_default()));
        }
    }
    if bless {
        case.files = found;
        let text = serde_json::to_string_pretty(&case).unwrap();
        std::fs::write(place, text + "\n").unwrap();
    } else if case.files != found {
        wrong.push(format!("{}: found\n{}", place.display(), serde_json::to_string_pretty(&found).unwrap()));
    }
    wrong
}

fn write(place: &Path, text: Option<&str>) {
    match text {
        Some(text) => {
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(place, text).unwrap();
        }
        None => drop(std::fs::remove_file(place)),
    }
}

fn refused(error: &Error) -> Json {
    json!({ "refused": format!("{}: {}", error.code(), error.message()) })
}

/// No change, no other byte; one value changed, no byte around it.
fn stay(name: &str, text: &str) {
    let document = Document::parse(name, text).unwrap();
    assert_eq!(Edit::of(&document).finish().unwrap(), text);
    for node in document.scalars() {
        let mut edit = Edit::of(&document);
        let Ok(edited) = edit.set(node, "new.example:1").and_then(|()| edit.finish()) else { continue };
        let (range, ends) = (node.range(), text.len() - node.range().end);
        assert_eq!(edited[..range.start], text[..range.start], "{name}");
        assert_eq!(edited[edited.len() - ends..], text[range.end..], "{name}");
    }
}

type Picture = Result<(Json, Option<String>)>;

fn picture(case: &Case, name: &str, text: &str) -> Picture {
    match case.kind.as_str() {
        "kubeconfig" => kubeconfig(case, name, text),
        "configuration" => {
            let read = Configuration::read(name, text)?;
            let moved = moved(case, |to, _| read.changed(to))?;
            Ok(shown(json!({ "kind": read.kind, "kubeconfig": read.kubeconfig() }), moved))
        }
        "etcd" => {
            let read = Etcd::read(name, text)?;
            let clients: Vec<String> = read.urls("listen-client-urls")?.iter().map(Endpoint::to_string).collect();
            let moved = moved(case, |to, _| read.changed(to))?;
            Ok(shown(
                json!({ "name": read.value("name"), "clients": clients, "certificate": read.client().certificate }),
                moved,
            ))
        }
        "network" => {
            let read = Network::read(name, text)?;
            let parts: Vec<String> =
                read.parts.iter().map(|part| format!("{}, line {}", part.subnet, part.line)).collect();
            let moved = moved(case, |to, parts| read.changed(to, parts));
            let picture = json!({
                "name": read.name, "plugins": read.plugins, "sources": read.sources, "parts": parts, "kubeconfigs": read.kubeconfigs,
            });
            Ok(shown(picture, moved?))
        }
        "manifest" => {
            let read = Manifest::read(name, text)?;
            let moved = moved(case, |to, _| read.changed(to, |container| judged(to, container)))?;
            let containers: Vec<Json> = read.containers.iter().map(container).collect();
            Ok(shown(json!({ "name": read.name, "on_host": read.is_on_host, "containers": containers }), moved))
        }
        other => panic!("{other} is no kind of file"),
    }
}

fn kubeconfig(case: &Case, name: &str, text: &str) -> Picture {
    let read = Kubeconfig::read(name, text)?;
    let material = |material: &Option<Material>| match material {
        Some(Material::File(path)) => Json::String(path.clone()),
        Some(Material::Data(_)) => Json::String("in it".to_owned()),
        None => Json::Null,
    };
    let clusters: Vec<Json> = read.clusters.iter().map(|cluster| {
        let server = cluster.server.as_ref().map(|server| match server.endpoint() {
            Ok(endpoint) => format!("{endpoint}, line {}", server.line),
            Err(error) => error.message().to_owned(),
        });
        json!({
            "name": cluster.name, "server": server, "authority": material(&cluster.authority), "insecure": cluster.is_insecure,
            "tls_server_name": cluster.tls_server_name, "proxy": cluster.proxy,
        })
    }).collect();
    let users: Vec<Json> = read.users.iter().map(|user| {
        let (certificate, key, token) = (material(&user.certificate), material(&user.key), material(&user.token));
        json!({ "name": user.name, "certificate": certificate, "key": key, "token": token, "made_by": user.made_by })
    }).collect();
    let in_force = read.cluster().map(|cluster| &cluster.name);
    let mut picture = json!({ "in_force": in_force, "clusters": clusters, "users": users, "files": read.files() });
    if case.moved.is_some() {
        return Ok(shown(picture, moved(case, |to, _| read.changed(to))?));
    }
    let edited = read.with_servers(|server| {
        let endpoint = server.endpoint().ok()?;
        let new = case.servers.iter().find(|(old, _)| Endpoint::parse(old).unwrap().meets(&endpoint))?.1;
        Some(endpoint.moved_to(&Endpoint::parse(new).unwrap()).to_string())
    });
    if let Err(error) = &edited {
        picture["edit"] = refused(error);
    }
    Ok((picture, edited.ok()))
}

fn moved(case: &Case, change: impl Fn(&Change, &[(Subnet, Subnet)]) -> Result<Changed>) -> Result<Option<Changed>> {
    let Some(asked) = &case.moved else { return Ok(None) };
    let endpoint = |text: &String| Endpoint::parse(text).unwrap();
    let (old, new): (Vec<&String>, Vec<&String>) = asked.addresses.iter().map(|(old, new)| (old, new)).unzip();
    let to = Change {
        old: identity(&old, &asked.names.0),
        new: identity(&new, &asked.names.1),
        servers: asked.servers.iter().map(endpoint).collect(),
        server: asked.server.as_ref().map(endpoint),
    };
    let part = |text: &String| Subnet::parse(text).unwrap();
    let parts: Vec<_> = asked.parts.iter().map(|(old, own)| (part(old), part(own))).collect();
    change(&to, &parts).map(Some)
}

fn identity(addresses: &[&String], name: &str) -> Identity {
    Identity {
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        names: vec![name.to_owned()],
    }
}

fn shown(mut picture: Json, moved: Option<Changed>) -> (Json, Option<String>) {
    let Some(moved) = moved else { return (picture, None) };
    let line = |kept: &Mention| format!("line {}: {} — {}", kept.line, kept.word, kept.reason.unwrap_or("?"));
    picture["kept"] = moved.kept.iter().map(line).collect();
    (picture, Some(moved.text))
}

fn container(container: &Container) -> Json {
    let words: Vec<String> = container.words.iter().map(|word| format!("{}: {}", word.line, word.text)).collect();
    json!({ "name": container.name, "words": words, "mounts": container.mounts, "probed": container.probed })
}

/// A few flags, enough for a test: whoever knows all of them stands elsewhere.
fn judged(to: &Change, container: &Container) -> Vec<Verdict> {
    let verdict = |text: &str| match text.split_once('=') {
        Some((flag @ ("--advertise-address" | "--listen-client-urls" | "--bind-address"), value)) => {
            Verdict { new: to.value(Meaning::Own, value).map(|new| format!("{flag}={new}")), reason: None }
        }
        Some(("--etcd-servers" | "--initial-cluster", _)) => Verdict { new: None, reason: Some("a member of etcd") },
        _ => Verdict::default(),
    };
    container.words.iter().map(|word| verdict(&word.text)).collect()
}
