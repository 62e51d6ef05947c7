//! The files of a node for another one: its own address and name, and the API server that it talks to.

use std::net::IpAddr;

use haengine_kernel::error::Result;

use super::hosts::{Host, hosts, same};
pub use super::identity::Identity;
use super::meant::Meant;
use super::mentions::{Mention, mentions};
use super::naming::{Meaning, meaning};
use super::program::Program;
use super::rewrite::{Part, Use, edits};
use super::service::Service;
use super::traced::{Files, Letter, text};

/// From one node to another.
#[derive(Clone, Debug, Default)]
pub struct Rename {
    /// The node that the files are of.
    pub old: Identity,
    /// The node that they shall be for.
    pub new: Identity,
    /// The addresses and names of all API servers that the new node shall not talk to, but to its own.
    pub servers: Vec<String>,
    /// The ports of these.
    pub ports: Vec<u16>,
}

/// What came of a [`Rename`].
#[derive(Clone, Debug)]
pub struct Renamed {
    /// The files that change, with their new texts.
    pub changed: Vec<(String, String)>,
    /// Where the files still name the old node.
    pub left: Vec<Mention>,
}

impl Rename {
    /// The files of these services for the new node.
    ///
    /// Flags and the variables that stand for flags are changed by what they mean. A variable that a command line names
    /// is changed if all flags that use it want the same; a command beside the program (`ExecStartPre=` and its like)
    /// goes along with that.
    ///
    /// # Errors
    /// As [`Program::of`] for a service whose flags cannot be told, and as [`Program::set`] for a value that cannot be
    /// changed without changing something else.
    pub fn of(&self, files: &Files, services: &[Service]) -> Result<Renamed> {
        let programs = services.iter().map(|service| Program::of(files, service)).collect::<Result<Vec<_>>>()?;
        let mut meant = Vec::new();
        for (program, service) in programs.iter().zip(services) {
            meant.extend(self.flags(program));
            meant.extend(self.variables(program, service));
        }
        let uses: Vec<Use<'_>> = meant.iter().map(|one| one.used.clone()).collect();
        let edits = edits(files, &uses)?;
        let left = mentions(files, services, &self.old, &meant, &edits);
        Ok(Renamed { changed: files.edited(&edits)?, left })
    }

    /// What the value of a flag becomes, for flags that are written elsewhere: in the manifest of a static pod, say.
    /// None where it stays.
    ///
    /// ```
    /// use haengine_stdlib::node::rename::{Identity, Rename};
    /// let of = |address: &str| Identity { addresses: vec![address.parse().unwrap()], names: Vec::new() };
    /// let rename = Rename { old: of("192.0.2.1"), new: of("192.0.2.2"), ..Rename::default() };
    /// let becomes = rename.value("etcd", "listen-client-urls", "https://127.0.0.1:2379,https://192.0.2.1:2379");
    /// assert_eq!(becomes.as_deref(), Some("https://127.0.0.1:2379,https://192.0.2.2:2379"));
    /// assert_eq!(rename.value("kube-apiserver", "etcd-servers", "https://192.0.2.1:2379"), None);
    /// ```
    pub fn value(&self, program: &str, flag: &str, value: &str) -> Option<String> {
        let letters: Vec<char> = value.chars().collect();
        let (mut becomes, mut done) = (String::new(), 0);
        for part in self.parts(meaning(program, flag, value), value, 0) {
            becomes.extend(&letters[done..part.range.start]);
            becomes += &part.text;
            done = part.range.end;
        }
        becomes.extend(&letters[done..]);
        (becomes != value).then_some(becomes)
    }

