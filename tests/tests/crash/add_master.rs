//! A bare host becomes the second master of a cluster, whose certificate has its address to spare.

use std::collections::BTreeMap;
use std::time::Duration;

use haengine_tests::look::kubectl;
use haengine_tests::site::Site;
use haengine_tests::stage;

use crate::case::Case;
use crate::stage::{Made, Subject};

pub const SUBJECT: Subject = Subject {
    recipe: "add_master",
    words: &["target=master2"],
    hosts: &["master1", "master2", "worker1", "worker2"],
    ops: &["cert.ensure_sans", "file.copy_tree", "file.directory", "file.put", "k8s.enroll", "service.running"],
    cases: Case::all,
    // It is played by the tests of the cluster, on theirs.
    sample: &[],
    made: Some(Made {
        verified: "no stale address is left",
        held: "object lease.coordination.k8s.io/haengine\n",
        // A kubelet makes it up to ten seconds after its node.
        late: "object lease.coordination.k8s.io/k8s-master2\n",
    }),
    patience: Duration::from_secs(60),
    set_up,
    stands_on: "one master",
    wait: stage::wait,
    running: &["master1", "worker1", "worker2"],
    objects,
};

/// Its certificate has all addresses to spare: nobody waits for an API server that reads it anew. The target has the largest
/// programs, as one has on which somebody began: a case copies some 80 MB, not 380, and the copy is one change all the same.
fn set_up() -> Site {
    let stage = stage::Stage::spare();
    let programs = "/usr/local/lib/kubernetes/bin";
    let begun = format!(
        "mkdir -p /opt/kubernetes/bin && cp -a {programs}/kube-[acs]* {programs}/kubelet /opt/kubernetes/bin 2>&1"
    );
    assert_eq!(stage.site.on("master2", &begun), "");
    stage.site
}

/// The names of what a run could make or remove. Those of requests for certificates are random, so these are counted by who
/// asked and what became of it.
fn objects(site: &Site) -> String {
    let names = kubectl(
        site,
        "get nodes,clusterroles,clusterrolebindings,leases,configmaps,secrets,serviceaccounts -A -o name",
    );
    let requests = kubectl(site, "get csr --no-headers -o custom-columns=:.spec.username,:.status.conditions[*].type");
    let servers = kubectl(site, "get endpoints kubernetes -o 'jsonpath={.subsets[*].addresses[*].ip}'");
    let mut lines: Vec<String> = names.lines().map(|name| format!("object {name}")).collect();
    let mut counts = BTreeMap::new();
    for request in requests.lines() {
        *counts.entry(request.split_whitespace().collect::<Vec<_>>().join(" ")).or_insert(0) += 1;
    }
    lines.extend(counts.iter().map(|(request, count)| format!("object {count} requests for certificates: {request}")));
    lines.extend(servers.split_whitespace().map(|address| format!("object API server {address}")));
    lines.extend(network(site));
    lines.sort();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Which part of the pods' network a node gets differs from run to run; that its own files name it does not.
fn network(site: &Site) -> Option<String> {
    let part = kubectl(site, "get node k8s-master2 -o 'jsonpath={.spec.podCIDR}' --ignore-not-found");
    let files = site.on("master2", "cat /etc/cni/net.d/* 2>/dev/null");
    (!part.is_empty() && files.contains(&part)).then(|| "object network of k8s-master2 is its own".to_owned())
}
