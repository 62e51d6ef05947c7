//! A file of one node, written anew for another one.

use haengine_kernel::error::Result;

use super::document::{Document, Node};
use super::edit::Edit;
use super::endpoint::{Endpoint, Host};
use super::mention::mention;

/// From which node to which one a file moves.
#[derive(Clone, Debug)]
pub struct Move {
    /// The old node's addresses, each with the new node's of the same family.
    pub addresses: Vec<(Host, Host)>,
    /// The old node's name, and the new one's.
    pub names: (String, String),
    /// The API servers that are left.
    pub servers: Vec<Endpoint>,
    /// The one that is named instead.
    pub server: Option<Endpoint>,
}

/// A file for the new node. It has no `Debug`: there may be secrets in it.
#[derive(PartialEq, Eq)]
pub struct Moved {
    /// Its text; all that did not have to change is as it was, byte for byte.
    pub text: String,
    /// Where it still names the old node.
    pub kept: Vec<Kept>,
}

/// A place that still names the old node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// The word that names it.
    pub word: String,
    /// Why that is right; nothing where it may be wrong, so that a person has to look.
    pub reason: Option<&'static str>,
}

/// What a value of a file means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The node's own address, alone, with a port, as a URL, or several of them with commas between.
    Address,
    /// The node's own name.
    Name,
    /// An API server.
    Server,
    /// Something that stays, with the reason.
    Stays(&'static str),
}

impl Move {
    /// Own addresses in a text, written for the new node; nothing where there are none.
    pub fn address(&self, text: &str) -> Option<String> {
        each(text, |word| {
            let endpoint = Endpoint::parse(word).ok()?;
            let (_, own) = self.addresses.iter().find(|(old, _)| endpoint.host.as_ref() == Some(old))?;
            Some(endpoint.with_host(own).to_string())
        })
    }

    /// The new name for the old one. Names of nodes are in lower case, names of machines need not be.
    pub fn name(&self, text: &str) -> Option<String> {
        text.eq_ignore_ascii_case(&self.names.0).then(|| self.names.1.clone())
    }

    /// The new API server for an old one.
    pub fn server(&self, text: &str) -> Option<String> {
        let new = self.server.as_ref()?;
        each(text, |word| {
            let endpoint = Endpoint::parse(word).ok()?;
            self.servers.iter().any(|old| endpoint.meets(old)).then(|| endpoint.moved_to(new).to_string())
        })
    }

    /// What a value of this meaning becomes; nothing where it stays.
    pub fn value(&self, meaning: Meaning, text: &str) -> Option<String> {
        match meaning {
            Meaning::Address => self.address(text),
            Meaning::Name => self.name(text),
            Meaning::Server => self.server(text),
            Meaning::Stays(_) => None,
        }
    }

    /// The old node's addresses and its name.
    pub fn old(&self) -> Vec<Host> {
        let mut hosts: Vec<Host> = self.addresses.iter().map(|(old, _)| old.clone()).collect();
        hosts.extend(Host::parse(&self.names.0));
        hosts
    }

