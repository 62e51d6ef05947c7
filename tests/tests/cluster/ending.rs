//! A kubelet that starts, and ends again some seconds later: nobody waits for what cannot come, and the reason is told.

use haengine_tests::site::differences;

use crate::look::steady;
use crate::stage::{Needs, Stage};

const WHY: &str = "open /dev/kmsg: no such file or directory";

pub fn scenario(stage: &mut Stage) {
    let folder = "/run/systemd/system/kubelet.service.d";
    let program = format!("/bin/sh -c 'sleep 4; echo {WHY}; exit 1'");
    stage.site.on(
        "master2",
        &format!(
            "mkdir -p {folder}; printf '[Service]\\nExecStart=\\nExecStart=%s\\nRestart=always\\n' \"{program}\" >{folder}/broken.conf"
        ),
    );
    let before = steady(&stage.site.manifest(), "master2");
    let run = stage.add_master("run", &["target=master2"]).ended_with(1);
    assert!(run.out.contains("`kubelet.service` did not stay up") && run.out.contains(WHY), "{}", run.out);
    let id = run.finished()["run"].as_str().unwrap().to_owned();
    let shown = stage.site.haengine(&["show", &id]).ended_with(0);
    assert!(shown.out.contains(WHY), "the host may not say it again: {}", shown.out);
    stage.undo(&run).ended_with(0);
    assert_eq!(differences(&before, &steady(&stage.site.manifest(), "master2")), "", "undo left something");
    stage.site.on("master2", &format!("rm -r {folder}; systemctl daemon-reload"));
    stage.wait();
    stage.stands(Needs::Founded);
}
