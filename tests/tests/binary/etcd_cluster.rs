//! `etcd_cluster` on bare hosts: founded, healed, refused, undone, with TLS and without. What etcd is asked, it is asked by its own program.

use crate::site::{Site, differences, possible};

const CTL: &str = "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/opt/etcd/ssl/ca.pem \
    --cert=/opt/etcd/ssl/server.pem --key=/opt/etcd/ssl/server-key.pem";
const PLAIN: &str = "etcdctl --endpoints=http://127.0.0.1:2379";
const DATA: &str = "/var/lib/etcd/default.etcd";

fn words<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let all = [command, "etcd_cluster", "-i", "site.yaml", "hosts=masters", "--json"];
    all.into_iter().chain(more.iter().copied()).collect()
}

fn ctl(site: &Site, host: &str, words: &str) -> String {
    site.on(host, &format!("{CTL} {words}")).trim().to_owned()
}

fn is_one_cluster(site: &Site, hosts: &[&str]) {
    are_of_one_mind(site, hosts, CTL);
}

/// What every member says of the whole cluster: their ids, and who leads.
fn are_of_one_mind(site: &Site, hosts: &[&str], client: &str) {
    let mut seen = Vec::new();
    for host in hosts {
        let said = site.on(host, &format!("{client} endpoint status --cluster -w json"));
        let status: serde_json::Value = serde_json::from_str(&said).unwrap();
        let members = status.as_array().unwrap();
        assert_eq!(members.len(), hosts.len(), "{status}");
        for member in members {
            seen.push((member["Status"]["header"]["cluster_id"].clone(), member["Status"]["leader"].clone()));
        }
    }
    assert!(seen[0].1.as_u64() > Some(0), "nobody leads");
    assert!(seen.iter().all(|one| *one == seen[0]), "not all say the same: {seen:?}");
}

