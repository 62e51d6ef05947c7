//! What the values of flags and of files mean, and which flags name a node.

/// What the hosts in a value are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Where the program itself listens, or is reached: alone, with a port, as a URL, or several with commas between.
    Own,
    /// What the node, or the member, is called.
    Name,
    /// The API server that it talks to.
    Server,
    /// The host of one, whose port is said elsewhere.
    ServerHost,
    /// Something that stays, with the reason.
    Stays(&'static str),
}

const MEMBER: &str = "a member of etcd";
const NETWORK: &str = "a network of the cluster";
const FILE: &str = "the path of a file";
const ISSUER: &str =
    "who issues tokens: all API servers must say the same, or one does not take the tokens of the other";
const KEYS: &str = "where the tokens' keys are published: the same for all API servers";
const AUDIENCES: &str = "whom tokens are for: the same for all API servers";

/// What the hosts in the value of a flag are; none where nobody knows.
///
/// ```
/// use haengine_stdlib::node::naming::{Meaning, meaning};
/// assert_eq!(meaning("kubelet", "node-ip", "192.0.2.1"), Some(Meaning::Own));
/// let issuer = meaning("kube-apiserver", "service-account-issuer", "https://192.0.2.1:6443");
/// assert!(matches!(issuer, Some(Meaning::Stays(_))));
/// assert_eq!(meaning("kubelet", "node-labels", "rack=b"), None);
/// ```
pub fn meaning(program: &str, flag: &str, value: &str) -> Option<Meaning> {
    let known = match program {
        "etcd" => of_etcd(flag),
        "flanneld" => of_flannel(flag),
        _ => of_kubernetes(flag),
    };
    let is_file = value.starts_with('/') || value.starts_with("unix:") || value.starts_with("file:");
    known.or(is_file.then_some(Meaning::Stays(FILE)))
}

fn of_kubernetes(flag: &str) -> Option<Meaning> {
    Some(match flag {
        "bind-address"
        | "advertise-address"
        | "insecure-bind-address"
        | "address"
        | "node-ip"
        | "healthz-bind-address"
        | "metrics-bind-address"
        | "peer-advertise-ip"
        | "public-address-override" => Meaning::Own,
        "hostname-override" => Meaning::Name,
        "master" | "api-servers" => Meaning::Server,
        "etcd-servers" | "etcd-servers-overrides" => Meaning::Stays(MEMBER),
        "service-account-issuer" => Meaning::Stays(ISSUER),
        "service-account-jwks-uri" => Meaning::Stays(KEYS),
        "api-audiences" | "service-account-api-audiences" => Meaning::Stays(AUDIENCES),
        "external-hostname" => Meaning::Stays("what clients call the API servers, all of them"),
        "cors-allowed-origins" => Meaning::Stays("pages that may call the API: the same for all API servers"),
        "oidc-issuer-url" | "oidc-client-id" => {
            Meaning::Stays("who issues users' tokens: the same for all API servers")
        }
        "cluster-dns" => Meaning::Stays("the pods' DNS server"),
        "pod-infra-container-image" => Meaning::Stays("an image, with its registry"),
        "service-cluster-ip-range" | "cluster-cidr" => Meaning::Stays(NETWORK),
        "requestheader-allowed-names" => Meaning::Stays("names in certificates: the same for all API servers"),
        _ => return None,
    })
}

fn of_etcd(flag: &str) -> Option<Meaning> {
    Some(match flag {
        "listen-peer-urls"
        | "listen-client-urls"
        | "listen-client-http-urls"
        | "listen-metrics-urls"
        | "advertise-client-urls"
        | "initial-advertise-peer-urls" => Meaning::Own,
        "name" => Meaning::Name,
        "initial-cluster" => Meaning::Stays(MEMBER),
        _ => return None,
    })
}

fn of_flannel(flag: &str) -> Option<Meaning> {
    Some(match flag {
        "iface" | "public-ip" | "public-ipv6" => Meaning::Own,
        "kube-api-url" => Meaning::Server,
        "etcd-endpoints" => Meaning::Stays(MEMBER),
        _ => return None,
    })
}

/// Why a variable that is no flag may name a node.
pub(super) fn of_variable(name: &str) -> Option<&'static str> {
    match name.to_ascii_lowercase().as_str() {
        "http_proxy" | "https_proxy" | "all_proxy" => Some("a proxy"),
        "no_proxy" => Some("who is reached without the proxy"),
        _ => None,
    }
}
