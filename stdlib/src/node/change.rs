//! What changes in the files of a node: who it is, which API server it talks to, or both.

use std::net::IpAddr;

use super::endpoint::{Endpoint, Host};
use super::hosts::{HostAt, hosts, same};
use super::identity::Identity;
use super::mention::{is_in, words};
use super::naming::{self, Meaning};
use super::rewrite::Part;

/// From which node to which one, and from which API servers to which one.
///
/// ```
/// use haengine_stdlib::node::{change::Change, endpoint::Endpoint, naming::Meaning};
/// let at = |text: &str| Endpoint::parse(text).unwrap();
/// let change = Change { servers: vec![at("192.0.2.1:6443")], server: Some(at("api.example:16443")), ..Change::default() };
/// let becomes = change.value(Meaning::Server, "https://192.0.2.1:6443/x");
/// assert_eq!(becomes.as_deref(), Some("https://api.example:16443/x"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The node that the files are of; nobody, where the node stays who it is.
    pub old: Identity,
    /// The node that they shall be for.
    pub new: Identity,
    /// The API servers that shall not be named any more.
    pub servers: Vec<Endpoint>,
    /// The one that is named instead.
    pub server: Option<Endpoint>,
}

const OWN: &str = "the node's own, which stays who it is";
const MEMBER: &str = "a member of etcd";
const OTHER_PORT: &str = "no API server: another port";
const NO_PORT: &str = "no API server: an address without a port";

impl Change {
    /// What a value becomes by what it means; none where it stays.
    pub fn value(&self, meaning: Meaning, text: &str) -> Option<String> {
        let letters: Vec<char> = text.chars().collect();
        let (mut becomes, mut done) = (String::new(), 0);
        for part in self.parts(Some(meaning), text) {
            becomes.extend(&letters[done..part.range.start]);
            becomes += &part.text;
            done = part.range.end;
        }
        becomes.extend(&letters[done..]);
        (becomes != text).then_some(becomes)
    }

    /// What the value of a flag becomes, for flags that are written elsewhere: in the manifest of a static pod, say.
    /// None where it stays.
    ///
    /// ```
    /// use haengine_stdlib::node::{change::Change, identity::Identity};
    /// let of = |address: &str| Identity { addresses: vec![address.parse().unwrap()], names: Vec::new() };
    /// let change = Change { old: of("192.0.2.1"), new: of("192.0.2.2"), ..Change::default() };
    /// let becomes = change.flag("etcd", "listen-client-urls", "https://127.0.0.1:2379,https://192.0.2.1:2379");
    /// assert_eq!(becomes.as_deref(), Some("https://127.0.0.1:2379,https://192.0.2.2:2379"));
    /// assert_eq!(change.flag("kube-apiserver", "etcd-servers", "https://192.0.2.1:2379"), None);
    /// ```
    pub fn flag(&self, program: &str, flag: &str, value: &str) -> Option<String> {
        self.value(self.meaning(program, flag, value)?, value)
    }

    /// What the hosts in a flag's value are. Where the node stays who it is, an endpoint of an API server is that under
    /// any name that is not known for something else.
    pub(super) fn meaning(&self, program: &str, flag: &str, value: &str) -> Option<Meaning> {
        naming::meaning(program, flag, value).or(self.is_of_servers().then_some(Meaning::Server))
    }

    /// True where the node stays who it is.
    pub(super) fn is_of_servers(&self) -> bool {
        self.old.addresses.is_empty() && self.old.names.is_empty()
    }

    /// What has to be written otherwise of a value that means this.
    pub(super) fn parts(&self, meaning: Option<Meaning>, value: &str) -> Vec<Part> {
        match meaning {
            Some(Meaning::Name) => {
                let known = self.old.names.iter().any(|name| same(name, value));
                let becomes = self.new.names.first().filter(|_| known);
                let range = 0..value.chars().count();
                becomes.map(|name| Part { range, text: name.to_ascii_lowercase() }).into_iter().collect()
            }
            Some(Meaning::Own) => {
                let own = |at: HostAt| Some(Part { text: self.own(&at)?, range: at.range });
                hosts(value).into_iter().filter_map(own).collect()
            }
            Some(Meaning::Server) => {
                let found = hosts(value).into_iter().filter_map(|at| self.server(&at).map(|server| (at, server)));
                found.flat_map(|(at, server)| at.rewritten(&server)).collect()
            }
            Some(Meaning::ServerHost | Meaning::Stays(_)) | None => Vec::new(),
        }
    }

