//! The hosts' keys in the inventory's files of known hosts.
//!
//! Lines of a lab end with a mark, so that the next lab replaces them and `lab down` removes them. A line without the mark
//! belongs to a real host and is never touched.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::inventory::{HostSpec, Inventory};
use haengine_lab::Lab;

/// Refuses an inventory whose known hosts hold keys of real machines at the lab's addresses.
pub fn refuse_real(inventory: &Inventory, lab: &str) -> Result<()> {
    for host in inventory.hosts.iter().filter(|host| host.known_hosts.exists()) {
        if real_key(host, &mark(lab))? {
            let (file, address) = (host.known_hosts.display(), &host.address);
            let message = format!("`{file}` has the key of a real host at {address}, and the lab's host has another");
            return Err(Error::new(Kind::Refused, "lab.known_hosts", message)
                .on(&host.name)
                .hint("give the lab an inventory with a `known_hosts` of its own"));
        }
    }
    Ok(())
}

/// Writes the lab's host keys into the inventory's files.
pub fn write(lab: &Lab, inventory: &Inventory) -> Result<()> {
    let keys = std::fs::read_to_string(lab.known_hosts()).map_err(|error| broken(&lab.known_hosts(), error))?;
    let files: BTreeSet<PathBuf> = inventory.hosts.iter().map(|host| host.known_hosts.clone()).collect();
    let all: BTreeSet<PathBuf> = files.iter().cloned().chain(noted(lab)).collect();
    let note: String = all.iter().map(|file| format!("{}\n", file.display())).collect();
    store(&note_path(lab), &note)?;
    files.iter().try_for_each(|file| replace(file, &keys, &mark(lab.name())))
}

/// Removes them again.
pub fn forget(lab: &Lab) -> Result<()> {
    for file in noted(lab).into_iter().filter(|file| file.exists()) {
        replace(&file, "", &mark(lab.name()))?;
    }
    match std::fs::remove_file(note_path(lab)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(broken(&note_path(lab), error)),
        _ => Ok(()),
    }
}

fn mark(lab: &str) -> String {
    format!("haengine-lab:{lab}")
}

/// Which files hold keys of the lab; beside the lab's folder, which comes and goes.
fn note_path(lab: &Lab) -> PathBuf {
    let folder = lab.known_hosts();
    folder.parent().unwrap_or(Path::new("/")).with_file_name(format!("{}.known_hosts", lab.name()))
}

fn noted(lab: &Lab) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(note_path(lab)).unwrap_or_default();
    text.lines().map(PathBuf::from).collect()
}

/// ssh-keygen finds hashed names too.
fn real_key(host: &HostSpec, mark: &str) -> Result<bool> {
    let name = if host.port == 22 { host.address.clone() } else { format!("[{}]:{}", host.address, host.port) };
    let mut search = Command::new("ssh-keygen");
    search.args(["-F", &name]).arg("-f").arg(&host.known_hosts);
    let output = search.output().map_err(|error| broken(&host.known_hosts, error))?;
    let found = String::from_utf8_lossy(&output.stdout);
    Ok(found.lines().any(|line| !line.starts_with('#') && !line.trim().is_empty() && !line.ends_with(mark)))
}

fn replace(file: &Path, keys: &str, mark: &str) -> Result<()> {
    let before = match std::fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read.map_err(|error| broken(file, error))?,
    };
    let after = replaced(&before, keys, mark);
    if after == before { Ok(()) } else { store(file, &after) }
}

/// The text with the lab's lines exchanged for `keys`.
fn replaced(before: &str, keys: &str, mark: &str) -> String {
    let kept = before.lines().filter(|line| !line.ends_with(&format!(" {mark}"))).map(|line| format!("{line}\n"));
    let new = keys.lines().filter(|line| !line.trim().is_empty()).map(|line| format!("{line} {mark}\n"));
    kept.chain(new).collect()
}

fn store(file: &Path, text: &str) -> Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| broken(file, error))?;
    }
    // The name is appended: `known_hosts.old` and the like stay what they are.
    let mut next = file.as_os_str().to_owned();
    next.push(".haengine-new");
    std::fs::write(&next, text).and_then(|()| std::fs::rename(&next, file)).map_err(|error| broken(file, error))
}

fn broken(file: &Path, error: std::io::Error) -> Error {
    Error::new(Kind::Local, "lab.known_hosts", format!("cannot read or write `{}`", file.display())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_of_the_lab_are_exchanged() {
        let before =
            "real ssh-ed25519 AAAA\nm1,10.0.0.1 ssh-ed25519 OLD haengine-lab:lab\nm9 ssh-rsa B haengine-lab:other\n";
        let after = replaced(before, "m1,10.0.0.1 ssh-ed25519 NEW\n", "haengine-lab:lab");
        insta::assert_snapshot!(after, @"
        real ssh-ed25519 AAAA
        m9 ssh-rsa B haengine-lab:other
        m1,10.0.0.1 ssh-ed25519 NEW haengine-lab:lab
        ");
        assert_eq!(replaced(&after, "", "haengine-lab:lab").lines().count(), 2);
    }

    #[test]
    fn a_real_host_at_the_same_address_is_refused_also_when_hashed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lab.yaml");
        let text = "defaults: { known_hosts: known }\nhosts: { m1: { address: 10.0.0.1, port: 2222 } }";
        let inventory = Inventory::parse(text, &path, None).unwrap();
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJbMEjA9UgWkWOmxVT8M4AGnEXPyxnoTFSJk5e2yKpTR";
        let known = folder.path().join("known");
        std::fs::write(&known, format!("[10.0.0.1]:2222 {key} haengine-lab:lab\n")).unwrap();
        refuse_real(&inventory, "lab").unwrap();
        std::fs::write(&known, format!("[10.0.0.1]:2222 {key}\n")).unwrap();
        assert_eq!(refuse_real(&inventory, "lab").unwrap_err().code(), "lab.known_hosts");
        assert!(Command::new("ssh-keygen").arg("-H").arg("-f").arg(&known).output().unwrap().status.success());
        assert_eq!(refuse_real(&inventory, "lab").unwrap_err().code(), "lab.known_hosts");
    }
}
