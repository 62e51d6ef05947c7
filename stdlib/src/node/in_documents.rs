//! A change in a document of YAML or JSON.

use haengine_kernel::error::Result;

use super::change::Change;
use super::document::{Document, Node};
use super::edit::Edit;
use super::mention::{Mention, shortened};
use super::naming::Meaning;

/// A file as it becomes. It has no `Debug`: there may be secrets in it.
#[derive(PartialEq, Eq)]
pub struct Changed {
    /// Its text; all that did not have to change is as it was, byte for byte.
    pub text: String,
    /// Where it still names what the change leaves.
    pub kept: Vec<Mention>,
}

impl Change {
    /// A document whose values have these meanings.
    ///
    /// # Errors
    /// `node.edit`, where a value cannot be written.
    pub fn document(&self, document: &Document, meaning: impl Fn(Node<'_>) -> Option<Meaning>) -> Result<Changed> {
        // An endpoint of an API server is that under any key that is not known for something else.
        let meaning = |node: Node<'_>| meaning(node).or(self.is_of_servers().then_some(Meaning::Server));
        let value = |node: Node<'_>| meaning(node).zip(node.text()).and_then(|(of, text)| self.value(of, text));
        self.rewritten(document, value, meaning)
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
    ) -> Result<Changed> {
        let mut edit = Edit::of(document);
        for node in document.scalars() {
            if let Some(new) = value(node) {
                edit.set(node, &new)?;
            }
        }
        let text = edit.finish()?;
        let kept = self.kept(&Document::parse(document.file(), &text)?, meaning);
        Ok(Changed { text, kept })
    }

    /// Where a document names what is left.
    pub fn kept(&self, document: &Document, meaning: impl Fn(Node<'_>) -> Option<Meaning>) -> Vec<Mention> {
        let path = document.file().to_owned();
        let found = |line, word: &str, reason| Mention { path: path.clone(), line, word: shortened(word), reason };
        let values = document.scalars().filter_map(|node| {
            let of = meaning(node);
            let (word, reason) = self.mention(of, node.text()?)?;
            let is_path = of.is_none_or(|of| of == Meaning::Server) && word.starts_with('/');
            Some(found(node.line(), word, if is_path { Some("a file's name") } else { reason }))
        });
        let mut kept: Vec<Mention> = values.collect();
        for (number, line) in document.remarks().lines().enumerate() {
            kept.extend(self.mention(None, line).map(|(word, _)| found(number + 1, word, Some("a remark"))));
        }
        kept.sort_by_key(|mention| mention.line);
        kept
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::node::endpoint::Endpoint;
    use crate::node::identity::Identity;

    pub fn example() -> Change {
        let server = |text: &str| Endpoint::parse(text).unwrap();
        let node = |addresses: [&str; 2], name: &str| Identity {
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
            names: vec![name.to_owned()],
        };
        Change {
            old: node(["10.0.0.1", "fd00::1"], "master1"),
            new: node(["10.0.0.2", "fd00::2"], "master2"),
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
            assert_eq!(example.value(Meaning::Own, text).as_deref(), new, "{text}");
        }
        assert_eq!(example.value(Meaning::Name, "Master1").as_deref(), Some("master2"));
        let server = |text| example.value(Meaning::Server, text);
        assert_eq!(server("https://10.0.0.3:6443/x").as_deref(), Some("https://10.0.0.2:6443/x"));
        assert_eq!(server("https://10.0.0.1:2379"), None);
    }

    #[test]
    fn what_is_left_is_named_with_its_line() {
        let document = Document::parse("/f", "a: 10.0.0.1 # MASTER1\nb: x10.0.0.1\nc: /pki/master1/a.pem\n").unwrap();
        let changed = example().document(&document, |node| (node.path() == ["a"]).then_some(Meaning::Own)).unwrap();
        assert_eq!(changed.text, "a: 10.0.0.2 # MASTER1\nb: x10.0.0.1\nc: /pki/master1/a.pem\n");
        let kept: Vec<_> = changed.kept.iter().map(|kept| (kept.line, kept.word.as_str(), kept.reason)).collect();
        assert_eq!(kept, [(1, "MASTER1", Some("a remark")), (3, "/pki/master1/a.pem", Some("a file's name"))]);
    }
}
