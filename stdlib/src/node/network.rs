//! The files of CNI: which part of the pods' network a node has, and which servers its plugins ask.

use std::net::IpAddr;
use std::ops::Range;

use haengine_kernel::error::{Error, Kind, Result};

use super::change::Change;
use super::document::{Document, Node};
use super::in_documents::Changed;
use super::naming::Meaning;
use super::subnet::Subnet;

/// Words for the node's own podCIDR, which something fills in when a pod starts.
const POD_CIDR: [&str; 2] = ["usePodCidr", "usePodCidrIPv6"];

/// Fields of host-local that hold an address within its part.
const WITHIN: [&str; 3] = ["rangeStart", "rangeEnd", "gateway"];

/// A `.conf` or a `.conflist`.
pub struct Network {
    document: Document,
    /// Its name.
    pub name: String,
    /// The programs that make it, in their order.
    pub plugins: Vec<String>,
    /// Where addresses come from: `host-local`, `calico-ipam`, `dhcp`, …
    pub sources: Vec<String>,
    /// The parts that stand in the file.
    pub parts: Vec<Part>,
    /// The kubeconfigs with which plugins ask the API.
    pub kubeconfigs: Vec<String>,
}

/// A part of the pods' network that a file fixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The part.
    pub subnet: Subnet,
    /// The line, from 1.
    pub line: usize,
    /// The bytes of it in the file, without quotes.
    pub range: Range<usize>,
}

impl Network {
    /// Reads one.
    ///
    /// # Errors
    /// `node.yaml`; `node.network`, where it is no file of CNI.
    ///
    /// ```
    /// use haengine_stdlib::node::network::Network;
    /// let text = r#"{"name": "pods", "type": "bridge", "ipam": {"type": "host-local", "subnet": "10.244.1.0/24"}}"#;
    /// assert_eq!(Network::read("/etc/cni/net.d/10-pods.conf", text).unwrap().parts[0].subnet.to_string(), "10.244.1.0/24");
    /// ```
    pub fn read(file: &str, text: &str) -> Result<Network> {
        let document = Document::parse(file, text)?;
        // A comma too many is none in YAML.
        serde_json::from_str::<serde::de::IgnoredAny>(text)
            .map_err(|error| refused(format!("`{file}`, line {}: this is no JSON", error.line())))?;
        let root = document.only()?.filter(|root| root.is_map());
        let root = root.ok_or_else(|| refused(format!("`{file}` is no file of CNI")))?;
        let plugins = plugins(root).ok_or_else(|| refused(format!("`{file}` has a plugin without `type`")))?;
        let name = root.get("name").and_then(|name| name.text()).unwrap_or_default().to_owned();
        let all: Vec<Node<'_>> = document.scalars().collect();
        let texts = |may: fn(&[&str]) -> bool| -> Vec<String> {
            let found = all.iter().filter(|node| may(&node.path())).filter_map(|node| node.text());
            found.filter(|text| !text.is_empty()).map(str::to_owned).collect()
        };
        let sources = texts(|path| path.ends_with(&["ipam", "type"]));
        let kubeconfigs = texts(|path| path.ends_with(&["kubeconfig"]));
        let parts = all.iter().filter(|node| is_part(**node)).filter_map(|node| Some((node.text()?, *node)));
        let parts = parts.map(|(text, node)| (text, node.line(), node.range().start + 1..node.range().end - 1));
        let parts = parts.map(|(text, line, range)| match Subnet::parse(text) {
            Ok(subnet) => Ok(Part { subnet, line, range }),
            Err(error) => {
                Err(refused(format!("`{file}`, line {line}: no part of a network stands here")).because(error))
            }
        });
        let parts = parts.collect::<Result<Vec<Part>>>()?;
        Ok(Network { name, plugins, sources, parts, kubeconfigs, document })
    }

    /// The texts of the file around a part that stands in it, for another one of the same kind between them; the whole text, where
    /// none stands there. None, where another part does.
    ///
    /// # Errors
    /// `node.network`, where addresses within the part stand there, too.
    pub fn around(&self, part: &Subnet) -> Result<Option<Vec<String>>> {
        if self.parts.iter().any(|there| there.subnet != *part) {
            return Ok(None);
        }
        if let Some(node) = self.document.scalars().find(|node| is_within(*node)) {
            let why = "an address within the node's own part of the pods' network stands here";
            return Err(refused(format!("`{}`, line {}: {why}", self.document.file(), node.line())));
        }
        let (text, mut start, mut texts) = (self.document.text(), 0, Vec::new());
        for there in &self.parts {
            texts.push(text[start..there.range.start].to_owned());
            start = there.range.end;
        }
        texts.push(text[start..].to_owned());
        Ok(Some(texts))
    }

