//! The machine's mounts, as far as they lie below a folder of ours.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::mount::{MntFlags, umount2};

use crate::{Result, error::At};

/// One line of the machine's table of mounts.
#[derive(Debug, PartialEq)]
pub(crate) struct Mount {
    pub point: PathBuf,
    pub kind: String,
    /// The options of the file system itself, such as an overlay's folders.
    pub options: String,
}

/// All mounts, in the order in which they were made.
pub(crate) fn table() -> Result<Vec<Mount>> {
    let path = Path::new("/proc/self/mountinfo");
    Ok(parse(&fs::read_to_string(path).at("read", path)?))
}

/// Whether something is mounted on exactly this path.
pub(crate) fn is_mounted(path: &Path) -> Result<bool> {
    Ok(table()?.iter().any(|mount| mount.point == path))
}

/// Takes away every mount at or below `folder`, the youngest first.
pub(crate) fn unmount_below(folder: &Path) -> Result<()> {
    let points = table()?.into_iter().map(|mount| mount.point).filter(|point| point.starts_with(folder));
    points.collect::<Vec<_>>().iter().rev().try_for_each(|point| unmount(point))
}

/// Takes one mount away.
pub(crate) fn unmount(point: &Path) -> Result<()> {
    // What a killed process had open is let go a moment after its end.
    for _ in 0..40 {
        match umount2(point, MntFlags::empty()) {
            Err(nix::errno::Errno::EBUSY) => std::thread::sleep(Duration::from_millis(25)),
            done => return done.at("unmount", point),
        }
    }
    umount2(point, MntFlags::MNT_DETACH).at("unmount", point)
}

fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Mount> {
    let (place, system) = line.split_once(" - ")?;
    let mut system = system.split(' ');
    Some(Mount {
        point: unescape(place.split(' ').nth(4)?).into(),
        kind: system.next()?.to_owned(),
        options: unescape(system.nth(1)?),
    })
}

/// The kernel writes blanks, tabs, line feeds and backslashes as three octal digits.
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (code, character)| text.replace(code, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let text = "22 1 0:5 / /a\\040b rw,nosuid shared:2 master:1 - cgroup cgroup rw,xattr,name=systemd\nbroken\n";
        let options = "rw,xattr,name=systemd".into();
        assert_eq!(parse(text), [Mount { point: "/a b".into(), kind: "cgroup".into(), options }]);
    }

    #[test]
    fn this_machine_has_a_root() {
        assert!(is_mounted(Path::new("/")).unwrap());
    }
}
