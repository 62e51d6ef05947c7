//! A file that belongs to no unit, by what it is.

use haengine_kernel::error::Result;

use super::change::Change;
use super::configuration::Configuration;
use super::document::Document;
use super::etcd::Etcd;
use super::file::File;
use super::in_documents::Changed;
use super::in_variables::is_variable_file;
use super::kubeconfig::{Kubeconfig, is_kubeconfig};
use super::mention::{Mention, shortened};

/// Why a line of a file may name the old node that is none of Kubernetes' own.
const ELSEWHERE: &str = "no API server, in a file that no program of the cluster is configured by";

/// What a file becomes, and what it goes on naming of what the change leaves.
///
/// # Errors
/// What is meant to be a kubeconfig or a component's configuration, and cannot be understood.
pub(super) fn changed(file: &File, change: &Change) -> Result<(Option<String>, Vec<Mention>)> {
    let Some(text) = &file.text else { return Ok((None, bytes(file, change))) };
    let known =
        if change.is_of_servers() { of_servers(&file.path, text, change) } else { known(&file.path, text, change) };
    match known? {
        Some(changed) => Ok((Some(changed.text), changed.kept)),
        None => Ok((Some(text.clone()), lines(file, text, change))),
    }
}

/// The file as what it is; none for what nobody knows.
fn known(path: &str, text: &str, change: &Change) -> Result<Option<Changed>> {
    if is_kubeconfig(text) {
        return Kubeconfig::read(path, text)?.changed(change).map(Some);
    }
    let Ok(document) = Document::parse(path, text) else { return Ok(None) };
    let kind = document.root().filter(|root| root.is_map()).and_then(|root| root.get("kind")?.text());
    if kind.is_some_and(|kind| kind.ends_with("Configuration"))
        && let Ok(configuration) = Configuration::read(path, text)
    {
        return configuration.changed(change).map(Some);
    }
    match Etcd::read(path, text) {
        Ok(etcd) => etcd.changed(change).map(Some),
        Err(_) => Ok(None),
    }
}

/// API servers are told by their endpoints in every document, and in every file of variables.
fn of_servers(path: &str, text: &str, change: &Change) -> Result<Option<Changed>> {
    if is_kubeconfig(text) {
        return Kubeconfig::read(path, text)?.changed(change).map(Some);
    }
    if is_variable_file(text) {
        return change.variable_file(path, text).map(Some);
    }
    match Document::parse(path, text) {
        Ok(document) if document.documents().any(|node| node.is_map() || node.is_list()) => {
            change.any_document(&document).map(Some)
        }
        _ => Ok(None),
    }
}

/// The lines of a text that nobody understands. One with the port of an API server is for a person.
fn lines(file: &File, text: &str, change: &Change) -> Vec<Mention> {
    let found = text.lines().enumerate().filter_map(|(number, line)| {
        let (word, reason) = change.mention(None, line)?;
        let reason = match change.is_of_servers() {
            true if line.trim_start().starts_with('#') => Some("a remark"),
            true => reason,
            false => (!change.has_port(line)).then_some(ELSEWHERE),
        };
        Some(Mention { path: file.path.clone(), line: number + 1, word: shortened(word), reason })
    });
    found.collect()
}

/// What is no text cannot be told: where it names what is left, a person has to look.
fn bytes(file: &File, change: &Change) -> Vec<Mention> {
    let text = String::from_utf8_lossy(&file.bytes);
    let mut kept = lines(file, &text, change);
    kept.iter_mut().for_each(|kept| kept.reason = None);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::endpoint::Endpoint;
    use crate::node::identity::Identity;

    fn change() -> Change {
        let node = |address: &str, name: &str| Identity {
            addresses: vec![address.parse().unwrap()],
            names: vec![name.to_owned()],
        };
        let at = |text: &str| Endpoint::parse(text).unwrap();
        Change {
            old: node("10.0.0.1", "master1"),
            new: node("10.0.0.2", "master2"),
            servers: vec![at("10.0.0.1:6443"), at("10.0.0.3:6443")],
            server: Some(at("10.0.0.2:6443")),
        }
    }

    fn of(text: &str) -> (Option<String>, Vec<(usize, bool)>) {
        let file = File { path: "/f".into(), mode: 0o644, text: Some(text.into()), bytes: Vec::new() };
        let (text, kept) = changed(&file, &change()).unwrap();
        (text, kept.into_iter().map(|kept| (kept.line, kept.reason.is_some())).collect())
    }

    #[test]
    fn each_kind_of_file_is_changed_by_what_it_means() {
        let kubeconfig = "clusters:\n- name: k\n  cluster: {server: 'https://10.0.0.3:6443'}\nusers: []\n";
        assert_eq!(of(kubeconfig), (Some(kubeconfig.replace("10.0.0.3", "10.0.0.2")), vec![]));
        let proxy = "kind: KubeProxyConfiguration\nhostnameOverride: master1\n";
        assert_eq!(of(proxy), (Some(proxy.replace("master1", "master2")), vec![]));
        let etcd = "name: master1\nlisten-client-urls: https://10.0.0.1:2379\ninitial-cluster: master1=https://10.0.0.1:2380\n";
        assert_eq!(of(etcd).1, [(3, true)]);
    }

    #[test]
    fn what_nobody_understands_is_left_and_said() {
        let text = "ntp=10.0.0.1\nserver = 10.0.0.1:6443\nother 10.0.0.1:64430\n";
        assert_eq!(of(text), (Some(text.into()), vec![(1, true), (2, false), (3, true)]));
        let file = File { path: "/f".into(), mode: 0o644, text: None, bytes: b"\xff 10.0.0.1\n".to_vec() };
        assert!(changed(&file, &change()).unwrap().1[0].reason.is_none());
    }
}
