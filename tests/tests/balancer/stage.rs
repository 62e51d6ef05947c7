//! A cluster with two masters, and what stands before it.

use std::time::Duration;

use haengine_tests::reader::Reader;
use haengine_tests::site::Given;
use haengine_tests::stage::Stage as Cluster;

/// A balancer with keepalived.
pub struct Balancer {
    pub name: &'static str,
    pub recipe: &'static str,
    /// The address that it holds.
    pub vip: &'static str,
}

/// The certificates are for this address from the beginning.
pub const NGINX: Balancer = Balancer { name: "nginx", recipe: "nginx_keepalived", vip: "192.168.2.88" };
/// For this one they are extended.
pub const HAPROXY: Balancer = Balancer { name: "haproxy", recipe: "haproxy_keepalived", vip: "192.168.2.89" };

/// The cluster of all scenarios.
pub struct Stage {
    pub cluster: Cluster,
    /// What stands before it, and the run that put it there.
    stands: Option<(&'static Balancer, Given)>,
}

impl Stage {
    /// Brings up a cluster with two masters and nothing before it.
    pub fn set() -> Stage {
        let cluster = Cluster::two_masters("balancer", &format!("192.168.2.117,{}", NGINX.vip));
        cluster.site.write("drill.rhai", include_str!("drill.rhai"));
        Stage { cluster, stands: None }
    }

    /// A recipe with these words, told as JSON.
    pub fn recipe(&self, command: &str, recipe: &str, words: &[&str]) -> Given {
        self.cluster.site.haengine(&[&[command, recipe, "-i", "site.yaml", "--json", "--yes"], words].concat())
    }

    /// A client that asks the API fifty times a second, where an address stands before it.
    pub fn reader(&self) -> Option<Reader<'_>> {
        let (balancer, _) = self.stands.as_ref()?;
        Some(Reader::of(&self.cluster.site, &format!("{}:16443", balancer.vip), 50))
    }

    /// Nothing stands before the cluster.
    pub fn clear(&mut self) {
        if let Some((balancer, run)) = self.stands.take() {
            let undo = self.cluster.undo(&run).ended_with(0);
            let logged = "journalctl -u keepalived --no-pager -n 40; systemctl status keepalived --no-pager -n 0";
            let said = || self.cluster.site.each_says(&format!("{{ {logged}; }} 2>&1"));
            assert!(self.holders(balancer.vip).is_empty(), "undo left the address:\n{}\n{}", said(), undo.out);
        }
    }

    /// This balancer stands before the cluster, and stays there for the scenarios that follow.
    pub fn with(&mut self, balancer: &'static Balancer) {
        if self.stands.as_ref().is_some_and(|(there, _)| there.name == balancer.name) {
            return;
        }
        self.clear();
        let run = self.recipe("run", balancer.recipe, &[&format!("vip={}", balancer.vip)]).ended_with(0);
        self.stands = Some((balancer, run));
    }

    /// Both API servers serve, also those that an undo has just restarted.
    pub fn settle(&self) {
        for host in ["master1", "master2"] {
            self.cluster.site.within(
                Duration::from_secs(60),
                host,
                "kubectl --cache-dir /tmp/kubectl get --raw /readyz >/dev/null",
            );
        }
    }

    /// The hosts that have an address.
    pub fn holders(&self, vip: &str) -> Vec<String> {
        let said = self.cluster.site.each_says(&format!("ip -o -4 addr show to {vip}/32"));
        said.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    }

    /// The one host that has an address, after a moment in which it may move.
    pub fn holder(&self, vip: &str) -> String {
        for _ in 0..50 {
            if let [holder] = self.holders(vip).as_slice() {
                return holder.clone();
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("{vip} is on {:?}", self.holders(vip));
    }
}
