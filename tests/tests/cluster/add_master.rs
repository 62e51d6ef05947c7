//! `add_master` on a cluster whose certificate does not know the new master: planned, run, run again, undone.

use haengine_tests::site::differences;

use crate::look::{
    end, endpoints, is_second_master, kubectl, main_pid, mentions, objects, ready_nodes, steady, touched,
};
use crate::reader::Reader;
use crate::stage::{Needs, Stage};

const TARGET: &str = "target=master2";

pub fn scenario(stage: &mut Stage) {
    let (before, mentioned) = (steady(&stage.site.manifest(), "master2"), mentions(&stage.site));
    let bare = touched(&stage.site);
    let plan = stage.add_master("plan", &[TARGET]).ended_with(0);
    assert_eq!(differences(&bare, &touched(&stage.site)), "", "the plan touched something");

    let reader = Reader::start(&stage.site);
    let run = stage.add_master("run", &[TARGET]).ended_with(0);
    reader.stop();
    assert_eq!(differences(&plan.changes().join("\n"), &run.changes().join("\n")), "", "not what was planned");
    is_second_master(&stage.site);
    names_only_itself(stage, &mentioned);

    let kubelet = main_pid(&stage.site, "master2", "kubelet");
    let again = stage.add_master("run", &[TARGET]).ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{:#?}", again.changes());
    assert_eq!(main_pid(&stage.site, "master2", "kubelet"), kubelet, "the kubelet was restarted");
    stage.end = Some(end(&stage.site));

    let reader = Reader::start(&stage.site);
    let undo = stage.undo(&run).ended_with(0);
    reader.stop();
    let told = undo.finished();
    assert_eq!(told["failed"], 0);
    let (took, waited) = (told["seconds"].as_f64().unwrap(), told["waited"].as_f64().unwrap());
    assert!(0.0 < waited && waited < took, "the units' own time is shown apart: {told}");
    is_out(stage);
    let after = steady(&stage.site.manifest(), "master2");
    assert_eq!(differences(&before, &after), "", "undo left something");

    let undone = (touched(&stage.site), stage.undo(&run).ended_with(0));
    assert_eq!(undone.1.finished()["changed"], 0, "{:#?}", undone.1.changes());
    assert_eq!(differences(&undone.0, &touched(&stage.site)), "", "the second undo touched something");
    stage.stands(Needs::Founded);
}

/// What came and names the first master is the list of etcd's members, of which it is one.
fn names_only_itself(stage: &Stage, before: &[String]) {
    let new = mentions(&stage.site).into_iter().filter(|line| !before.contains(line));
    let (right, stale): (Vec<String>, Vec<String>) = new.partition(|line| line.contains("--etcd-servers="));
    assert!(stale.is_empty(), "{stale:#?}");
    assert!(!right.is_empty(), "it asks no etcd: the search sees too little");
}

fn is_out(stage: &Stage) {
    let site = &stage.site;
    assert_eq!(endpoints(site), ["192.168.2.119"]);
    let nodes = ready_nodes(site);
    assert_eq!(nodes.len(), 3, "{}", kubectl(site, "get nodes"));
    assert!(!objects(site).contains("node/k8s-master2"), "{}", objects(site));
    let left = site.on("master2", "systemctl list-units --all --plain --no-legend 'kube*' containerd.service; ps -eo args= | grep -E '[k]ube|[c]ontainerd'");
    assert!(!left.contains(" active "), "{left}");
    assert!(!left.contains("/opt/kubernetes"), "{left}");
}
