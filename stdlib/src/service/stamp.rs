//! Which files a unit was last started with.
//!
//! The stamp lies in `/run/haengine/UNIT.stamp`: when the unit was started, in microseconds since boot; the names of the files
//! that it is restarted for; and a line with the hash of each. It speaks of that start alone; of any other start the times of the files tell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::unit::{File, Unit};

/// A stamp, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    started: u64,
    files: BTreeMap<String, String>,
}

impl Stamp {
    /// None when it is not a stamp: then the times of the files tell.
    pub(super) fn parse(text: &str) -> Option<Stamp> {
        let mut lines = text.lines();
        let (started, names) = (lines.next()?.parse().ok()?, serde_json::from_str::<Vec<String>>(lines.next()?).ok()?);
        let hashes: Vec<String> = lines.map(str::to_owned).collect();
        (names.len() == hashes.len()).then(|| Stamp { started, files: names.into_iter().zip(hashes).collect() })
    }
}

/// What a stamp is to say of the files that a unit is started or reloaded with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stamps {
    /// There is to be none.
    #[default]
    None,
    /// What they were when the unit was looked at, a hash each.
    Seen(Vec<String>),
    /// What they are right before the start: of a unit that did not run they have not been read yet.
    AtStart,
}

impl Stamps {
    /// Of a unit as it was looked at.
    pub(super) fn of(unit: &Unit) -> Stamps {
        match unit.is_active() {
            _ if unit.files.is_empty() => Stamps::None,
            true => Stamps::Seen(unit.files.iter().map(|file| file.hash().to_owned()).collect()),
            false => Stamps::AtStart,
        }
    }

    /// The stamp of these files without its first line, and without hashes that are not known yet.
    pub(super) fn text(&self, files: &[&str]) -> String {
        let names = serde_json::to_string(files).unwrap_or_default();
        match self {
            Stamps::None => String::new(),
            Stamps::Seen(hashes) => format!("{names}\n{}", hashes.join("\n")),
            Stamps::AtStart => names,
        }
    }
}

/// True when `unit` was started with another content of `file` than it has, or may have been.
pub(super) fn is_stale(unit: &Unit, file: &File) -> bool {
    let stamp = unit.stamp.as_deref().and_then(Stamp::parse).filter(|stamp| stamp.started == unit.started);
    let stamped = stamp.as_ref().and_then(|stamp| stamp.files.get(&file.path));
    match (&file.planned, stamped) {
        (Some(planned), Some(stamped)) => planned.as_ref() != Some(stamped),
        (Some(_), None) => true,
        (None, Some(stamped)) => stamped != file.hash(),
        (None, None) => is_newer(unit, file),
    }
}

/// True unless the file is surely older than the unit's start. Both clocks must say so: the wall clock may have been set
/// in between, which is what a recipe for time does. The times are known to the second only, so an equal one is newer. It is
/// the same whenever the host is asked: how long ago something was would be rounded otherwise each time.
pub(super) fn is_newer(unit: &Unit, file: &File) -> bool {
    let Some(changed) = file.changed else { return false };
    let started = i128::from(unit.booted_at) * 1_000_000 + i128::from(unit.started);
    changed >= unit.started_at || (i128::from(changed) + 1) * 1_000_000 > started
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A unit that was started at 1000 s on the wall clock, 100 s after boot.
    fn unit(stamp: Option<&str>) -> Unit {
        let stamp = stamp.map(str::to_owned);
        Unit { started: 100_000_000, started_at: 1000, booted_at: 900, stamp, ..Unit::default() }
    }

    fn file(hash: &str, changed: i64) -> File {
        let (path, sha256) = ("/etc/a".to_owned(), Some(hash.to_owned()));
        File { path, sha256, changed: Some(changed), ..File::default() }
    }

    #[test]
    fn without_a_stamp_the_times_tell() {
        assert!(!is_stale(&unit(None), &file("x", 900)));
        assert!(is_stale(&unit(None), &file("x", 1000)), "the same second may be after the start");
        assert!(is_stale(&unit(None), &file("x", 1030)));
    }

    /// Started 0.4 s after the last second in which the file can have changed, or 0.1 s before its end.
    #[test]
    fn it_does_not_depend_on_when_the_host_is_asked() {
        let started = |microseconds| Unit { started: microseconds, started_at: 1001, ..unit(None) };
        assert!(!is_stale(&started(101_400_000), &file("x", 1000)));
        assert!(is_stale(&started(100_900_000), &file("x", 1000)));
    }

    #[test]
    fn a_clock_that_was_set_does_not_hide_a_newer_file() {
        // Set back by 500 s after the start; the file was written 10 s ago, which the wall clock calls 500 s before.
        let back = Unit { booted_at: 400, ..unit(None) };
        assert!(is_stale(&back, &file("x", 550)));
        // Set forward by 500 s after the file was written.
        let forward = Unit { booted_at: 1400, ..unit(None) };
        assert!(is_stale(&forward, &file("x", 1030)));
    }

    #[test]
    fn a_stamp_of_this_start_compares_contents() {
        let stamp = "100000000\n[\"/etc/a\"]\nx";
        assert!(!is_stale(&unit(Some(stamp)), &file("x", 1030)), "touched, not changed");
        assert!(is_stale(&unit(Some(stamp)), &file("y", 900)));
        let gone = File { path: "/etc/a".to_owned(), ..File::default() };
        assert!(is_stale(&unit(Some(stamp)), &gone));
    }

    #[test]
    fn what_is_stamped_is_read_back() {
        let runs = Unit {
            files: vec![file("x", 900), File { path: "/gone".to_owned(), ..File::default() }],
            active: "active".to_owned(),
            ..unit(None)
        };
        let seen = Stamps::of(&runs);
        let stamp = Stamp::parse(&format!("7\n{}\n", seen.text(&["/etc/a", "/gone"]))).unwrap();
        assert_eq!((stamp.started, stamp.files["/etc/a"].as_str(), stamp.files["/gone"].as_str()), (7, "x", "absent"));

        let down = Unit { active: "inactive".to_owned(), ..runs.clone() };
        assert_eq!(
            (Stamps::of(&down), Stamps::of(&down).text(&["/etc/a"]).as_str()),
            (Stamps::AtStart, "[\"/etc/a\"]")
        );
        assert_eq!(Stamps::of(&Unit { files: Vec::new(), ..runs }).text(&[]), "");
    }

    #[test]
    fn a_stamp_of_another_start_says_nothing() {
        let other = "99\n[\"/etc/a\"]\ny";
        assert!(!is_stale(&unit(Some(other)), &file("x", 900)));
        for torn in ["torn", "100000000", "100000000\n[\"/etc/a\"]"] {
            assert!(is_stale(&unit(Some(torn)), &file("x", 1030)), "{torn}");
        }
    }

    #[test]
    fn a_planned_content_is_compared_with_the_stamp() {
        let stamp = "100000000\n[\"/etc/a\"]\nx";
        let planned = |hash: Option<&str>| File { planned: Some(hash.map(str::to_owned)), ..file("x", 900) };
        assert!(!is_stale(&unit(Some(stamp)), &planned(Some("x"))));
        assert!(is_stale(&unit(Some(stamp)), &planned(Some("y"))));
        assert!(is_stale(&unit(Some(stamp)), &planned(None)));
        assert!(is_stale(&unit(None), &planned(Some("x"))));
    }
}
