//! A part of a network: `10.244.1.0/24`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use haengine_kernel::error::{Error, Kind, Result};

/// An address and how many of its bits name the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subnet {
    first: IpAddr,
    length: u32,
}

impl Subnet {
    /// A subnet; bits after its length are left out.
    ///
    /// # Errors
    /// `node.subnet`, where it is none.
    ///
    /// ```
    /// use haengine_stdlib::node::subnet::Subnet;
    /// assert_eq!(Subnet::parse("10.244.1.7/24").unwrap().to_string(), "10.244.1.0/24");
    /// ```
    pub fn parse(text: &str) -> Result<Subnet> {
        let read = || {
            let (address, length) = text.split_once('/')?;
            let (address, length): (IpAddr, u32) = (address.parse().ok()?, length.parse().ok()?);
            let is_whole = length <= width(address) && !text.contains('+');
            is_whole.then(|| Subnet { first: join(address, number(address) & !host_bits(address, length)), length })
        };
        let shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
        read().ok_or_else(|| Error::new(Kind::Refused, "node.subnet", format!("`{shown}` is no part of a network")))
    }

    /// True when an address is in it.
    pub fn holds(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4()
            && number(address) & !host_bits(address, self.length) == number(self.first)
    }

    /// True when both are of IPv4, or both of IPv6.
    pub fn is_like(&self, other: &Subnet) -> bool {
        self.first.is_ipv4() == other.first.is_ipv4()
    }

    /// The address at the same place of another part of the same size.
    pub fn moved(&self, address: IpAddr, to: &Subnet) -> Option<IpAddr> {
        let may = self.holds(address) && self.is_like(to) && self.length == to.length;
        may.then(|| join(to.first, number(to.first) | (number(address) & host_bits(address, self.length))))
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.length)
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn host_bits(address: IpAddr, length: u32) -> u128 {
    1u128.checked_shl(width(address) - length).map_or(u128::MAX, |bit| bit - 1)
}

/// The address of that family with these bits.
fn join(family: IpAddr, number: u128) -> IpAddr {
    match family {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(number).unwrap_or(u32::MAX))),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_their_place() {
        let subnet = |text: &str| Subnet::parse(text).unwrap();
        let moved = |from: &str, address: &str, to: &str| {
            subnet(from).moved(address.parse().unwrap(), &subnet(to)).map(|address| address.to_string())
        };
        assert_eq!(moved("10.244.1.0/24", "10.244.1.9", "10.244.2.0/24").as_deref(), Some("10.244.2.9"));
        assert_eq!(moved("fd00:1::/64", "fd00:1::9", "fd00:2::/64").as_deref(), Some("fd00:2::9"));
        assert_eq!(moved("10.244.1.0/24", "10.244.2.9", "10.244.3.0/24"), None);
        assert_eq!(moved("10.244.1.0/24", "10.244.1.9", "10.244.2.0/25"), None);
        assert!(subnet("0.0.0.0/0").holds("9.9.9.9".parse().unwrap()) && subnet("::/0").holds("::9".parse().unwrap()));
        for wrong in ["10.0.0.0", "10.0.0.0/33", "usePodCidr", "", "::/129", "10.0.0.0/+8"] {
            assert_eq!(Subnet::parse(wrong).unwrap_err().code(), "node.subnet");
        }
    }
}
