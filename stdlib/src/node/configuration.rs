//! The configuration files of Kubernetes' components: which of their fields hold the node's own address or name, which an
//! API server, and which must stay.

use haengine_kernel::error::{Error, Kind, Result};

use super::change::Change;
use super::document::{Document, Node};
use super::in_documents::Changed;
use super::naming::Meaning;

const DNS: Meaning = Meaning::Stays("the cluster's DNS, the same on all nodes");
const NETWORK: Meaning = Meaning::Stays("the cluster's network, the same on all nodes");
const ETCD: Meaning = Meaning::Stays("a member of etcd");
const ISSUER: Meaning = Meaning::Stays("what tokens bear, the same on all API servers");

/// A field: the keys that lead to it, and what it means.
type Field = (&'static [&'static str], Meaning);

/// The fields of each kind of file. Where a kind has none, nothing in it is the node's own.
const KINDS: [(&str, &[Field]); 14] = [
    (
        "KubeletConfiguration",
        &[
            (&["address"], Meaning::Own),
            (&["healthzBindAddress"], Meaning::Own),
            (&["clusterDNS"], DNS),
            (&["clusterDomain"], DNS),
            (&["staticPodURL"], Meaning::Stays("where manifests come from")),
        ],
    ),
    (
        "KubeProxyConfiguration",
        &[
            (&["bindAddress"], Meaning::Own),
            (&["healthzBindAddress"], Meaning::Own),
            (&["metricsBindAddress"], Meaning::Own),
            (&["hostnameOverride"], Meaning::Name),
            (&["clusterCIDR"], NETWORK),
            (&["ipvs", "excludeCIDRs"], NETWORK),
        ],
    ),
    ("KubeSchedulerConfiguration", BOUND),
    ("KubeControllerManagerConfiguration", &[(&["Generic", "Address"], Meaning::Own)]),
    (
        "InitConfiguration",
        &[
            (&["localAPIEndpoint", "advertiseAddress"], Meaning::Own),
            (&["nodeRegistration", "name"], Meaning::Name),
            NODE_IP,
        ],
    ),
    (
        "JoinConfiguration",
        &[
            (&["controlPlane", "localAPIEndpoint", "advertiseAddress"], Meaning::Own),
            (&["nodeRegistration", "name"], Meaning::Name),
            (&["discovery", "bootstrapToken", "apiServerEndpoint"], Meaning::Server),
            NODE_IP,
        ],
    ),
    (
        "ClusterConfiguration",
        &[
            (&["controlPlaneEndpoint"], Meaning::Server),
            (&["apiServer", "certSANs"], Meaning::Stays("a name in the API servers' certificates")),
            (&["etcd", "external", "endpoints"], ETCD),
            (&["apiServer", "extraArgs", "service-account-issuer"], ISSUER),
            (&["networking", "podSubnet"], NETWORK),
        ],
    ),
    ("EgressSelectorConfiguration", &[(&["egressSelections", "connection", "transport", "tcp", "url"], Meaning::Own)]),
    ("AuthenticationConfiguration", &[(&["jwt", "issuer", "url"], Meaning::Stays("who issues tokens"))]),
    ("AuthorizationConfiguration", &[]),
    ("AdmissionConfiguration", &[]),
    ("EncryptionConfiguration", &[]),
    ("Policy", &[]),
    ("CredentialProviderConfig", &[]),
];

const BOUND: &[Field] = &[(&["healthzBindAddress"], Meaning::Own), (&["metricsBindAddress"], Meaning::Own)];

const NODE_IP: Field = (&["nodeRegistration", "kubeletExtraArgs", "node-ip"], Meaning::Own);

/// A configuration file of a component.
pub struct Configuration {
    document: Document,
    /// `KubeletConfiguration`, …
    pub kind: &'static str,
}

impl Configuration {
    /// Reads one, in YAML or JSON.
    ///
    /// # Errors
    /// `node.yaml`; `node.configuration`, where its kind is not known.
    ///
    /// ```
    /// use haengine_stdlib::node::configuration::Configuration;
    /// let text = "kind: KubeProxyConfiguration\nclientConnection:\n  kubeconfig: /etc/kube-proxy.kubeconfig\n";
    /// let proxy = Configuration::read("/etc/kube-proxy.yaml", text).unwrap();
    /// assert_eq!(proxy.kubeconfig(), Some("/etc/kube-proxy.kubeconfig"));
    /// ```
    pub fn read(file: &str, text: &str) -> Result<Configuration> {
        let document = Document::parse(file, text)?;
        let kind = document.only()?.and_then(|root| root.get("kind")).and_then(|kind| kind.text());
        let known = KINDS.iter().find(|(name, _)| Some(*name) == kind);
        let Some((kind, _)) = known else {
            let message = format!("`{file}` is no configuration of a component that is known here");
            return Err(
                Error::new(Kind::Refused, "node.configuration", message).hint("compare its `kind` with the book")
            );
        };
        Ok(Configuration { document, kind })
    }

    /// The kubeconfig with which the component logs in.
    pub fn kubeconfig(&self) -> Option<&str> {
        let root = self.document.root()?;
        let places: [&[&str]; 2] =
            [&["clientConnection", "kubeconfig"], &["Generic", "ClientConnection", "kubeconfig"]];
        places.iter().find_map(|place| root.at(place)).and_then(|node| node.text()).filter(|path| !path.is_empty())
    }

    /// A scalar of the file by the keys that lead to it.
    pub fn value(&self, path: &[&str]) -> Option<&str> {
        self.document.root()?.at(path)?.text()
    }

    /// The file for another node.
    ///
    /// # Errors
    /// `node.edit`, where a value cannot be written.
    pub fn changed(&self, change: &Change) -> Result<Changed> {
        change.document(&self.document, meaning)
    }
}

/// What a value means by its field, in a document of a kind that is known.
pub(super) fn meaning(node: Node<'_>) -> Option<Meaning> {
    let (kind, path) = (node.top().get("kind")?.text()?, node.path());
    let (_, fields) = KINDS.iter().find(|(name, _)| *name == kind)?;
    fields.iter().find(|(field, _)| *field == path).map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::super::in_documents::tests::example;
    use super::*;

    #[test]
    fn own_addresses_and_names_move_and_the_rest_is_named() {
        let text = "kind: KubeProxyConfiguration\r\nbindAddress: 0.0.0.0\r\nmetricsBindAddress: \"10.0.0.1:10249\"\r\nhostnameOverride: \
            Master1 # ours\r\nclusterCIDR: 10.244.0.0/16\r\nnodePortAddresses: [10.0.0.1/32]\r\n";
        let moved = Configuration::read("/f", text).unwrap().changed(&example()).unwrap();
        let expected = text.replace("10.0.0.1:10249", "10.0.0.2:10249").replace("Master1", "master2");
        assert_eq!(moved.text, expected);
        assert_eq!((moved.kept[0].line, moved.kept[0].reason, moved.kept.len()), (6, None, 1));
    }

    #[test]
    fn a_kind_that_is_not_known_is_refused() {
        assert_eq!(Configuration::read("/f", "kind: Secret\n").err().unwrap().code(), "node.configuration");
        assert_eq!(Configuration::read("/f", "").err().unwrap().code(), "node.configuration");
    }
}
