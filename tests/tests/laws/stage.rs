//! The lab and what all cases share.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};

use haengine_lab::{HostSpec, Lab, LabSpec, Progress};
use haengine_tests::interrupted;
use tokio::runtime::Runtime;

use crate::Law;
use crate::lane::Lane;
use crate::manifest::Manifest;

/// One lab with a pair of hosts for each lane.
pub struct Stage {
    pub lab: Lab,
    pub runtime: Runtime,
    /// When it was begun, in seconds: what is older on a host is of the image.
    pub since: String,
    /// Hashes of the image's files, by path: what was never touched need not be read for each manifest.
    originals: OnceLock<BTreeMap<String, String>>,
    lanes: Mutex<Vec<Lane>>,
    returned: Condvar,
    next: Mutex<u8>,
    kubernetes: Option<PathBuf>,
}

impl Stage {
    /// Brings the lab up and enters its network with this thread, the first.
    pub fn set(cache: &Path, lanes: usize, kubernetes: Option<PathBuf>) -> Law<Stage> {
        let since = std::time::UNIX_EPOCH.elapsed().map_err(said)?.as_secs().to_string();
        let state = cache.join("laws");
        let (images, name) = (cache.join("lab"), format!("laws-{}", std::process::id()));
        interrupted::takes_down(&images, &state, &name);
        let lab = Lab::open(&images, &state, &name).map_err(said)?.ephemeral();
        let (next, specs) =
            (1 + 2 * lanes as u8, (0..lanes as u8).map(|lane| pair(1 + 2 * lane, &kubernetes)).collect::<Vec<_>>());
        let raise = async {
            std::fs::create_dir_all(&state).map_err(said)?;
            haengine_lab::reap(&state).await.map_err(said)?;
            let spec = LabSpec { hosts: specs.concat(), authorized_key: None };
            lab.up(&spec, loudly()).await.map_err(said)
        };
        runtime()?.block_on(raise)?;
        enter(&lab)?;
        let stage = Stage {
            lab,
            runtime: runtime()?,
            since,
            originals: OnceLock::new(),
            lanes: Mutex::default(),
            returned: Condvar::new(),
            next: Mutex::new(next),
            kubernetes,
        };
        for (number, pair) in specs.iter().enumerate() {
            if number == 0 {
                let originals = Manifest::originals(&stage, &pair[0].name)?;
                let _ = stage.originals.set(originals);
            }
            stage.give(Lane::new(&stage, pair)?);
        }
        Ok(stage)
    }

    /// Takes the lab down.
    pub fn strike(&self) {
        if let Err(error) = self.runtime.block_on(self.lab.down()) {
            eprintln!("the lab does not go down: {error}");
        }
    }

    pub fn originals(&self) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        self.originals.get().unwrap_or(&NONE)
    }

    /// A lane that nobody works on.
    pub fn take(&self) -> Lane {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match lanes.pop() {
                Some(lane) => return lane,
                None => lanes = self.returned.wait(lanes).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    pub fn give(&self, lane: Lane) {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).push(lane);
        self.returned.notify_one();
    }

    /// A lane of new hosts, in place of one whose hosts cannot be cleaned.
    pub fn replace(&self, worn: &Lane) -> Law<Lane> {
        let number = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            *next += 2;
            *next - 2
        };
        let hosts = pair(number, &self.kubernetes);
        let spec = LabSpec { hosts: hosts.to_vec(), authorized_key: None };
        self.runtime.block_on(async {
            for host in worn.hosts() {
                self.lab.power_off(host).await.map_err(said)?;
            }
            self.lab.up(&spec, haengine_lab::quiet()).await.map_err(said)
        })?;
        Lane::new(self, &hosts)
    }

    /// Runs `sh` as root on a host, past everything that is tested; its standard output.
    pub fn sh(&self, host: &str, script: &str, arguments: &[&str]) -> Law<Vec<u8>> {
        self.output(host, script, arguments).map(|output| output.stdout)
    }

    /// The same with its standard error.
    pub fn output(&self, host: &str, script: &str, arguments: &[&str]) -> Law<Output> {
        let argv: Vec<&str> = ["sh", "-c", script, "sh"].into_iter().chain(arguments.iter().copied()).collect();
        let output = self.runtime.block_on(self.lab.exec(host, &argv)).map_err(said)?;
        if output.status.success() {
            return Ok(output);
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        Err(format!("on {host}, the test's own command failed, {}: {}\n{script}", output.status, complaint.trim()))
    }
}

fn pair(number: u8, kubernetes: &Option<PathBuf>) -> [HostSpec; 2] {
    [number, number + 1].map(|n| HostSpec {
        kubernetes: kubernetes.clone(),
        ..HostSpec::new(format!("n{n}"), Ipv4Addr::new(192, 168, 2, 10 + n))
    })
}

fn runtime() -> Law<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(said)
}

/// Moves this thread into the lab's network, and with it all that it starts from now on. `Lab::enter` would move the
/// whole process, which cannot be done any more: threads wait for the hosts' machines.
fn enter(lab: &Lab) -> Law {
    let namespace = std::fs::File::open(lab.namespace()).map_err(said)?;
    nix::sched::setns(namespace, nix::sched::CloneFlags::CLONE_NEWNET).map_err(said)
}

fn loudly() -> Progress {
    std::sync::Arc::new(|line| eprintln!("lab: {line}"))
}

/// Any error as text.
pub fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
