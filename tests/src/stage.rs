//! The hosts of a cluster, and the states in which a test may want them.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::once::Once;
use crate::site::{Given, Site, cache, kubernetes, release};
use haengine_lab::HostSpec;

/// What a scenario begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Hosts on which nothing was done yet.
    Bare,
    /// A cluster with one master, whose certificate does not know the second.
    Founded,
    /// The same with a certificate that has the second master's address to spare, so that nothing waits for it.
    Spare,
}

/// The hosts of all scenarios; none before the first.
#[derive(Clone, Default)]
pub struct Slot(Arc<Mutex<Option<Stage>>>);

impl Slot {
    /// Waits for the hosts.
    pub fn lock(&self) -> MutexGuard<'_, Option<Stage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lab with four hosts, and where it stands.
pub struct Stage {
    /// The lab.
    pub site: Site,
    /// `None` when nobody knows.
    stands: Option<Needs>,
    /// What the second master of [`Stage::spare`] was like after a run of `add_master` that nobody interrupted.
    pub end: Option<String>,
}

/// Name, address and hostname of those that may be masters.
pub const MASTERS: [(&str, &str, &str); 3] = [
    ("master1", "192.168.2.119", "k8s-master1"),
    ("master2", "192.168.2.117", "k8s-master2"),
    ("master3", "192.168.2.116", "k8s-master3"),
];
/// Name, address and hostname of the workers.
pub const WORKERS: [(&str, &str, &str); 2] =
    [("worker1", "192.168.2.118", "k8s-node1"), ("worker2", "192.168.2.210", "k8s-node2")];
/// Two that may be masters, and the workers.
const FOUR: [(&str, &str, &str); 4] = [MASTERS[0], MASTERS[1], WORKERS[0], WORKERS[1]];
const GROUPS: &str = "masters: [master1], workers: [worker1, worker2], etcd: [master1, worker1, worker2]";

const TWO: &str = "masters: [master1, master2], workers: [worker1, worker2], etcd: [master1, worker1, worker2]";

/// No registry is reachable from the lab.
const BOOTSTRAP: [&str; 5] =
    ["bootstrap_cluster", "-i", "site.yaml", "images=/usr/local/lib/kubernetes/images.tar", "pause_image=pause:lab"];

impl Stage {
    /// Four bare hosts.
    pub fn bare() -> Stage {
        let mut stage = Stage::of("cluster", &FOUR, GROUPS);
        stage.stands = Some(Needs::Bare);
        stage
    }

    /// A cluster with one master.
    pub fn founded() -> Stage {
        let mut stage = Stage::made("founded", &[], GROUPS, |stage| {
            stage.bootstrap("run", &[]).ended_with(0);
            hurry(&stage.site);
        });
        stage.stands = Some(Needs::Founded);
        stage
    }

    /// The same, whose certificates have addresses to spare: the second master's, and one for a balancer.
    pub fn spare() -> Stage {
        let words = ["addresses=192.168.2.117,192.168.2.88"];
        let mut stage = Stage::made("spare", &words, GROUPS, |stage| {
            stage.bootstrap("run", &words).ended_with(0);
            hurry(&stage.site);
        });
        stage.stands = Some(Needs::Spare);
        stage
    }

    /// A cluster with two masters that serves, whose certificates have these addresses to spare.
    pub fn two_masters(name: &str, addresses: &str) -> Stage {
        let words = format!("addresses={addresses}");
        Stage::made(name, &[&words], TWO, |stage| {
            stage.bootstrap("run", &[&words]).ended_with(0);
            hurry(&stage.site);
            stage.add_master("run", &["target=master2"]).ended_with(0);
        })
    }

    /// A cluster that is made once.
    fn made(name: &str, words: &[&str], groups: &str, make: impl Fn(&Stage)) -> Stage {
        let once = Once::take(&cache(), &format!("{name}-{}", release()), words);
        let mut stage = if once.is_made() {
            Stage::on(name, &FOUR, groups, |host| Some(once.disk(host)))
        } else {
            let stage = Stage::of(name, &FOUR, groups);
            make(&stage);
            stage.site.keep(&once);
            stage
        };
        stage.wait();
        stage.site.uses(once);
        stage
    }

    /// Bare hosts of this name, address and hostname.
    pub fn of(name: &str, hosts: &[(&str, &str, &str)], groups: &str) -> Stage {
        Stage::on(name, hosts, groups, |_| None)
    }

    fn on(name: &str, hosts: &[(&str, &str, &str)], groups: &str, disk: impl Fn(&str) -> Option<PathBuf>) -> Stage {
        let programs = kubernetes();
        let host = |(name, address, hostname): &(&str, &str, &str)| HostSpec {
            hostname: (*hostname).to_owned(),
            kubernetes: Some(programs.clone()),
            stands_on: disk(name),
            ..HostSpec::new(*name, address.parse::<Ipv4Addr>().unwrap())
        };
        let site = Site::with(name, hosts.iter().map(host).collect(), groups);
        Stage { site, stands: None, end: None }
    }

