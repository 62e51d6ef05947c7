//! What a lab shall be: names, addresses, keys.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The hosts that a lab shall have.
#[derive(Clone, Debug, Default)]
pub struct LabSpec {
    /// The hosts, each with a name and an address of its own.
    pub hosts: Vec<HostSpec>,
    /// A public key (the text of a `.pub` file) that may log in to every account of every host. The lab's own
    /// key ([`Lab::identity`](crate::Lab::identity)) always may.
    pub authorized_key: Option<String>,
}

/// One host of a lab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSpec {
    /// The name in the inventory.
    pub name: String,
    /// What `hostname` says on the host.
    pub hostname: String,
    /// Its address; its network is the /24 around it.
    pub address: Ipv4Addr,
    /// Where its sshd listens.
    pub port: u16,
    /// Raises sshd's `MaxSessions` and `MaxStartups`, for tests of scale. A stock sshd allows ten of each.
    pub generous_sshd: bool,
    /// A folder of this machine that the host sees read-only at `/usr/local/lib/kubernetes/bin`; see
    /// [`kubernetes::binaries`](crate::kubernetes::binaries).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<PathBuf>,
    /// The folder of a host in what [`Lab::export`](crate::Lab::export) copied: the host begins as that one was, but for its
    /// names, its keys and its machine-id. It must stay there as long as the lab is up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_on: Option<PathBuf>,
}

impl HostSpec {
    /// A host that is called the same everywhere and has a stock sshd on port 22.
    pub fn new(name: impl Into<String>, address: Ipv4Addr) -> HostSpec {
        let name = name.into();
        HostSpec {
            hostname: name.clone(),
            name,
            address,
            port: 22,
            generous_sshd: false,
            kubernetes: None,
            stands_on: None,
        }
    }
}

impl LabSpec {
    /// Refuses what could not be built.
    pub(crate) fn check(&self) -> Result<()> {
        let (mut names, mut addresses) = (BTreeSet::new(), BTreeSet::new());
        for host in &self.hosts {
            check_name("host", &host.name)?;
            check_name("hostname", &host.hostname)?;
            if !names.insert(&host.name) {
                return Err(refused(format!("host `{}` is there twice", host.name)));
            }
            if !addresses.insert(host.address) {
                return Err(refused(format!("address `{}` is given to two hosts", host.address)));
            }
            if matches!(host.address.octets()[3], 0 | 255) || host.address.is_loopback() {
                return Err(refused(format!("`{}` of host `{}` is no address for a host", host.address, host.name)));
            }
            if let Some(folder) = host.kubernetes.as_ref().filter(|folder| !folder.is_absolute() || !folder.is_dir()) {
                return Err(refused(format!(
                    "`{}`, which host `{}` shall see, is no folder",
                    folder.display(),
                    host.name
                ))
                .hint("give the full path of a folder with Kubernetes' programs"));
            }
            if let Some(folder) = host.stands_on.as_ref().filter(|folder| !is_disk(folder)) {
                let (name, folder) = (&host.name, folder.display());
                return Err(refused(format!("`{folder}`, which host `{name}` shall stand on, is no disk of a host"))
                    .hint("give the full path of a host's folder in what was exported, without colon, comma and backslash"));
            }
        }
        Ok(())
    }
}

/// Whether a host's disk can stand on this folder: paths stand in the options of mounts, which colons and commas take apart.
fn is_disk(folder: &Path) -> bool {
    let can_be_named = folder.to_str().is_some_and(|text| !text.contains([':', ',', '\\']));
    can_be_named && folder.is_absolute() && folder.join("0").is_dir()
}

/// Names become folders, machines and host names, so they are held to what all of these allow.
pub(crate) fn check_name(what: &str, name: &str) -> Result<()> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let edges = name.starts_with(['-', '.']) || name.ends_with(['-', '.']);
    if name.is_empty() || name.len() > 63 || edges || !name.chars().all(legal) {
        return Err(refused(format!("`{name}` cannot be the name of a {what} in the lab"))
            .hint("use up to 63 letters, digits, dots and dashes"));
    }
    Ok(())
}

/// The address of the operator's side in each /24 of the lab: .254, or the highest that no host has.
pub(crate) fn operator_addresses(hosts: &[HostSpec]) -> Result<Vec<Ipv4Addr>> {
    let mut taken: BTreeMap<[u8; 3], BTreeSet<u8>> = BTreeMap::new();
    for host in hosts {
        taken.entry(network(host.address)).or_default().insert(host.address.octets()[3]);
    }
    taken
        .into_iter()
        .map(|([a, b, c], used)| {
            let last = (1..=254).rev().find(|last| !used.contains(last));
            last.map(|last| Ipv4Addr::new(a, b, c, last))
                .ok_or_else(|| refused(format!("network {a}.{b}.{c}.0/24 has no address left for the operator's side")))
        })
        .collect()
}

/// The first three numbers of an address.
pub(crate) fn network(address: Ipv4Addr) -> [u8; 3] {
    let [a, b, c, _] = address.octets();
    [a, b, c]
}

fn refused(message: String) -> Error {
    Error::new("lab.spec", message).hint("correct the inventory")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, address: &str) -> HostSpec {
        HostSpec::new(name, address.parse().unwrap())
    }

    fn check(hosts: Vec<HostSpec>) -> Result<()> {
        LabSpec { hosts, authorized_key: None }.check()
    }

    #[test]
    fn the_operator_lives_at_254_or_below() {
        let hosts = [host("a", "192.168.2.11"), host("b", "192.168.2.254"), host("c", "10.0.0.1")];
        let addresses = operator_addresses(&hosts).unwrap();
        assert_eq!(addresses, ["10.0.0.254".parse::<Ipv4Addr>().unwrap(), "192.168.2.253".parse().unwrap()]);
    }

    #[test]
    fn a_full_network_is_refused() {
        let hosts: Vec<_> = (1..=254).map(|n| host(&format!("h{n}"), &format!("10.0.0.{n}"))).collect();
        assert!(operator_addresses(&hosts).unwrap_err().message.contains("10.0.0.0/24"));
    }

    #[test]
    fn twins_are_refused() {
        assert!(check(vec![host("a", "10.0.0.1"), host("a", "10.0.0.2")]).unwrap_err().message.contains("twice"));
        assert!(check(vec![host("a", "10.0.0.1"), host("b", "10.0.0.1")]).unwrap_err().message.contains("two hosts"));
        assert!(check(vec![host("a", "10.0.0.1"), host("b", "10.0.0.2")]).is_ok());
    }

    #[test]
    fn names_that_escape_their_folder_are_refused() {
        for name in ["", "..", "../x", "a/b", "-a", "a b", "a.", &"x".repeat(64)] {
            assert!(check_name("host", name).is_err(), "{name:?}");
        }
        for name in ["a", "master1", "k8s-master1.site", "10"] {
            assert!(check_name("host", name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_refused() {
        let lost = |folder: &str| HostSpec { kubernetes: Some(folder.into()), ..host("a", "10.0.0.1") };
        assert!(check(vec![lost("/no/such/folder")]).unwrap_err().message.contains("/no/such/folder"));
        assert!(check(vec![lost(".")]).is_err());
        assert!(check(vec![lost("/")]).is_ok());
    }

    #[test]
    fn networks_and_broadcasts_are_no_hosts() {
        assert!(check(vec![host("a", "10.0.0.0")]).is_err());
        assert!(check(vec![host("a", "10.0.0.255")]).is_err());
        assert!(check(vec![host("a", "127.0.0.1")]).is_err());
    }
}
