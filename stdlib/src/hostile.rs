//! What hosts and people hand over, each sort of it put through all that reads it here. Nothing may come of any bytes but a
//! value or an error: tests hand over mutations of real ones, and fuzz targets whatever they find.

use std::collections::BTreeMap;
use std::path::Path;

use haengine_kernel::journal;
use zeroize::Zeroizing;

use crate::cert::certificate::Certificate;
use crate::cert::key::Key;
use crate::cert::kubeconfig::{Part, certificate};
use crate::cert::pem;
use crate::cert::tbs::Tbs;
use crate::k8s::kubeconfig::assemble;
use crate::lb::configured;
use crate::node::change::Change;
use crate::node::endpoint::Endpoint;
use crate::node::file::File;
use crate::node::fragments::fragments;
use crate::node::identity::Identity;
use crate::node::kubeconfig::Kubeconfig;
use crate::node::linked::Linked;
use crate::node::manifest::Manifest;
use crate::node::program::Program;
use crate::node::service::Service;
use crate::node::traced::Files;
use crate::node::unit_files::UnitFiles;
use crate::ssh::client::frame::Frames;
use crate::ssh::client::known_hosts::KnownHosts;

/// What reads one sort.
pub type Reader = fn(&[u8]);

/// All sorts, by the names of their folders of examples.
pub const READERS: [(&str, Reader); 9] = [
    ("frames", frames),
    ("manifests", manifests),
    ("known_hosts", known_hosts),
    ("kubeconfigs", kubeconfigs),
    ("pem", pem),
    ("der", der),
    ("units", units),
    ("balancers", balancers),
    ("journals", journals),
];

/// The output of a persistent shell, as it arrives: in pieces of the size that the first byte says.
pub fn frames(bytes: &[u8]) {
    let size = bytes.first().map_or(1, |first| usize::from(*first) + 1);
    let mut frames = Frames::new("nonce");
    for piece in bytes.chunks(size) {
        frames.push(piece);
        while frames.next().is_some() {}
    }
}

/// Static pods.
pub fn manifests(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(manifest) = Manifest::read("pod.yaml", &text) {
        let _ = manifest.changed(&change(), |_| Vec::new());
    }
    changed("/etc/kubernetes/manifests/pod.yaml", &text);
}

/// The files of known host keys.
pub fn known_hosts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for name in ["master1.example", "[192.0.2.1]:2222"] {
        let mut known = KnownHosts::default();
        known.add(name, Path::new("known_hosts"), &text);
        known.algorithms();
    }
}

/// Kubeconfigs: the servers and certificates in them, others in their stead, and a client.
pub fn kubeconfigs(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(config) = Kubeconfig::read("admin.conf", &text) {
        config.servers().for_each(|server| drop(server.endpoint()));
        config.files();
        let _ = config.with_servers(|_| Some("https://api.example:16443".to_owned()));
    }
    for part in [Part::Client, Part::Authority] {
        let pem = certificate("admin.conf", &text, part);
        pem.into_iter().for_each(|pem| drop(Certificate::first("admin.conf", &pem)));
    }
    let files = BTreeMap::from([(String::new(), Some(Zeroizing::new(bytes.to_vec())))]);
    drop(futures::executor::block_on(assemble("admin.conf", &files)));
    changed("/etc/kubernetes/admin.conf", &text);
}

/// Certificates and keys in PEM.
pub fn pem(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    pem::with_certificate(&text, &[0]);
    let key = Key::read("key.pem", &text);
    if let Ok(certificate) = Certificate::first("certificate.pem", &text) {
        let _ = key.is_ok_and(|key| key.belongs_to(&certificate));
    }
}

/// Certificates in DER.
pub fn der(bytes: &[u8]) {
    if let Ok(certificate) = Certificate::parse("certificate", bytes.to_vec()) {
        certificate.value(0);
        certificate.facts();
        certificate.is_signed_by(&certificate);
    }
    let longer = Tbs::of("certificate", bytes);
    let _ =
        longer.and_then(|tbs| tbs.with_more_names("certificate", &["a.example".to_owned()], &[[192, 0, 2, 2].into()]));
}

/// A unit, and a file of variables behind the line `===`.
pub fn units(bytes: &[u8]) {
    const UNIT: &str = "/etc/systemd/system/kube-apiserver.service";
    let text = String::from_utf8_lossy(bytes);
    let (unit, variables) = text.split_once("\n===\n").unwrap_or((&text, ""));
    let mut files = Files::default();
    files.add(UNIT, unit);
    files.add("/etc/default/kube-apiserver", variables);
    let name = "kube-apiserver.service";
    let Ok(service) = Service::read(&files, name, &fragments(name, &[UNIT]), Some("master1")) else { return };
    if let Ok(program) = Program::of(&files, &service) {
        let _ = program.set(&files, &[], "advertise-address", "192.0.2.2");
    }
    let services = [service];
    let _ = change().units(&files, &services);
    let _ = of_servers().units(&files, &services);
}

/// What nginx or haproxy has as its configuration.
pub fn balancers(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    configured::nginx(&text);
    configured::haproxy(&text);
}

/// The journal of a run.
pub fn journals(bytes: &[u8]) {
    let _ = journal::read_from(Path::new("journal.jsonl"), bytes);
}

/// A file as `node::renamed` and `node::repointed` change it.
fn changed(path: &str, text: &str) {
    for change in [change(), of_servers()] {
        let file = File { path: path.to_owned(), mode: 0o600, text: Some(text.to_owned()), bytes: Vec::new() };
        change.files(&[Linked { file, links: Vec::new() }], &UnitFiles::default(), "master1");
    }
}

/// From one node and API server to another one.
fn change() -> Change {
    let node =
        |last: u8, name: &str| Identity { addresses: vec![[192, 0, 2, last].into()], names: vec![name.to_owned()] };
    let server = |text| Endpoint::parse(text).ok();
    Change {
        old: node(1, "master1"),
        new: node(2, "master2"),
        servers: server("192.0.2.1:6443").into_iter().collect(),
        server: server("api.example:16443"),
    }
}

/// The same for a node that stays who it is.
fn of_servers() -> Change {
    Change { old: Identity::default(), new: Identity::default(), ..change() }
}
