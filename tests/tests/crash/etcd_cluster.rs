//! Three bare hosts become a cluster of etcd.

use std::time::Duration;

use haengine_tests::site::Site;

use crate::case::Case;
use crate::stage::Subject;

pub const SUBJECT: Subject = Subject {
    recipe: "etcd_cluster",
    words: &["hosts=masters"],
    hosts: &["m1", "m2", "m3"],
    ops: &[
        "cert.authority",
        "cert.issue",
        "file.directory",
        "file.link",
        "file.put",
        "file.template",
        "service.running",
    ],
    cases: Case::all,
    sample: &["cert.issue::last::started", "service.running::first::applied", "service.running::last::started"],
    made: None,
    patience: Duration::from_secs(0),
    set_up: || Site::new("crash", 3),
    stands_on: "bare hosts",
    wait: |_| (),
    running: &[],
    objects: members,
};

/// The members' names, as the cluster knows them.
pub fn members(site: &Site) -> String {
    site.on(
        "m1",
        "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/opt/etcd/ssl/ca.pem --cert=/opt/etcd/ssl/server.pem \
            --key=/opt/etcd/ssl/server-key.pem member list 2>/dev/null | cut -d, -f2- | sort | sed 's/^/object member /'",
    )
}
