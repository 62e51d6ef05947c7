//! The control groups of a lab's hosts, which are also how their processes are found.
//!
//! Each host gets groups of its own. Without them nspawn would put all hosts into one shared group: each
//! systemd would see the others' processes in its services and could neither count nor kill them.
//! The names come from the lab alone, so the processes of a lab are found after any crash.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{Error, Result, error::At, mounts};

pub(crate) const PARENT: &str = "haengine-lab";

/// Makes the groups of `machine`, one in each hierarchy, and returns them. Systemd sorts processes in some of them;
/// in the others, containers of the host find a place that goes with the host.
pub(crate) fn create(machine: &str) -> Result<Vec<PathBuf>> {
    hierarchies()?.iter().map(|hierarchy| hierarchy.create(machine)).collect()
}

/// The machines whose names begin with `prefix` and that have groups.
pub(crate) fn machines(prefix: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> =
        hierarchies()?.iter().flat_map(Hierarchy::parents).flat_map(|parent| children(&parent)).collect();
    names.retain(|name| name.starts_with(prefix));
    names.sort();
    names.dedup();
    Ok(names)
}

/// All processes of `machine`: what runs inside, and the nspawn that holds it.
pub(crate) fn processes(machine: &str) -> Result<Vec<i32>> {
    let mut pids = Vec::new();
    // Every process is in all hierarchies; a few of them are quicker to read than ten.
    for hierarchy in hierarchies()?.into_iter().filter(|each| each.is_systemds()) {
        collect(&hierarchy.top.join(PARENT).join(machine), &mut pids);
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
    for parent in hierarchies()?.iter().flat_map(Hierarchy::parents) {
        remove_tree(&parent.join(machine))?;
        // Goes with the last machine; until then it is not empty.
        let _ = fs::remove_dir(parent);
    }
    Ok(())
}

/// Sends a signal; a process that is gone already is as good.
pub(crate) fn signal(pid: i32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid), signal);
}

/// A hierarchy of control groups: the only one of version 2, or one of several of version 1.
struct Hierarchy {
    top: PathBuf,
    kind: String,
    options: String,
}

impl Hierarchy {
    fn has(&self, word: &str) -> bool {
        self.options.split(',').any(|option| option == word)
    }

    /// Whether systemd sorts processes in it.
    fn is_systemds(&self) -> bool {
        self.kind == "cgroup2" || self.has("name=systemd")
    }

    /// The folder of all machines, for those that are made now. Where systemd sorts nothing, it is below the group
    /// of this process: a limit that somebody set for us holds for our hosts too.
    fn parent(&self) -> PathBuf {
        let own = if self.is_systemds() { None } else { own_group(&self.options) };
        let below = own.map(|path| self.top.join(path.trim_start_matches('/'))).filter(|path| path.is_dir());
        below.unwrap_or_else(|| self.top.clone()).join(PARENT)
    }

    /// Every folder of machines in the hierarchy; they may have been made by processes of several groups.
    fn parents(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        if self.is_systemds() {
            found.push(self.top.join(PARENT))
        } else {
            search(&self.top, &mut found)
        }
        found
    }

    fn create(&self, machine: &str) -> Result<PathBuf> {
        let parent = self.parent();
        let group = parent.join(machine);
        let mut tries = 40;
        loop {
            // Whoever removes the last machine of all labs at this moment takes the folder away from under us.
            match self.make(&parent).and_then(|()| self.make(&group)) {
                Err(_) if tries > 0 => tries -= 1,
                made => return made.at("create", &group).map(|()| group),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Makes a group that processes can be put in.
    fn make(&self, group: &Path) -> io::Result<()> {
        match fs::create_dir(group) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let above = group.parent().unwrap_or(&self.top);
        if self.kind == "cgroup2" {
            delegate(above);
        } else if self.has("cpuset") {
            // A group without processors takes no process, and only the children of a `clone` are made with some.
            for file in ["cpuset.cpus", "cpuset.mems"] {
                fs::write(group.join(file), fs::read_to_string(above.join(file))?)?;
            }
            fs::write(group.join("cgroup.clone_children"), "1")?;
        }
        Ok(())
    }
}

/// The group of this process in the hierarchy that has one of these options.
fn own_group(options: &str) -> Option<String> {
    let text = fs::read_to_string("/proc/self/cgroup").ok()?;
    let lines = text.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    let ours = |names: &str| names.split(',').any(|name| options.split(',').any(|option| option == name));
    lines.into_iter().find(|(names, _)| ours(names)).map(|(_, path)| path.to_owned())
}

/// Finds the folders of machines at and below `group`.
fn search(group: &Path, found: &mut Vec<PathBuf>) {
    for child in children(group) {
        let path = group.join(&child);
        if child == PARENT { found.push(path) } else { search(&path, found) }
    }
}

/// Hands every controller of a group of version 2 down, as far as the machine allows it.
fn delegate(group: &Path) {
    let controllers = fs::read_to_string(group.join("cgroup.controllers")).unwrap_or_default();
    for controller in controllers.split_whitespace() {
        // What a host does not get, its kubelet names.
        let _ = fs::write(group.join("cgroup.subtree_control"), format!("+{controller}"));
    }
}

fn hierarchies() -> Result<Vec<Hierarchy>> {
    let groups = mounts::table()?.into_iter().filter(|mount| mount.kind == "cgroup" || mount.kind == "cgroup2");
    // A machine may show the same hierarchy in several places; the usual one is enough.
    let usual = groups.filter(|mount| mount.point.starts_with("/sys/fs/cgroup"));
    let mut all: Vec<Hierarchy> =
        usual.map(|mount| Hierarchy { top: mount.point, kind: mount.kind, options: mount.options }).collect();
    // A host enters those first in which its processes are looked for.
    all.sort_by_key(|hierarchy| !hierarchy.is_systemds());
    if !all.iter().any(Hierarchy::is_systemds) {
        return Err(Error::new("lab.cgroup", "this machine has no control groups that systemd could use")
            .hint("mount cgroup2 on `/sys/fs/cgroup`"));
    }
    Ok(all)
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

    #[test]
    fn folders_of_machines_are_found_wherever_they_are() {
        let top = tempfile::tempdir().unwrap();
        let places = ["haengine-lab/a", "one/two/haengine-lab/b", "one/haengine-labs"];
        places.iter().for_each(|place| fs::create_dir_all(top.path().join(place)).unwrap());
        let mut found = Vec::new();
        search(top.path(), &mut found);
        found.sort();
        assert_eq!(found, [top.path().join("haengine-lab"), top.path().join("one/two/haengine-lab")]);
    }

    #[test]
    fn a_hierarchy_without_this_process_has_no_group_of_ours() {
        assert_eq!(own_group("rw,no-such-controller"), None);
    }
}
