//! One file for another node, by what it is.

use haengine_kernel::error::Result;

use super::identity::Change;
use crate::node::configuration::Configuration;
use crate::node::document::Document;
use crate::node::etcd::Etcd;
use crate::node::file::File;
use crate::node::kubeconfig::{Kubeconfig, is_kubeconfig};
use crate::node::mention::mention;
use crate::node::moving::Moved;

/// A place that still names the old node.
pub(super) struct Kept {
    /// The file.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// The word that names it.
    pub word: String,
    /// Why that is right; none where a person has to look.
    pub reason: Option<String>,
}

/// Why a line of a file may name the old node that is none of Kubernetes' own.
const ELSEWHERE: &str = "no API server, in a file that no program of the cluster is configured by";

/// What a file that belongs to no unit becomes, and what of the old node is left in it.
///
/// # Errors
/// What is meant to be a kubeconfig or a component's configuration, and cannot be understood.
pub(super) fn moved(file: &File, change: &Change) -> Result<(Option<String>, Vec<Kept>)> {
    let Some(text) = &file.text else { return Ok((None, bytes(file, change))) };
    match known(&file.path, text, change)? {
        Some(moved) => {
            let kept = moved.kept.into_iter().map(|kept| Kept {
                path: kept.file,
                line: kept.line,
                word: kept.word,
                reason: kept.reason.map(str::to_owned),
            });
            let kept = kept.collect();
            Ok((Some(moved.text), kept))
        }
        None => Ok((Some(text.clone()), lines(file, text, change))),
    }
}

/// The file as what it is; none for what nobody knows.
fn known(path: &str, text: &str, change: &Change) -> Result<Option<Moved>> {
    if is_kubeconfig(text) {
        return Kubeconfig::read(path, text)?.moved(&change.to).map(Some);
    }
    let Ok(document) = Document::parse(path, text) else { return Ok(None) };
    let kind = document.root().filter(|root| root.is_map()).and_then(|root| root.get("kind")?.text());
    if kind.is_some_and(|kind| kind.ends_with("Configuration"))
        && let Ok(configuration) = Configuration::read(path, text)
    {
        return configuration.moved(&change.to).map(Some);
    }
    match Etcd::read(path, text) {
        Ok(etcd) => etcd.moved(&change.to).map(Some),
        Err(_) => Ok(None),
    }
}

/// The lines of a text that nobody understands. One with the port of an API server is for a person.
fn lines(file: &File, text: &str, change: &Change) -> Vec<Kept> {
    let old = change.to.old();
    let named = text.lines().enumerate().filter_map(|(number, line)| Some((number + 1, line, mention(line, &old)?)));
    let kept = named.map(|(line, all, word)| Kept {
        path: file.path.clone(),
        line,
        word: word.chars().take(80).collect(),
        reason: (!is_server(all, change)).then(|| ELSEWHERE.to_owned()),
    });
    kept.collect()
}

/// True where a line has the port of an API server.
fn is_server(line: &str, change: &Change) -> bool {
    change.rename.ports.iter().any(|port| {
        let port = format!(":{port}");
        line.match_indices(&port)
            .any(|(at, _)| !line[at + port.len()..].starts_with(|next: char| next.is_ascii_digit()))
    })
}

/// What is no text cannot be told: where it has the old node's address or name, a person has to look.
fn bytes(file: &File, change: &Change) -> Vec<Kept> {
    let text = String::from_utf8_lossy(&file.bytes);
    let mut kept = lines(file, &text, change);
    kept.iter_mut().for_each(|kept| kept.reason = None);
    kept
}

#[cfg(test)]
mod tests {
    use super::super::identity::Node;
    use super::*;

    fn change() -> Change {
        let node = |address: &str, name: &str| Node { address: address.into(), names: vec![name.into()] };
        let servers = ["10.0.0.1:6443".to_owned(), "10.0.0.3:6443".to_owned()];
        Change::new(&node("10.0.0.1", "master1"), &node("10.0.0.2", "master2"), &servers, "10.0.0.2:6443").unwrap()
    }

    fn of(text: &str) -> (Option<String>, Vec<(usize, bool)>) {
        let file = File { path: "/f".into(), mode: 0o644, text: Some(text.into()), bytes: Vec::new() };
        let (text, kept) = moved(&file, &change()).unwrap();
        (text, kept.into_iter().map(|kept| (kept.line, kept.reason.is_some())).collect())
    }

    #[test]
    fn each_kind_of_file_is_moved_by_what_it_means() {
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
        assert!(moved(&file, &change()).unwrap().1[0].reason.is_none());
    }
}