#[test]
fn it_founds_what_was_planned_then_changes_nothing_and_undo_leaves_bare_hosts() {
    if !possible() {
        return;
    }
    let (site, hosts) = (Site::new("etcd", 3), ["m1", "m2", "m3"]);
    let before = site.manifest();

    let plan = site.haengine(&words("plan", &[])).ended_with(0);
    assert_eq!(differences(&before, &site.manifest()), "", "the plan touched something");

    let run = site.haengine(&words("run", &[])).ended_with(0);
    assert_eq!(plan.changes(), run.changes());
    is_one_cluster(&site, &hosts);
    for host in hosts {
        assert_eq!(site.on(host, "systemctl is-active etcd; systemctl is-enabled etcd"), "active\nenabled\n");
        assert_eq!(site.on(host, "ls /opt/etcd/cfg"), "etcd.conf\n", "the unit removes what founded the cluster");
        assert!(site.on(host, "cat /opt/etcd/cfg/etcd.conf").contains("\nETCD_INITIAL_CLUSTER_STATE=existing\n"));
    }
    assert_eq!(site.on("m1", "cat /opt/etcd/cfg/etcd.conf"), include_str!("etcd_m1.conf"));
    let health = |more: &str| {
        site.on("m2", &format!("curl -sf {more} --cacert /opt/etcd/ssl/ca.pem https://192.168.2.11:2379/health"))
    };
    assert_eq!(health("--cert /opt/etcd/ssl/server.pem --key /opt/etcd/ssl/server-key.pem"), r#"{"health":"true"}"#);
    assert_eq!(health(""), "", "a client without a certificate was served");

    let again = site.haengine(&words("run", &[])).ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{}", again.out);

    keeps_its_transport(&site, &["tls=false"], "with TLS");
    is_one_cluster(&site, &hosts);

    let id = run.finished()["run"].as_str().unwrap().to_owned();
    let undo = site.haengine(&["undo", &id, "--yes", "--json"]).ended_with(0);
    // What founded the cluster was gone already.
    assert_eq!(undo.finished()["changed"].as_u64().unwrap() + 3, run.finished()["changed"].as_u64().unwrap());
    assert_eq!(differences(&before, &site.manifest()), "", "undo left something");
}

/// Processes and files of the members.
fn members(site: &Site) -> String {
    site.each_says("{ systemctl show -p MainPID -p ActiveState etcd; find /opt/etcd -type f -exec sha256sum {} +; }")
}

/// A plan and a run that would give the cluster another transport are refused for each member, and touch none.
fn keeps_its_transport(site: &Site, words_for_another: &[&str], has: &str) {
    let before = members(site);
    for command in ["plan", "run"] {
        let given = site.haengine(&words(command, words_for_another)).ended_with(2);
        for host in ["m1", "m2", "m3"] {
            let says = format!("the member on {host} is of a cluster {has}");
            assert!(given.out.contains(&says), "it does not say `{says}`: {}", given.out);
        }
    }
    assert_eq!(members(site), before, "it was touched");
}

#[test]
fn without_tls_it_has_no_certificates_and_never_gets_some() {
    if !possible() {
        return;
    }
    let (site, hosts) = (Site::new("plain", 3), ["m1", "m2", "m3"]);
    let plan = site.haengine(&words("plan", &["tls=false"])).ended_with(0);
    let run = site.haengine(&words("run", &["tls=false"])).ended_with(0);
    assert_eq!(plan.changes(), run.changes());
    assert!(run.out.contains("anybody who reaches the ports 2379 and 2380 of a member reads every Secret"));
    assert!(!run.changes().iter().any(|change| change.contains("cert.")), "{:?}", run.changes());
    are_of_one_mind(&site, &hosts, PLAIN);
    for host in hosts {
        assert_eq!(site.on(host, "ls /opt/etcd; grep -rl https /opt/etcd/cfg"), "bin\ncfg\n");
    }
    assert_eq!(site.on("m1", &format!("{PLAIN} put kept plainly")), "OK\n");
    let again = site.haengine(&words("run", &["tls=false"])).ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{}", again.out);

    keeps_its_transport(&site, &[], "without TLS");
    // Nor while nobody runs who could tell.
    for host in hosts {
        site.on(host, "systemctl stop etcd");
    }
    keeps_its_transport(&site, &[], "without TLS");
    let healed = site.haengine(&words("run", &["tls=false"])).ended_with(0);
    assert_eq!(healed.finished()["changed"], 3, "{}", healed.out);
    assert_eq!(site.on("m3", &format!("{PLAIN} get kept --print-value-only")), "plainly\n");
}

#[test]
fn a_member_that_died_comes_back_and_one_that_lost_its_data_is_explained() {
    if !possible() {
        return;
    }
    let (site, hosts) = (Site::new("heal", 3), ["m1", "m2", "m3"]);
    site.haengine(&words("run", &[])).ended_with(0);
    assert_eq!(ctl(&site, "m1", "put kept safe"), "OK");

    site.on("m2", "systemctl kill -s KILL etcd");
    site.haengine(&words("run", &[])).ended_with(0);
    is_one_cluster(&site, &hosts);

    site.on("m2", "systemctl stop etcd");
    let plan = site.haengine(&words("plan", &[])).ended_with(0);
    let run = site.haengine(&words("run", &[])).ended_with(0);
    assert_eq!((plan.changes(), run.finished()["changed"].as_u64()), (run.changes(), Some(1)), "{}", run.out);

    site.power_off("m3");
    site.haengine(&words("run", &[])).ended_with(3);
    // The last one does not serve without a majority, and goes on by itself when there is one again.
    site.power_off("m2");
    site.power_on("m2");
    site.power_on("m3");
    site.haengine(&words("run", &[])).ended_with(0);
    is_one_cluster(&site, &hosts);
    assert_eq!(ctl(&site, "m3", "get kept --print-value-only"), "safe");

    // Another configuration goes round one by one.
    let pids = |site: &Site| hosts.map(|host| site.on(host, "systemctl show -p MainPID etcd"));
    let (old, changed) = (pids(&site), site.haengine(&words("run", &["token=other"])).ended_with(0));
    assert_eq!(changed.finished()["changed"], 6, "{}", changed.out);
    assert!(old.iter().zip(pids(&site)).all(|(old, new)| *old != new), "all were restarted");
    is_one_cluster(&site, &hosts);

    site.on("m3", &format!("systemctl stop etcd; mv {DATA} /root/lost"));
    // What serves goes on writing its log.
    let but_data = |site: &Site| -> String {
        site.manifest().lines().filter(|line| !line.contains(DATA)).map(|line| format!("{line}\n")).collect()
    };
    let before = but_data(&site);
    let run = site.haengine(&words("run", &["token=other"])).ended_with(2);
    let said = run.out.clone() + &run.errors;
    assert!(said.contains("m3 is a member") && said.contains("its data is gone"), "{said}");
    assert_eq!(differences(&before, &but_data(&site)), "", "a refused run touched something");
    assert_eq!(
        site.on("m3", &format!("ls {DATA} 2>&1")),
        format!("ls: cannot access '{DATA}': No such file or directory\n")
    );
}

#[test]
fn data_of_an_earlier_cluster_is_explained_and_never_removed() {
    if !possible() {
        return;
    }
    let site = Site::new("stale", 3);
    site.on(
        "m2",
        &format!(
            "install -d -m 700 {DATA}; systemd-run -q --unit=earlier -p Type=notify etcd --data-dir {DATA}; systemctl stop earlier"
        ),
    );
    assert!(site.on("m2", &format!("ls {DATA}/member")).contains("wal"));
    let before = site.manifest();
    for command in ["plan", "run"] {
        let given = site.haengine(&words(command, &[])).ended_with(2);
        let said = given.out + &given.errors;
        assert!(said.contains(&format!("m2 holds the data of an earlier etcd in {DATA} (")), "{said}");
        assert!(said.contains(&format!("mv {DATA} {DATA}.old")), "it names the remedy: {said}");
        assert_eq!(differences(&before, &site.manifest()), "", "it was touched");
    }
}

#[test]
fn a_member_that_fails_shows_its_journal_and_the_next_run_founds_it_too() {
    if !possible() {
        return;
    }
    let (site, hosts) = (Site::new("late", 3), ["m1", "m2", "m3"]);
    site.on(
        "m3",
        "mkdir -p /etc/systemd/system/etcd.service.d; cd /etc/systemd/system/etcd.service.d
         printf '[Service]\\nExecStartPre=/bin/sh -c \"echo broken by a test; exit 1\"\\n' >test.conf",
    );
    let failed = site.haengine(&words("run", &[])).ended_with(1);
    let said = failed.out + &failed.errors;
    assert!(said.contains("broken by a test"), "{said}");
    let pid = site.on("m1", "systemctl show -p MainPID etcd");
    site.on("m3", "rm -r /etc/systemd/system/etcd.service.d; systemctl daemon-reload");
    site.haengine(&words("run", &[])).ended_with(0);
    is_one_cluster(&site, &hosts);
    assert_eq!(site.on("m1", "systemctl show -p MainPID etcd"), pid, "a healthy member was restarted");
    let again = site.haengine(&words("run", &[])).ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{}", again.out);
}

#[test]
fn five_members_are_one_cluster_and_four_are_refused() {
    if !possible() {
        return;
    }
    let site = Site::new("five", 5);
    let four = ["run", "etcd_cluster", "-i", "site.yaml", "hosts=m1,m2,m3,m4"];
    let given = site.haengine(&four).ended_with(2);
    assert!((given.out + &given.errors).contains("4 members are no good number"));
    site.haengine(&words("run", &[])).ended_with(0);
    is_one_cluster(&site, &["m1", "m2", "m3", "m4", "m5"]);
    let again = site.haengine(&words("run", &[])).ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{}", again.out);
}