    /// The stage in the state that a scenario needs; from now on it counts as spoiled until the scenario says otherwise.
    pub fn ready(slot: &mut Option<Stage>, needs: Needs) -> &mut Stage {
        if slot.as_ref().is_some_and(|stage| stage.stands != Some(needs)) {
            // The former hosts go first: two clusters are more than a small machine bears.
            let end = slot.take().and_then(|stage| stage.end);
            slot.insert(Stage::at(needs)).end = end;
        }
        let stage = slot.get_or_insert_with(|| Stage::at(needs));
        stage.stands = None;
        stage
    }

    fn at(needs: Needs) -> Stage {
        match needs {
            Needs::Bare => Stage::bare(),
            Needs::Founded => Stage::founded(),
            Needs::Spare => Stage::spare(),
        }
    }

    /// Goes back to where [`Needs::Spare`] begins.
    pub fn back(&mut self) {
        self.site.down();
        let end = self.end.take();
        *self = Stage { stands: None, end, ..Stage::spare() };
    }

    /// The hosts stand as this scenario leaves them.
    pub fn stands(&mut self, state: Needs) {
        self.stands = Some(state);
    }

    /// The hosts are switched off and on, and from then on stand as [`Stage::founded`].
    pub fn is_founded(&mut self) {
        hurry(&self.site);
        self.site.snapshot("founded");
        self.wait();
        self.stands = Some(Needs::Founded);
    }

    /// Waits until a cluster that was switched on again serves.
    pub fn wait(&self) {
        wait(&self.site);
    }

    /// `bootstrap_cluster`, told as JSON.
    pub fn bootstrap(&self, command: &str, more: &[&str]) -> Given {
        self.recipe(command, &BOOTSTRAP, more)
    }

    /// `add_master` with the second master as its target, told as JSON.
    pub fn add_master(&self, command: &str, more: &[&str]) -> Given {
        self.recipe(command, &ADD, more)
    }

    /// The same, not waited for.
    pub fn adding(&self) -> Command {
        self.site.command(&[&["run"][..], &ADD, &["target=master2", "--json"]].concat())
    }

    fn recipe(&self, command: &str, words: &[&str], more: &[&str]) -> Given {
        self.site.haengine(&[&[command], words, more, &["--json", "--yes"]].concat())
    }

    /// Takes a run back.
    pub fn undo(&self, run: &Given) -> Given {
        let id = run.finished()["run"].as_str().unwrap().to_owned();
        self.site.haengine(&["undo", &id, "--yes", "--json"])
    }
}

/// Waits until a cluster that was switched on again serves.
pub fn wait(site: &Site) {
    let minute = Duration::from_secs(60);
    site.within(minute, "master1", "kubectl --cache-dir /tmp/kubectl get --raw /readyz >/dev/null");
    site.within(minute, "master1", "! kubectl --cache-dir /tmp/kubectl get nodes --no-headers | grep -vw Ready");
    // A kubelet makes its lease a while after its node.
    let count = |what: &str| format!("$(kubectl --cache-dir /tmp/kubectl get {what} -o name | wc -l)");
    let leases = count("leases -n kube-node-lease");
    site.within(minute, "master1", &format!("[ {} = {leases} ]", count("nodes")));
    // What held these leases before is gone; they last 15 seconds.
    for name in ["kube-controller-manager", "kube-scheduler"] {
        site.within(minute, "master1", &format!(
            "renewed=$(kubectl -n kube-system get lease {name} -o 'jsonpath={{.spec.renewTime}}') && [ $(($(date +%s) - $(date -d \"$renewed\" +%s))) -lt 5 ]"
        ));
    }
}

/// An API server that is stopped waits as long for its clients as a request may take, a minute unless it is told otherwise.
/// Here, and on all that are cloned from it, 15 seconds; the variants have the minute.
fn hurry(site: &Site) {
    let script = "sed -i 's/^KUBE_APISERVER_OPTS=\"/&--request-timeout=15s /' /opt/kubernetes/cfg/kube-apiserver.conf && \
        systemctl kill -s KILL kube-apiserver && systemctl restart kube-apiserver && \
        tr '\\0' '\\n' </proc/$(pgrep -o kube-apiserver)/cmdline | grep request-timeout";
    assert_eq!(site.on("master1", &format!("{{ {script}; }} 2>&1")), "--request-timeout=15s\n");
    wait(site);
    // After an hour the cluster would delete them, in the middle of a test.
    site.on("master1", "kubectl --cache-dir /tmp/kubectl delete csr --all");
}

/// An API server that is stopped waits a minute for the watches of its clients; of these two masters it does not.
pub fn in_haste(site: &Site, haste: bool) {
    let folder = "/etc/systemd/system/kube-apiserver.service.d";
    let script = match haste {
        true => format!("mkdir {folder} && printf '[Service]\\nTimeoutStopSec=2\\n' >{folder}/haste.conf"),
        false => format!("rm -r {folder}"),
    };
    for host in ["master1", "master2"] {
        assert_eq!(site.on(host, &format!("{{ {script}; systemctl daemon-reload; }} 2>&1")), "", "{host}");
    }
}

const ADD: [&str; 3] = ["add_master", "-i", "site.yaml"];