    /// The file for another node. `own` has each part that stands in the file with the one that the new node has instead, or
    /// with itself where it stays: the part of a second network, say. Addresses within a part move along.
    ///
    /// # Errors
    /// `node.network`, where a part of the file is not among them, or addresses within it have no place in the new one;
    /// `node.edit`.
    pub fn changed(&self, change: &Change, own: &[(Subnet, Subnet)]) -> Result<Changed> {
        for node in self.document.scalars() {
            own_value(node, own).map_err(|why| {
                refused(format!("`{}`, line {}: {why}", self.document.file(), node.line()))
                    .hint("write this file by hand on the new node")
            })?;
        }
        let value = |node: Node<'_>| match own_value(node, own) {
            Ok(None) => meaning(node).zip(node.text()).and_then(|(of, text)| change.value(of, text)),
            own => own.ok().flatten(),
        };
        change.rewritten(&self.document, value, meaning)
    }
}

/// The programs of a list, or the one of a file without a list.
fn plugins(root: Node<'_>) -> Option<Vec<String>> {
    let listed = root.get("plugins").map_or_else(|| vec![root], |list| list.items());
    let kinds = listed.into_iter().map(|plugin| plugin.get("type")?.text().map(str::to_owned));
    kinds.collect::<Option<Vec<String>>>().filter(|kinds| !kinds.is_empty())
}

