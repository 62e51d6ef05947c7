//! etcd's own configuration file, which stands for its flags and its environment.

use haengine_kernel::error::{Error, Kind, Result};

use super::change::Change;
use super::document::{Document, Node};
use super::edit::Edit;
use super::endpoint::Endpoint;
use super::in_documents::Changed;
use super::naming::Meaning;

/// Fields with URLs at which this member listens or is found.
const OWN_URLS: [&str; 5] = [
    "listen-peer-urls",
    "listen-client-urls",
    "listen-metrics-urls",
    "advertise-client-urls",
    "initial-advertise-peer-urls",
];

/// Fields that only etcd's file has, by which it is known.
const KNOWN: [&str; 4] = ["listen-client-urls", "listen-peer-urls", "initial-cluster", "data-dir"];

/// What the file has in a section for each side, and flags with `peer-` before it or without.
const OF_SIDES: [&str; 5] = ["cert-file", "key-file", "trusted-ca-file", "client-cert-auth", "auto-tls"];

/// etcd's file.
pub struct Etcd {
    document: Document,
}

/// How a side of etcd is secured.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Security {
    /// `cert-file`.
    pub certificate: Option<String>,
    /// `key-file`.
    pub key: Option<String>,
    /// `trusted-ca-file`.
    pub authority: Option<String>,
}

impl Etcd {
    /// Reads it.
    ///
    /// # Errors
    /// `node.yaml`; `node.etcd`, where it has none of the fields that etcd's file has.
    ///
    /// ```
    /// use haengine_stdlib::node::etcd::Etcd;
    /// let etcd = Etcd::read("/etc/etcd/etcd.yml", "name: m1\nlisten-client-urls: 'https://10.0.0.1:2379'\n").unwrap();
    /// assert_eq!(etcd.urls("listen-client-urls").unwrap()[0].port(), Some(2379));
    /// ```
    pub fn read(file: &str, text: &str) -> Result<Etcd> {
        let document = Document::parse(file, text)?;
        if !document.only()?.is_some_and(is_known) {
            return Err(refused(format!("`{file}` is no configuration of etcd")));
        }
        Ok(Etcd { document })
    }

    /// A scalar at the top of the file: `name`, `data-dir`, `initial-cluster-state`, …
    pub fn value(&self, field: &str) -> Option<&str> {
        self.document.root()?.get(field)?.text()
    }

    /// A setting by the name of its flag: `data-dir`, `peer-cert-file`, …
    ///
    /// ```
    /// use haengine_stdlib::node::etcd::Etcd;
    /// let text = "listen-peer-urls: http://10.0.0.1:2380\npeer-transport-security:\n  cert-file: /p.pem\n";
    /// assert_eq!(Etcd::read("/f", text).unwrap().setting("peer-cert-file"), Some("/p.pem"));
    /// ```
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.document.root()?.at(&place(name))?.text()
    }

    /// All settings that are single values, by the names of their flags.
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for node in self.document.root().into_iter().flat_map(|root| root.entries()) {
            let (name, node) = node;
            found.extend(node.text().map(|text| (name.to_owned(), text.to_owned())));
            let before = match name {
                "client-transport-security" => "",
                "peer-transport-security" => "peer-",
                _ => continue,
            };
            let values = node.entries().into_iter().filter_map(|(name, node)| Some((name, node.text()?)));
            found.extend(values.map(|(name, text)| (format!("{before}{name}"), text.to_owned())));
        }
        found
    }

    /// The file with other values for settings that it has, by the names of their flags.
    ///
    /// # Errors
    /// `node.edit`, where a value cannot be written.
    pub fn with<'a>(&self, settings: impl Iterator<Item = (&'a str, &'a str)>) -> Result<String> {
        let mut edit = Edit::of(&self.document);
        for (name, value) in settings {
            if let Some(node) = self.document.root().and_then(|root| root.at(&place(name))) {
                edit.set(node, value)?;
            }
        }
        edit.finish()
    }

    /// The URLs of a field.
    ///
    /// # Errors
    /// `node.etcd`, where one of them is none.
    pub fn urls(&self, field: &str) -> Result<Vec<Endpoint>> {
        let Some(node) = self.document.root().and_then(|root| root.get(field)) else { return Ok(Vec::new()) };
        let wrong = |error: Error| {
            refused(format!("`{}`, line {}: here is no URL", self.document.file(), node.line())).because(error)
        };
        let words = node.text().unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
        words.map(|word| Endpoint::parse(word).map_err(wrong)).collect()
    }

    /// How clients are answered.
    pub fn client(&self) -> Security {
        self.security("client-transport-security")
    }

    /// How members talk to each other.
    pub fn peer(&self) -> Security {
        self.security("peer-transport-security")
    }

    /// The file for another node. The list of members stays: it is made from what etcd itself says.
    ///
    /// # Errors
    /// `node.edit`, where a value cannot be written.
    pub fn changed(&self, change: &Change) -> Result<Changed> {
        change.document(&self.document, meaning)
    }

    fn security(&self, section: &str) -> Security {
        let section = self.document.root().and_then(|root| root.get(section));
        let get = |field: &str| section?.get(field)?.text().filter(|path| !path.is_empty()).map(str::to_owned);
        Security { certificate: get("cert-file"), key: get("key-file"), authority: get("trusted-ca-file") }
    }
}

/// Where a flag's setting is in the file.
fn place(flag: &str) -> Vec<&str> {
    match flag.strip_prefix("peer-") {
        Some(name) if OF_SIDES.contains(&name) => vec!["peer-transport-security", name],
        _ if OF_SIDES.contains(&flag) => vec!["client-transport-security", flag],
        _ => vec![flag],
    }
}

pub(super) fn meaning(node: Node<'_>) -> Option<Meaning> {
    if !is_known(node.top()) {
        return None;
    }
    match node.path().as_slice() {
        [field] if OWN_URLS.contains(field) => Some(Meaning::Own),
        ["name"] => Some(Meaning::Name),
        ["initial-cluster"] => Some(Meaning::Stays("the members of etcd")),
        ["discovery" | "discovery-srv" | "discovery-endpoints"] => Some(Meaning::Stays("where etcd finds its members")),
        _ => None,
    }
}

fn is_known(root: Node<'_>) -> bool {
    KNOWN.iter().any(|field| root.get(field).is_some())
}

fn refused(message: String) -> Error {
    Error::new(Kind::Refused, "node.etcd", message)
}

#[cfg(test)]
mod tests {
    use super::super::in_documents::tests::example;
    use super::*;

    const TEXT: &str = "name: 'master1'\ndata-dir: /var/lib/etcd\nlisten-client-urls: https://10.0.0.1:2379,http://127.0.0.1:2379\n\
        initial-cluster: \"master1=https://10.0.0.1:2380\"\nclient-transport-security:\n  cert-file: /pki/a.pem\n  key-file: ''\n";

    #[test]
    fn urls_move_and_the_list_of_members_stays() {
        let etcd = Etcd::read("/f", TEXT).unwrap();
        let moved = etcd.changed(&example()).unwrap();
        assert_eq!(moved.text, TEXT.replace("'master1'", "'master2'").replace("10.0.0.1:2379", "10.0.0.2:2379"));
        assert_eq!((moved.kept.len(), moved.kept[0].reason), (1, Some("the members of etcd")));
        assert_eq!(etcd.client().certificate.as_deref(), Some("/pki/a.pem"));
        assert_eq!((etcd.client().key, etcd.peer()), (None, Security::default()));
        assert!(Etcd::read("/f", "a: b\n").is_err());
    }
}