    fn flags<'a>(&self, program: &'a Program) -> Vec<Meant<'a>> {
        let given = program.flags.given.iter().filter_map(|flag| Some((flag, flag.value.as_ref()?)));
        let meant = given.map(|(flag, value)| {
            let said = flag.said();
            let meaning = meaning(&program.name, &flag.name, &said);
            let letters = &program.words[value.word].letters;
            let parts = self.parts(meaning, &said, value.from);
            Meant { value: &letters[value.from..], meaning, used: Use { letters, parts } }
        });
        meant.collect()
    }

    /// Variables that stand for flags, and those that every client of the API takes its server from.
    fn variables<'a>(&self, program: &'a Program, service: &'a Service) -> Vec<Meant<'a>> {
        let standing = program
            .variables
            .iter()
            .map(|(name, value)| (meaning(&program.name, name, &text(value)), value.as_slice()));
        let server = self.server_of(service).map(|value| (Some(Meaning::ServerHost), value));
        let meant = standing.filter(|(meaning, _)| meaning.is_some()).chain(server).map(|(meaning, letters)| {
            let parts = self.parts(meaning, &text(letters), 0);
            Meant { value: letters, meaning, used: Use { letters, parts } }
        });
        meant.collect()
    }

    /// The value of `KUBERNETES_SERVICE_HOST`, where it and its port mean the old node's API server.
    fn server_of<'a>(&self, service: &'a Service) -> Option<&'a [Letter]> {
        let host = service.environment.get("KUBERNETES_SERVICE_HOST")?;
        let port = service.environment.get("KUBERNETES_SERVICE_PORT").map(text)?.parse().ok()?;
        self.ports.contains(&port).then_some(host)
    }

    /// The changes of a value that begins at this letter of its word.
    fn parts(&self, meaning: Option<Meaning>, value: &str, from: usize) -> Vec<Part> {
        if meaning == Some(Meaning::Name) {
            let known = self.old.names.iter().any(|name| same(name, value));
            let becomes = self.new.names.first().filter(|_| known);
            let range = from..from + value.chars().count();
            return becomes.map(|text| Part { range, text: text.to_ascii_lowercase() }).into_iter().collect();
        }
        let becomes = |host: &Host| match meaning? {
            Meaning::Own => self.own(host),
            Meaning::Server => host.port.filter(|port| self.ports.contains(port)).and_then(|_| self.server(host)),
            Meaning::ServerHost => self.server(host),
            _ => None,
        };
        let parts = hosts(value).into_iter().filter_map(|host| {
            let text = becomes(&host)?;
            Some(Part { range: from + host.range.start..from + host.range.end, text })
        });
        parts.collect()
    }

    /// The new node for the old one; of an address, the one of the same family.
    fn own(&self, host: &Host) -> Option<String> {
        if self.old.names.iter().any(|name| host.is(name)) && host.host.parse::<IpAddr>().is_err() {
            return self.new.names.first().map(|name| name.to_ascii_lowercase());
        }
        let address = host.host.parse::<IpAddr>().ok()?;
        self.old.addresses.contains(&address).then(|| self.address(address)).flatten()
    }

    fn address(&self, like: IpAddr) -> Option<String> {
        let same_family = |address: &&IpAddr| address.is_ipv4() == like.is_ipv4();
        self.new.addresses.iter().find(same_family).map(IpAddr::to_string)
    }

    /// The new node for any of the API servers.
    fn server(&self, host: &Host) -> Option<String> {
        if let Some(own) = self.own(host) {
            return Some(own);
        }
        let known = self.servers.iter().any(|server| host.is(server));
        known.then(|| host.host.parse().map_or_else(|_| self.first(), |address| self.address(address))).flatten()
    }

    /// The address that stands for the new node where the old one had a name: one that needs no brackets.
    fn first(&self) -> Option<String> {
        self.new.addresses.iter().find(|address| address.is_ipv4()).map(IpAddr::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rename() -> Rename {
        let identity = |addresses: [&str; 2], name: &str| Identity {
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
            names: vec![name.to_owned()],
        };
        Rename {
            old: identity(["192.0.2.1", "2001:db8::1"], "one"),
            new: identity(["192.0.2.2", "2001:db8::2"], "Two"),
            servers: vec!["192.0.2.3".to_owned(), "three".to_owned()],
            ports: vec![6443],
        }
    }

    #[test]
    fn a_value_changes_by_what_its_flag_means() {
        let becomes = |flag: &str, value: &str| rename().value("kubelet", flag, value);
        assert_eq!(becomes("node-ip", "192.0.2.1,2001:DB8::1").as_deref(), Some("192.0.2.2,2001:db8::2"));
        assert_eq!(becomes("hostname-override", "ONE").as_deref(), Some("two"));
        assert_eq!(
            becomes("api-servers", "https://three:6443,192.0.2.3:6443").as_deref(),
            Some("https://192.0.2.2:6443,192.0.2.2:6443")
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
}
