//! Freezing the disks of a lab, and going back.
//!
//! A snapshot copies nothing: the writable layer of each host becomes one of the layers below, and a fresh
//! one is stacked on it.

use crate::{
    Error, Lab, Progress, Result, boot,
    host::Host,
    lab::{Inner, each, networks},
    record::Record,
    spec::check_name,
};

impl Lab {
    /// Shuts all hosts down in order, freezes their disks as `name`, and switches on again those that were on.
    ///
    /// # Errors
    /// `lab.absent` when there is no lab, `lab.snapshot` when the name is taken, `lab.boot` when a host does
    /// not come back.
    pub async fn snapshot(&self, name: &str, progress: Progress) -> Result<()> {
        let name = name.to_owned();
        self.blocking(move |lab| lab.snapshot(&name, &progress)).await
    }

    /// Cuts the power of all hosts, throws away what they wrote since the snapshot `name`, and switches on all
    /// hosts that it has. Cables that were cut are whole again.
    ///
    /// # Errors
    /// `lab.absent`, `lab.snapshot` when there is no such lab or snapshot, `lab.boot` when a host does not
    /// come back.
    pub async fn restore(&self, name: &str, progress: Progress) -> Result<()> {
        let name = name.to_owned();
        self.blocking(move |lab| lab.restore(&name, &progress)).await
    }

    /// The names of the lab's snapshots.
    ///
    /// # Errors
    /// `lab.absent` when there is no lab.
    pub async fn snapshots(&self) -> Result<Vec<String>> {
        self.blocking(|lab| Ok(lab.load()?.snapshots.into_keys().collect())).await
    }
}

impl Inner {
    fn snapshot(&self, name: &str, progress: &Progress) -> Result<()> {
        check_name("snapshot", name)?;
        let _lock = self.lock(progress)?;
        let mut record = self.load()?;
        if record.snapshots.contains_key(name) {
            return Err(Error::new("lab.snapshot", format!("the lab has a snapshot `{name}` already"))
                .hint("choose another name"));
        }
        let mut running = Vec::new();
        for host in self.hosts(&record) {
            if crate::cgroup::leader(&host.machine)?.is_some() {
                running.push(host.spec.name);
            }
        }
        progress("shutting the hosts down");
        each(&self.hosts(&record), |host| boot::shut_down(&self.bridge, host))?;
        let layers = record.hosts.iter().map(|host| (host.spec.name.clone(), host.layers.clone()));
        let layers = layers.collect();
        record.snapshots.insert(name.to_owned(), layers);
        stack_fresh_layers(&mut record);
        record.save(&self.folder)?;
        self.boot(&record, progress, |host| running.contains(&host.spec.name))
    }

    fn restore(&self, name: &str, progress: &Progress) -> Result<()> {
        let _lock = self.lock(progress)?;
        let mut record = self.load()?;
        let Some(layers) = record.snapshots.get(name).cloned() else { return Err(unknown(name, &record)) };
        progress("cutting the hosts' power");
        each(&self.hosts(&record), |host| boot::cut_power(&self.bridge, host))?;
        for host in &mut record.hosts {
            // A host that came later starts over on the bare image, without a key: so it is made anew.
            host.ready = layers.contains_key(&host.spec.name);
            host.layers = layers.get(&host.spec.name).cloned().unwrap_or_default();
        }
        stack_fresh_layers(&mut record);
        record.save(&self.folder)?;
        each(&self.hosts(&record), |host| {
            let _ = std::fs::remove_file(host.cut_mark());
            host.prune(&record.layers_in_use(&host.spec.name))
        })?;
        self.boot(&record, progress, |host| layers.contains_key(&host.spec.name))
    }

    /// Switches these hosts on and waits until they are ready.
    pub fn boot(&self, record: &Record, progress: &Progress, which: impl Fn(&Host) -> bool) -> Result<()> {
        let hosts: Vec<Host> = self.hosts(record).into_iter().filter(|host| which(host)).collect();
        progress("booting the hosts");
        each(&hosts, |host| {
            boot::start(&self.bridge, host, &networks(record))?;
            boot::wait_ready(&self.bridge, host)
        })
    }
}

fn stack_fresh_layers(record: &mut Record) {
    for index in 0..record.hosts.len() {
        let layer = record.fresh_layer();
        record.hosts[index].layers.push(layer);
    }
}

fn unknown(name: &str, record: &Record) -> Error {
    let known: Vec<&str> = record.snapshots.keys().map(String::as_str).collect();
    let hint = match known.is_empty() {
        true => format!("make it with `haengine lab snapshot {name}`"),
        false => format!("name one of {}", known.join(", ")),
    };
    Error::new("lab.snapshot", format!("the lab has no snapshot `{name}`")).hint(hint)
}
