//! A cluster that lost all its data is brought back from a snapshot, and is as it was once that is undone.

use haengine_tests::site::Given;

use crate::stage::Stage;

const MEMBERS: [&str; 3] = ["m1", "m2", "m3"];
const DATA: &str = "/var/lib/etcd/default.etcd";
const ASK: &str = "ETCDCTL_API=3 etcdctl --cacert=/opt/etcd/ssl/ca.pem --cert=/opt/etcd/ssl/server.pem \
    --key=/opt/etcd/ssl/server-key.pem \
    --endpoints=https://192.168.2.11:2379,https://192.168.2.12:2379,https://192.168.2.13:2379";

pub fn from_a_snapshot_and_back(stage: &Stage) {
    put(stage, "before");
    let at_snapshot = hash(stage);
    let snapshot = snapshot(stage);
    put(stage, "after");
    let with_all = hash(stage);
    assert_ne!(at_snapshot, with_all);
    let named = format!("snapshot={snapshot}");
    let words = [named.as_str(), "workers="];

    refused_before_anything_stops(stage, &snapshot);
    let restored = stage.run_as_planned("etcd_restore", &words);
    are_well(stage);
    assert_eq!(hash(stage), at_snapshot);
    stage.undo(&restored).ended_with(0);
    are_well(stage);
    assert_eq!(hash(stage), with_all);

    for host in MEMBERS {
        stage.site.on(host, &format!("systemctl stop etcd; rm -rf {DATA}"));
    }
    let restored = stage.run_as_planned("etcd_restore", &words);
    are_well(stage);
    assert_eq!(hash(stage), at_snapshot);
    stage.undo(&restored).ended_with(0);
    let left =
        stage.site.on("m2", &format!("systemctl is-active etcd; ls -d {DATA} {DATA}.before-* 2>/dev/null || true"));
    assert_eq!(left, "inactive\n");
}

/// One that is damaged, and a host whose data cannot be moved.
fn refused_before_anything_stops(stage: &Stage, snapshot: &str) {
    stage.site.on("m1", &format!("cp {snapshot} /tmp/d.db; printf X | dd of=/tmp/d.db bs=1 seek=9000 conv=notrunc"));
    let refused = stage.run("etcd_restore", &["snapshot=/tmp/d.db", "workers="]).ended_with(2);
    assert!(refused.errors.contains("/tmp/d.db on m1 is damaged"), "{}", refused.errors);
    stage.site.on("m3", &format!("mount --bind {DATA} {DATA}"));
    let refused = stage.run("etcd_restore", &[&format!("snapshot={snapshot}"), "workers="]).ended_with(2);
    stage.site.on("m3", &format!("umount {DATA}"));
    assert!(refused.errors.contains("is a mount of its own"), "{}", refused.errors);
    are_well(stage);
}

/// Takes one on m1; gives its path.
fn snapshot(stage: &Stage) -> String {
    let words = ["run", "etcd_snapshot", "at=m1", "-i", "site.yaml", "--json", "--yes"];
    let run: Given = stage.site.haengine(&words).ended_with(0);
    assert_eq!(run.finished()["failed"], 0);
    let again = stage.site.haengine(&words).ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{:?}", again.changes());
    stage.site.on("m1", "ls /var/backups/etcd/*.db").trim().to_owned()
}

fn put(stage: &Stage, prefix: &str) {
    stage.site.on("m1", &format!("for i in 1 2 3 4 5; do {ASK} put {prefix}/$i $i; done"));
}

/// Of all keys, on all members the same.
fn hash(stage: &Stage) -> String {
    let said = stage.site.on("m1", &format!("{ASK} endpoint hashkv"));
    let hashes: Vec<&str> = said.lines().filter_map(|line| line.split(", ").nth(1)).collect();
    assert!(hashes.len() == MEMBERS.len() && hashes.iter().all(|hash| *hash == hashes[0]), "{said}");
    hashes[0].to_owned()
}

fn are_well(stage: &Stage) {
    let said = stage.site.on("m1", &format!("{ASK} endpoint health 2>&1"));
    assert_eq!(said.matches("is healthy").count(), MEMBERS.len(), "{said}");
    assert_eq!(stage.members("m1"), "m1 started voter, m2 started voter, m3 started voter");
}
