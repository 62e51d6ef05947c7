//! API servers in a document of YAML or JSON of any kind: values that are their endpoints, flags in lists of words, variables of
//! containers.

use haengine_kernel::error::Result;

use super::change::Change;
use super::document::{Document, Node};
use super::in_documents::Changed;
use super::in_units::{HOST, PORT};
use super::naming::{self, Meaning};
use super::{configuration, etcd, kubeconfig, manifest, network};

impl Change {
    /// Any document. A value changes if it is the endpoint of an API server as a whole.
    ///
    /// # Errors
    /// `node.edit`, where a value cannot be written.
    pub(super) fn any_document(&self, document: &Document) -> Result<Changed> {
        let of = |node: Node<'_>| Some(meaning(node).unwrap_or(Meaning::Server));
        let value = |node: Node<'_>| match clients(node) {
            Some(place) => self.of_clients(place.host?, place.port?).map(|(host, port)| place.own(host, port)),
            None => of(node).zip(node.text()).and_then(|(of, text)| self.value(of, text)),
        };
        self.rewritten(document, value, of)
    }
}

fn meaning(node: Node<'_>) -> Option<Meaning> {
    if clients(node).is_some_and(|place| place.is_host) {
        return Some(Meaning::ServerHost);
    }
    let of_kind = configuration::meaning(node).or_else(|| kubeconfig::meaning(node));
    let of_kind = of_kind.or_else(|| etcd::meaning(node)).or_else(|| network::meaning(node));
    of_kind.or_else(|| manifest::meaning(node)).or_else(|| of_flag(node)).or_else(|| of_key(node))
}

/// A word of a command: `--name=VALUE`, or what stands behind `--name`.
fn of_flag(node: Node<'_>) -> Option<Meaning> {
    let text = node.text()?;
    match text.split_once('=').filter(|_| text.starts_with('-')) {
        Some((flag, value)) => naming::meaning("", flag.trim_start_matches('-'), value),
        None => {
            let flag = node.before()?.text()?;
            naming::meaning("", flag.strip_prefix("--")?, text)
        }
    }
}

/// Settings are often named as flags are. One that stays as a flag stays as a setting.
fn of_key(node: Node<'_>) -> Option<Meaning> {
    let meaning = naming::meaning("", node.path().last()?, node.text()?);
    meaning.filter(|meaning| matches!(meaning, Meaning::Stays(_)))
}

/// One of the two variables from which clients take their API server, and the values of both.
struct Clients<'a> {
    is_host: bool,
    host: Option<&'a str>,
    port: Option<&'a str>,
}

impl Clients<'_> {
    fn own(&self, host: String, port: String) -> String {
        if self.is_host { host } else { port }
    }
}

/// `{name: NAME, value: VALUE}` in a list, or `NAME: VALUE` in a map.
fn clients<'a>(node: Node<'a>) -> Option<Clients<'a>> {
    let (map, path) = (node.parent()?, node.path());
    let key = *path.last()?;
    if key == "value" {
        let variables = map.parent()?;
        let value = |item: Node<'a>, name: &str| text(item, "name").filter(|own| *own == name).and(text(item, "value"));
        let get = |name: &str| variables.items().into_iter().find_map(|item| value(item, name));
        return both(text(map, "name")?, get);
    }
    both(key, |name: &str| text(map, name))
}

fn both<'a>(name: &str, get: impl Fn(&str) -> Option<&'a str>) -> Option<Clients<'a>> {
    (name == HOST || name == PORT).then(|| Clients { is_host: name == HOST, host: get(HOST), port: get(PORT) })
}

fn text<'a>(map: Node<'a>, key: &str) -> Option<&'a str> {
    map.get(key)?.text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::endpoint::Endpoint;

    fn of(text: &str) -> (String, Vec<Option<&'static str>>) {
        let at = |text: &str| Endpoint::parse(text).unwrap();
        let change =
            Change { servers: vec![at("10.0.0.1:6443")], server: Some(at("[fd00::1]:16443")), ..Change::default() };
        let changed = change.any_document(&Document::parse("/f", text).unwrap()).unwrap();
        (changed.text, changed.kept.into_iter().map(|kept| kept.reason).collect())
    }

    #[test]
    fn a_value_that_is_an_api_server_changes() {
        let text = "{\"kubeconfig\": \"https://10.0.0.1:6443\", \"etcd\": \"https://10.0.0.1:2379\", \"a\": [\"--b=10.0.0.1:6443\"]}";
        let (changed, kept) = of(text);
        assert_eq!(changed, text.replace("10.0.0.1:6443", "[fd00::1]:16443"));
        assert_eq!(kept, [Some("a member of etcd")]);
    }

    #[test]
    fn what_means_something_else_stays() {
        let words = "command: [x, --service-account-issuer, 'https://10.0.0.1:6443']\n";
        let several = "kind: A\n---\nkind: ClusterConfiguration\napiServer:\n  certSANs: ['10.0.0.1:6443']\n";
        for text in [words, several, "service-account-issuer: https://10.0.0.1:6443\n", "a: b # 10.0.0.1:6443\n"] {
            let (changed, kept) = of(text);
            assert!(changed == text && kept.len() == 1 && kept[0].is_some(), "{text}: {kept:?}");
        }
        assert_eq!(of("a: see 10.0.0.1:6443 first\n").1, [None]);
    }

    #[test]
    fn variables_of_clients_change_together() {
        let list = "env:\n- name: KUBERNETES_SERVICE_HOST\n  value: 10.0.0.1\n- {name: KUBERNETES_SERVICE_PORT, value: '6443'}\n";
        assert_eq!(of(list).0, list.replace("10.0.0.1", "fd00::1").replace("'6443'", "'16443'"));
        let map = "data: {KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: \"6443\"}\n";
        assert_eq!(of(map).0, map.replace("10.0.0.1", "fd00::1").replace("6443", "16443"));
        let alone = "data: {KUBERNETES_SERVICE_HOST: '10.0.0.1'}\n";
        assert_eq!(of(alone), (alone.to_owned(), vec![None]));
    }
}
