//! Static pods: the programs of a node that kubelet starts from files.

use std::collections::BTreeMap;
use std::ops::Range;

use haengine_kernel::error::{Error, Kind, Result};

use super::change::Change;
use super::document::{Document, Node};
use super::in_documents::Changed;
use super::naming::Meaning;

/// Annotations of kubeadm with the node's own addresses.
const OWN: [&str; 2] = [
    "kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint",
    "kubeadm.kubernetes.io/etcd.advertise-client-urls",
];

/// A pod in a file.
pub struct Manifest {
    document: Document,
    /// The pod's name, without the node's.
    pub name: String,
    /// True when it has the host's network.
    pub is_on_host: bool,
    /// Those that go on running; what runs before them is not among them.
    pub containers: Vec<Container>,
}

/// A container. It has no `Debug`: there may be secrets in its environment.
#[derive(Clone, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// True when its first word is the program; otherwise the image says what that is.
    pub has_program: bool,
    /// The program and its arguments. `$(NAME)` in them stands for a variable of `environment`.
    pub words: Vec<Word>,
    /// Variables with the values that the file gives; none for one that comes from elsewhere.
    pub environment: Vec<(String, Option<String>)>,
    /// Paths of the host and where the container sees them.
    pub mounts: Vec<(String, String)>,
    /// The hosts at which kubelet asks whether it is well.
    pub probed: Vec<String>,
}

/// A word of a command, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Without quotes.
    pub text: String,
    /// Bytes of the file, with quotes.
    pub range: Range<usize>,
    /// From 1.
    pub line: usize,
}

/// What becomes of a word on another node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Another word in its place.
    pub new: Option<String>,
    /// Why it stays.
    pub reason: Option<&'static str>,
}

impl Manifest {
    /// Reads one.
    ///
    /// # Errors
    /// `node.yaml`; `node.manifest`, where it is no pod.
    ///
    /// ```
    /// use haengine_stdlib::node::manifest::Manifest;
    /// let text = "kind: Pod\nmetadata: {name: etcd}\nspec:\n  containers:\n  - name: etcd\n    command: [etcd, --name=m1]\n";
    /// let manifest = Manifest::read("/etc/kubernetes/manifests/etcd.yaml", text).unwrap();
    /// assert_eq!(manifest.containers[0].words[1].text, "--name=m1");
    /// ```
    pub fn read(file: &str, text: &str) -> Result<Manifest> {
        let document = Document::parse(file, text)?;
        let root = document.only()?.filter(|root| root.get("kind").and_then(|kind| kind.text()) == Some("Pod"));
        let root = root.ok_or_else(|| refused(format!("`{file}` is no pod")))?;
        let name = text_at(root, &["metadata", "name"]).unwrap_or_default();
        let is_on_host = text_at(root, &["spec", "hostNetwork"]).as_deref() == Some("true");
        let paths = host_paths(root);
        let listed = root.at(&["spec", "containers"]).map(|list| list.items()).unwrap_or_default();
        if listed.is_empty() {
            return Err(refused(format!("`{file}` is a pod without containers")));
        }
        let containers = listed.into_iter().map(|node| container(node, &paths)).collect::<Result<_>>()?;
        Ok(Manifest { name, is_on_host, containers, document })
    }

    /// The file for another node. `judge` says what becomes of a container's words, in their order.
    ///
    /// # Errors
    /// `node.edit`, where a value cannot be written.
    pub fn changed(&self, change: &Change, mut judge: impl FnMut(&Container) -> Vec<Verdict>) -> Result<Changed> {
        let mut verdicts = BTreeMap::new();
        let root = self.document.only()?;
        let listed = root.and_then(|root| root.at(&["spec", "containers"])).map(|list| list.items());
        for (node, container) in listed.unwrap_or_default().into_iter().zip(&self.containers) {
            let places = words(node)?.into_iter().map(|word| word.id());
            verdicts.extend(places.zip(judge(container)));
        }
        let value = |node: Node<'_>| match verdicts.get(&node.id()) {
            Some(verdict) => verdict.new.clone(),
            None => meaning(node).zip(node.text()).and_then(|(of, text)| change.value(of, text)),
        };
        let reason = |node: Node<'_>| match verdicts.get(&node.id()) {
            Some(verdict) => verdict.reason.map(Meaning::Stays),
            None => meaning(node),
        };
        change.rewritten(&self.document, value, reason)
    }
}

impl Container {
    /// A word with its variables replaced as kubelet does it; none where one of them comes from elsewhere.
    pub fn expanded(&self, word: &str) -> Option<String> {
        let (mut done, mut rest) = (String::new(), word);
        while let Some(at) = rest.find('$') {
            done += &rest[..at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                done.push('$');
                rest = after;
            } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
                match self.environment.iter().rev().find(|(known, _)| known == name) {
                    Some((_, value)) => done += value.as_ref()?,
                    // What is not known stays as it is written.
                    None => done += &format!("$({name})"),
                }
                rest = after;
            } else {
                done.push('$');
            }
        }
        Some(done + rest)
    }
}

