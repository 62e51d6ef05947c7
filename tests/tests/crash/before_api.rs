//! A cluster with two masters gets balancers, before its API servers and before etcd, and certificates with more addresses.

use haengine_tests::site::Site;
use haengine_tests::stage::{Stage, in_haste};

use crate::add_master;
use crate::case::{Case, Which};
use crate::stage::Subject;

const HOSTS: [&str; 4] = ["master1", "master2", "worker1", "worker2"];

/// What they have in common: the hosts, on which all of them are killed.
const TWO_MASTERS: Subject = Subject {
    words: &[],
    hosts: &HOSTS,
    running: &HOSTS,
    made: None,
    stands_on: "two masters",
    set_up,
    ..add_master::SUBJECT
};

pub const HAPROXY_KEEPALIVED: Subject = Subject {
    recipe: "haproxy_keepalived",
    words: &["vip=192.168.2.88"],
    ops: &["file.directory", "file.template", "lb.haproxy", "lb.keepalived"],
    cases: |_, _| {
        vec![
            Case::at("file.template", Which::First, "applied"),
            Case::at("lb.haproxy", Which::Last, "applied"),
            Case::at("lb.keepalived", Which::First, "started"),
            Case::at("lb.keepalived", Which::Last, "applied"),
        ]
    },
    ..TWO_MASTERS
};

/// On hosts of their own.
pub const HAPROXY_APISERVER: Subject = Subject {
    recipe: "haproxy_apiserver",
    words: &["balancers=workers"],
    ops: &["lb.haproxy"],
    cases: |_, _| {
        vec![
            Case::at("lb.haproxy", Which::First, "started"),
            Case::at("lb.haproxy", Which::First, "applied"),
            Case::at("lb.haproxy", Which::Last, "succeeded"),
        ]
    },
    ..TWO_MASTERS
};

pub const HAPROXY_ETCD: Subject = Subject {
    recipe: "haproxy_etcd",
    ops: &["cert.ensure_sans", "file.put", "file.template", "lb.haproxy", "service.running"],
    cases: |_, _| {
        vec![
            Case::at("cert.ensure_sans", Which::First, "applied"),
            Case::at("file.template", Which::Last, "applied"),
            Case::at("lb.haproxy", Which::Last, "applied"),
            // An API server asks as before, and its file says otherwise; then it is the other one's turn.
            Case::at("file.put", Which::First, "applied"),
            Case::at("service.running", Which::First, "applied"),
        ]
    },
    ..TWO_MASTERS
};

pub const EXTEND_CERTS: Subject = Subject {
    recipe: "extend_certs",
    words: &["addresses=192.168.2.89", "names=api.lab"],
    ops: &["cert.ensure_sans"],
    cases: |_, _| {
        // Each waits a minute for the API servers to read what they serve.
        vec![
            Case::at("cert.ensure_sans", Which::First, "applied"),
            Case::at("cert.ensure_sans", Which::Last, "started"),
            Case::at("cert.ensure_sans", Which::Last, "applied"),
        ]
    },
    ..TWO_MASTERS
};

/// The API servers' certificates have every balancer's address to spare, so that nobody waits for servers that read them anew;
/// and an API server that is stopped does not wait a minute for the watches of its clients.
fn set_up() -> Site {
    let site = Stage::two_masters("crash-two", "192.168.2.117,192.168.2.118,192.168.2.210,192.168.2.88").site;
    in_haste(&site, true);
    site
}
