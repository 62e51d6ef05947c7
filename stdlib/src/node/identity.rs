//! Who a node is.

use std::net::IpAddr;

/// What a node is called and where it is reached.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Its addresses: one, or one of each family.
    pub addresses: Vec<IpAddr>,
    /// Its names: the first is the node's, others may be the host's.
    pub names: Vec<String>,
}