    /// The API server that is named in the place of the one there.
    pub(super) fn server(&self, at: &HostAt) -> Option<Endpoint> {
        let (new, port) = (self.server.as_ref()?, at.port?);
        if self.servers.iter().any(|old| at.meets(old)) {
            return Some(self.of_family(new, at));
        }
        let is_known = self.servers.iter().chain([new]).any(|server| server.port() == Some(port));
        let host = self.own(at).filter(|_| is_known).and_then(|own| Host::parse(&own).ok())?;
        Some(Endpoint { scheme: None, host: Some(host), written_port: new.port(), path: String::new() })
    }

    /// The new node's own API server: at its address of the same family, where it has one of each.
    fn of_family(&self, new: &Endpoint, at: &HostAt) -> Endpoint {
        let is_own = |host: &Host| matches!(host, Host::Address(own) if self.new.addresses.contains(own));
        let like = at.host.parse().ok().filter(|_| new.host.as_ref().is_some_and(is_own));
        let own = like.and_then(|like| self.address(like)).map(Host::Address);
        Endpoint { host: own.or(new.host.clone()), ..new.clone() }
    }

    /// The new node for the old one; of an address, the one of the same family.
    fn own(&self, at: &HostAt) -> Option<String> {
        match at.host.parse::<IpAddr>() {
            Ok(address) if self.old.addresses.contains(&address) => self.address(address).map(|own| own.to_string()),
            Err(_) if self.old.names.iter().any(|name| at.is(name)) => {
                self.new.names.first().map(|name| name.to_ascii_lowercase())
            }
            _ => None,
        }
    }

    fn address(&self, like: IpAddr) -> Option<IpAddr> {
        self.new.addresses.iter().find(|address| address.is_ipv4() == like.is_ipv4()).copied()
    }

    /// What no file shall name without a reason: the old node, or else the API servers that are left. A loopback address
    /// is everybody's.
    pub fn left(&self) -> Identity {
        if !self.is_of_servers() {
            return self.old.clone();
        }
        let mut left = Identity::default();
        for host in self.servers.iter().filter_map(|server| server.host.as_ref()).filter(|host| !host.is_loopback()) {
            match host {
                Host::Address(address) => left.addresses.push(*address),
                Host::Name(name) => left.names.push(name.clone()),
            }
        }
        left
    }

    /// A word of a text that names what is left, with why it may: the first one without a reason, or else the first.
    pub fn mention<'a>(&self, meaning: Option<Meaning>, text: &'a str) -> Option<(&'a str, Option<&'static str>)> {
        let left = self.left();
        let addresses = left.addresses.iter().copied().map(Host::Address);
        let all: Vec<Host> = addresses.chain(left.names.iter().filter_map(|name| Host::parse(name).ok())).collect();
        let named = |word: &&str| all.iter().any(|host| is_in(word, host)) || self.is_server(word);
        let found = words(text).filter(named).map(|word| (word, self.reason(meaning, word)));
        let all: Vec<(&str, Option<&'static str>)> = found.collect();
        all.iter().find(|(_, reason)| reason.is_none()).or(all.first()).copied()
    }

    /// Whether a word is one of the API servers that are left.
    pub(super) fn is_server(&self, word: &str) -> bool {
        self.is_of_servers() && Endpoint::parse(word).is_ok_and(|at| self.servers.iter().any(|old| at.meets(old)))
    }

    /// Whether a text has the port of an API server.
    pub(super) fn has_port(&self, text: &str) -> bool {
        self.servers.iter().chain(&self.server).filter_map(Endpoint::port).any(|port| has_port(text, port))
    }

    /// Why a word may go on naming what is left; none where a person has to look.
    pub(super) fn reason(&self, meaning: Option<Meaning>, word: &str) -> Option<&'static str> {
        match meaning {
            Some(Meaning::Stays(reason)) => Some(reason),
            _ if !self.is_of_servers() || meaning == Some(Meaning::ServerHost) => None,
            Some(Meaning::Own | Meaning::Name) => Some(OWN),
            _ if self.servers.iter().filter_map(Endpoint::port).any(|port| has_port(word, port)) => None,
            _ if words(word).any(|word| self.is_server(word)) => None,
            _ if has_port(word, 2379) || has_port(word, 2380) => Some(MEMBER),
            _ if hosts(word).iter().any(|at| at.port.is_some()) => Some(OTHER_PORT),
            _ => Some(NO_PORT),
        }
    }
}

