//! The `service` module on a host with systemd. What a unit owns is in `owned`.

use serde_json::json;

use crate::bench::Bench;

/// What undo must leave as it was: the unit, its enablement, every link and folder of units, and our own traces.
const STATE: &str = "for unit in demo.service sample.service; do
    systemctl show -p LoadState,ActiveState,UnitFileState $unit; done
    find /etc/systemd /run/systemd/system -printf '%p %l %m\\n' | sort; ls -d /run/haengine /srv/demo 2>&1 || :";

pub fn unit(body: &str) -> String {
    format!(
        "printf '[Service]\\n{body}\\n[Install]\\nWantedBy=multi-user.target\\nAlias=sample.service\\n' \
         >/etc/systemd/system/demo.service; systemctl daemon-reload"
    )
}

pub const CLEAN: &str = "systemctl -q disable --now demo 2>/dev/null; systemctl -q disable --runtime demo 2>/dev/null; systemctl reset-failed demo 2>/dev/null
    rm -rf /var/lib/haengine /etc/systemd/system/demo.service /etc/systemd/system/demo.service.d /etc/demo /srv/demo /run/haengine
    systemctl daemon-reload";

/// Makes the change, checks the laws, and takes it back.
async fn obeys(bench: &Bench, verb: &str, options: serde_json::Value, given: &str) {
    bench.sh(&format!("{CLEAN}; {given}")).await;
    let before = bench.sh(STATE).await;
    let units = [json!("demo")];
    assert!(bench.planned(verb, &units, options.clone()).await.unwrap(), "{verb} {options} is planned");
    assert_eq!(bench.sh(STATE).await, before, "plan touches nothing");
    let (run, changed) = bench.call(verb, &units, options.clone()).await;
    assert!(changed.unwrap(), "{verb} {options} changes");
    assert!(!bench.planned(verb, &units, options.clone()).await.unwrap(), "{verb} {options} is planned no more");
    let (_, again) = bench.call(verb, &units, options.clone()).await;
    assert!(!again.unwrap(), "twice is once");
    bench.undo(&run).await.unwrap();
    assert_eq!(bench.sh(STATE).await, before, "undo of {verb} {options} after {given}");
    assert!(bench.is_undone(&run));
    bench.undo(&run).await.unwrap();
    assert_eq!(bench.sh(STATE).await, before, "undo twice");
}

async fn the_laws(bench: &Bench) {
    let sleep = unit("ExecStart=/bin/sleep infinity");
    let writes = unit("ExecStart=/bin/sh -c \"mkdir -p /srv/demo; echo 1 >/srv/demo/one; exec sleep infinity\"");
    let running = "service.running";
    obeys(bench, running, json!({}), &sleep).await;
    obeys(bench, running, json!({ "enabled": false }), &sleep).await;
    obeys(bench, running, json!({}), &format!("{sleep}; systemctl start demo")).await;
    obeys(bench, running, json!({}), &format!("{sleep}; systemctl -q enable demo")).await;
    obeys(bench, running, json!({}), &format!("{sleep}; systemctl -q enable --runtime demo")).await;
    obeys(bench, running, json!({ "owns": ["/srv/demo"] }), &writes).await;
    let kept = format!("{writes}; mkdir -p /srv/demo; touch /srv/demo/mine");
    obeys(bench, running, json!({ "owns": ["/srv/demo"] }), &kept).await;
    let empty = format!("{sleep}; mkdir -p /etc/systemd/system/demo.target.wants");
    obeys(bench, running, json!({}), &empty).await;
    let on = format!("{sleep}; systemctl -q enable --now demo");
    obeys(bench, "service.stopped", json!({}), &on).await;
    obeys(bench, "service.stopped", json!({ "disabled": true }), &on).await;
    let twice = format!("{on}; systemctl -q enable --runtime demo");
    obeys(bench, "service.stopped", json!({ "disabled": true }), &twice).await;
    let by_hand = format!(
        "{on}; mkdir -p /etc/systemd/system/rescue.target.wants; \
        ln -s ../demo.service /etc/systemd/system/rescue.target.wants/demo.service; systemctl daemon-reload"
    );
    obeys(bench, "service.stopped", json!({ "disabled": true }), &by_hand).await;
    obeys(bench, "service.enabled", json!({}), &sleep).await;
    obeys(bench, "service.enabled", json!({ "enabled": false }), &on).await;
    let runtime = format!("{sleep}; systemctl -q enable --runtime demo");
    obeys(bench, "service.enabled", json!({ "enabled": false }), &runtime).await;
    obeys(bench, "service.enabled", json!({}), &runtime).await;
    bench
        .sh("rmdir /etc/systemd/system/demo.target.wants /etc/systemd/system/rescue.target.wants 2>/dev/null || :")
        .await;
}

