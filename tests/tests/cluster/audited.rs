//! `audit` tells what is wrong with etcd, by name and with what to do about it, and what it cannot see.

use haengine_tests::site::{Given, Site, differences};
use serde_json::Value;

use crate::look::touched;
use crate::stage::{Needs, Stage};

const CTL: &str = "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/opt/etcd/ssl/ca.pem \
    --cert=/opt/etcd/ssl/server.pem --key=/opt/etcd/ssl/server-key.pem";

/// The second worker's database fills this part of its quota. It must not come to be full.
const FULL: u8 = 83;

pub fn scenario(stage: &mut Stage) {
    let site = &stage.site;
    site.on(
        "worker1",
        "install -d -m 700 /var/backups/etcd; cd /var/backups/etcd; echo 1 >a.db; touch -d '-3 days' a.db",
    );
    site.on("worker2", "install -d -m 700 /var/backups/etcd; echo 1 >/var/backups/etcd/b.db.age");
    let well = audit(site).ended_with(0);
    is_told(&well, "each of them has a machine", "passed", "master1, worker1, worker2");
    is_told(&well, "a snapshot of the last day is there", "passed", "b.db.age on worker2, 0 hours old");
    is_told(&well, "their databases have room", "passed", "KiB");
    is_told(&well, "their databases are of one piece", "passed", " of ");
    // How fast this machine is nobody knows: it is measured, and passed or warned of.
    assert_ne!(of(&well, "their disks and their network are fast")["status"], "not_checked", "{}", well.out);

    site.on("worker2", "rm -r /var/backups/etcd");
    let added = site.on("worker1", &format!("{CTL} member add gone --learner --peer-urls=https://192.168.2.77:2380"));
    let id = added.split_whitespace().nth(1).unwrap_or_default().to_owned();
    assert_eq!(site.on("worker2", &quota()).lines().last(), Some("quota"));
    let before = touched(site);
    let ill = audit(site).ended_with(2);
    assert_eq!(differences(&before, &touched(site)), "", "an audit touched something");
    is_told(&ill, "each of them has a machine", "refused", "has an address of the member https://192.168.2.77:2380");
    let learner = "the member https://192.168.2.77:2380 was added as a learner, and never started";
    is_told(&ill, "all of them vote, and tolerate a failure", "refused", learner);
    is_told(&ill, "all of them vote, and tolerate a failure", "refused", &format!("etcdctl member remove {id}"));
    is_told(&ill, "a snapshot of the last day is there", "warning", "3 days old: /var/backups/etcd/a.db on worker1");
    is_told(&ill, "their databases have room", "warning", "the database of worker2 has");

    site.on("worker1", &format!("{CTL} member remove {id}; rm -r /var/backups/etcd"));
    site.on("worker2", "rm -r /run/systemd/system/etcd.service.d; systemctl daemon-reload; systemctl restart etcd");
    // A program that is needed to look is not there.
    site.on("master1", "mv /usr/bin/curl /usr/bin/curl.away");
    let blind = audit(site).ended_with(2);
    site.on("master1", "mv /usr/bin/curl.away /usr/bin/curl");
    is_told(
        &blind,
        "a snapshot of the last day is there",
        "warning",
        "there is no snapshot of etcd in /var/backups/etcd",
    );
    is_told(&blind, "their disks and their network are fast", "not_checked", "no `curl`");
    stage.wait();
    stage.stands(Needs::Founded);
}

/// Restarts a member with a quota that its database nearly fills.
fn quota() -> String {
    format!(
        "set -e; size=$({CTL} endpoint status -w json | sed 's/.*\"dbSize\":\\([0-9]*\\).*/\\1/')
         mkdir -p /run/systemd/system/etcd.service.d; cd /run/systemd/system/etcd.service.d
         printf '[Service]\\nEnvironment=ETCD_QUOTA_BACKEND_BYTES=%s\\n' $((size * 100 / {FULL})) >quota.conf
         systemctl daemon-reload; systemctl restart etcd; echo quota"
    )
}

fn audit(site: &Site) -> Given {
    site.haengine(&["run", "audit", "-i", "site.yaml", "--json"])
}

/// What was told of a check.
fn of(given: &Given, check: &str) -> Value {
    let told = given.events().into_iter().find(|event| event["event"] == "check" && event["check"] == check);
    told.unwrap_or_else(|| panic!("there is no check `{check}`: {}", given.out))
}

fn is_told(given: &Given, check: &str, status: &str, words: &str) {
    let told = of(given, check);
    assert!(told["status"] == status && told.to_string().contains(words), "not {status} with `{words}`: {told}");
}