fn has_port(text: &str, port: u16) -> bool {
    let port = format!(":{port}");
    text.match_indices(&port).any(|(at, _)| !text[at + port.len()..].starts_with(|next: char| next.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Endpoint {
        Endpoint::parse(text).unwrap()
    }

    fn of_a_node() -> Change {
        let identity = |addresses: [&str; 2], name: &str| Identity {
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
            names: vec![name.to_owned()],
        };
        Change {
            old: identity(["192.0.2.1", "2001:db8::1"], "one"),
            new: identity(["192.0.2.2", "2001:db8::2"], "Two"),
            servers: vec![at("192.0.2.3:6443"), at("three:6443")],
            server: Some(at("192.0.2.2:6443")),
        }
    }

    fn of_servers() -> Change {
        Change {
            servers: vec![at("192.0.2.1:6443"), at("127.0.0.1:6443")],
            server: Some(at("api.example:16443")),
            ..Change::default()
        }
    }

    #[test]
    fn a_value_changes_by_what_its_flag_means() {
        let becomes = |flag: &str, value: &str| of_a_node().flag("kubelet", flag, value);
        assert_eq!(becomes("node-ip", "192.0.2.1, 2001:DB8::1").as_deref(), Some("192.0.2.2, 2001:db8::2"));
        assert_eq!(becomes("hostname-override", "ONE").as_deref(), Some("two"));
        assert_eq!(
            becomes("api-servers", "https://three:6443,[2001:db8::1]:6443").as_deref(),
            Some("https://192.0.2.2:6443,[2001:db8::2]:6443")
        );
        for (flag, value) in [
            ("node-ip", "192.0.2.11"),
            ("hostname-override", "one.example"),
            ("master", "https://192.0.2.3:16443"),
            ("service-account-issuer", "https://192.0.2.1:6443"),
            ("node-labels", "host=one"),
        ] {
            assert_eq!(becomes(flag, value), None, "{flag}");
        }
    }

    #[test]
    fn an_endpoint_is_an_api_server_whatever_the_flag() {
        let becomes = |flag: &str, value: &str| of_servers().flag("kubelet", flag, value);
        assert_eq!(becomes("anything", "https://127.0.0.1:6443").as_deref(), Some("https://api.example:16443"));
        assert_eq!(becomes("service-account-issuer", "https://192.0.2.1:6443"), None);
        assert_eq!(becomes("node-ip", "192.0.2.1"), None);
    }

    #[test]
    fn what_is_left_is_found_and_judged() {
        let change = of_servers();
        let mention = |text| change.mention(None, text);
        assert_eq!(mention("see https://192.0.2.1:9, and more"), Some(("https://192.0.2.1:9", Some(OTHER_PORT))));
        assert_eq!(mention("192.0.2.1 x=127.0.0.1:6443"), Some(("127.0.0.1:6443", None)));
        assert_eq!(mention("127.0.0.1:10249 192.0.2.11:6443"), None);
        for (word, reason) in [
            ("192.0.2.1:6443", None),
            ("192.0.2.1:64430", Some(OTHER_PORT)),
            ("a=https://192.0.2.1:2379", Some(MEMBER)),
            ("192.0.2.1", Some(NO_PORT)),
        ] {
            assert_eq!(change.reason(None, word), reason, "{word}");
        }
        assert_eq!(change.reason(Some(Meaning::ServerHost), "192.0.2.1"), None);
    }
}