fn container(node: Node<'_>, paths: &BTreeMap<String, String>) -> Result<Container> {
    let items = |key: &str| node.get(key).map(|list| list.items()).unwrap_or_default();
    let words = words(node)?
        .into_iter()
        .filter_map(|word| Some(Word { text: word.text()?.to_owned(), range: word.range(), line: word.line() }));
    let variables = items("env").into_iter().filter_map(|item| {
        let (name, is_elsewhere) = (text_at(item, &["name"])?, item.get("valueFrom").is_some());
        Some((name, if is_elsewhere { None } else { Some(text_at(item, &["value"]).unwrap_or_default()) }))
    });
    let mounts = items("volumeMounts").into_iter().filter_map(|item| {
        let host = paths.get(&text_at(item, &["name"])?)?;
        Some((host.clone(), text_at(item, &["mountPath"])?))
    });
    let probes = ["livenessProbe", "readinessProbe", "startupProbe"].into_iter().filter_map(|probe| node.get(probe));
    let probed = probes.flat_map(|probe| ["httpGet", "tcpSocket"].map(|kind| text_at(probe, &[kind, "host"])));
    let (words, environment, mounts) = (words.collect(), variables.collect(), mounts.collect());
    Ok(Container {
        name: text_at(node, &["name"]).unwrap_or_default(),
        image: text_at(node, &["image"]).unwrap_or_default(),
        has_program: !items("command").is_empty(),
        words,
        environment,
        mounts,
        probed: probed.flatten().collect(),
    })
}

/// The words of a container's command and of its arguments.
fn words(node: Node<'_>) -> Result<Vec<Node<'_>>> {
    let listed = ["command", "args"].into_iter().filter_map(|key| node.get(key)).filter(|list| !list.is_null());
    let mut words = Vec::new();
    for list in listed {
        words.extend(list.items());
        let wrong =
            if list.is_list() { list.items().into_iter().find(|word| word.text().is_none()) } else { Some(list) };
        if let Some(wrong) = wrong {
            return Err(wrong.refused("a list of words should stand here"));
        }
    }
    Ok(words)
}

/// The host's paths by the names of their volumes.
fn host_paths(root: Node<'_>) -> BTreeMap<String, String> {
    let volumes = root.at(&["spec", "volumes"]).map(|list| list.items()).unwrap_or_default();
    let paths =
        volumes.into_iter().map(|item| Some((text_at(item, &["name"])?, text_at(item, &["hostPath", "path"])?)));
    paths.flatten().collect()
}

pub(super) fn meaning(node: Node<'_>) -> Option<Meaning> {
    match node.path().as_slice() {
        ["metadata", "annotations", name] if OWN.contains(name) => Some(Meaning::Own),
        [.., "livenessProbe" | "readinessProbe" | "startupProbe", "httpGet" | "tcpSocket", "host"] => {
            Some(Meaning::Own)
        }
        _ => None,
    }
}

fn text_at(node: Node<'_>, path: &[&str]) -> Option<String> {
    node.at(path)?.text().map(str::to_owned)
}

fn refused(message: String) -> Error {
    Error::new(Kind::Refused, "node.manifest", message)
}

#[cfg(test)]
mod tests {
    use super::super::in_documents::tests::example;
    use super::*;

    const POD: &str = "kind: Pod\nmetadata:\n  name: api\n  annotations:\n    kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint: \
        10.0.0.1:6443\nspec:\n  hostNetwork: true\n  containers:\n  - name: api\n    command:\n    - kube-apiserver\n    - \
        --advertise-address=10.0.0.1\n    - \"--etcd-servers=https://10.0.0.1:2379\"\n    args: ['$(A)-$$(A)-$(B)']\n    env: [{name: A, \
        value: x}]\n    livenessProbe: {httpGet: {host: 10.0.0.1, port: 6443}}\n    volumeMounts: [{name: v, mountPath: /in}]\n  \
        volumes: [{name: v, hostPath: {path: /out}}]\n";

    #[test]
    fn a_pod_is_read_and_moved() {
        let manifest = Manifest::read("/f", POD).unwrap();
        let container = &manifest.containers[0];
        assert_eq!(&POD[container.words[2].range.clone()], "\"--etcd-servers=https://10.0.0.1:2379\"");
        assert_eq!(container.mounts, [("/out".to_owned(), "/in".to_owned())]);
        assert_eq!(container.expanded(&container.words[3].text).as_deref(), Some("x-$(A)-$(B)"));
        let judge = |container: &Container| {
            let verdict = |word: &Word| match word.text.split_once('=') {
                Some(("--advertise-address", _)) => {
                    Verdict { new: Some("--advertise-address=10.0.0.2".into()), reason: None }
                }
                Some(("--etcd-servers", _)) => Verdict { new: None, reason: Some("a member of etcd") },
                _ => Verdict::default(),
            };
            container.words.iter().map(verdict).collect()
        };
        let moved = manifest.changed(&example(), judge).unwrap();
        let expected = POD.replace("10.0.0.1", "10.0.0.2").replace("10.0.0.2:2379", "10.0.0.1:2379");
        assert_eq!(moved.text, expected);
        assert_eq!((moved.kept.len(), moved.kept[0].reason), (1, Some("a member of etcd")));
    }

    #[test]
    fn what_is_no_pod_is_refused() {
        for text in ["", "kind: List\n", "kind: Pod\n", "kind: Pod\nspec: {containers: [{command: etcd}]}\n"] {
            assert!(Manifest::read("/f", text).is_err(), "{text}");
        }
    }
}
