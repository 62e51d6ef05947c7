//! What a host says of a unit, in one round trip.

use std::collections::BTreeMap;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::overlay::{Overlay, PlannedFile};
use haengine_kernel::signature::nearest;
use haengine_kernel::text::Text;
use haengine_kernel::transport::Command;
use serde::{Deserialize, Serialize};

use super::name::template;
use super::owned::{self, Owned};
use super::planned::{Activity, PlannedEnablement};
use crate::pkg::PlannedPackage;

/// Its first line is the command's name for a person.
const OBSERVE: &str =
    concat!("# Reads a unit.\n", include_str!("sha256.sh"), include_str!("mounts.sh"), include_str!("observe.sh"));

/// Where unit files lie.
pub(super) const FOLDERS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
];

/// A unit as it is.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    pub(super) name: String,
    /// `loaded`, `not-found`, `masked`, `bad-setting`, `error`.
    pub(super) load: String,
    /// `active`, `reloading`, `inactive`, `failed`, `activating`, `deactivating`.
    pub(super) active: String,
    /// `enabled`, `disabled`, `static`, …; empty when there is no unit file.
    pub(super) enablement: String,
    pub(super) must_reread: bool,
    pub(super) can_reload: bool,
    /// When it last left `inactive`: microseconds since boot, and seconds of the wall clock.
    pub(super) started: u64,
    pub(super) started_at: i64,
    /// The unit files behind it.
    pub(super) fragments: Vec<String>,
    pub(super) boot: String,
    /// When the host booted, by what the wall clock says now, rounded down: seconds.
    pub(super) booted_at: i64,
    pub(super) stamp: Option<String>,
    /// Unit files on the host, when the unit is none that systemd knows.
    pub(super) known: Vec<String>,
    pub(super) links: Vec<Link>,
    pub(super) files: Vec<File>,
    pub(super) owned: Vec<Owned>,
    /// What is mounted at or below what it owns, as the kernel writes it.
    pub(super) mounts: Vec<String>,
    /// The pods that are there, where it is a kubelet.
    pub(super) pods: Vec<String>,
    /// True in a plan when an earlier change may bring the unit.
    pub(super) coming: bool,
}

/// A link that enables a unit; without a target, an empty folder for such links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Link {
    pub(super) path: String,
    pub(super) target: String,
}

/// A file that a unit is restarted or reloaded for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct File {
    pub(super) path: String,
    /// None when it is absent, or the unit does not run.
    pub(super) sha256: Option<String>,
    /// When it last changed, seconds of the wall clock.
    pub(super) changed: Option<i64>,
    /// The hash that a planned change gives it; none inside when only the run can know.
    pub(super) planned: Option<Option<String>>,
}

impl File {
    pub(super) fn hash(&self) -> &str {
        self.sha256.as_deref().unwrap_or("absent")
    }
}

impl Unit {
    /// Asks the host. `wanted` is the enablement that needs no change, or `-`.
    pub(super) async fn observe(
        host: &Host,
        name: &str,
        wanted: &str,
        files: &[&str],
        owned: &[String],
    ) -> Result<Unit> {
        let command = Command::script(OBSERVE)
            .arg(name)
            .arg(wanted)
            .arg(files.len().to_string())
            .args(files.iter().copied())
            .args(owned.iter().map(String::as_str));
        let output = host.ok(&command).await?;
        let mut unit = parse(&output.text(), name, files)?;
        if unit.owned.len() != owned.len() {
            return Err(unexpected(name, "the owned paths"));
        }
        unit.owned.truncate(owned.len());
        Ok(unit)
    }

    pub(super) fn is_active(&self) -> bool {
        matches!(self.active.as_str(), "active" | "reloading")
    }

    /// On its way to running: it starts, or waits to be started again.
    pub(super) fn is_coming_up(&self) -> bool {
        self.active == "activating"
    }

    /// Neither running nor on its way to or from it.
    pub(super) fn is_down(&self) -> bool {
        matches!(self.active.as_str(), "inactive" | "failed")
    }

    pub(super) fn is_failed(&self) -> bool {
        self.active == "failed"
    }

    /// True when systemd has no such unit, although its file may be there.
    pub(super) fn is_unknown(&self) -> bool {
        self.load == "not-found"
    }

    /// True when its file is there, but systemd has not read it yet.
    pub(super) fn is_unread(&self) -> bool {
        self.is_unknown() && (self.known.contains(&self.name) || self.known.contains(&template(&self.name)))
    }

    /// Refuses what cannot be started or enabled.
    pub(super) fn refuse_if_unusable(&self) -> Result<()> {
        if self.is_unknown() && !self.is_unread() && !self.coming {
            return Err(self.unknown());
        }
        if self.load == "masked" || self.enablement.starts_with("masked") {
            return Err(refused("service.masked", format!("`{}` is masked", self.name))
                .hint(format!("unmask it with `systemctl unmask {}` if it shall run", self.name)));
        }
        if matches!(self.load.as_str(), "error" | "bad-setting") && !self.must_reread {
            return Err(refused("service.unit_file", format!("systemd cannot use the unit file of `{}`", self.name))
                .hint(format!("run `systemd-analyze verify {}` on the host", self.name)));
        }
        Ok(())
    }

