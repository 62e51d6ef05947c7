//! The hosts in a value: a bare address, `ADDRESS:PORT`, a URL, a list of them, `member=URL`.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

use super::endpoint::{Endpoint, Host};
use super::rewrite::Part;

/// A host where a value names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAt {
    /// The address, without brackets, or the name.
    pub host: String,
    /// Which letters of the value it is, without brackets.
    pub range: Range<usize>,
    /// The port; where a URL names none, the one that its scheme means.
    pub port: Option<u16>,
    /// The letters of the host with its brackets and its port.
    pub authority: Range<usize>,
    /// The letters of the port, where it is written.
    pub written_port: Option<Range<usize>>,
}

impl HostAt {
    /// Whether this is the host of that name or address. Names are the same whatever the case, addresses however
    /// written.
    pub fn is(&self, other: &str) -> bool {
        same(&self.host, other)
    }

    /// Whether that server is meant.
    pub fn meets(&self, server: &Endpoint) -> bool {
        self.port.is_some() && self.port == server.port() && Host::parse(&self.host).ok() == server.host
    }

    /// What has to be written for another server in its place, and no letter more.
    pub(super) fn rewritten(&self, server: &Endpoint) -> Vec<Part> {
        let Some(host) = &server.host else { return Vec::new() };
        let is_port_same = server.port() == self.port;
        let port = server.port().map(|port| port.to_string()).unwrap_or_default();
        let has_brackets = self.authority.start != self.range.start;
        let alike = has_brackets == matches!(host, Host::Address(IpAddr::V6(_)));
        if !alike || self.written_port.is_none() && !is_port_same {
            let is_silent = self.written_port.is_none() && is_port_same;
            let end = if is_silent { String::new() } else { format!(":{port}") };
            return vec![Part { range: self.authority.clone(), text: host.bracketed() + &end }];
        }
        let is_host_same = Host::parse(&self.host).is_ok_and(|own| own == *host);
        let host = (!is_host_same).then(|| Part { range: self.range.clone(), text: host.to_string() });
        let written = self.written_port.clone().filter(|_| !is_port_same);
        host.into_iter().chain(written.map(|range| Part { range, text: port })).collect()
    }
}

/// Whether two names or addresses are the same.
pub(super) fn same(one: &str, other: &str) -> bool {
    match (one.parse::<IpAddr>(), other.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one.eq_ignore_ascii_case(other),
    }
}

/// All hosts in a value.
///
/// ```
/// use haengine_stdlib::node::hosts::hosts;
/// let found = hosts("one=https://[fd00::1]:2380, two=https://192.0.2.2:2380");
/// assert_eq!((found[0].host.as_str(), found[0].port), ("fd00::1", Some(2380)));
/// assert_eq!((found[1].host.as_str(), found[1].range.clone()), ("192.0.2.2", 40..49));
/// ```
pub fn hosts(value: &str) -> Vec<HostAt> {
    let letters: Vec<char> = value.chars().collect();
    let (mut found, mut start) = (Vec::new(), 0);
    for item in letters.split(|letter| *letter == ',') {
        let blanks = item.iter().take_while(|letter| letter.is_whitespace()).count();
        let end = item.iter().rposition(|letter| !letter.is_whitespace()).map_or(blanks, |last| last + 1);
        found.extend(host(&item[blanks..end], start + blanks));
        start += item.len() + 1;
    }
    found
}

fn host(item: &[char], start: usize) -> Option<HostAt> {
    if item.iter().any(|letter| letter.is_whitespace()) {
        return None;
    }
    let said: String = item.iter().collect();
    let (before, scheme) = match said.find("://") {
        Some(at) => (said[..at].chars().count() + 3, said[..at].rsplit('=').next().map(str::to_owned)),
        None => (item.iter().rposition(|letter| *letter == '=').map_or(0, |at| at + 1), None),
    };
    let rest: String = item[before..].iter().collect();
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, inner, port) = parts(authority);
    let (first, length) = (start + before, authority.chars().count());
    let digits = port.filter(|port| port.parse::<u16>().is_ok()).map(str::len);
    let from = first + inner;
    (!host.is_empty()).then(|| HostAt {
        host: host.to_owned(),
        range: from..from + host.chars().count(),
        port: port.and_then(|port| port.parse().ok()).or(scheme.and_then(|scheme| usual_port(&scheme))),
        authority: first..first + length,
        written_port: digits.map(|digits| first + length - digits..first + length),
    })
}

/// The host, where it begins, and the port.
fn parts(authority: &str) -> (&str, usize, Option<&str>) {
    if let Some((host, rest)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, 1, rest.strip_prefix(':'));
    }
    if authority.parse::<Ipv6Addr>().is_ok() {
        return (authority, 0, None);
    }
    match authority.rsplit_once(':') {
        Some((host, port)) => (host, 0, Some(port)),
        None => (authority, 0, None),
    }
}

fn usual_port(scheme: &str) -> Option<u16> {
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(value: &str) -> Vec<String> {
        let one = |host: HostAt| {
            let letters: String = value.chars().skip(host.range.start).take(host.range.len()).collect();
            assert_eq!(letters, host.host);
            format!("{} {}", host.host, host.port.map_or_else(|| "-".to_owned(), |port| port.to_string()))
        };
        hosts(value).into_iter().map(one).collect()
    }

    #[test]
    fn hosts_are_found_in_every_kind_of_value() {
        assert_eq!(said("192.0.2.1"), ["192.0.2.1 -"]);
        assert_eq!(said("fd00::1, 192.0.2.1 "), ["fd00::1 -", "192.0.2.1 -"]);
        assert_eq!(said("[::]:10249"), [":: 10249"]);
        assert_eq!(said("https://master1/healthz"), ["master1 443"]);
        assert_eq!(said("unix:///run/x.sock,tcp://a:1"), ["a 1"]);
        assert_eq!(said("a=http://b:2380,c=d"), ["b 2380", "d -"]);
        assert!(said("").is_empty() && said(" , ").is_empty() && said("see https://a:1").is_empty());
    }

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        assert!(same("fd00::1", "FD00:0::0:1") && same("Master1", "master1") && !same("192.0.2.1", "192.0.2.10"));
    }

    #[test]
    fn another_server_takes_its_place() {
        let becomes = |value: &str, server: &str| {
            let parts = hosts(value)[0].rewritten(&Endpoint::parse(server).unwrap());
            let mut letters: Vec<char> = value.chars().collect();
            for part in parts.iter().rev() {
                letters.splice(part.range.clone(), part.text.chars());
            }
            letters.into_iter().collect::<String>()
        };
        assert_eq!(becomes("HTTPS://a.b:6443/x", "c:16443"), "HTTPS://c:16443/x");
        assert_eq!(becomes("https://[fd00::1]:6443", "[fd00::2]:6443"), "https://[fd00::2]:6443");
        assert_eq!(becomes("[fd00::1]:6443", "192.0.2.2:8443"), "192.0.2.2:8443");
        assert_eq!(becomes("https://192.0.2.1:6443/", "[fd00::2]:6443"), "https://[fd00::2]:6443/");
        assert_eq!(becomes("https://a/x", "b:6443"), "https://b:6443/x");
        assert_eq!(becomes("https://a/x", "b:443"), "https://b/x");
    }
}
