//! Where a host is.

use std::net::Ipv6Addr;

use super::source::quoted;
use super::table::Table;
use crate::error::Result;

/// Reads `address`: an IP address or a name, and nothing more.
///
/// # Errors
/// When a user, a port or brackets are part of it, since they have keys of their own.
pub(super) fn read(table: &Table<'_, '_>) -> Result<Option<String>> {
    let Some(text) = table.text("address")? else { return Ok(None) };
    match (complaint(text), table.spot("address")) {
        (Some(advice), Some(spot)) => {
            Err(spot.error("inventory.address", &format!("{} is not an address", quoted(text))).hint(advice))
        }
        _ => Ok(Some(text.to_owned())),
    }
}

/// What to do about an address that is none.
fn complaint(text: &str) -> Option<&'static str> {
    if is_ipv6(text) {
        return None;
    }
    if text.starts_with('[') {
        return Some("write an IPv6 address without brackets");
    }
    if text.contains('@') {
        return Some("write the user under `user`");
    }
    if text.contains(':') {
        return Some("write the port under `port`");
    }
    let good = text.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)) && !text.starts_with('-');
    (!good).then_some("write an IP address or a host name")
}

/// An IPv6 address, with or without its zone.
fn is_ipv6(text: &str) -> bool {
    let (address, zone) = text.split_once('%').unwrap_or((text, "-"));
    let zone_is_good = !zone.is_empty() && zone.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    zone_is_good && address.parse::<Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn an_address_is_an_address_and_nothing_more() {
        for good in ["192.168.2.119", "master1.example.org", "fe80::1%eth0", "::1", "a_b"] {
            assert_eq!(complaint(good), None, "{good}");
        }
        for bad in ["192.168.2.119:22", "[::1]", "root@master1", "-oProxyCommand=x", "a b", "a/b", "fe80::1%"] {
            assert!(complaint(bad).is_some(), "{bad}");
        }
    }
}
