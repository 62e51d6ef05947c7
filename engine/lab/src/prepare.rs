//! Makes this machine fit for a lab: its packages and the base image.

use std::path::{Path, PathBuf};

use crate::{
    Error, Lab, Progress, Result, image,
    program::{command, exists, run},
};

/// The programs that the lab runs, and the Debian package of each.
const PROGRAMS: [(&str, &str); 9] = [
    ("debootstrap", "debootstrap"),
    ("systemd-nspawn", "systemd-container"),
    ("ip", "iproute2"),
    ("ssh-keygen", "openssh-client"),
    ("mount", "mount"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("setpriv", "util-linux"),
    ("setsid", "util-linux"),
];

/// What debootstrap proves Debian's packages with; machines of Debian's family do not always have it.
const KEYRING: (&str, &str) = ("/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring");

impl Lab {
    /// Installs what this machine lacks and builds the base image, unless both are there.
    ///
    /// # Errors
    /// `lab.root` without root's rights, `lab.package` when something cannot be installed, `lab.image` when
    /// the base image cannot be built.
    pub async fn prepare(&self, progress: Progress) -> Result<()> {
        self.blocking(move |lab| prepare(&lab.cache, &lab.mirror, &progress).map(drop)).await
    }
}

/// Makes the machine fit and returns the base image.
pub(crate) fn prepare(cache: &Path, mirror: &str, progress: &Progress) -> Result<PathBuf> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Error::new("lab.root", "a lab needs root: it makes namespaces and mounts").hint("run it with sudo"));
    }
    require(&PROGRAMS, progress)?;
    image::ensure(cache, mirror, progress)
}

/// Installs the packages of those `programs` that this machine lacks, and Debian's keys.
///
/// # Errors
/// `lab.package` when one cannot be installed.
pub(crate) fn require(programs: &[(&str, &'static str)], progress: &Progress) -> Result<()> {
    let missing = missing(programs);
    if missing.is_empty() { Ok(()) } else { install(&missing, progress) }
}

fn missing(programs: &[(&str, &'static str)]) -> Vec<&'static str> {
    let programs = programs.iter().filter(|(program, _)| !exists(program)).map(|(_, package)| *package);
    let keyring = (!Path::new(KEYRING.0).exists()).then_some(KEYRING.1);
    let mut packages: Vec<&str> = programs.chain(keyring).collect();
    packages.dedup();
    packages
}

fn install(packages: &[&str], progress: &Progress) -> Result<()> {
    let list = packages.join(", ");
    if !exists("apt-get") {
        return Err(Error::new(
            "lab.package",
            format!("this machine lacks {list}, and it has no apt-get to install it"),
        )
        .hint("install what these Debian packages hold, or use a machine of Debian's family"));
    }
    progress(&format!("installing {list} on this machine"));
    let apt = |words: &[&str]| {
        let mut command = command("apt-get");
        run(command.env("DEBIAN_FRONTEND", "noninteractive").args(words))
            .map_err(|error| Error { code: "lab.package", ..error.hint(format!("install {list} by hand")) })
    };
    apt(&["-q", "update"])?;
    apt(&[&["-q", "-y", "--no-install-recommends", "install"], packages].concat())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_named_once() {
        let packages = missing(&PROGRAMS);
        let mut unique = packages.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(packages.len(), unique.len());
    }
}
