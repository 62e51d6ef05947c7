//! What a host says of packages, and what apt would do about them.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::transport::Command;
use serde::{Deserialize, Serialize};

use super::package::{Manager, Spec};

const OBSERVE: &str = include_str!("observe.sh");

/// The packages of a call on one host.
#[derive(Clone, Debug, Default)]
pub struct Packages {
    /// None when the host has none that we know.
    pub(super) manager: Option<Manager>,
    pub(super) is_root: bool,
    /// What the manager knows of the packages, in its own words.
    pub(super) known: Vec<Known>,
    /// What is not installed as wanted.
    pub(super) missing: Vec<String>,
    /// What apt says to the missing ones, and whether it would do it.
    pub(super) said: String,
    pub(super) possible: bool,
    /// The folders in which changes have kept what their undo needs.
    pub(super) kept: Vec<String>,
}

/// A package as its manager knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// With its architecture.
    pub(super) name: String,
    pub(super) version: String,
    /// `installed`, `config-files`, `half-configured`, …
    pub(super) status: String,
}

impl Packages {
    pub(super) async fn observe(host: &Host, wanted: &[Spec]) -> Result<Packages> {
        let names: Vec<&str> = wanted.iter().map(Spec::name).collect();
        let specs: Vec<&str> = wanted.iter().map(Spec::text).collect();
        let output = host.ok(&Command::script(OBSERVE).arg(names.join(" ")).arg(specs.join(" "))).await?;
        parse(&output.text()).ok_or_else(|| {
            Error::new(Kind::Failed, "pkg.observe", "cannot make out the state of the packages")
                .hint("run `dpkg-query -W` or `rpm -qa` on the host")
        })
    }

    /// What apt would do.
    pub(super) fn foreseen(&self) -> Foreseen {
        Foreseen::parse(&self.said)
    }

    /// The wanted packages that apt does not know.
    pub(super) fn unknown(&self) -> Vec<String> {
        if self.possible { Vec::new() } else { unknown_in(&self.said) }
    }
}

/// What is there without it, and what there is nothing of, is the same to undo.
pub(super) fn is_same(a: &[Known], b: &[Known]) -> bool {
    let there =
        |known: &[Known]| known.iter().filter(|package| package.status != "not-installed").cloned().collect::<Vec<_>>();
    there(a) == there(b)
}

fn parse(text: &str) -> Option<Packages> {
    let mut tokens = text.split('\0');
    let manager = Manager::named(tokens.next()?);
    let is_root = tokens.next()? == "yes";
    let mut known: Vec<Known> = tokens.next()?.lines().filter_map(known_line).collect();
    known.sort_by(|a, b| a.name.cmp(&b.name));
    let missing = tokens.next()?.split_whitespace().map(str::to_owned).collect();
    let possible = tokens.next()? == "0";
    let said = tokens.next()?.to_owned();
    let kept = tokens.filter(|path| !path.is_empty()).map(str::to_owned).collect();
    Some(Packages { manager, is_root, known, missing, said, possible, kept })
}

/// `chrony chrony:amd64 4.3-2 installed`; other lines are rpm's way of saying no.
fn known_line(line: &str) -> Option<Known> {
    let words: Vec<&str> = line.split(' ').collect();
    let [name, full, rest @ .., status] = words.as_slice() else { return None };
    if !full.starts_with(name) {
        return None;
    }
    Some(Known { name: (*full).to_owned(), version: rest.concat(), status: (*status).to_owned() })
}

/// The names in apt's complaints.
pub(super) fn unknown_in(said: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in said.lines().filter_map(|line| line.strip_prefix("E: ")) {
        let known_by = |before: &str, after: &str| {
            line.strip_prefix(before).and_then(|rest| Some(rest.split_once(after)?.0.trim_matches('\'').to_owned()))
        };
        let name = line
            .strip_prefix("Unable to locate package ")
            .map(str::to_owned)
            .or_else(|| known_by("Package '", "' has no installation candidate"))
            .or_else(|| known_by("Package ", " has no installation candidate"))
            .or_else(|| Some(known_by("Version '", "' was not found")?.replace("' for '", " for ")));
        names.extend(name.filter(|name| !names.contains(name)));
    }
    names
}