async fn restarts_follow_from_state(bench: &Bench) {
    let sleep = unit("ExecStart=/bin/sleep infinity");
    bench
        .sh(&format!("{CLEAN}; mkdir -p /etc/demo; echo 1 >/etc/demo/a; {sleep}; sleep 2; systemctl start demo"))
        .await;
    let (units, options) = ([json!("demo")], json!({ "enabled": false, "restart_on": ["/etc/demo/a"] }));
    let pid = "systemctl show -p MainPID demo";
    let changes = async || bench.call("service.running", &units, options.clone()).await.1.unwrap();

    assert!(!changes().await, "the file is older than a start that was not ours");
    let first = bench.sh(pid).await;
    bench.sh("echo 2 >/etc/demo/a").await;
    assert!(changes().await, "a newer file");
    let second = bench.sh(pid).await;
    assert_ne!(first, second);
    assert!(!changes().await, "started with it now");
    bench.sh("touch /etc/demo/a").await;
    assert!(!changes().await, "touched, not changed");
    bench.sh("echo 1 >/etc/demo/a; systemctl restart demo; sleep 1; echo 2 >/etc/demo/a").await;
    assert!(changes().await, "the stamp speaks of another start");
    bench.sh("rm -r /run/haengine; sleep 2; systemctl restart demo").await;
    assert!(!changes().await, "without a stamp, the file is older than the start");
    bench.sh("rm /etc/demo/a").await;
    assert!(!changes().await, "nothing says that the file was ever there");
}

async fn undo_restarts_once_the_files_are_back(bench: &Bench) {
    let cat = unit("ExecStart=/bin/sh -c \"cat /etc/demo/a >/run/demo.seen; exec sleep infinity\"");
    let given = format!("{CLEAN}; mkdir -p /etc/demo; echo old >/etc/demo/a; {cat}; sleep 2; systemctl start demo");
    bench.sh(&given).await;
    let options = json!({ "enabled": false, "restart_on": ["/etc/demo/a"] });
    bench.sh("echo new >/etc/demo/a").await;
    let (run, changed) = bench.call("service.running", &[json!("demo")], options).await;
    assert!(changed.unwrap());
    assert_eq!(bench.sh("cat /run/demo.seen").await, "new");
    // What the undo of the file does, which comes after that of the service and before it settles.
    bench.sh("echo old >/etc/demo/a").await;
    bench.undo(&run).await.unwrap();
    assert_eq!(bench.sh("sleep 0.2; cat /run/demo.seen; ls /run/haengine 2>&1 || :").await.lines().next(), Some("old"));
}

async fn a_unit_that_the_run_started_is_stopped_however_often_it_was_named(bench: &Bench) {
    let sleep = unit("ExecStart=/bin/sleep infinity");
    bench.sh(&format!("{CLEAN}; mkdir -p /etc/demo; echo old >/etc/demo/a; {sleep}")).await;
    let before = bench.sh(STATE).await;
    let attempt = bench.run().await;
    let units = [json!("demo")];
    assert!(attempt.call("service.running", &units, json!({ "enabled": false })).await.unwrap(), "it is started");
    bench.sh("sleep 1.1; echo new >/etc/demo/a").await;
    let options = json!({ "enabled": false, "restart_on": ["/etc/demo/a"] });
    assert!(attempt.call("service.running", &units, options).await.unwrap(), "it is restarted");
    let run = attempt.finish().await;
    bench.undo(&run).await.unwrap();
    assert_eq!(bench.sh(STATE).await, before);
}

async fn undo_brings_back_what_a_bad_file_broke(bench: &Bench) {
    let check = unit("ExecStartPre=/bin/grep -q good /etc/demo/a\\nExecStart=/bin/sleep infinity");
    bench
        .sh(&format!("{CLEAN}; mkdir -p /etc/demo; echo good >/etc/demo/a; {check}; sleep 2; systemctl start demo"))
        .await;
    bench.sh("echo bad password=abc >/etc/demo/a").await;
    let options = json!({ "enabled": false, "restart_on": ["/etc/demo/a"] });
    let (run, result) = bench.call("service.running", &[json!("demo")], options).await;
    let error = result.unwrap_err();
    assert_eq!(error.code(), "service.failed");
    assert!(error.message().contains("failed, exit-code"), "{error}");
    assert!(error.causes().join("\n").contains("demo.service"), "the journal is shown: {:?}", error.causes());
    bench.sh("echo good >/etc/demo/a").await;
    bench.undo(&run).await.unwrap();
    assert_eq!(bench.sh("systemctl is-active demo").await, "active");
}

