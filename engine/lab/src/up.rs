//! Bringing a lab up.

use std::{fs, path::Path};

use crate::{
    Error, HostSpec, Lab, LabSpec, Progress, Result, boot,
    down::settle,
    error::At,
    host::{Host, make_key, remove},
    image,
    lab::{Inner, each, networks},
    network, prepare,
    record::{HostRecord, Record},
    spec::operator_addresses,
};

impl Lab {
    /// Brings the hosts of `spec` up and waits until systemd and sshd of each are ready.
    ///
    /// What is up stays as it is, what is missing is made, what has no power is switched on: a second call
    /// does nothing. Hosts that are not in `spec` are left alone.
    ///
    /// # Errors
    /// `lab.root`, `lab.package`, `lab.image` when this machine cannot have a lab, `lab.spec` for hosts that
    /// cannot be built, `lab.differs` when a host is there with other properties, `lab.boot` when a host does
    /// not get ready.
    pub async fn up(&self, spec: &LabSpec, progress: Progress) -> Result<()> {
        let spec = spec.clone();
        self.blocking(move |lab| lab.up(&spec, &progress)).await
    }
}

impl Inner {
    fn up(&self, spec: &LabSpec, progress: &Progress) -> Result<()> {
        spec.check()?;
        let base = prepare::prepare(&self.cache, &self.mirror, progress)?;
        let _lock = self.lock(progress)?;
        settle(&self.folder);
        let mut record = self.admit(spec, base.clone())?;
        image::mark_used(&base);
        let all = networks(&record);
        network::bridge(&self.bridge, &record.operator)?;
        self.make_hosts(spec, &mut record, progress)?;

        let wanted: Vec<Host> = self.hosts(&record).into_iter().filter(|host| names(spec, &host.spec)).collect();
        progress(&format!("booting {}", count(wanted.len())));
        each(&wanted, |host| {
            boot::start(&self.bridge, host, &all)?;
            network::route(host, &all)?;
            boot::wait_ready(&self.bridge, host)
        })?;
        progress(&format!("{} ready", count(wanted.len())));
        Ok(())
    }

    /// Enters the hosts of `spec` in the lab's record, which is on disk before anything of them is.
    fn admit(&self, spec: &LabSpec, base: std::path::PathBuf) -> Result<Record> {
        for folder in ["net", "hosts"].map(|name| self.folder.join(name)) {
            fs::create_dir_all(&folder).at("create", &folder)?;
        }
        let mut record = match Record::load(&self.folder)? {
            Some(record) => record,
            None => Record::new(self.owner.clone(), base, Vec::new()),
        };
        let known: Vec<HostSpec> = record.hosts.iter().map(|host| host.spec.clone()).collect();
        for host in &spec.hosts {
            match known.iter().find(|known| known.name == host.name) {
                Some(known) if !is_same(known, host) => return Err(differs(&host.name)),
                Some(_) => {}
                None => {
                    let index = record.hosts.len();
                    let layers = vec![record.fresh_layer()];
                    record.hosts.push(HostRecord { spec: host.clone(), index, layers, ready: false });
                }
            }
        }
        let all: Vec<HostSpec> = record.hosts.iter().map(|host| host.spec.clone()).collect();
        LabSpec { hosts: all.clone(), authorized_key: None }.check()?;
        let operator = operator_addresses(&all)?;
        if let Some(moved) = record.operator.iter().find(|address| !operator.contains(address)) {
            return Err(Error::new("lab.spec", format!("`{moved}` is the operator's own address in this lab"))
                .hint("give the new host another address, or run `haengine lab down` first"));
        }
        record.operator = operator;
        record.save(&self.folder)?;
        Ok(record)
    }

