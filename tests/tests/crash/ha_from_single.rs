//! A cluster with one master gets a second one, an address before both, and workers that use it.

use haengine_tests::site::Site;
use haengine_tests::stage;

use crate::add_master;
use crate::case::{Case, Which};
use crate::stage::Subject;

/// What it does before it puts the address there is `add_master`'s, and killed with that: its own crashes are the later ones.
pub const SUBJECT: Subject = Subject {
    recipe: "ha_from_single",
    words: &["target=master2", "vip=192.168.2.88"],
    ops: &[
        "cert.ensure_sans",
        "file.copy_tree",
        "file.directory",
        "file.put",
        "file.template",
        "k8s.approve",
        "lb.keepalived",
        "lb.nginx",
        "service.running",
    ],
    cases: |_, _| {
        vec![
            Case::at("lb.nginx", Which::First, "applied"),
            Case::at("lb.keepalived", Which::Last, "started"),
            Case::at("lb.keepalived", Which::Last, "applied"),
            // Of the last worker.
            Case::at("file.put", Which::Last, "applied"),
            Case::at("service.running", Which::Last, "applied"),
        ]
    },
    // Every worker is proven before the next one, so nothing waits behind the last change.
    made: None,
    set_up,
    stands_on: "a master with addresses to spare",
    ..add_master::SUBJECT
};

/// Its certificate has both addresses to spare: nobody waits for an API server that reads it anew.
fn set_up() -> Site {
    let stage = stage::Stage::bare();
    stage.bootstrap("run", &["addresses=192.168.2.117,192.168.2.88"]).ended_with(0);
    stage.site
}
