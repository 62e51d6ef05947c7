//! One member becomes three, and is one again.

use crate::stage::Stage;

pub fn from_one_to_three_and_back(stage: &Stage) {
    let writer = stage.writer(&["m1"]);
    let words = ["targets=m2,m3"];
    let grown = stage.run_as_planned("etcd_grow", &words);
    stage.nothing_is_lost(&writer.stop());
    assert_eq!(stage.members("m1"), "m1 started voter, m2 started voter, m3 started voter");
    let lists = stage.site.each_says("grep -h ^ETCD_INITIAL_CLUSTER= /opt/etcd/cfg/etcd.conf || true");
    for host in ["m1", "m2", "m3"] {
        let list = "m1=https://192.168.2.11:2380,m2=https://192.168.2.12:2380,m3=https://192.168.2.13:2380";
        assert!(lists.contains(&format!("ETCD_INITIAL_CLUSTER={list}")), "{host}: {lists}");
    }

    let writer = stage.writer(&["m1"]);
    stage.undo(&grown).ended_with(0);
    stage.nothing_is_lost(&writer.stop());
    assert_eq!(stage.members("m1"), "m1 started voter");
    assert_eq!(stage.site.on("m2", "ls -d /opt/etcd /var/lib/etcd/default.etcd 2>/dev/null; pgrep etcd || true"), "");
}