/// What apt would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Foreseen {
    /// Name and version.
    pub(super) new: Vec<(String, String)>,
    /// Name, old and new version.
    pub(super) other: Vec<(String, String, String)>,
    pub(super) removed: Vec<String>,
    /// Unpacked by a transaction that broke off; only their configuration is missing.
    configured: Vec<String>,
}

impl Foreseen {
    /// Reads `Inst NAME [OLD] (NEW …)`, `Conf NAME …` and `Remv NAME …`.
    fn parse(said: &str) -> Foreseen {
        let mut foreseen = Foreseen::default();
        for line in said.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let version = |word: &str| word.trim_start_matches(['(', '[']).trim_end_matches([')', ']']).to_owned();
            match words.as_slice() {
                ["Inst", name, old, new, ..] if old.starts_with('[') => {
                    foreseen.other.push(((*name).to_owned(), version(old), version(new)));
                }
                ["Inst", name, new, ..] => foreseen.new.push(((*name).to_owned(), version(new))),
                ["Conf", name, ..] => foreseen.configured.push((*name).to_owned()),
                ["Remv", name, ..] => foreseen.removed.push((*name).to_owned()),
                _ => {}
            }
        }
        foreseen
    }

    /// True when `name` itself would be there in the end.
    pub(super) fn brings(&self, name: &str) -> bool {
        let bare = |name: &str| name.split_once(':').map_or(name, |(bare, _)| bare).to_owned();
        let others = self.other.iter().map(|other| &other.0);
        let mut names = self.new.iter().map(|new| &new.0).chain(others).chain(&self.configured);
        names.any(|brought| bare(brought) == bare(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_a_host_is_read() {
        let text = "apt-get\0yes\0tree tree:amd64 2.1-1 installed\nx x:amd64  not-installed\0 chrony y=1\x00100\0\
            E: Unable to locate package chrony\nE: Version '1' for 'y' was not found\nE: Package 'z' has no installation candidate\0\
            /var/lib/haengine/r/3\0";
        let packages = parse(text).unwrap();
        assert_eq!((packages.manager, packages.is_root), (Some(Manager::Apt), true));
        assert_eq!(packages.known[0].name, "tree:amd64");
        assert_eq!(packages.missing, ["chrony", "y=1"]);
        assert_eq!(packages.unknown(), ["chrony", "1 for y", "z"]);
        assert_eq!(packages.kept, ["/var/lib/haengine/r/3"]);
        assert!(is_same(&packages.known, &packages.known[..1]));
    }

    #[test]
    fn rpm_says_no_in_words() {
        let text = "dnf\0yes\0package chrony is not installed\ntree tree.x86_64 2.1-1.el9 installed\0 chrony\x000\0\0";
        let packages = parse(text).unwrap();
        assert_eq!(packages.known.len(), 1);
        assert_eq!(packages.known[0].version, "2.1-1.el9");
    }

    #[test]
    fn what_apt_would_do_is_read() {
        let said = "NOTE\nRemv ntp [1:4.2]\nInst libc6 [2.36-9] (2.36-10 Debian:12 [amd64])\nInst chrony (4.3-2 Debian:12 [amd64])\nConf chrony (4.3-2)\n";
        let foreseen = Foreseen::parse(said);
        assert_eq!(foreseen.new, [("chrony".to_owned(), "4.3-2".to_owned())]);
        assert_eq!(foreseen.other, [("libc6".to_owned(), "2.36-9".to_owned(), "2.36-10".to_owned())]);
        assert_eq!(foreseen.removed, ["ntp"]);
        assert!(foreseen.brings("chrony:amd64") && !foreseen.brings("ntp"));
    }
}
