//! All members come back from a snapshot.

use crate::stage::Stage;

pub fn all_members_from_one_snapshot(stage: &Stage) {
    stage.site.on("m1", &stage.ask("put before the-snapshot"));
    let taken = stage.haengine(&["run", "etcd_snapshot", "at=m1"]).ended_with(0);
    assert_eq!(taken.finished()["changed"], 2, "the folder, and the snapshot: {:?}", taken.changes());
    let again = stage.haengine(&["run", "etcd_snapshot", "at=m1"]).ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{:?}", again.changes());
    let path = stage.site.on("m1", "ls /var/backups/etcd/*.db").trim().to_owned();
    assert_eq!(stage.site.on("m1", &format!("stat -c %a {path}")), "600\n");

    let content = stage.content();
    stage.site.on("m1", &stage.ask("put after the-snapshot"));
    let later = stage.content();
    let snapshot = format!("snapshot={path}");
    let words = [snapshot.as_str(), "workers="];
    let restored = stage.run_as_planned("etcd_restore", &words);
    assert_eq!(stage.content(), content, "not what was in the snapshot");
    assert_eq!(stage.members("m1"), "m1 started voter, m2 started voter, m3 started voter");

    // A damaged one is refused while all members run.
    stage.site.on("m1", "cd /var/backups/etcd && { head -c 4096 *.db; head -c 32 /dev/zero; } >bad.db");
    let refused = stage.run("etcd_restore", &["snapshot=/var/backups/etcd/bad.db", "workers="]).ended_with(2);
    assert!(refused.errors.contains("is damaged"), "{}", refused.errors);

    stage.undo(&restored).ended_with(0);
    assert_eq!(stage.content(), later, "undo brings back what was written since");

    // The disks of all members are lost.
    stage.site.each_says("systemctl stop etcd; rm -rf /var/lib/etcd/default.etcd; true");
    let words = [snapshot.as_str(), "workers=", "at=m1"];
    stage.run("etcd_restore", &words).ended_with(0);
    assert_eq!(stage.content(), content, "the snapshot, on empty disks");
}
