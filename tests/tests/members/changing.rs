//! Members are added, lost, replaced, removed; and what is refused.

use crate::stage::Stage;

pub fn a_lost_member_is_replaced(stage: &Stage) {
    refused_with_one_down(stage);
    replaced_with_an_empty_disk(stage);
    removed(stage);
}

/// With one of three down nothing else may change.
fn refused_with_one_down(stage: &Stage) {
    stage.site.on("m3", "systemctl stop etcd");
    for (recipe, words) in [("etcd_add_member", "target=m4"), ("etcd_remove_member", "member=m2")] {
        let refused = stage.run(recipe, &[words]).ended_with(2);
        assert!(refused.errors.contains("2 of 3 voters answer"), "{recipe}: {}", refused.errors);
        assert_eq!(refused.finished()["changed"], 0);
    }
    let down = "m1 started voter, m2 started voter, m3 started voter";
    assert_eq!(stage.members("m1"), down);
}

fn replaced_with_an_empty_disk(stage: &Stage) {
    stage.site.on("m3", "rm -rf /var/lib/etcd/default.etcd");
    let writer = stage.writer(&["m1", "m2"]);
    stage.run_as_planned("etcd_replace_member", &["member=m3", "target=m3"]);
    stage.nothing_is_lost(&writer.stop());
    assert_eq!(stage.members("m1"), "m1 started voter, m2 started voter, m3 started voter");
}

/// A host that is off says nothing: etcd 3.4 may wait five seconds for it while it forgets it, and serves nobody meanwhile.
pub fn a_host_that_is_off_is_replaced_by_another(stage: &Stage) {
    stage.site.power_off("m3");
    let writer = stage.writer(&["m1", "m2"]);
    stage.run_as_planned("etcd_replace_member", &["member=m3", "target=m4"]);
    stage.nothing_is_lost(&writer.stop());
    assert_eq!(stage.members("m1"), "m1 started voter, m2 started voter, m4 started voter");
}

/// The leader is asked to hand over before it leaves.
fn removed(stage: &Stage) {
    let writer = stage.writer(&["m1", "m2"]);
    let words = ["member=m3", "host=m3", "members=m1,m2"];
    stage.run("etcd_remove_member", &words).ended_with(0);
    stage.nothing_is_lost(&writer.stop());
    assert_eq!(stage.members("m1"), "m1 started voter, m2 started voter");
    assert_eq!(stage.site.on("m3", "systemctl is-active etcd || true"), "inactive\n");
    let again = stage.run("etcd_remove_member", &words).ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{:?}", again.changes());
}
