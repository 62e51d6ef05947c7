//! Namespaces, the bridge and the cables of a lab.
//!
//! A namespace is held by a file of the lab's folder that it is mounted on, so its name collides with no
//! other's and it is found again with the folder's other mounts. A host's namespace lives as long as it has
//! power: a dead host must not answer a ping, nor keep a virtual address that it had.

use std::{
    fs::{self, File},
    net::Ipv4Addr,
    path::Path,
};

use nix::sched::{CloneFlags, setns};

use crate::{
    Error, Result,
    error::At,
    host::Host,
    mounts,
    program::{command, feed, run},
    spec::network,
};

/// Makes sure that the bridge's namespace is there and the operator's side has `addresses`.
pub(crate) fn bridge(namespace: &Path, addresses: &[Ipv4Addr]) -> Result<()> {
    if !mounts::is_mounted(namespace)? {
        // Made under another name first: what has its name is complete.
        let draft = namespace.with_extension("new");
        remove_namespace(&draft)?;
        create_namespace(&draft)?;
        ip(&draft, "link set lo up\nlink add br0 type bridge\nlink set br0 up\n")?;
        File::create(namespace).at("create", namespace)?;
        run(command("mount").arg("--bind").args([&*draft, namespace]))?;
        remove_namespace(&draft)?;
    }
    let lines = addresses.iter().map(|address| format!("address replace {address}/24 dev br0\n"));
    ip(namespace, &lines.collect::<String>())
}

/// Gives `host` a fresh namespace, its address and a cable to the bridge.
pub(crate) fn attach(bridge: &Path, host: &Host, networks: &[[u8; 3]]) -> Result<()> {
    detach(bridge, host)?;
    create_namespace(&host.namespace)?;
    let (port, own, mac) = (&host.port, host.namespace.display(), mac(host.spec.address));
    let state = if host.is_cut() { "down" } else { "up" };
    let cable = [
        format!("link add {port} type veth peer name eth0 address {mac} netns {own}\n"),
        format!("link set {port} master br0\n"),
        format!("link set {port} {state}\n"),
    ];
    ip(bridge, &cable.concat())?;
    let address = host.spec.address;
    let mut lines = format!("link set lo up\naddress add {address}/24 dev eth0\nlink set eth0 up\n");
    lines += &routes(address, networks);
    ip(&host.namespace, &lines)
}

/// Takes the host's cable and namespace away.
pub(crate) fn detach(bridge: &Path, host: &Host) -> Result<()> {
    if mounts::is_mounted(bridge)? {
        // The port would go with the namespace, but a moment later; its name must be free at once.
        let _ = ip(bridge, &format!("link delete {}\n", host.port));
    }
    remove_namespace(&host.namespace)
}

/// Tells a running host of all networks of the lab.
pub(crate) fn route(host: &Host, networks: &[[u8; 3]]) -> Result<()> {
    ip(&host.namespace, &routes(host.spec.address, networks))
}

/// Plugs the host's cable out of the bridge, or in again.
pub(crate) fn plug(bridge: &Path, host: &Host, cut: bool) -> Result<()> {
    ip(bridge, &format!("link set {} {}\n", host.port, if cut { "down" } else { "up" }))
}

/// Runs `work` on a thread of its own that is in `namespace`: what it opens, it opens there.
pub(crate) fn inside<T: Send>(namespace: &Path, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let file = File::open(namespace).at("open", namespace)?;
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            setns(&file, CloneFlags::CLONE_NEWNET).at("enter", namespace)?;
            work()
        });
        thread.join().unwrap_or_else(|_| Err(Error::new("lab.thread", "a thread of the lab panicked")))
    })
}

fn create_namespace(path: &Path) -> Result<()> {
    File::create(path).at("create", path)?;
    let mut handle = std::ffi::OsString::from("--net=");
    handle.push(path);
    run(command("unshare").arg(handle).arg("true")).map(drop)
}

fn remove_namespace(path: &Path) -> Result<()> {
    if mounts::is_mounted(path)? {
        mounts::unmount(path)?;
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file("remove", path, error)),
        _ => Ok(()),
    }
}

fn ip(namespace: &Path, lines: &str) -> Result<()> {
    let mut handle = std::ffi::OsString::from("--net=");
    handle.push(namespace);
    feed(command("nsenter").arg(handle).args(["ip", "-batch", "-"]), lines).map(drop)
}

/// A host keeps its hardware address when it is switched off and on, or its neighbours would look for the old
/// one for seconds.
fn mac(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

/// There is no router in the lab, so every other network of it is reached directly; nothing else is reached.
fn routes(own: Ipv4Addr, networks: &[[u8; 3]]) -> String {
    let others = networks.iter().filter(|other| **other != network(own));
    others.map(|[a, b, c]| format!("route replace {a}.{b}.{c}.0/24 dev eth0\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_addresses_are_local_and_follow_the_address() {
        assert_eq!(mac(Ipv4Addr::new(192, 168, 2, 11)), "02:00:c0:a8:02:0b");
    }

    #[test]
    fn only_other_networks_need_a_route() {
        let own = Ipv4Addr::new(10, 0, 1, 5);
        assert_eq!(routes(own, &[[10, 0, 1], [10, 0, 2]]), "route replace 10.0.2.0/24 dev eth0\n");
    }
}
