//! `time_sync` on two bare hosts: planned, run, run again, undone, undone again.

use crate::site::{Site, differences, possible};

const WORDS: [&str; 5] = ["time_sync", "-i", "site.yaml", "hosts=masters", "--json"];

fn words(command: &'static str) -> Vec<&'static str> {
    [command].into_iter().chain(WORDS).collect()
}

#[test]
fn it_changes_what_was_planned_then_nothing_and_undo_leaves_no_trace() {
    if !possible() {
        return;
    }
    let site = Site::new("time", 2);
    let before = site.manifest();
    assert!(before.lines().count() > 20_000, "the manifest sees too little");

    let plan = site.haengine(&words("plan")).ended_with(0);
    assert_eq!(differences(&before, &site.manifest()), "", "the plan touched something");
    assert_eq!(site.on("m1", "ls /run/haengine* 2>/dev/null"), "", "the plan left something in /run");

    let run = site.haengine(&words("run")).ended_with(0);
    assert_eq!(plan.changes(), run.changes());
    assert_eq!(plan.finished()["changed"], run.finished()["changed"]);
    assert!(run.finished()["changed"].as_u64() >= Some(6), "{}", run.out);
    for host in ["m1", "m2"] {
        assert_eq!(site.on(host, "systemctl is-active chrony").trim(), "active");
    }
    assert!(site.on("m2", "chronyc -n sources").contains("192.168.2.11"), "m2 follows m1");

    let again = site.haengine(&words("run")).ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{}", again.out);

    let id = run.finished()["run"].as_str().unwrap().to_owned();
    let undo = site.haengine(&["undo", &id, "--yes", "--json"]).ended_with(0);
    assert_eq!(undo.finished()["changed"], run.finished()["changed"]);
    assert_eq!(differences(&before, &site.manifest()), "", "undo left something");

    let undone = site.haengine(&["undo", &id, "--yes", "--json"]).ended_with(0);
    assert_eq!(undone.finished()["changed"], 0);
    assert_eq!(differences(&before, &site.manifest()), "");
}

#[test]
fn it_follows_a_configuration_that_somebody_changed() {
    if !possible() {
        return;
    }
    let site = Site::new("drift", 1);
    let run = site.haengine(&words("run")).ended_with(0);
    site.on("m1", "echo '# mine' >> /etc/chrony/chrony.conf");
    let plan = site.haengine(&["plan", "time_sync", "-i", "site.yaml"]).ended_with(0);
    assert!(plan.out.contains("-# mine"), "{}", plan.out);
    let exit_code = site.haengine(&["plan", "time_sync", "-i", "site.yaml", "--exit-code"]);
    exit_code.ended_with(4);
    let id = run.finished()["run"].as_str().unwrap().to_owned();
    let undo = site.haengine(&["undo", &id, "--yes"]).ended_with(1);
    assert!((undo.out + &undo.errors).contains("/etc/chrony/chrony.conf"), "the message names what was changed since");
    assert!(site.on("m1", "tail -1 /etc/chrony/chrony.conf").contains("# mine"), "and leaves it alone");
}
