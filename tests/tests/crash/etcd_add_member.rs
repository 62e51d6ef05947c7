//! A cluster of etcd with one member gets a second.

use std::time::Duration;

use haengine_tests::site::Site;

use crate::case::Case;
use crate::etcd_cluster;
use crate::stage::Subject;

pub const SUBJECT: Subject = Subject {
    recipe: "etcd_add_member",
    words: &["target=m2", "members=m1", "masters="],
    hosts: &["m1", "m2"],
    ops: &[
        "cert.issue",
        "etcd.add_member",
        "etcd.promote",
        "file.directory",
        "file.link",
        "file.put",
        "service.running",
    ],
    cases: Case::all,
    sample: &["etcd.add_member::first::started", "etcd.add_member::first::applied", "etcd.promote::first::applied"],
    made: None,
    patience: Duration::from_secs(0),
    set_up,
    stands_on: "one member of etcd",
    wait,
    running: &["m1"],
    objects: etcd_cluster::members,
};

fn set_up() -> Site {
    let site = Site::new("crash", 2);
    site.haengine(&["run", "etcd_cluster", "-i", "site.yaml", "hosts=m1", "--json", "--yes"]).ended_with(0);
    std::fs::remove_dir_all(site.path().join("state")).unwrap();
    site
}

fn wait(site: &Site) {
    site.within(Duration::from_secs(60), "m1", "systemctl is-active etcd >/dev/null");
}
