//! The inventory's keys, which the lab's hosts let in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::inventory::Inventory;

/// The public keys of all identity files of the inventory, a line each. A key that is missing is made.
pub fn public_keys(inventory: &Inventory) -> Result<String> {
    let files: BTreeSet<&PathBuf> = inventory.hosts.iter().flat_map(|host| &host.identity_files).collect();
    if files.is_empty() {
        return Err(Error::new(Kind::Usage, "lab.identity", "the inventory names no key for its hosts")
            .hint("add `identity_file` to the inventory's `defaults`; it is made if it is missing"));
    }
    files.into_iter().map(|file| public_key(file)).collect()
}

fn public_key(file: &Path) -> Result<String> {
    if !file.exists() {
        make(file)?;
    }
    let mut public = file.as_os_str().to_owned();
    public.push(".pub");
    let text = match std::fs::read_to_string(&public) {
        Ok(text) => text,
        Err(_) => keygen(Command::new("ssh-keygen").args(["-y", "-P", ""]).arg("-f").arg(file), file)?,
    };
    Ok(format!("{}\n", text.trim()))
}

fn make(file: &Path) -> Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| unusable(file).because(error))?;
    }
    let words = ["-q", "-t", "ed25519", "-N", "", "-C", "haengine-lab"];
    keygen(Command::new("ssh-keygen").args(words).arg("-f").arg(file), file).map(drop)
}

fn keygen(command: &mut Command, file: &Path) -> Result<String> {
    let output = command.output().map_err(|error| unusable(file).because(error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(unusable(file).because(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

fn unusable(file: &Path) -> Error {
    Error::new(Kind::Usage, "lab.identity", format!("cannot use the key `{}`", file.display()))
        .hint("put its public key beside it as `.pub`, or name another `identity_file`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_key_is_made_and_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lab.yaml");
        let text = "defaults: { identity_file: keys/id }\nhosts: { m1: { address: 10.0.0.1 } }";
        let inventory = Inventory::parse(text, &path, None).unwrap();
        let made = public_keys(&inventory).unwrap();
        assert!(made.starts_with("ssh-ed25519 "), "{made}");
        std::fs::remove_file(folder.path().join("keys/id.pub")).unwrap();
        let again = public_keys(&inventory).unwrap();
        assert_eq!(made.split(' ').nth(1), again.trim().split(' ').nth(1));
    }
}
