//! Where a server is: `https://[2001:db8::1]:6443/path`, `host:port`, or an address alone.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use haengine_kernel::error::{Error, Kind, Result};

/// An address or a name, as the network sees it: two spellings of one are equal.
///
/// ```
/// use haengine_stdlib::node::endpoint::Host;
/// assert_eq!(Host::parse("::1").unwrap(), Host::parse("[0:0:0:0:0:0:0:1]").unwrap());
/// assert_eq!(Host::parse("Master1.Example.").unwrap(), Host::parse("master1.example").unwrap());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// IPv4 or IPv6.
    Address(IpAddr),
    /// A name, in lower case and without the final stop of a complete one.
    Name(String),
}

/// A server's place. Two are equal when their parts are, in whatever spelling.
///
/// ```
/// use haengine_stdlib::node::endpoint::Endpoint;
/// let endpoint = Endpoint::parse("https://[FD00::1]:6443/").unwrap();
/// assert_eq!((endpoint.port(), endpoint.to_string().as_str()), (Some(6443), "https://[fd00::1]:6443/"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// `https`, in lower case; none for `host:port`.
    pub scheme: Option<String>,
    /// The address or name; none for `:8080`, which listens on all.
    pub host: Option<Host>,
    /// The port that is written.
    pub written_port: Option<u16>,
    /// What follows, with its `/`.
    pub path: String,
}

impl Host {
    /// An address, in brackets or not, or a name.
    ///
    /// # Errors
    /// `node.endpoint` for anything else: a variable, a zone, an empty text.
    pub fn parse(text: &str) -> Result<Host> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(bare) = bare {
            let address: Ipv6Addr = bare.parse().map_err(|_| wrong(text, "has no IPv6 address in its brackets"))?;
            return Ok(Host::of(IpAddr::V6(address)));
        }
        match text.parse::<IpAddr>() {
            Ok(address) => Ok(Host::of(address)),
            Err(_) if is_name(text) => Ok(Host::Name(text.trim_end_matches('.').to_ascii_lowercase())),
            Err(_) => Err(wrong(text, "is no address and no name")),
        }
    }

    /// True for `0.0.0.0` and `::`.
    pub fn is_every(&self) -> bool {
        matches!(self, Host::Address(address) if address.is_unspecified())
    }

    /// True for 127.0.0.0/8, `::1` and `localhost`.
    pub fn is_loopback(&self) -> bool {
        match self {
            Host::Address(address) => address.is_loopback(),
            Host::Name(name) => name == "localhost",
        }
    }

    /// As it stands before a port: IPv6 in brackets.
    pub fn bracketed(&self) -> String {
        match self {
            Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
            other => other.to_string(),
        }
    }

    /// An IPv4 address within IPv6 is the IPv4 one.
    fn of(address: IpAddr) -> Host {
        Host::Address(address.to_canonical())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Address(address) => address.fmt(f),
            Host::Name(name) => f.write_str(name),
        }
    }
}

impl From<Ipv4Addr> for Host {
    fn from(address: Ipv4Addr) -> Host {
        Host::of(IpAddr::V4(address))
    }
}

impl Endpoint {
    /// A URL, `host:port`, or a host alone.
    ///
    /// # Errors
    /// `node.endpoint`, which says what is wrong. One with a user's name or password is refused and not quoted.
    pub fn parse(text: &str) -> Result<Endpoint> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme.to_ascii_lowercase()), rest),
            Some(_) => return Err(wrong(text, "has a scheme that is none")),
            None => (None, text),
        };
        let (place, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if place.contains('@') {
            return Err(
                refused("an endpoint has a name or a password in it".to_owned()).hint("leave out what is before `@`")
            );
        }
        let (host, port) = parts(text, place)?;
        let host = if host.is_empty() { None } else { Some(Host::parse(host).map_err(|_| unknown(text, host))?) };
        let is_whole = host.is_some() || (port.is_some() && path.is_empty());
        if !is_whole || (path.starts_with(['?', '#'])) || path.contains(char::is_whitespace) {
            return Err(wrong(text, "is no endpoint"));
        }
        Ok(Endpoint { scheme, host, written_port: port, path: path.to_owned() })
    }

    /// The port that is meant: the one written, or the scheme's.
    pub fn port(&self) -> Option<u16> {
        self.written_port.or(match self.scheme.as_deref() {
            Some("https") => Some(443),
            Some("http") => Some(80),
            _ => None,
        })
    }

    /// True when both lead to the same host and port, whatever the scheme, the spelling and the path.
    pub fn meets(&self, other: &Endpoint) -> bool {
        self.host.is_some() && self.host == other.host && self.port() == other.port()
    }

    /// The same with another host; scheme, port and path stay.
    #[must_use]
    pub fn with_host(&self, host: &Host) -> Endpoint {
        Endpoint { host: Some(host.clone()), ..self.clone() }
    }

    /// The same at the host and the port of another one; scheme and path stay.
    #[must_use]
    pub fn moved_to(&self, other: &Endpoint) -> Endpoint {
        let port = if other.written_port == self.written_port { self.written_port } else { other.port() };
        Endpoint { host: other.host.clone(), written_port: port, ..self.clone() }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = &self.scheme {
            write!(f, "{scheme}://")?;
        }
        match &self.host {
            Some(host) if self.scheme.is_some() || self.written_port.is_some() => f.write_str(&host.bracketed())?,
            Some(host) => host.fmt(f)?,
            None => {}
        }
        if let Some(port) = self.written_port {
            write!(f, ":{port}")?;
        }
        f.write_str(&self.path)
    }
}

