//! A host as a recipe holds it.

use std::sync::Arc;

use haengine_kernel::inventory::HostSpec;
use rhai::{Array, Dynamic};

/// A host of the inventory, as a recipe holds it.
#[derive(Clone)]
pub struct HostRef(Arc<HostSpec>);

impl HostRef {
    /// The host of this description.
    pub fn new(spec: HostSpec) -> HostRef {
        HostRef(Arc::new(spec))
    }

    /// Its name in the inventory.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its entry in the inventory.
    pub(crate) fn spec(&self) -> &HostSpec {
        &self.0
    }
}

/// The names of a host or of an array of hosts.
pub(crate) fn host_names(value: &Dynamic) -> Option<Vec<String>> {
    let value = value.flatten_clone();
    if let Some(host) = value.read_lock::<HostRef>() {
        return Some(vec![host.name().to_owned()]);
    }
    let array = value.read_lock::<Array>()?;
    array.iter().map(|item| item.flatten_clone().read_lock::<HostRef>().map(|host| host.name().to_owned())).collect()
}