/// A stop takes as long as systemd gives it, however little patience there is with the start.
async fn what_does_not_end_by_itself_is_waited_for(bench: &Bench) {
    let deaf = unit("KillSignal=SIGCONT\\nTimeoutStopSec=4\\nExecStart=/bin/sleep infinity");
    let options = json!({ "enabled": false, "timeout": "2s" });
    obeys(bench, "service.running", options, &deaf).await;
}

/// keepalived says itself when it has read its files again, after the job is done.
async fn a_unit_that_goes_on_reloading_is_waited_for(bench: &Bench) {
    let program = "#!/bin/sh\ntrap 'systemd-notify RELOADING=1; sleep 3; systemd-notify --ready' HUP\nsystemd-notify --ready\nwhile :; do sleep 0.1; done\n";
    bench.sh(&format!("{CLEAN}; mkdir -p /etc/demo; echo old >/etc/demo/a; cat >/etc/demo/slow <<'END'\n{program}END\nchmod 755 /etc/demo/slow")).await;
    // One of this type is looked at a moment after the job.
    let unit = unit("NotifyAccess=all\\nExecStart=/etc/demo/slow\\nExecReload=/bin/kill -HUP $MAINPID");
    bench.sh(&unit).await;
    bench.sh("systemctl start demo; sleep 1.1; echo new >/etc/demo/a").await;
    let options = json!({ "enabled": false, "reload_on": ["/etc/demo/a"] });
    let (run, changed) = bench.call("service.running", &[json!("demo")], options).await;
    assert!(changed.unwrap(), "it is reloaded");
    assert_eq!(bench.sh("systemctl is-active demo").await, "active");
    bench.undo(&run).await.unwrap();
}

async fn what_cannot_be(bench: &Bench) {
    bench.sh(&format!("{CLEAN}; {}", unit("ExecStart=/bin/false"))).await;
    let running = async |unit: &str, options| bench.call("service.running", &[json!(unit)], options).await;
    let (run, result) = running("demo", json!({ "enabled": false })).await;
    assert_eq!(result.unwrap_err().message(), "`demo.service` did not start: failed, exit-code, status 1");
    bench.undo(&run).await.unwrap();
    assert_eq!(bench.sh("systemctl is-failed demo || :").await, "inactive");

    bench.sh(&unit("Type=notify\\nExecStart=/bin/sleep infinity")).await;
    let (run, result) = running("demo", json!({ "enabled": false, "timeout": "1s" })).await;
    assert_eq!(result.unwrap_err().code(), "service.timeout");
    bench.undo(&run).await.unwrap();
    assert_eq!(bench.sh("systemctl is-active demo || :").await, "inactive");

    let error = running("ngnix", json!({})).await.1.unwrap_err();
    assert_eq!(
        (error.code(), error.advice()),
        ("service.unknown", Some("write `nginx`, or install what brings the unit"))
    );
    bench.sh("systemctl -q mask nginx").await;
    assert_eq!(running("nginx", json!({})).await.1.unwrap_err().code(), "service.masked");
    bench.sh("systemctl -q unmask nginx").await;
    let error = running("nginx", json!({ "restart_on": ["/etc/nginx"] })).await.1.unwrap_err();
    assert_eq!(error.code(), "service.not_a_file");
}

/// One host serves all cases: they undo what they do.
#[tokio::test(flavor = "multi_thread")]
async fn units_on_a_real_host() {
    let Some(bench) = Bench::start("units").await else { return };
    the_laws(&bench).await;
    restarts_follow_from_state(&bench).await;
    undo_restarts_once_the_files_are_back(&bench).await;
    a_unit_that_the_run_started_is_stopped_however_often_it_was_named(&bench).await;
    undo_brings_back_what_a_bad_file_broke(&bench).await;
    what_does_not_end_by_itself_is_waited_for(&bench).await;
    a_unit_that_goes_on_reloading_is_waited_for(&bench).await;
    what_cannot_be(&bench).await;
    bench.end().await;
}
