//! What is on disk of a lab: who made it, its hosts, the layers that their disks are stacked from.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{Error, HostSpec, Result, error::At};

const FILE: &str = "lab.json";
const VERSION: u32 = 1;

/// The lab's record. It is written before what it names is created.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    version: u32,
    /// The process that an ephemeral lab belongs to; none for a lab that stays until it is taken down.
    pub owner: Option<Owner>,
    /// The base image that all hosts stand on.
    pub base: PathBuf,
    /// The addresses of the operator's side.
    pub operator: Vec<Ipv4Addr>,
    pub hosts: Vec<HostRecord>,
    pub snapshots: BTreeMap<String, BTreeMap<String, Vec<u32>>>,
    next_layer: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct HostRecord {
    pub spec: HostSpec,
    /// Numbers the host within its lab; what has to be short is called after it.
    pub index: usize,
    /// The layers of its disk, the writable one last.
    pub layers: Vec<u32>,
    /// Whether its disk has its identity. A host without it is made anew.
    pub ready: bool,
}

/// A process, told from a later one of the same number by its start time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pid: u32,
    started: String,
}

impl Record {
    pub fn new(owner: Option<Owner>, base: PathBuf, operator: Vec<Ipv4Addr>) -> Record {
        let (hosts, snapshots) = (Vec::new(), BTreeMap::new());
        Record { version: VERSION, owner, base, operator, hosts, snapshots, next_layer: 0 }
    }

    /// The record in `folder`, or none when there is no lab.
    pub fn load(folder: &Path) -> Result<Option<Record>> {
        let path = folder.join(FILE);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.at("read", &path)?,
        };
        let record: Record = serde_json::from_slice(&text).map_err(std::io::Error::from).at("understand", &path)?;
        if record.version != VERSION {
            return Err(Error::new("lab.record", format!("the lab in `{}` is of another version", folder.display()))
                .hint("take it down with `haengine lab down`"));
        }
        Ok(Some(record))
    }

    /// Writes the record; a reader sees the old one or the new one.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let (path, next) = (folder.join(FILE), folder.join("lab.json.new"));
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::from).at("write", &path)?;
        fs::write(&next, text).at("write", &next)?;
        fs::rename(&next, &path).at("write", &path)
    }

    /// A number for a layer that no layer of this lab ever had.
    pub fn fresh_layer(&mut self) -> u32 {
        self.next_layer += 1;
        self.next_layer
    }

    /// The layers of `host` that something still stands on.
    pub fn layers_in_use(&self, host: &str) -> BTreeSet<u32> {
        let current = self.hosts.iter().filter(|h| h.spec.name == host).flat_map(|h| h.layers.iter());
        let frozen = self.snapshots.values().filter_map(|hosts| hosts.get(host)).flatten();
        current.chain(frozen).copied().collect()
    }

    /// A host by its name.
    pub fn host(&self, name: &str) -> Result<&HostRecord> {
        self.hosts.iter().find(|host| host.spec.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.hosts.iter().map(|host| host.spec.name.as_str()).collect();
            Error::new("lab.host", format!("the lab has no host `{name}`"))
                .hint(format!("name one of {}", known.join(", ")))
        })
    }
}

impl Owner {
    /// The process that runs this code.
    pub fn current() -> Owner {
        let pid = std::process::id();
        Owner { pid, started: started(pid).unwrap_or_default() }
    }

    pub fn is_alive(&self) -> bool {
        started(self.pid).is_some_and(|started| started == self.started)
    }

    pub fn is_current(&self) -> bool {
        self.pid == std::process::id()
    }
}

/// When a process started, in ticks since the machine did; none when it is gone or only waits to be buried.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold blanks and brackets, so fields are counted from its end.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    match *fields.first()? {
        "Z" | "X" => None,
        _ => fields.get(19).map(|ticks| (*ticks).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let mut record = Record::new(None, "/base".into(), vec![]);
        let spec = HostSpec::new("m1", Ipv4Addr::new(10, 0, 0, 1));
        let layers = vec![record.fresh_layer(), record.fresh_layer()];
        record.hosts.push(HostRecord { spec, index: 0, layers, ready: true });
        record
    }

    #[test]
    fn a_record_survives_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Record::load(folder.path()).unwrap().is_none());
        record().save(folder.path()).unwrap();
        assert_eq!(Record::load(folder.path()).unwrap().unwrap().hosts, record().hosts);
    }

    #[test]
    fn a_snapshot_holds_its_layers() {
        let mut record = record();
        record.snapshots.insert("s".into(), [("m1".to_owned(), vec![1, 7])].into());
        assert_eq!(record.layers_in_use("m1"), [1, 2, 7].into());
        assert_eq!(record.fresh_layer(), 3);
    }

    #[test]
    fn an_unknown_host_is_told_the_known_ones() {
        assert_eq!(record().host("m9").unwrap_err().hint.unwrap(), "name one of m1");
    }

    #[test]
    fn an_owner_is_told_from_a_later_process_of_its_number() {
        let owner = Owner::current();
        assert!(owner.is_alive());
        assert!(!Owner { started: "0".into(), ..owner.clone() }.is_alive());
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = Owner { pid: child.id(), started: started(child.id()).unwrap_or("1".into()) };
        child.wait().unwrap();
        assert!(!gone.is_alive());
    }
}