/// What a value of host-local becomes.
fn own_value(node: Node<'_>, own: &[(Subnet, Subnet)]) -> Result<Option<String>, &'static str> {
    let Some(ipam) = host_local(node) else { return Ok(None) };
    let Some(text) = node.text() else { return Ok(None) };
    if is_part(node) {
        let old = Subnet::parse(text).map_err(|_| "this is no part of a network")?;
        let found = own.iter().find(|(from, new)| *from == old && new.is_like(&old));
        return match found {
            Some((_, new)) if *new == old => Ok(None),
            Some((_, new)) => Ok(Some(new.to_string())),
            None => Err("it is not said which part the new node has instead of this one"),
        };
    }
    if !is_within(node) {
        return Ok(None);
    }
    let beside = node.parent().and_then(|map| map.get("subnet")).or_else(|| ipam.get("subnet"));
    let old = beside.and_then(|node| node.text()).and_then(|text| Subnet::parse(text).ok());
    let address = text.parse::<IpAddr>().ok();
    let (Some(old), Some(address)) = (old, address) else { return Err("this address has no part that it is in") };
    match own.iter().find(|(from, _)| *from == old) {
        Some((_, new)) if *new == old => Ok(None),
        Some((_, new)) => {
            let moved = old.moved(address, new).ok_or("this address has no place in the new node's part")?;
            Ok(Some(moved.to_string()))
        }
        None => Ok(None),
    }
}

/// True for a `subnet` of host-local that is written out.
fn is_part(node: Node<'_>) -> bool {
    let is_subnet = node.path().last() == Some(&"subnet") && host_local(node).is_some();
    is_subnet && node.text().is_some_and(|text| !text.is_empty() && !POD_CIDR.contains(&text))
}

/// True for an address of host-local that lies within its part.
fn is_within(node: Node<'_>) -> bool {
    let is_address = node.path().last().is_some_and(|key| WITHIN.contains(key));
    is_address && node.text().is_some_and(|text| !text.is_empty()) && host_local(node).is_some()
}

/// The `ipam` of host-local around a value; not what is in its routes.
fn host_local(node: Node<'_>) -> Option<Node<'_>> {
    let path = node.path();
    let at = path.iter().rposition(|key| *key == "ipam")?;
    if !path[at + 1..].iter().all(|key| *key == "ranges" || *key == "subnet" || WITHIN.contains(key)) {
        return None;
    }
    let mut next = node.parent();
    while let Some(map) = next {
        if map.get("type").is_some() {
            return Some(map).filter(|map| map.get("type").and_then(|kind| kind.text()) == Some("host-local"));
        }
        next = map.parent();
    }
    None
}

pub(super) fn meaning(node: Node<'_>) -> Option<Meaning> {
    match node.path().as_slice() {
        [.., "nodename"] => Some(Meaning::Name),
        [.., "etcd_endpoints" | "etcd_authority"] => Some(Meaning::Stays("a member of etcd")),
        [.., "k8s_api_root"] => Some(Meaning::Server),
        _ => None,
    }
}

fn refused(message: String) -> Error {
    Error::new(Kind::Refused, "node.network", message)
}

#[cfg(test)]
mod tests {
    use super::super::in_documents::tests::example;
    use super::*;

    const BRIDGE: &str = "{\n\t\"cniVersion\": \"0.4.0\",\n\t\"name\": \"pods\",\n\t\"plugins\": [\n\t\t{\"type\": \"bridge\", \"ipam\": \
        {\"type\": \"host-local\", \"ranges\": [[{\"subnet\": \"10.244.1.0/24\", \"gateway\": \"10.244.1.1\"}]], \"routes\": \
        [{\"dst\": \"0.0.0.0/0\", \"gw\": \"10.244.1.1\"}]}},\n\t\t{\"type\": \"portmap\"}\n\t]\n}\n";

    fn own(old: &str, new: &str) -> [(Subnet, Subnet); 1] {
        [(Subnet::parse(old).unwrap(), Subnet::parse(new).unwrap())]
    }

    #[test]
    fn a_fixed_part_becomes_the_new_nodes() {
        let network = Network::read("/f", BRIDGE).unwrap();
        assert_eq!(
            (network.parts.len(), network.parts[0].line, &network.sources),
            (1, 5, &vec!["host-local".to_owned()])
        );
        let moved = network.changed(&example(), &own("10.244.1.0/24", "10.244.2.0/24")).unwrap();
        let expected =
            BRIDGE.replace("1.0/24", "2.0/24").replace("\"gateway\": \"10.244.1.1", "\"gateway\": \"10.244.2.1");
        assert_eq!(moved.text, expected);
        assert!(
            network
                .changed(&example(), &own("10.244.1.0/24", "10.244.2.0/25"))
                .err()
                .unwrap()
                .message()
                .contains("line 5: this address")
        );
        assert!(
            network
                .changed(&example(), &own("10.244.1.0/24", "fd00::/64"))
                .err()
                .unwrap()
                .message()
                .contains("it is not said")
        );
    }

    #[test]
    fn a_text_is_cut_around_its_part() {
        let subnet = |text: &str| Subnet::parse(text).unwrap();
        let read = |text: &str| Network::read("/f", text).unwrap();
        let text = "{\"type\": \"bridge\", \"ipam\": {\"type\": \"host-local\", \"subnet\": \"10.244.1.0/24\"}, \"note\": \"10.244.1.0/24\"}";
        let around = read(text).around(&subnet("10.244.1.0/24")).unwrap().unwrap();
        assert_eq!(around.join("10.244.2.0/24"), text.replacen("10.244.1.0", "10.244.2.0", 1));
        assert_eq!(read(text).around(&subnet("10.244.1.0/25")).unwrap(), None);
        let follows = text.replacen("10.244.1.0/24", "usePodCidr", 1);
        assert_eq!(read(&follows).around(&subnet("10.244.1.0/24")).unwrap().unwrap(), [follows]);
        let error = read(BRIDGE).around(&subnet("10.244.1.0/24")).unwrap_err();
        assert!(error.message().contains("line 5: an address within"), "{error}");
    }

    #[test]
    fn what_follows_the_node_is_no_fixed_part() {
        for text in [
            "{\"type\": \"bridge\", \"ipam\": {\"type\": \"host-local\", \"subnet\": \"usePodCidr\"}}",
            "{\"type\": \"calico\", \"nodename\": \"Master1\", \"ipam\": {\"type\": \"calico-ipam\"}}",
            "{\"type\": \"flannel\", \"delegate\": {\"isDefaultGateway\": true}}",
        ] {
            let network = Network::read("/f", text).unwrap();
            assert!(network.parts.is_empty());
            let moved = network.changed(&example(), &[]).unwrap();
            assert_eq!(moved.text, text.replace("Master1", "master2"));
        }
        assert!(Network::read("/f", "{\"type\": \"bridge\",\n}").err().unwrap().message().contains("line 2"));
        assert!(Network::read("/f", "{\"plugins\": [{}]}").is_err() && Network::read("/f", "[]").is_err());
    }
}
