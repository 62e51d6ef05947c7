//! From which node to which one, as a recipe says it.

use haengine_kernel::error::Result;

use crate::node::change::Change;
use crate::node::endpoint::Endpoint;
use crate::node::identity::Identity;

/// `servers` are the API servers that files may name, `HOST:PORT`; the new node's own is `server`.
///
/// # Errors
/// `node.endpoint` for what is none.
pub(super) fn change(old: Identity, new: Identity, servers: &[String], server: &str) -> Result<Change> {
    let servers = servers.iter().map(|server| Endpoint::parse(server)).collect::<Result<_>>()?;
    Ok(Change { old, new, servers, server: Some(Endpoint::parse(server)?) })
}