    pub(super) fn unknown(&self) -> Error {
        let error = refused("service.unknown", format!("there is no unit `{}`", self.name));
        match nearest(&self.name, self.known.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("write `{}`, or install what brings the unit", short(near))),
            None => error.hint("install what brings the unit, or place its file, before this call"),
        }
    }

    /// The unit once one of its files has another content: for a verb that writes the file itself, right before.
    pub(crate) fn given(mut self, path: &str, content: &Text) -> Unit {
        for file in self.files.iter_mut().filter(|file| file.path == path) {
            match content.digest() {
                Some(digest) => {
                    (file.sha256, file.changed, file.planned) = (Some(digest.sha256), Some(i64::MAX), None);
                }
                None => file.planned = Some(None),
            }
        }
        self
    }

    /// The unit once the changes planned before are made.
    pub(super) fn assume(mut self, overlay: &Overlay) -> Unit {
        let file = template(&self.name);
        let is_placed = |path: &str| {
            matches!(overlay.file(path), Some(PlannedFile::File(_) | PlannedFile::Placed(_) | PlannedFile::Link(_)))
        };
        let placed = FOLDERS.iter().any(|folder| is_placed(&format!("{folder}/{file}")));
        self.coming = placed || overlay.any_fact::<PlannedPackage>() || overlay.opaque().is_some();
        self.must_reread |= !self.is_unknown() && self.fragments.iter().any(|path| overlay.file(path).is_some());
        match overlay.fact::<Activity>(&self.name) {
            Some(Activity::Active) => {
                // What it was started with before says nothing of the start that is planned.
                self.stamp = self.stamp.take().filter(|_| self.is_active());
                (self.active, self.load) = ("active".to_owned(), "loaded".to_owned());
            }
            Some(Activity::Inactive) => self.active = "inactive".to_owned(),
            None => {}
        }
        if let Some(enablement) = overlay.fact::<PlannedEnablement>(&self.name) {
            self.enablement = enablement.0.to_owned();
        }
        for watched in &mut self.files {
            watched.planned = overlay.file(&watched.path).map(|planned| match planned {
                PlannedFile::File(text) => text.digest().map(|digest| digest.sha256),
                PlannedFile::Absent => Some("absent".to_owned()),
                PlannedFile::Directory | PlannedFile::Link(_) | PlannedFile::Placed(_) => None,
            });
        }
        self
    }
}

/// The name as people say it.
pub(super) fn short(name: &str) -> &str {
    name.strip_suffix(".service").unwrap_or(name)
}

pub(super) fn refused(code: &'static str, message: String) -> Error {
    Error::new(Kind::Refused, code, message)
}

fn unexpected(name: &str, what: &str) -> Error {
    Error::new(Kind::Failed, "service.observe", format!("cannot make out {what} of `{name}`"))
        .hint(format!("run `systemctl show {name}` on the host"))
}

fn parse(text: &str, name: &str, files: &[&str]) -> Result<Unit> {
    let mut tokens = text.split('\0');
    let mut token = || tokens.next().ok_or_else(|| unexpected(name, "the state"));
    let shown = token()?;
    let properties: BTreeMap<&str, &str> = shown.lines().filter_map(|line| line.split_once('=')).collect();
    let property = |name: &str| properties.get(name).copied().unwrap_or_default();
    let mut unit = Unit {
        name: name.to_owned(),
        load: property("LoadState").to_owned(),
        active: property("ActiveState").to_owned(),
        enablement: property("UnitFileState").to_owned(),
        must_reread: property("NeedDaemonReload") == "yes",
        can_reload: property("CanReload") == "yes",
        started: property("InactiveExitTimestampMonotonic").parse().unwrap_or_default(),
        started_at: wall_clock(property("InactiveExitTimestamp")),
        ..Unit::default()
    };
    let fragments = property("FragmentPath").split(' ').chain(property("DropInPaths").split(' '));
    unit.fragments = fragments.filter(|path| !path.is_empty()).map(str::to_owned).collect();
    if unit.load.is_empty() {
        return Err(unexpected(name, "the state"));
    }
    unit.boot = token()?.to_owned();
    unit.booted_at = token()?.trim().parse().unwrap_or_default();
    unit.stamp = Some(token()?.to_owned()).filter(|stamp| !stamp.is_empty());
    unit.known = token()?.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    loop {
        let path = token()?;
        if path.is_empty() {
            break;
        }
        unit.links.push(Link { path: path.to_owned(), target: token()?.to_owned() });
    }
    let mut kinds = Vec::new();
    while let Some(kind) = Some(token()?).filter(|kind| !kind.is_empty()) {
        kinds.push(kind);
    }
    unit.mounts = token()?.lines().map(str::to_owned).collect();
    let rest: Vec<&str> = tokens.collect();
    let (tail, owned) = rest.split_last().ok_or_else(|| unexpected(name, "the files"))?;
    unit.owned = owned::parse(owned);
    unit.files = parse_files(name, files, &kinds, tail)?;
    Ok(unit)
}

