//! `bootstrap_cluster` on bare hosts: what was planned is done, and then nothing is left to do.

use haengine_tests::site::differences;

use crate::look::{endpoints, kubectl, ready_nodes, touched};
use crate::stage::Stage;

pub fn scenario(stage: &mut Stage) {
    let before = touched(&stage.site);
    let plan = stage.bootstrap("plan", &[]).ended_with(0);
    assert_eq!(differences(&before, &touched(&stage.site)), "", "the plan touched something");

    let run = stage.bootstrap("run", &[]).ended_with(0);
    assert_eq!(differences(&plan.changes().join("\n"), &run.changes().join("\n")), "", "not what was planned");
    let mut nodes = ready_nodes(&stage.site);
    nodes.sort();
    assert_eq!(nodes, ["k8s-master1", "k8s-node1", "k8s-node2"], "{}", kubectl(&stage.site, "get nodes"));
    assert_eq!(endpoints(&stage.site), ["192.168.2.119"]);

    let again = stage.bootstrap("run", &[]).ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{:#?}", again.changes());
    // It comes back after its hosts were switched off.
    stage.is_founded();
}
