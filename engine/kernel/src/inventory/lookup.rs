//! Hosts and groups by their names.

use super::host::HostSpec;
use super::name::ALL;
use super::source::quoted;
use super::{Inventory, suggest};
use crate::error::{Error, Kind, Result};

/// What a name means.
#[derive(Clone, Debug, PartialEq)]
pub enum Named<'a> {
    /// A host.
    Host(&'a HostSpec),
    /// The hosts of a group, in its order.
    Group(Vec<&'a HostSpec>),
}

impl Inventory {
    /// The host called `name`.
    ///
    /// # Errors
    /// When there is none; the hint names the nearest.
    pub fn host(&self, name: &str) -> Result<&HostSpec> {
        self.find(name).ok_or_else(|| match self.members(name) {
            Some(_) => refusal("inventory.unknown_host", format!("{} is a group, not a host", quoted(name)))
                .hint("look it up as a group, or name one of its hosts"),
            None => refusal("inventory.unknown_host", format!("there is no host {}", quoted(name)))
                .hint(suggest::hint(name, self.host_names(), "add it to the inventory")),
        })
    }

    /// The hosts of the group called `name`, in its order; `all` is every host.
    ///
    /// # Errors
    /// When there is none; the hint names the nearest.
    pub fn group(&self, name: &str) -> Result<Vec<&HostSpec>> {
        self.members(name).ok_or_else(|| match self.find(name) {
            Some(_) => refusal("inventory.unknown_group", format!("{} is a host, not a group", quoted(name)))
                .hint("look it up as a host, or name a group"),
            None => refusal("inventory.unknown_group", format!("there is no group {}", quoted(name)))
                .hint(suggest::hint(name, self.group_names(), "add it to the inventory")),
        })
    }

    /// The host or the group called `name`.
    ///
    /// # Errors
    /// When it is neither; the hint names the nearest.
    pub fn resolve(&self, name: &str) -> Result<Named<'_>> {
        if let Some(host) = self.find(name) {
            return Ok(Named::Host(host));
        }
        self.members(name).map(Named::Group).ok_or_else(|| {
            refusal("inventory.unknown_name", format!("there is no host or group {}", quoted(name)))
                .hint(suggest::hint(name, self.names(), "add it to the inventory"))
        })
    }

    /// The hosts through which `host` is reached, the one that is connected to first at the front.
    pub fn jumps(&self, host: &HostSpec) -> Vec<&HostSpec> {
        let mut jumps: Vec<&HostSpec> = Vec::new();
        let mut next = host.jump.as_deref();
        // The parser refuses circles; an inventory that was made otherwise may hold one.
        while let Some(jump) = next
            .and_then(|name| self.find(name))
            .filter(|jump| jumps.len() < self.hosts.len() && jump.name != host.name)
        {
            jumps.push(jump);
            next = jump.jump.as_deref();
        }
        jumps.reverse();
        jumps
    }

    /// Each name that [`resolve`](Inventory::resolve) knows: hosts, groups, and `all`.
    pub fn names(&self) -> Vec<&str> {
        self.host_names().into_iter().chain(self.group_names()).collect()
    }

    fn find(&self, name: &str) -> Option<&HostSpec> {
        self.hosts.iter().find(|host| host.name == name)
    }

    fn members(&self, name: &str) -> Option<Vec<&HostSpec>> {
        if name == ALL {
            return Some(self.hosts.iter().collect());
        }
        let (_, members) = self.groups.iter().find(|(group, _)| group == name)?;
        Some(members.iter().filter_map(|member| self.find(member)).collect())
    }

    fn host_names(&self) -> Vec<&str> {
        self.hosts.iter().map(|host| host.name.as_str()).collect()
    }

    fn group_names(&self) -> Vec<&str> {
        self.groups.iter().map(|(name, _)| name.as_str()).chain([ALL]).collect()
    }
}

fn refusal(code: &'static str, message: String) -> Error {
    Error::new(Kind::Usage, code, message)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn inventory() -> Inventory {
        let text = "hosts: { master1: { jump: inner }, master2: , inner: { jump: outer }, outer: }\n\
                    groups: { masters: [master2, master1], none: [] }";
        Inventory::parse(text, Path::new("site.yaml"), None).unwrap()
    }

    fn names(hosts: &[&HostSpec]) -> Vec<String> {
        hosts.iter().map(|host| host.name.clone()).collect()
    }

    fn refused<T: std::fmt::Debug>(result: Result<T>) -> String {
        let error = result.unwrap_err();
        format!("{}: {error}; {}", error.code(), error.advice().unwrap_or_default())
    }

    #[test]
    fn names_are_found() {
        let inventory = inventory();
        assert_eq!(inventory.host("master1").unwrap().name, "master1");
        assert_eq!(names(&inventory.group("masters").unwrap()), ["master2", "master1"]);
        assert_eq!(names(&inventory.group("all").unwrap()), ["master1", "master2", "inner", "outer"]);
        assert_eq!(inventory.group("none").unwrap(), Vec::<&HostSpec>::new());
        assert!(matches!(inventory.resolve("outer").unwrap(), Named::Host(host) if host.name == "outer"));
        assert!(matches!(inventory.resolve("all").unwrap(), Named::Group(hosts) if hosts.len() == 4));
        assert_eq!(inventory.names(), ["master1", "master2", "inner", "outer", "masters", "none", "all"]);
    }

    #[test]
    fn unknown_names_are_refused_with_the_nearest() {
        let inventory = inventory();
        insta::assert_snapshot!(refused(inventory.host("mastr2")), @"inventory.unknown_host: there is no host `mastr2`; write `master2`, the nearest known name");
        insta::assert_snapshot!(refused(inventory.host("masters")), @"inventory.unknown_host: `masters` is a group, not a host; look it up as a group, or name one of its hosts");
        insta::assert_snapshot!(refused(inventory.group("mastrs")), @"inventory.unknown_group: there is no group `mastrs`; write `masters`, the nearest known name");
        insta::assert_snapshot!(refused(inventory.group("outer")), @"inventory.unknown_group: `outer` is a host, not a group; look it up as a host, or name a group");
        insta::assert_snapshot!(refused(inventory.resolve("zebra")), @"inventory.unknown_name: there is no host or group `zebra`; use one of: master1, master2, inner, outer, masters, none, all");
    }

    #[test]
    fn jumps_are_listed_outermost_first() {
        let inventory = inventory();
        let jumps = |name| names(&inventory.jumps(inventory.host(name).unwrap()));
        assert_eq!(jumps("master1"), ["outer", "inner"]);
        assert_eq!(jumps("outer"), Vec::<String>::new());
    }

    #[test]
    fn a_circle_of_jumps_ends() {
        let mut inventory = inventory();
        inventory.hosts[3].jump = Some("inner".to_owned());
        assert!(inventory.jumps(&inventory.hosts[0].clone()).len() <= 4);
    }
}
