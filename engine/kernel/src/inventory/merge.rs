//! Several files become one inventory, and the names in it are checked against each other.

use std::collections::BTreeMap;
use std::path::Path;

use super::host::{Become, HostSpec};
use super::parse::{Draft, GroupDraft, HostDraft};
use super::settings::Settings;
use super::source::{Spot, quoted};
use super::{Inventory, Variable, suggest};
use crate::error::{Error, Result};

/// Merges the files in their order: later ones win for defaults and variables, and add to groups.
///
/// # Errors
/// When there is no host, or a name is given twice, or means nothing, or hosts are reached through each other.
pub(super) fn merge(drafts: Vec<Draft<'_>>, home: Option<&Path>) -> Result<Inventory> {
    let names = Names::of(&drafts)?;
    names.check(&drafts)?;
    check_jumps(&drafts)?;
    let defaults = drafts.iter().rev().fold(Settings::default(), |all, draft| all.or(&draft.defaults));
    let vars: BTreeMap<String, Variable> = drafts.iter().flat_map(|draft| draft.vars.clone()).collect();
    let mut inventory = Inventory { vars, ..Inventory::default() };
    for draft in drafts {
        for host in draft.hosts {
            let host = finish(host, &defaults, &inventory.vars, draft.source.base(), home)?;
            inventory.hosts.push(host);
        }
        draft.groups.into_iter().for_each(|group| join(&mut inventory.groups, group));
    }
    Ok(inventory)
}

/// Where each name was given first.
struct Names<'d, 'a> {
    hosts: BTreeMap<&'d str, Spot<'a>>,
    groups: BTreeMap<&'d str, Spot<'a>>,
}

impl<'d, 'a> Names<'d, 'a> {
    fn of(drafts: &'d [Draft<'a>]) -> Result<Self> {
        let mut names = Names { hosts: BTreeMap::new(), groups: BTreeMap::new() };
        for host in drafts.iter().flat_map(|draft| &draft.hosts) {
            if let Some(first) = names.hosts.insert(&host.name, host.spot) {
                return Err(twice(
                    "inventory.duplicate_host",
                    &host.name,
                    "is given twice",
                    host.spot,
                    "first given here",
                    first,
                )
                .hint("keep one of the two"));
            }
        }
        for group in drafts.iter().flat_map(|draft| &draft.groups) {
            names.groups.entry(&group.name).or_insert(group.spot);
        }
        match drafts.first() {
            Some(draft) if names.hosts.is_empty() => Err(no_hosts(draft)),
            _ => Ok(names),
        }
    }

    fn check(&self, drafts: &[Draft<'a>]) -> Result<()> {
        for group in drafts.iter().flat_map(|draft| &draft.groups) {
            if let Some(host) = self.hosts.get(group.name.as_str()) {
                return Err(twice(
                    "inventory.duplicate_name",
                    &group.name,
                    "is both a host and a group",
                    group.spot,
                    "the host is here",
                    *host,
                )
                .hint("rename one of the two"));
            }
            group.members.iter().try_for_each(|(name, spot)| self.known(name, *spot, "a group lists hosts only"))?;
        }
        let jumps = drafts.iter().flat_map(|draft| &draft.hosts).filter_map(|host| host.jump.as_ref());
        jumps.into_iter().try_for_each(|(name, spot)| self.known(name, *spot, "a jump goes through one host"))
    }

    fn known(&self, name: &str, spot: Spot<'_>, not_group: &str) -> Result<()> {
        if self.hosts.contains_key(name) {
            return Ok(());
        }
        if self.groups.contains_key(name) || name == super::name::ALL {
            return Err(spot
                .error("inventory.unknown_host", &format!("{} is a group; {not_group}", quoted(name)))
                .hint(format!("name hosts of {} instead", quoted(name))));
        }
        Err(spot.error("inventory.unknown_host", &format!("there is no host {}", quoted(name))).hint(suggest::hint(
            name,
            self.hosts.keys().copied(),
            "add it under `hosts`",
        )))
    }
}

fn no_hosts(draft: &Draft<'_>) -> Error {
    draft
        .hosts_spot
        .error("inventory.empty", "the inventory has no hosts")
        .hint("add one: `hosts: { master1: { address: 192.168.2.119 } }`")
}

/// An error with two places.
fn twice(code: &'static str, name: &str, what: &str, second: Spot<'_>, label: &str, first: Spot<'_>) -> Error {
    let place = first.draw(usize::MAX);
    let error = second.error(code, &format!("{} {what}", quoted(name)));
    Error::new(error.kind(), code, format!("{}\n{label}\n{place}", error.message()))
}

/// Each host is reached through others that do not lead back to it.
fn check_jumps(drafts: &[Draft<'_>]) -> Result<()> {
    let hosts: BTreeMap<&str, &HostDraft<'_>> =
        drafts.iter().flat_map(|draft| &draft.hosts).map(|host| (host.name.as_str(), host)).collect();
    for host in drafts.iter().flat_map(|draft| &draft.hosts) {
        let mut path = vec![host.name.as_str()];
        let mut next = host.jump.as_ref();
        while let Some((name, _)) = next {
            path.push(name);
            match (&host.jump, *name == host.name) {
                (Some((_, spot)), true) => return Err(cycle(&path, *spot)),
                // A circle further along is reported at one of its own hosts.
                _ if path.len() > hosts.len() + 1 => break,
                _ => next = hosts.get(name.as_str()).and_then(|host| host.jump.as_ref()),
            }
        }
    }
    Ok(())
}

fn cycle(path: &[&str], spot: Spot<'_>) -> Error {
    let way = path.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(" → ");
    spot.error("inventory.jump_cycle", &format!("the jumps lead back to where they began: {way}"))
        .hint("remove `jump` from the host that is reached directly")
}

fn finish(
    host: HostDraft<'_>,
    defaults: &Settings,
    vars: &BTreeMap<String, Variable>,
    base: &Path,
    home: Option<&Path>,
) -> Result<HostSpec> {
    let settings = host.settings.or(defaults);
    let escalation = settings.escalation();
    if let (Some(spot), Become::No) = (host.password_spot, &escalation) {
        return Err(spot
            .error(
                "inventory.become",
                &format!("{} has a `become_password` and does not `become` root", quoted(&host.name)),
            )
            .hint("add `become: true`, or remove `become_password`"));
    }
    Ok(HostSpec {
        address: host.address.unwrap_or_else(|| host.name.clone()),
        port: settings.port.unwrap_or(22),
        identity_files: settings.identities(home),
        agent: settings.agent.unwrap_or(true),
        known_hosts: settings.known_hosts(base, home),
        host_key: settings.host_key.unwrap_or_default(),
        connect_timeout: settings.connect_timeout.unwrap_or(std::time::Duration::from_secs(10)),
        escalation,
        jump: host.jump.map(|(name, _)| name),
        node_name: host.node_name,
        vars: vars.clone().into_iter().chain(host.vars).collect(),
        name: host.name,
        user: settings.user.unwrap_or_else(|| "root".to_owned()),
        passphrase: settings.passphrase,
    })
}

/// Adds a group's members to those that an earlier file gave it.
fn join(groups: &mut Vec<(String, Vec<String>)>, group: GroupDraft<'_>) {
    let index = groups.iter().position(|(name, _)| *name == group.name).unwrap_or_else(|| {
        groups.push((group.name, Vec::new()));
        groups.len() - 1
    });
    let members = &mut groups[index].1;
    for (name, _) in group.members {
        if !members.contains(&name) {
            members.push(name);
        }
    }
}
