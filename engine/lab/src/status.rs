//! What there is of a lab.

use std::net::Ipv4Addr;

use serde::Serialize;

use crate::{Lab, Result, cgroup};

/// A lab as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The lab's name.
    pub name: String,
    /// The operator's addresses on the lab's networks.
    pub operator: Vec<Ipv4Addr>,
    /// Whether it goes when the process that made it does.
    pub ephemeral: bool,
    /// Its hosts, in the order in which they were added.
    pub hosts: Vec<HostStatus>,
    /// The names of its snapshots.
    pub snapshots: Vec<String>,
}

/// A host as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostStatus {
    /// Its name in the inventory.
    pub name: String,
    /// What it calls itself.
    pub hostname: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Where its sshd listens.
    pub port: u16,
    /// Whether it has power.
    pub running: bool,
    /// Whether its cable is cut.
    pub cut: bool,
    /// The number of its first process, as this machine counts.
    pub pid: Option<i32>,
}

impl Lab {
    /// The lab as it is now; none when there is no such lab.
    ///
    /// # Errors
    /// When its record cannot be read.
    pub async fn status(&self) -> Result<Option<Status>> {
        self.blocking(|lab| {
            let Some(record) = crate::record::Record::load(&lab.folder)? else { return Ok(None) };
            let hosts = lab.hosts(&record).into_iter().map(|host| {
                let pid = cgroup::leader(&host.machine)?;
                Ok(HostStatus {
                    name: host.spec.name.clone(),
                    hostname: host.spec.hostname.clone(),
                    address: host.spec.address,
                    port: host.spec.port,
                    running: pid.is_some(),
                    cut: host.is_cut(),
                    pid,
                })
            });
            let hosts = hosts.collect::<Result<_>>()?;
            let (name, ephemeral) = (lab.name.clone(), record.owner.is_some());
            let snapshots = record.snapshots.into_keys().collect();
            Ok(Some(Status { name, operator: record.operator, ephemeral, hosts, snapshots }))
        })
        .await
    }
}
