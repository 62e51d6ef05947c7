//! `etcd_add_member`: the API server asks the new member, too; undone, nothing is left of it.

use haengine_tests::site::differences;

use crate::look::steady;
use crate::stage::{Needs, Stage};

const WORDS: [&str; 4] = ["etcd_add_member", "-i", "site.yaml", "target=master2"];
const ASKED: &str = "tr '\\0' '\\n' </proc/$(pgrep -o kube-apiserver)/cmdline | grep etcd-servers";

pub fn scenario(stage: &mut Stage) {
    let before = steady(&stage.site.manifest(), "master2");
    let servers = stage.site.on("master1", ASKED);
    let recipe = |command: &str| stage.site.haengine(&[&[command], &WORDS[..], &["--json", "--yes"]].concat());

    let plan = recipe("plan").ended_with(0);
    let run = recipe("run").ended_with(0);
    assert_eq!(differences(&plan.changes().join("\n"), &run.changes().join("\n")), "", "not what was planned");
    assert!(run.out.contains("4 members tolerate no more failures than 3"), "{}", run.out);
    let more = format!("{},https://192.168.2.117:2379\n", servers.trim());
    assert_eq!(stage.site.on("master1", ASKED), more);
    stage.wait();

    let again = recipe("run").ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{:#?}", again.changes());

    stage.undo(&run).ended_with(0);
    assert_eq!(stage.site.on("master1", ASKED), servers);
    stage.wait();
    assert_eq!(differences(&before, &steady(&stage.site.manifest(), "master2")), "", "undo left something");
    stage.stands(Needs::Founded);
}
