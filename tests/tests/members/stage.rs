//! Hosts with a cluster of etcd, and what is there of it.

use std::net::Ipv4Addr;
use std::time::Duration;

use haengine_lab::HostSpec;
use haengine_tests::site::{Given, Site};
use haengine_tests::writer::{Writer, Written};

/// Four hosts.
pub struct Stage {
    pub site: Site,
}

pub const HOSTS: [&str; 4] = ["m1", "m2", "m3", "m4"];
const ADDRESSES: [&str; 4] = ["192.168.2.11", "192.168.2.12", "192.168.2.13", "192.168.2.14"];
const ASK: &str = "ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/opt/etcd/ssl/ca.pem \
    --cert=/opt/etcd/ssl/server.pem --key=/opt/etcd/ssl/server-key.pem";

/// An election takes up to two seconds, and whoever waited for the leader that is gone is late by another one.
const ELECTION: Duration = Duration::from_secs(3);

impl Stage {
    /// With a cluster whose members are the first of the hosts.
    pub fn with(members: usize) -> Stage {
        let hosts = HOSTS.iter().zip(ADDRESSES);
        let hosts = hosts.map(|(name, address)| HostSpec::new(*name, address.parse::<Ipv4Addr>().unwrap()));
        let site = Site::with("members", hosts.collect(), "etcd: [m1, m2, m3]");
        let stage = Stage { site };
        let hosts = format!("hosts={}", HOSTS[..members].join(","));
        stage.haengine(&["run", "etcd_cluster", &hosts]).ended_with(0);
        stage
    }

    /// A recipe's run, told as JSON. No API server asks this etcd.
    pub fn run(&self, recipe: &str, words: &[&str]) -> Given {
        self.haengine(&[&["run", recipe, "masters="], words].concat())
    }

    /// Its plan.
    pub fn plan(&self, recipe: &str, words: &[&str]) -> Given {
        self.haengine(&[&["plan", recipe, "masters="], words].concat())
    }

    /// Runs what was planned, and again, which changes nothing; gives the first run.
    pub fn run_as_planned(&self, recipe: &str, words: &[&str]) -> Given {
        let plan = self.plan(recipe, words).ended_with(0);
        let run = self.run(recipe, words).ended_with(0);
        assert_eq!(run.changes(), plan.changes(), "{recipe}: planned and done");
        let again = self.run(recipe, words).ended_with(0);
        assert_eq!(again.finished()["changed"], 0, "{recipe} again: {:?}", again.changes());
        run
    }

    /// Takes a run back.
    pub fn undo(&self, run: &Given) -> Given {
        let id = run.finished()["run"].as_str().unwrap().to_owned();
        self.site.haengine(&["undo", &id, "--yes", "--json"])
    }

    fn haengine(&self, words: &[&str]) -> Given {
        self.site.haengine(&[words, &["-i", "site.yaml", "--json", "--yes"]].concat())
    }

    /// The members, as a host knows them: `NAME started|unstarted voter|learner`, sorted.
    pub fn members(&self, host: &str) -> String {
        let said = self.site.on(host, &format!("{ASK} member list"));
        let mut members: Vec<String> = said.lines().map(member).collect();
        members.sort();
        members.join(", ")
    }

    /// Somebody writes, from a host that stays, to members that do.
    pub fn writer(&self, hosts: &[&str]) -> Writer {
        let addresses: Vec<&str> =
            hosts.iter().map(|host| ADDRESSES[HOSTS.iter().position(|known| known == host).unwrap()]).collect();
        Writer::start(&self.site.lab, "m1", &addresses)
    }

    /// No acknowledged key is lost, and no gap is longer than one election.
    pub fn nothing_is_lost(&self, written: &Written) {
        let said = self.site.on("m1", &format!("{ASK} get number/ --prefix --keys-only"));
        let there: std::collections::BTreeSet<u64> =
            said.lines().filter_map(|line| line.strip_prefix("number/")?.parse().ok()).collect();
        let lost: Vec<_> = written.keys.difference(&there).collect();
        println!("{} keys acknowledged, longest gap {:.0?}", written.keys.len(), written.longest_gap);
        assert!(written.keys.len() > 100, "only {} keys were acknowledged", written.keys.len());
        assert!(lost.is_empty(), "lost: {lost:?}");
        assert!(written.longest_gap < ELECTION, "a gap of {:?}", written.longest_gap);
    }
}

/// `ID, started, NAME, PEERS, CLIENTS, LEARNER`
fn member(line: &str) -> String {
    let words: Vec<&str> = line.split(", ").collect();
    let votes = if words.last() == Some(&"true") { "learner" } else { "voter" };
    format!("{} {} {votes}", words[2], words[1])
}