    /// Gives every host that has none its disk and identity.
    fn make_hosts(&self, spec: &LabSpec, record: &mut Record, progress: &Progress) -> Result<()> {
        let identity = self.folder.join("identity");
        if !identity.with_extension("pub").exists() {
            // ssh-keygen writes the public half last, and asks before it replaces the private one.
            let _ = fs::remove_file(&identity);
            make_key(&identity, &format!("haengine lab {}", self.name))?;
        }
        let public = identity.with_extension("pub");
        let mut keys = fs::read_to_string(&public).at("read", &public)?;
        if let Some(key) = &spec.authorized_key {
            keys += key.trim_end();
            keys.push('\n');
        }
        let unready = record.hosts.iter().filter(|host| !host.ready).map(|host| self.host(record, host));
        let unready: Vec<Host> = unready.collect();
        if !unready.is_empty() {
            progress(&format!("making {}", count(unready.len())));
        }
        each(&unready, |host| {
            // A host that was left half made by a crash has nothing worth keeping.
            boot::cut_power(&self.bridge, host)?;
            remove(&host.folder)?;
            host.mount()?;
            host.personalise(&keys)
        })?;
        record.hosts.iter_mut().for_each(|host| host.ready = true);
        record.save(&self.folder)?;
        write_known_hosts(&self.folder.join("known_hosts"), &self.hosts(record))
    }
}

fn write_known_hosts(path: &Path, hosts: &[Host]) -> Result<()> {
    let mut lines = String::new();
    for host in hosts {
        let key = fs::read_to_string(host.public_key()).at("read", &host.public_key())?;
        lines += &known_host(&host.spec, &key);
    }
    let next = path.with_extension("new");
    fs::write(&next, lines).at("write", &next)?;
    fs::rename(&next, path).at("write", path)
}

fn known_host(spec: &HostSpec, key: &str) -> String {
    let key = key.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    match (&spec.name, spec.address, spec.port) {
        (name, address, 22) => format!("{name},{address} {key}\n"),
        (name, address, port) => format!("[{name}]:{port},[{address}]:{port} {key}\n"),
    }
}

fn names(spec: &LabSpec, host: &HostSpec) -> bool {
    spec.hosts.iter().any(|wanted| wanted.name == host.name)
}

/// A host keeps its Kubernetes where none is asked for.
fn is_same(known: &HostSpec, wanted: &HostSpec) -> bool {
    let kubernetes = wanted.kubernetes.clone().or_else(|| known.kubernetes.clone());
    *known == HostSpec { kubernetes, ..wanted.clone() }
}

fn differs(name: &str) -> Error {
    Error::new("lab.differs", format!("host `{name}` is in the lab with another address, name, port or Kubernetes"))
        .hint("run `haengine lab down` first")
}

fn count(hosts: usize) -> String {
    if hosts == 1 { "1 host".to_owned() } else { format!("{hosts} hosts") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hosts_are_written_as_ssh_reads_them() {
        let mut spec = HostSpec::new("m1", "10.0.0.1".parse().unwrap());
        assert_eq!(known_host(&spec, "ssh-ed25519 AAAA root@m1\n"), "m1,10.0.0.1 ssh-ed25519 AAAA\n");
        spec.port = 2222;
        assert_eq!(known_host(&spec, "ssh-ed25519 AAAA\n"), "[m1]:2222,[10.0.0.1]:2222 ssh-ed25519 AAAA\n");
    }

    #[test]
    fn a_host_keeps_its_kubernetes_and_cannot_be_given_another() {
        let bare = HostSpec::new("m1", "10.0.0.1".parse().unwrap());
        let given = |folder: &str| HostSpec { kubernetes: Some(folder.into()), ..bare.clone() };
        assert!(is_same(&given("/a"), &bare));
        assert!(is_same(&given("/a"), &given("/a")));
        assert!(!is_same(&given("/a"), &given("/b")));
        assert!(!is_same(&bare, &given("/a")));
        assert!(!is_same(&given("/a"), &HostSpec { port: 2222, ..bare.clone() }));
    }
}
