//! Taking a lab down.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::Path,
    time::Duration,
};

use nix::sys::signal::Signal;

use crate::{Lab, Result, cgroup, host::remove, lab::Inner, lock::Lock, mounts, quiet, record::Record};

impl Lab {
    /// Ends and removes everything of the lab, also what a crash left of it. A lab that is not there is fine.
    ///
    /// Hosts are not shut down but cut off: a throw-away host has nothing to save.
    ///
    /// # Errors
    /// `lab.busy` when another process works on the lab, or what the machine says when something cannot go.
    pub async fn down(&self) -> Result<()> {
        self.blocking(|lab| lab.down(Duration::from_secs(300))).await
    }
}

impl Inner {
    /// Takes the lab down without asking its record, which may be lost: names and folder tell everything.
    pub(crate) fn down(&self, patience: Duration) -> Result<()> {
        let traces = self.folder.exists() || self.lock_path().exists();
        if !traces && cgroup::machines(&self.prefix)?.is_empty() {
            return Ok(());
        }
        let lock = Lock::take(&self.lock_path(), patience, &quiet())?;
        self.wipe()?;
        lock.remove();
        Ok(())
    }

    /// The same, for somebody who holds the lock.
    pub(crate) fn wipe(&self) -> Result<()> {
        settle(&self.folder);
        for machine in cgroup::machines(&self.prefix)? {
            cgroup::kill_all(&machine)?;
            cgroup::remove(&machine)?;
        }
        // Somebody's shell in a lab's network may stay open; what a test left there has nobody to end it.
        if Record::load(&self.folder).is_ok_and(|record| record.is_some_and(|record| record.owner.is_some())) {
            end_operators(&self.bridge);
        }
        mounts::unmount_below(&self.folder)?;
        remove(&self.folder)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.owner.as_ref().is_some_and(|owner| owner.is_current())
            && Record::load(&self.folder).is_ok_and(|record| record.is_some_and(|record| record.owner == self.owner))
            && let Err(error) = self.down(Duration::from_secs(30))
        {
            tracing::warn!(lab = self.name, %error, "the lab could not be taken down");
        }
    }
}

/// Waits until nothing works on `place` any more that a creator left behind who was killed just now: a program that
/// mounts a disk or lays a cable. Keepers, which would start a host in a moment and are in no group yet, are ended.
///
/// `place` is the lab's folder, or the network of one host. Somebody's editor there is not waited for long.
pub(crate) fn settle(place: &Path) {
    let spared = ancestors();
    let mut still = 0;
    for _ in 0..200 {
        let busy: Vec<Straggler> =
            stragglers(place).into_iter().filter(|straggler| !spared.contains(&straggler.pid)).collect();
        // A child that is not yet its program is not seen: once more, a moment later.
        still = if busy.is_empty() { still + 1 } else { 0 };
        if still == 2 {
            return;
        }
        busy.iter().filter(|straggler| straggler.keeps).for_each(|keeper| cgroup::signal(keeper.pid, Signal::SIGKILL));
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A process that works on a lab and is in no host's group.
struct Straggler {
    pid: i32,
    /// It starts a host.
    keeps: bool,
}

fn stragglers(place: &Path) -> Vec<Straggler> {
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let straggler = |pid: i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        let at = words.iter().position(|word| names(word, place))?;
        let group = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let free = !group.contains(cgroup::PARENT);
        free.then(|| Straggler { pid, keeps: at > 0 && words[at - 1] == b"keep" })
    };
    numbers.filter_map(straggler).collect()
}

/// Whether a word of a command line is a path at or below `place`, also one behind a `=` or in a list.
fn names(word: &[u8], place: &Path) -> bool {
    word.split(|byte| matches!(byte, b'=' | b',' | b':'))
        .any(|part| Path::new(OsStr::from_bytes(part)).starts_with(place))
}

/// Ends what still runs in the lab's network, except this process and those that it runs under.
fn end_operators(namespace: &Path) {
    let Ok(network) = fs::metadata(namespace).map(|file| (file.dev(), file.ino())) else { return };
    let spared = ancestors();
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    for pid in numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()) {
        let inside = fs::metadata(format!("/proc/{pid}/ns/net")).is_ok_and(|file| (file.dev(), file.ino()) == network);
        if inside && !spared.contains(&pid) {
            cgroup::signal(pid, Signal::SIGKILL);
        }
    }
}

/// This process, its parent, and so on.
fn ancestors() -> Vec<i32> {
    let mut line = vec![std::process::id().cast_signed()];
    while let Some(parent) = line.last().and_then(|pid| parent(*pid)).filter(|pid| *pid > 0) {
        line.push(parent);
    }
    line
}

fn parent(pid: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_and_its_parent_are_spared() {
        let line = ancestors();
        assert_eq!(line[0], i32::try_from(std::process::id()).unwrap());
        assert_eq!(line.get(1).copied(), parent(line[0]).filter(|pid| *pid > 0));
    }
}
