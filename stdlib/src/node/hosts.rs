//! The hosts in a value: a bare address, `ADDRESS:PORT`, a URL, a list of them, `member=URL`.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

/// A host as a value names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The address, without brackets, or the name.
    pub host: String,
    /// Which letters of the value it is, without brackets.
    pub range: Range<usize>,
    /// The port; where a URL names none, the one that its scheme means.
    pub port: Option<u16>,
}

impl Host {
    /// Whether this is the host of that name or address. Names are the same whatever the case, addresses however
    /// written.
    pub fn is(&self, other: &str) -> bool {
        same(&self.host, other)
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
/// let found = hosts("one=https://[fd00::1]:2380,two=https://192.0.2.2:2380");
/// assert_eq!((found[0].host.as_str(), found[0].port), ("fd00::1", Some(2380)));
/// assert_eq!((found[1].host.as_str(), found[1].range.clone()), ("192.0.2.2", 39..48));
/// ```
pub fn hosts(value: &str) -> Vec<Host> {
    let letters: Vec<char> = value.chars().collect();
    let (mut found, mut start) = (Vec::new(), 0);
    for item in letters.split(|letter| *letter == ',') {
        found.extend(host(item, start));
        start += item.len() + 1;
    }
    found
}

fn host(item: &[char], start: usize) -> Option<Host> {
    let said: String = item.iter().collect();
    let (before, scheme) = match said.find("://") {
        Some(at) => (said[..at].chars().count() + 3, said[..at].rsplit('=').next().map(str::to_owned)),
        None => (item.iter().rposition(|letter| *letter == '=').map_or(0, |at| at + 1), None),
    };
    let rest: String = item[before..].iter().collect();
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, inner, port) = parts(authority);
    let from = start + before + inner;
    let port = port.and_then(|port| port.parse().ok()).or(scheme.and_then(|scheme| usual_port(&scheme)));
    let range = from..from + host.chars().count();
    (!host.is_empty()).then(|| Host { host: host.to_owned(), range, port })
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
    match scheme {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(value: &str) -> Vec<String> {
        let one = |host: Host| {
            let letters: String = value.chars().skip(host.range.start).take(host.range.len()).collect();
            assert_eq!(letters, host.host);
            format!("{} {}", host.host, host.port.map_or_else(|| "-".to_owned(), |port| port.to_string()))
        };
        hosts(value).into_iter().map(one).collect()
    }

    #[test]
    fn hosts_are_found_in_every_kind_of_value() {
        assert_eq!(said("192.0.2.1"), ["192.0.2.1 -"]);
        assert_eq!(said("fd00::1,192.0.2.1"), ["fd00::1 -", "192.0.2.1 -"]);
        assert_eq!(said("[::]:10249"), [":: 10249"]);
        assert_eq!(said("https://master1/healthz"), ["master1 443"]);
        assert_eq!(said("unix:///run/x.sock,tcp://a:1"), ["a 1"]);
        assert_eq!(said("a=http://b:2380,c=d"), ["b 2380", "d -"]);
        assert!(said("").is_empty());
    }

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        assert!(same("fd00::1", "FD00:0::0:1") && same("Master1", "master1") && !same("192.0.2.1", "192.0.2.10"));
    }
}
