//! A cluster with one master gets a second one, an address before both, and workers that use it.

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
        "k8s.enroll",
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
    ..add_master::SUBJECT
};
