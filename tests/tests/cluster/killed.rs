//! A run that is killed at any moment is taken back without a trace, or gone on with: then it comes to the end that it would
//! have come to.

use std::process::Stdio;
use std::time::Duration;

use haengine_tests::site::differences;

use crate::look::{end, is_second_master, steady};
use crate::stage::Stage;

/// When a run is killed.
pub struct Moment {
    pub name: &'static str,
    /// What is true on the new master just then.
    is_now: &'static str,
    /// What is not yet true there: else the moment was missed.
    is_later: &'static str,
    /// A unit on the first master that stands still until then: without it the moment would be too short to be met.
    held: Option<&'static str>,
    /// Left to `make test-long`.
    pub is_long: bool,
}

pub const MOMENTS: [Moment; 3] = [
    Moment {
        name: "during_the_copy",
        // The tree is made aside, and moved to its place when all of it is there.
        is_now: "[ $(du -sk /var/lib/haengine | cut -f1) -gt 20000 ]",
        is_later: "[ -e /opt/kubernetes/bin ]",
        held: None,
        // Whatever `make test` has time for, the matrix of crashes kills copies, too.
        is_long: true,
    },
    Moment {
        name: "while_its_units_start",
        is_now: "systemctl is-enabled kube-scheduler || systemctl is-enabled kube-proxy",
        is_later: "[ -e /etc/cni/net.d/10-bridge.conflist ]",
        held: None,
        is_long: true,
    },
    Moment {
        name: "before_its_certificate",
        // The key waits for its certificate where runs keep their things.
        is_now: "ls /var/lib/haengine/*/*.key",
        is_later: "[ -e /opt/kubernetes/ssl/kubelet-client-current.pem ]",
        // It signs.
        held: Some("kube-controller-manager"),
        is_long: false,
    },
];

pub fn scenario(stage: &mut Stage, moment: &Moment) {
    if stage.end.is_none() {
        stage.add_master("run", &["target=master2"]).ended_with(0);
        stage.end = Some(end(&stage.site));
        stage.back();
    }
    let before = steady(&stage.site.manifest(), "master2");
    let crashed = crash(stage, moment);
    stage.site.haengine(&["undo", &crashed, "--yes"]).ended_with(0);
    assert_eq!(differences(&before, &steady(&stage.site.manifest(), "master2")), "", "undo left something");

    crash(stage, moment);
    let run = stage.add_master("run", &["target=master2"]).ended_with(0);
    assert_eq!(run.finished()["failed"], 0, "{}", run.out);
    is_second_master(&stage.site);
    let end = end(&stage.site);
    assert!(end.lines().count() > 60, "it sees too little: {end}");
    assert_eq!(
        differences(stage.end.as_deref().unwrap_or_default(), &end),
        "",
        "not the end of a run that nobody killed"
    );

    let again = stage.add_master("run", &["target=master2"]).ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{:#?}", again.changes());
}

/// Kills a run at this moment; gives its id.
fn crash(stage: &Stage, moment: &Moment) -> String {
    let send = |signal: &str| {
        if let Some(unit) = moment.held {
            stage.site.on("master1", &format!("systemctl kill -s {signal} {unit}"));
        }
    };
    send("STOP");
    let mut child = stage.adding().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    stage.site.within(Duration::from_secs(60), "master2", moment.is_now);
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    send("CONT");
    let later = stage.site.on("master2", &format!("{{ {}; }} >/dev/null 2>&1 && echo missed", moment.is_later));
    assert_eq!(later, "", "the run was further than `{}` when it was killed", moment.name);
    let runs = stage.site.haengine(&["runs", "--json"]).ended_with(0);
    runs.events()[0]["run"].as_str().unwrap().to_owned()
}
