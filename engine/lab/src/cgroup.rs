//! The control groups of a lab's hosts, which are also how their processes are found.
//!
//! Each host gets groups of its own. Without them nspawn would put all hosts into one shared group: each
//! systemd would see the others' processes in its services and could neither count nor kill them.
//! The names come from the lab alone, so the processes of a lab are found after any crash.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{Error, Result, error::At, mounts};

const PARENT: &str = "haengine-lab";

/// Makes the groups of `machine`, one in each hierarchy that systemd uses, and returns them.
pub(crate) fn create(machine: &str) -> Result<Vec<PathBuf>> {
    let groups = hierarchies()?.into_iter().map(|top| top.join(PARENT).join(machine));
    groups.map(|group| fs::create_dir_all(&group).at("create", &group).map(|()| group)).collect()
}

/// The machines whose names begin with `prefix` and that have groups.
pub(crate) fn machines(prefix: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> = hierarchies()?.iter().flat_map(|top| children(&top.join(PARENT))).collect();
    names.retain(|name| name.starts_with(prefix));
    names.sort();
    names.dedup();
    Ok(names)
}

/// All processes of `machine`: what runs inside, and the nspawn that holds it.
pub(crate) fn processes(machine: &str) -> Result<Vec<i32>> {
    let mut pids = Vec::new();
    for top in hierarchies()? {
        collect(&top.join(PARENT).join(machine), &mut pids);
    }
    pids.sort_unstable();
    pids.dedup();
    Ok(pids)
}

/// The first process inside `machine`, if it runs.
pub(crate) fn leader(machine: &str) -> Result<Option<i32>> {
    // It is number 1 one namespace below ours; number 1 of a container inside the host is deeper.
    Ok(processes(machine)?.into_iter().find(|pid| namespace_pids(*pid).get(1..) == Some(&[1])))
}

/// The nspawn that holds `machine`, if it runs.
pub(crate) fn supervisor(machine: &str) -> Result<Option<i32>> {
    let is_nspawn =
        |pid: &i32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "systemd-nspawn");
    Ok(processes(machine)?.into_iter().find(|pid| namespace_pids(*pid).len() == 1 && is_nspawn(pid)))
}

/// Ends every process of `machine` at once, as a power cut does.
pub(crate) fn kill_all(machine: &str) -> Result<()> {
    let started = Instant::now();
    loop {
        let pids = processes(machine)?;
        if pids.is_empty() {
            return Ok(());
        }
        if started.elapsed() > Duration::from_secs(10) {
            return Err(Error::new("lab.kill", format!("processes of `{machine}` do not end: {pids:?}"))
                .hint("look at them with `ps`"));
        }
        // The first process takes all of its namespace with it. Killing nspawn alone would leave them running.
        match leader(machine)? {
            Some(leader) => signal(leader, Signal::SIGKILL),
            None => pids.iter().for_each(|pid| signal(*pid, Signal::SIGKILL)),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Removes the groups of `machine`, which must have no process any more.
pub(crate) fn remove(machine: &str) -> Result<()> {
    for top in hierarchies()? {
        remove_tree(&top.join(PARENT).join(machine))?;
        // Goes with the last machine; until then it is not empty.
        let _ = fs::remove_dir(top.join(PARENT));
    }
    Ok(())
}

/// Sends a signal; a process that is gone already is as good.
pub(crate) fn signal(pid: i32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid), signal);
}

/// Where the hierarchies are mounted that systemd sorts processes in.
fn hierarchies() -> Result<Vec<PathBuf>> {
    let ours = |mount: &mounts::Mount| match mount.kind.as_str() {
        "cgroup2" => true,
        "cgroup" => mount.options.split(',').any(|option| option == "name=systemd"),
        _ => false,
    };
    let mut tops: Vec<PathBuf> = mounts::table()?.into_iter().filter(ours).map(|mount| mount.point).collect();
    // A machine may show the same hierarchy in several places; the usual one is enough.
    tops.retain(|top| top.starts_with("/sys/fs/cgroup"));
    if tops.is_empty() {
        return Err(Error::new("lab.cgroup", "this machine has no control groups that systemd could use")
            .hint("mount cgroup2 on `/sys/fs/cgroup`"));
    }
    Ok(tops)
}

fn collect(group: &Path, pids: &mut Vec<i32>) {
    let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    // Number 0 is a process of a namespace that we do not see into.
    pids.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()).filter(|pid| *pid > 0));
    children(group).iter().for_each(|child| collect(&group.join(child), pids));
}

fn remove_tree(group: &Path) -> Result<()> {
    for child in children(group) {
        remove_tree(&group.join(child))?;
    }
    for _ in 0..40 {
        match fs::remove_dir(group) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy => {
                std::thread::sleep(Duration::from_millis(25));
            }
            done => return done.at("remove", group),
        }
    }
    fs::remove_dir(group).at("remove", group)
}

fn children(group: &Path) -> Vec<String> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The numbers of a process, ours first, then those in the namespaces below.
fn namespace_pids(pid: i32) -> Vec<i32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    line.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_ours_has_its_own_number_first() {
        let pid = i32::try_from(std::process::id()).unwrap();
        assert_eq!(namespace_pids(pid).first(), Some(&pid));
        assert!(namespace_pids(i32::MAX).is_empty());
    }
}
