//! One host of a lab: where its parts lie, and its disk.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
};

use crate::{
    HostSpec, Result,
    error::At,
    mounts,
    program::{command, run},
    record::HostRecord,
};

/// The accounts that the lab's keys open: home, owner and group, as `image/setup.sh` makes them.
const ACCOUNTS: [(&str, u32, u32); 4] =
    [("root", 0, 0), ("home/operator", 2001, 100), ("home/keeper", 2002, 100), ("home/guest", 2003, 100)];

/// A host with all its places. Its disk is an overlay: the base image, frozen layers, one writable layer.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub spec: HostSpec,
    /// What nspawn and the control groups call it.
    pub machine: String,
    pub folder: PathBuf,
    /// The file that holds its network namespace.
    pub namespace: PathBuf,
    /// The name of its cable's end at the bridge.
    pub port: String,
    base: PathBuf,
    layers: Vec<u32>,
}

impl Host {
    pub fn new(lab: &Path, prefix: &str, base: &Path, record: &HostRecord) -> Host {
        Host {
            spec: record.spec.clone(),
            machine: format!("{prefix}{}", record.index),
            folder: lab.join("hosts").join(&record.spec.name),
            namespace: lab.join("net").join(&record.spec.name),
            port: port(&record.spec.name, record.index),
            base: base.to_owned(),
            layers: record.layers.clone(),
        }
    }

    pub fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    pub fn console(&self) -> PathBuf {
        self.folder.join("console.log")
    }

    pub fn public_key(&self) -> PathBuf {
        self.folder.join("host_key.pub")
    }

    /// Whether somebody pulled its cable. A host that is switched on again does not plug it in.
    pub fn is_cut(&self) -> bool {
        self.cut_mark().exists()
    }

    pub fn cut_mark(&self) -> PathBuf {
        self.folder.join("cut")
    }

    /// Stacks the layers, if that is not done yet.
    pub fn mount(&self) -> Result<()> {
        let root = self.root();
        if mounts::is_mounted(&root)? {
            return Ok(());
        }
        let (upper, lower) = self.layers.split_last().map_or((0, &[][..]), |(upper, lower)| (*upper, lower));
        let work = self.folder.join("work");
        // An overlay that was not unmounted leaves a mark in there that forbids to use it again.
        remove(&work)?;
        for folder in [&root, &work, &self.layer(upper)] {
            fs::create_dir_all(folder).at("create", folder)?;
        }
        let stands_on = self.stands_on()?;
        // Relative names, because the kernel takes one page of options. `volatile`, because nothing of a
        // throw-away host has to survive this machine, and waiting for the disk is most of what dpkg does.
        let mut lower = lower.iter().rev().map(|layer| format!("layers/{layer}:")).collect::<String>();
        lower.extend(stands_on.iter().rev().map(|layer| format!("{}:", layer.display())));
        let base = self.base.display();
        let options = format!("lowerdir={lower}{base},upperdir=layers/{upper},workdir=work,volatile");
        let mut mount = command("mount");
        mount.current_dir(&self.folder).args(["-t", "overlay", "overlay", "-o", &options, "root"]);
        run(&mut mount).map(drop).map_err(|error| {
            error.hint("use a state folder on a disk of this machine; an overlay cannot stand on another overlay")
        })
    }

    /// Gives the freshly mounted host its identity and the keys that open it.
    pub fn personalise(&self, keys: &str) -> Result<()> {
        let root = self.root();
        write(&root.join("etc/hostname"), &format!("{}\n", self.spec.hostname), 0o644)?;
        let random = Path::new("/proc/sys/kernel/random/uuid");
        let machine_id = fs::read_to_string(random).at("read", random)?.replace('-', "");
        write(&root.join("etc/machine-id"), &machine_id, 0o444)?;
        let mut settings = String::new();
        if self.spec.port != 22 {
            settings += &format!("Port {}\n", self.spec.port);
        }
        if self.spec.generous_sshd {
            settings += include_str!("../image/sshd-generous.conf");
        }
        if !settings.is_empty() {
            write(&root.join("etc/ssh/sshd_config.d/host.conf"), &settings, 0o644)?;
        }
        let key = root.join("etc/ssh/ssh_host_ed25519_key");
        // One that it stands on is another host's, and ssh-keygen would ask before it replaces that.
        let _ = fs::remove_file(&key);
        make_key(&key, &format!("root@{}", self.spec.hostname))?;
        let public = key.with_extension("pub");
        fs::copy(&public, self.public_key()).at("copy", &public)?;
        ACCOUNTS.iter().try_for_each(|(home, user, group)| authorize(&root.join(home), keys, *user, *group))
    }

    /// Removes the layers that are not in `used`.
    pub fn prune(&self, used: &std::collections::BTreeSet<u32>) -> Result<()> {
        let folder = self.folder.join("layers");
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let number = entry.file_name().to_string_lossy().parse::<u32>();
            if number.is_ok_and(|number| !used.contains(&number)) {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// The exported layers that it stands on, the lowest first.
    pub fn stands_on(&self) -> Result<Vec<PathBuf>> {
        let Some(folder) = &self.spec.stands_on else { return Ok(Vec::new()) };
        let layers = fs::read_dir(folder).at("read", folder)?.count();
        Ok((0..layers).map(|number| folder.join(number.to_string())).collect())
    }

    /// The folders of its own layers, the lowest first.
    pub fn own_layers(&self) -> Vec<PathBuf> {
        self.layers.iter().map(|number| self.layer(*number)).collect()
    }

    fn layer(&self, number: u32) -> PathBuf {
        self.folder.join("layers").join(number.to_string())
    }
}

/// Makes a key pair without a passphrase at `path` and `path.pub`.
pub(crate) fn make_key(path: &Path, comment: &str) -> Result<()> {
    let mut keygen = command("ssh-keygen");
    run(keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"]).arg(path)).map(drop)
}

/// Removes a folder with all in it; one that is not there is fine.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done.at("remove", folder),
    }
}

/// Cables are called after their host where the kernel's 15 characters allow it.
fn port(name: &str, index: usize) -> String {
    let fits = name.len() <= 15 && !matches!(name, "lo" | "br0") && !is_numbered(name);
    if fits { name.to_owned() } else { format!("port{index}") }
}

/// Whether a host has the name of the kind that long names are given.
fn is_numbered(name: &str) -> bool {
    name.strip_prefix("port").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
}

fn authorize(home: &Path, keys: &str, user: u32, group: u32) -> Result<()> {
    let (folder, file) = (home.join(".ssh"), home.join(".ssh/authorized_keys"));
    fs::create_dir_all(&folder).at("create", &folder)?;
    write(&file, keys, 0o600)?;
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).at("protect", &folder)?;
    [&folder, &file].into_iter().try_for_each(|path| chown(path, Some(user), Some(group)).at("give away", path))
}

fn write(path: &Path, text: &str, mode: u32) -> Result<()> {
    fs::write(path, text).at("write", path)?;
    fs::set_permissions(path, Permissions::from_mode(mode)).at("protect", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cables_have_names_that_the_kernel_takes_and_nobody_shares() {
        assert_eq!(port("master1", 0), "master1");
        assert_eq!(port("a-host-with-a-long-name", 7), "port7");
        assert_eq!(port("port8", 3), "port3");
        assert_eq!(port("br0", 1), "port1");
    }
}