/// `tail` is as many lines of hashes as there are files, then as many of times; nothing where the unit does not run.
fn parse_files(name: &str, paths: &[&str], kinds: &[&str], tail: &str) -> Result<Vec<File>> {
    let lines: Vec<&str> = tail.lines().collect();
    let there = kinds.iter().filter(|kind| **kind == "file").count();
    if paths.len() != kinds.len() || (!lines.is_empty() && lines.len() != 2 * there) {
        return Err(unexpected(name, "the files"));
    }
    let mut next = 0;
    let mut files = Vec::new();
    for (path, kind) in paths.iter().zip(kinds) {
        let mut file = File { path: (*path).to_owned(), ..File::default() };
        match *kind {
            "file" if lines.is_empty() => {}
            "file" => {
                file.sha256 = Some(lines[next].to_owned());
                file.changed = lines[next + there].trim().parse().ok();
                next += 1;
            }
            "absent" => {}
            _ => {
                return Err(refused("service.not_a_file", format!("`{path}` is not a regular file"))
                    .hint("name the files for which the unit is to be restarted"));
            }
        }
        files.push(file);
    }
    Ok(files)
}

/// `Thu 2024-11-21 10:05:28 UTC` in seconds; 0 when it never was.
fn wall_clock(text: &str) -> i64 {
    let words: Vec<&str> = text.split(' ').collect();
    let [_, date, time, _] = words.as_slice() else { return 0 };
    let mut numbers = date.split('-').chain(time.split(':')).map(|number| number.parse::<i64>().unwrap_or_default());
    let mut next = || numbers.next().unwrap_or_default();
    let (year, month, day, hour, minute, second) = (next(), next(), next(), next(), next(), next());
    days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second
}

/// Counts the leap days of a calendar whose years begin in March.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 153 + 2) / 5 + day
        - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOW: &str = "Names=a.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no\n\
        CanReload=yes\nInactiveExitTimestamp=Thu 2024-11-21 10:05:28 UTC\nInactiveExitTimestampMonotonic=5000000\n";

    #[test]
    fn the_answer_of_a_host_is_read() {
        let hash = "a".repeat(64);
        let text = format!(
            "{SHOW}\0BOOT\x001732183523\x005000000\n{{}}\0\0/l\0/t\0/empty\0\0\0file\0absent\0file\0\0/a\\040b\n/a\n\0absent\0\0folder\0a b\0.c\0\0\
             {hash}\n{hash}\n77\n78\n"
        );
        let unit = parse(&text, "a.service", &["/x", "/gone", "/y\n"]).unwrap();
        assert_eq!((unit.started, unit.started_at, unit.booted_at), (5_000_000, 1_732_183_528, 1_732_183_523));
        assert!(unit.is_active() && unit.can_reload && !unit.must_reread);
        assert_eq!(unit.stamp.as_deref(), Some("5000000\n{}"));
        assert_eq!(unit.links[1], Link { path: "/empty".to_owned(), target: String::new() });
        assert_eq!(unit.files[1].sha256, None);
        assert_eq!((unit.files[2].hash(), unit.files[2].changed), (hash.as_str(), Some(78)));
        assert_eq!(unit.mounts, ["/a\\040b", "/a"]);
        assert_eq!(unit.owned, [Owned::Absent, Owned::Folder(vec!["a b".to_owned(), ".c".to_owned()])]);
    }

    #[test]
    fn a_folder_is_no_file_to_restart_for() {
        let error = parse(&format!("{SHOW}\0B\x001\0\0\0\0other\0\0\0"), "a.service", &["/etc"]).unwrap_err();
        assert_eq!(error.code(), "service.not_a_file");
    }

    #[test]
    fn an_unknown_unit_has_a_nearest_name() {
        let text = "Names=ngin.service\nLoadState=not-found\n\0B\x001\0\0nginx.service enabled enabled\nssh.service enabled enabled\n\0\0\0\0";
        let unit = parse(text, "ngin.service", &[]).unwrap();
        let error = unit.refuse_if_unusable().unwrap_err();
        assert_eq!((error.code(), error.kind()), ("service.unknown", Kind::Refused));
        assert_eq!(error.advice(), Some("write `nginx`, or install what brings the unit"));
    }

    #[test]
    fn dates_are_counted() {
        assert_eq!(wall_clock("Thu 1970-01-01 00:00:00 UTC"), 0);
        assert_eq!(wall_clock("Sat 2000-02-29 12:00:00 UTC"), 951_825_600);
        assert_eq!(wall_clock("n/a"), 0);
        assert_eq!(wall_clock(""), 0);
    }
}
