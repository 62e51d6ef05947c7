//! Up, down, status, snapshot, restore.

use std::net::Ipv4Addr;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::inventory::HostSpec;
use haengine_lab::{Lab, LabSpec, Status};
use serde::Serialize;

use crate::cmd::lab::kubernetes::binaries;
use crate::cmd::lab::{host_keys, identity, progress, refused};
use crate::context::Context;
use crate::report::table;

/// Brings the inventory's hosts up and lets the inventory's key in.
pub fn up(context: &Context, lab: &Lab, kubernetes: bool) -> Result<()> {
    if context.global.inventory.is_empty() {
        return Err(Error::new(Kind::Usage, "inventory.none", "no inventory is given").hint("name one with `-i FILE`"));
    }
    let inventory = context.inventory()?;
    let mut hosts: Vec<haengine_lab::HostSpec> = inventory.hosts.iter().map(host).collect::<Result<_>>()?;
    host_keys::refuse_real(&inventory, lab.name())?;
    if kubernetes {
        let folder = binaries(context)?;
        hosts.iter_mut().for_each(|host| host.kubernetes = Some(folder.clone()));
    }
    let authorized_key = Some(identity::public_keys(&inventory)?);
    wait(lab.up(&LabSpec { hosts, authorized_key }, progress(context)))?;
    host_keys::write(lab, &inventory)?;
    status(context, lab)
}

/// Removes the lab and the host keys that it wrote.
pub fn down(context: &Context, lab: &Lab) -> Result<()> {
    wait(lab.down())?;
    host_keys::forget(lab)?;
    progress(context)("everything of the lab is gone");
    Ok(())
}

/// Freezes the disks.
pub fn snapshot(context: &Context, lab: &Lab, name: &str) -> Result<()> {
    wait(lab.snapshot(name, progress(context)))
}

/// Goes back to frozen disks.
pub fn restore(context: &Context, lab: &Lab, name: &str) -> Result<()> {
    wait(lab.restore(name, progress(context)))
}

/// A lab for a program, whether it is up or not.
#[derive(Serialize)]
struct Shown<'a> {
    /// Where there is a lab, its status has the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    up: bool,
    #[serde(flatten)]
    status: Option<&'a Status>,
}

/// Shows the lab as it is.
pub fn status(context: &Context, lab: &Lab) -> Result<()> {
    let status = wait(lab.status())?;
    let name = status.is_none().then(|| lab.name());
    let shown = Shown { name, up: status.is_some(), status: status.as_ref() };
    context.tell("lab", &[shown], || match &status {
        Some(status) => page(status),
        None => format!("there is no lab `{}`\n", lab.name()),
    });
    Ok(())
}

fn page(status: &Status) -> String {
    let rows = status.hosts.iter().map(|host| {
        let state = match (host.running, host.cut) {
            (true, false) => "running",
            (true, true) => "running, cable cut",
            (false, _) => "off",
        };
        let (address, port) = (host.address.to_string(), host.port.to_string());
        [host.name.clone(), host.hostname.clone(), address, port, state.to_owned()]
    });
    let mut text = table::table(["HOST", "HOSTNAME", "ADDRESS", "PORT", "STATE"], rows);
    if !status.snapshots.is_empty() {
        text.push_str(&format!("snapshots: {}\n", status.snapshots.join(", ")));
    }
    text
}

/// A host of the inventory as a host of the lab.
fn host(host: &HostSpec) -> Result<haengine_lab::HostSpec> {
    let address: Ipv4Addr = host.address.parse().map_err(|_| {
        let message = format!("`{}` is no IPv4 address, and hosts of a lab need one", host.address);
        Error::new(Kind::Usage, "lab.address", message)
            .on(&host.name)
            .hint("write the host's IPv4 address as `address`")
    })?;
    let mut made = haengine_lab::HostSpec::new(&host.name, address);
    made.port = host.port;
    if let Some(node) = &host.node_name {
        made.hostname.clone_from(node);
    }
    Ok(made)
}

/// Waits for the lab's work.
pub fn wait<T>(work: impl Future<Output = haengine_lab::Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| Error::new(Kind::Local, "lab.runtime", "cannot start the lab's threads").because(error))?;
    runtime.block_on(work).map_err(refused)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use haengine_kernel::inventory::Inventory;

    use super::*;

    fn first(text: &str) -> Result<haengine_lab::HostSpec> {
        host(&Inventory::parse(text, Path::new("lab.yaml"), None)?.hosts[0])
    }

    #[test]
    fn a_host_is_called_as_its_node() {
        let made = first("hosts: { m1: { address: 10.0.0.1, node_name: k8s-m1, port: 2222 } }").unwrap();
        assert_eq!((made.name.as_str(), made.hostname.as_str(), made.port), ("m1", "k8s-m1", 2222));
        assert_eq!(first("hosts: { m1: { address: 10.0.0.1 } }").unwrap().hostname, "m1");
    }

    #[test]
    fn a_name_instead_of_an_address_is_refused() {
        let error = first("hosts: { m1: { address: m1.example.org } }").unwrap_err();
        assert_eq!(error.code(), "lab.address");
    }
}