    /// A document whose values have these meanings.
    ///
    /// # Errors
    /// `node.edit`, where a value cannot be written.
    pub fn document(&self, document: &Document, meaning: impl Fn(Node<'_>) -> Option<Meaning>) -> Result<Moved> {
        let value = |node: Node<'_>| meaning(node).zip(node.text()).and_then(|(of, text)| self.value(of, text));
        self.rewritten(document, value, &meaning)
    }

    /// A document with other values, whatever they mean; `meaning` says why others stay.
    ///
    /// # Errors
    /// `node.edit`, where a value cannot be written.
    pub fn rewritten(
        &self,
        document: &Document,
        value: impl Fn(Node<'_>) -> Option<String>,
        meaning: impl Fn(Node<'_>) -> Option<Meaning>,
    ) -> Result<Moved> {
        let mut edit = Edit::of(document);
        for node in document.scalars() {
            if let Some(new) = value(node) {
                edit.set(node, &new)?;
            }
        }
        let text = edit.finish()?;
        let kept = self.kept(&Document::parse(document.file(), &text)?, meaning);
        Ok(Moved { text, kept })
    }

    /// Where a document names the old node.
    pub fn kept(&self, document: &Document, meaning: impl Fn(Node<'_>) -> Option<Meaning>) -> Vec<Kept> {
        let old = self.old();
        let file = document.file().to_owned();
        let found = |line: usize, word: &str, reason| Kept { file: file.clone(), line, word: shortened(word), reason };
        let values = document.scalars().filter_map(|node| {
            let word = mention(node.text()?, &old)?;
            Some(found(node.line(), word, reason(meaning(node), word)))
        });
        let mut kept: Vec<Kept> = values.collect();
        let remarks = document.remarks();
        for (number, line) in remarks.lines().enumerate() {
            kept.extend(mention(line, &old).map(|word| found(number + 1, word, Some("a remark"))));
        }
        kept.sort_by_key(|kept| kept.line);
        kept
    }
}

fn reason(meaning: Option<Meaning>, word: &str) -> Option<&'static str> {
    match meaning {
        Some(Meaning::Stays(reason)) => Some(reason),
        None if word.starts_with('/') => Some("a file's name"),
        _ => None,
    }
}

/// Each of the words between commas; nothing where none of them changes.
fn each(text: &str, change: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut has_changed = false;
    let words = text.split(',').map(|word| {
        let bare = word.trim();
        let new = change(bare);
        has_changed |= new.is_some();
        new.map_or_else(|| word.to_owned(), |new| word.replacen(bare, &new, 1))
    });
    let joined = words.collect::<Vec<_>>().join(",");
    has_changed.then_some(joined)
}

fn shortened(word: &str) -> String {
    let shown: String = word.chars().take(80).collect();
    if shown.len() < word.len() { shown + "…" } else { shown }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn example() -> Move {
        let host = |text: &str| Host::parse(text).unwrap();
        let server = |text: &str| Endpoint::parse(text).unwrap();
        Move {
            addresses: vec![(host("10.0.0.1"), host("10.0.0.2")), (host("fd00::1"), host("fd00::2"))],
            names: ("master1".into(), "master2".into()),
            servers: vec![server("10.0.0.1:6443"), server("10.0.0.3:6443")],
            server: Some(server("10.0.0.2:6443")),
        }
    }

    #[test]
    fn values_become_the_new_nodes() {
        let example = example();
        for (text, new) in [
            ("10.0.0.1", Some("10.0.0.2")),
            ("10.0.0.1:10249", Some("10.0.0.2:10249")),
            ("https://10.0.0.1:2379, http://127.0.0.1:2379", Some("https://10.0.0.2:2379, http://127.0.0.1:2379")),
            ("[FD00:0::1]:1", Some("[fd00::2]:1")),
            ("0.0.0.0", None),
            ("10.0.0.10", None),
        ] {
            assert_eq!(example.address(text).as_deref(), new, "{text}");
        }
        assert_eq!(example.name("Master1").as_deref(), Some("master2"));
        assert_eq!(example.server("https://10.0.0.3:6443/x").as_deref(), Some("https://10.0.0.2:6443/x"));
        assert_eq!(example.server("https://10.0.0.1:2379"), None);
    }

    #[test]
    fn what_is_left_is_named_with_its_line() {
        let document = Document::parse("/f", "a: 10.0.0.1 # MASTER1\nb: x10.0.0.1\nc: /pki/master1/a.pem\n").unwrap();
        let moved = example().document(&document, |node| (node.path() == ["a"]).then_some(Meaning::Address)).unwrap();
        assert_eq!(moved.text, "a: 10.0.0.2 # MASTER1\nb: x10.0.0.1\nc: /pki/master1/a.pem\n");
        let kept: Vec<_> = moved.kept.iter().map(|kept| (kept.line, kept.word.as_str(), kept.reason)).collect();
        assert_eq!(kept, [(1, "MASTER1", Some("a remark")), (3, "/pki/master1/a.pem", Some("a file's name"))]);
    }
}
