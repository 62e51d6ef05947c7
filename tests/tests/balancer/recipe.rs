//! A recipe planned, run, run again, undone.

use haengine_tests::look::{main_pid, steady, touched};
use haengine_tests::reader::Reader;
use haengine_tests::site::differences;

use crate::stage::{Balancer, Stage};

pub fn scenario(stage: &mut Stage, balancer: &'static Balancer) {
    stage.clear();
    let vip = format!("vip={}", balancer.vip);
    let words = [vip.as_str()];
    let units = [balancer.name, "keepalived"];
    play(stage, balancer.recipe, &words, ("master1", &units), |stage| serves(stage, balancer));
    assert!(stage.holders(balancer.vip).is_empty(), "{:?}", stage.holders(balancer.vip));
}

/// Plans a recipe, runs it, looks whether it serves, runs it again, which restarts none of a host's units, and
/// takes it back. Where an address stands before the API, its clients miss no more of the undo than of the run.
pub fn play(stage: &Stage, recipe: &str, words: &[&str], units: (&str, &[&str]), serves: impl Fn(&Stage)) {
    let (before, bare) = (steady(&stage.cluster.site.manifest(), ""), touched(&stage.cluster.site));

    let plan = stage.recipe("plan", recipe, words).ended_with(0);
    assert_eq!(differences(&bare, &touched(&stage.cluster.site)), "", "the plan touched something");
    let reader = stage.reader();
    let run = stage.recipe("run", recipe, words).ended_with(0);
    let missed = reader.map(Reader::failures).unwrap_or_default();
    assert_eq!(differences(&plan.changes().join("\n"), &run.changes().join("\n")), "", "not what was planned");
    serves(stage);

    let (host, units) = units;
    let programs = || units.iter().map(|unit| main_pid(&stage.cluster.site, host, unit)).collect::<Vec<_>>();
    let started = programs();
    let again = stage.recipe("run", recipe, words).ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{:#?}", again.changes());
    assert_eq!(programs(), started, "something was restarted");

    let reader = stage.reader();
    stage.cluster.undo(&run).ended_with(0);
    let failed = reader.map(Reader::failures).unwrap_or_default();
    eprintln!("{recipe}: the run missed {} requests, its undo {}", missed.len(), failed.len());
    // Two API servers that are stopped in haste may each cut one request short that is under way, in run and undo alike.
    assert!(failed.len() <= missed.len() + 2, "undo of {recipe} failed {failed:?}, the run {missed:?}");
    stage.settle();
    assert_eq!(differences(&before, &steady(&stage.cluster.site.manifest(), "")), "", "undo left something");
}

/// One host has the address, and every host reaches both API servers there, with certificates for it.
fn serves(stage: &Stage, balancer: &Balancer) {
    let site = &stage.cluster.site;
    assert_eq!(stage.holder(balancer.vip), "master1");
    let ask = format!(
        "for n in 1 2 3 4; do curl -s --max-time 5 --cacert /opt/kubernetes/ssl/ca.pem https://{}:16443/readyz; done",
        balancer.vip
    );
    for host in ["master1", "master2", "worker1", "worker2"] {
        assert_eq!(site.on(host, &ask), "okokokok", "{host}");
    }
    let logged = site.on("master1", "journalctl -u keepalived -o cat | grep -ciE 'security violation|disabling' || :");
    assert_eq!(logged.trim(), "0", "keepalived does not run its check");
}