/// The host and the port of `host:port`, `[host]:port`, or a host alone.
fn parts<'a>(text: &str, place: &'a str) -> Result<(&'a str, Option<u16>)> {
    if place.parse::<Ipv6Addr>().is_ok() {
        return Ok((place, None));
    }
    let bracket = place.rfind(']').map_or(0, |at| at + 1);
    match place[bracket..].rfind(':') {
        None => Ok((place, None)),
        Some(colon) => {
            let (host, port) = place.split_at(bracket + colon);
            let port = &port[1..];
            let is_digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            let number = port.parse::<u16>().ok().filter(|_| is_digits);
            let number = number.ok_or_else(|| wrong(text, "has a port that is none"))?;
            Ok((host, Some(number)))
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Host names as they are out there: with `_`, but never all digits at the end, as an address would be.
fn is_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(is_label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

fn unknown(text: &str, host: &str) -> Error {
    let what = match host {
        _ if host.contains(['$', '{']) => "names a variable",
        _ if host.contains('%') => "has a zone, which is known only on its own host",
        _ if host.matches(':').count() > 1 => "has an IPv6 address without brackets, or a wrong one",
        _ => "has no address and no name where its host should be",
    };
    wrong(text, what)
}

fn wrong(text: &str, what: &str) -> Error {
    let shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    refused(format!("`{shown}` {what}"))
}

fn refused(message: String) -> Error {
    Error::new(Kind::Refused, "node.endpoint", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Endpoint {
        Endpoint::parse(text).unwrap()
    }

    #[test]
    fn all_forms_are_read_and_written() {
        for text in [
            "https://10.0.0.1:6443",
            "https://[fd00::1]:6443/k8s/clusters/c-1",
            "https://lb.example",
            "10.0.0.1:2379",
            "[::1]:2379",
            "::1",
            "10.0.0.1",
            "node-1",
            ":8080",
            "http://localhost:8080/?x=1",
        ] {
            assert_eq!(parse(text).to_string(), text);
        }
        assert_eq!(parse("https://a").port(), Some(443));
        assert_eq!(parse("http://a").port(), Some(80));
        assert_eq!(parse("a").port(), None);
    }

    #[test]
    fn spellings_do_not_matter() {
        for (one, other) in [
            ("https://MASTER1.example:6443", "master1.example.:6443"),
            ("https://[::1]:6443", "https://[0:0:0:0:0:0:0:1]:6443"),
            ("https://a", "a:443"),
            ("[::ffff:10.0.0.1]:1", "10.0.0.1:1"),
        ] {
            assert!(parse(one).meets(&parse(other)), "{one} {other}");
        }
        assert!(!parse("a:1").meets(&parse("a:2")) && !parse(":1").meets(&parse(":1")));
        assert!(parse("[::]:1").host.unwrap().is_every() && parse("127.0.0.2:1").host.unwrap().is_loopback());
    }

    #[test]
    fn one_moves_to_another() {
        let moved = |from: &str, to: &str| parse(from).moved_to(&parse(to)).to_string();
        assert_eq!(moved("https://10.0.0.1:6443/x", "[fd00::1]:8443"), "https://[fd00::1]:8443/x");
        assert_eq!(moved("https://10.0.0.1", "10.0.0.2:6443"), "https://10.0.0.2:6443");
        assert_eq!(moved("https://10.0.0.1:6443", "https://lb.example"), "https://lb.example:443");
        assert_eq!(moved("https://10.0.0.1", "https://lb.example"), "https://lb.example");
    }

    #[test]
    fn what_is_none_is_refused_by_name() {
        for (text, why) in [
            ("https://${VIP}:6443", "names a variable"),
            ("https://fd00::1:6443:x", "a port that is none"),
            ("https://10.0.0.1:64430", ""),
            ("https://10.0.0.1:99999", "a port that is none"),
            ("https://10.0.0.1:", "a port that is none"),
            ("010.0.0.1:6443", "no address and no name"),
            ("https://[fe80::1%25eth0]:6443", "a zone"),
            ("https://", "is no endpoint"),
            ("", "is no endpoint"),
            ("https://a b:1", "no address"),
            ("//a:1", "is no endpoint"),
        ] {
            match Endpoint::parse(text) {
                Err(error) => assert!(error.message().contains(why) && !why.is_empty(), "{text}: {error}"),
                Ok(_) => assert!(why.is_empty(), "{text}"),
            }
        }
        assert!(!Endpoint::parse("https://u:secret@a").unwrap_err().message().contains("secret"));
    }
}
