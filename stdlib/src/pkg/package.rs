//! How packages are called, and which manager has them.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::transport::Command;
use serde::{Deserialize, Serialize};

/// What the scripts of this module have in common.
const COMMON: &str = concat!(
    include_str!("places.sh"),
    include_str!("changed.sh"),
    include_str!("../file/area.sh"),
    include_str!("aside.sh"),
    include_str!("accounts.sh")
);

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Manager {
    /// Debian's.
    #[serde(rename = "apt-get")]
    Apt,
    /// Red Hat's.
    #[serde(rename = "dnf")]
    Dnf,
    /// Red Hat's former one.
    #[serde(rename = "yum")]
    Yum,
}

impl Manager {
    /// Its program, what its functions are in our scripts, and how a broken-off transaction is mended.
    const TABLE: [(Manager, &'static str, &'static str, &'static str); 3] = [
        (Manager::Apt, "apt-get", include_str!("apt.sh"), "dpkg --configure -a"),
        (Manager::Dnf, "dnf", include_str!("rpm.sh"), "dnf check"),
        (Manager::Yum, "yum", include_str!("rpm.sh"), "yum-complete-transaction"),
    ];

    pub(super) fn named(program: &str) -> Option<Manager> {
        Manager::TABLE.iter().find(|row| row.1 == program).map(|row| row.0)
    }

    fn row(self) -> &'static (Manager, &'static str, &'static str, &'static str) {
        match self {
            Manager::Apt => &Manager::TABLE[0],
            Manager::Dnf => &Manager::TABLE[1],
            Manager::Yum => &Manager::TABLE[2],
        }
    }

    pub(super) fn program(self) -> &'static str {
        self.row().1
    }

    pub(super) fn mend(self) -> &'static str {
        self.row().3
    }

    /// One of this module's scripts, with the functions of this manager; its first argument is the program.
    pub(super) fn script(self, text: &str) -> Command {
        Command::script(format!("{}\n{COMMON}\n{text}", self.row().2)).arg(self.program())
    }
}

/// A package that is wanted: its name, and its version where the recipe says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Spec(String);

impl Spec {
    /// # Errors
    /// `pkg.name` when it cannot be the name of a package.
    pub(super) fn parse(text: &str) -> Result<Spec> {
        let (name, version) = text.split_once('=').unwrap_or((text, "0"));
        let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        let legal = name.chars().all(|c| c.is_ascii_alphanumeric() || "+-._:".contains(c));
        let dated = !version.is_empty() && version.chars().all(|c| c.is_ascii_alphanumeric() || "+-._:~^".contains(c));
        // apt takes a minus at the end as the order to remove.
        if starts && legal && dated && !name.ends_with('-') && !version.starts_with('-') {
            return Ok(Spec(text.to_owned()));
        }
        Err(Error::new(Kind::Usage, "pkg.name", format!("`{text}` is not the name of a package"))
            .hint("write `NAME` or `NAME=VERSION`"))
    }

    pub(super) fn name(&self) -> &str {
        self.0.split_once('=').map_or(&self.0, |(name, _)| name)
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a script says to the program, which here only repeats it.
    fn commands(manager: Manager, script: &str) -> String {
        let programs = ["apt-get", "dnf", "yum", "rpm"];
        let folder = tempfile::tempdir().unwrap();
        for program in programs {
            let path = folder.path().join(program);
            std::fs::write(&path, format!("#!/bin/sh\necho {program} \"$@\"\n")).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        let path = format!("PATH={}:$PATH\nmanager=$1\n", folder.path().display());
        let text = manager.script("").to_sh();
        let output =
            std::process::Command::new("sh").arg("-c").arg(format!("{text}\n{path}{script}")).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn what_dnf_and_yum_are_told() {
        assert_eq!(commands(Manager::Dnf, "install a b=1.2 g++"), "dnf -q -y install a b-1.2 g++\n");
        assert_eq!(commands(Manager::Yum, "install a"), "yum -q -y install a\n");
        assert_eq!(commands(Manager::Dnf, "refresh"), "dnf -q -y makecache\n");
        assert_eq!(
            commands(Manager::Dnf, "remove 'a.x86_64 b.noarch'; take_away 'a.x86_64' '' 'c.x86_64=1-2'"),
            "rpm -e a.x86_64 b.noarch\ndnf -q -y downgrade c.x86_64-1-2\n"
        );
        assert_eq!(commands(Manager::Dnf, "plain 'a-b.x86_64 python3.11.noarch'"), "a-b python3.11 ");
        let listed = commands(Manager::Yum, "list");
        assert_eq!(listed.trim(), "rpm -qa --qf %{NAME}.%{ARCH} %{VERSION}-%{RELEASE} installed");
    }

    #[test]
    fn what_apt_is_told() {
        let install = commands(Manager::Apt, "kept=$(mktemp -d); install a b=1.2; rm \"$kept/asked\"; rmdir \"$kept\"");
        assert!(install.ends_with("--no-remove --allow-downgrades install -- a b=1.2\n"), "{install}");
        assert!(install.contains("DPkg::Lock::Timeout=60") && install.contains("--force-confold"), "{install}");
    }

    #[test]
    fn names_are_checked() {
        for good in ["chrony", "g++", "libc6:amd64", "nginx=1.22.1-9+deb12u1", "a=2:1.0~rc1", "python3.11", "gcc-c++"] {
            assert_eq!(Spec::parse(good).unwrap().text(), good);
        }
        for bad in ["", "-y", "nginx-", "a b", "a=", "a=-1", "a;b", "a*", "./a.deb", "a\n"] {
            assert_eq!(Spec::parse(bad).unwrap_err().code(), "pkg.name", "{bad:?}");
        }
        assert_eq!(Spec::parse("nginx=1").unwrap().name(), "nginx");
    }
}
