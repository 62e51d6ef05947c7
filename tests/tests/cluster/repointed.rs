//! `extend_certs` and `repoint_workers`: a door with an address of its own goes before the one master, the certificates
//! learn the address, the workers use it; one of them cannot, and is put back.

use std::time::Duration;

use haengine_tests::site::{Given, Site, differences};

use crate::look::{main_pid, ready_nodes, steady, touched};
use crate::reader::Reader;
use crate::stage::{self, Needs, Stage};

pub const DOOR: &str = "192.168.2.88:16443";
pub const MASTER: &str = "192.168.2.119:6443";
pub const WORKERS: [&str; 2] = ["worker1", "worker2"];

/// It hands on what comes to the address, and knows nothing of TLS.
const OPEN: &str = "set -e; device=$(ip -o -4 address show to 192.168.2.119 | cut -d' ' -f2); ip address add 192.168.2.88/24 dev $device
    printf '[Service]\nExecStart=/lib/systemd/systemd-socket-proxyd 192.168.2.119:6443\n' >/run/systemd/system/door.service
    printf '[Socket]\nListenStream=192.168.2.88:16443\nFreeBind=true\n' >/run/systemd/system/door.socket
    systemctl daemon-reload; systemctl start door.socket; echo open";
const SHUT: &str =
    "systemctl stop door.socket door.service; device=$(ip -o -4 address show to 192.168.2.119 | cut -d' ' -f2)
    ip address del 192.168.2.88/24 dev $device; rm /run/systemd/system/door.*; systemctl daemon-reload; echo shut";

pub fn scenario(stage: &mut Stage) {
    let site = &stage.site;
    let before = steady(&site.manifest(), "");
    assert_eq!(site.on("master1", OPEN).lines().last(), Some("open"));

    refused(site, &["new=192.168.2.88"], &["`192.168.2.88` is no endpoint", "ADDRESS:PORT"]);
    refused(site, &["new=192.168.2.88:16443"], &["without 192.168.2.88", "run extend_certs"]);
    let extended = extends(site);
    refused(site, &["new=192.168.2.88:16444"], &["worker2 finds no ready API server at 192.168.2.88:16444"]);

    let run = repoints(site);
    undone_under_load(site, &run);
    use_endpoint(site, &WORKERS, MASTER);

    let run = puts_one_back(site);
    recipe(site, "undo", &run).ended_with(0);
    use_endpoint(site, &WORKERS, MASTER);
    undone_under_load(site, &extended);
    site.on("worker1", "rm -r /root/.kube");
    site.on("worker2", "rm /etc/cni/net.d/99-other.note");
    assert_eq!(site.on("master1", SHUT).lines().last(), Some("shut"));
    assert_eq!(differences(&before, &steady(&site.manifest(), "")), "", "undo left something");
    stage.wait();
    stage.stands(Needs::Founded);
}

/// Clients of the master notice nothing of an undo.
fn undone_under_load(site: &Site, run: &Given) {
    let reader = Reader::of(site, MASTER, 50);
    recipe(site, "undo", run).ended_with(0);
    reader.stop();
}

/// The certificates are for the new address, on disk and on the wire, and no server was restarted.
fn extends(site: &Site) -> Given {
    let words = ["extend_certs", "-i", "site.yaml", "addresses=192.168.2.88", "names=api.example"];
    let units = || [main_pid(site, "master1", "kube-apiserver"), main_pid(site, "worker1", "etcd")];
    site.on("master1", "mv /opt/kubernetes/ssl/ca-key.pem /root/");
    let said = site.haengine(&[&["run"], &words[..], &["--yes"]].concat()).ended_with(2);
    for words in ["/opt/kubernetes/ssl/server.pem on master1 lacks 192.168.2.88", "authority_key="] {
        assert!(said.errors.contains(words) || said.out.contains(words), "{}{}", said.out, said.errors);
    }
    site.on("master1", "mv /root/ca-key.pem /opt/kubernetes/ssl/");

    let (run, pids) = (planned_and_run(site, &words), units());
    for endpoint in ["192.168.2.119:6443", "192.168.2.119:2379", "192.168.2.118:2379", "192.168.2.210:2380"] {
        let served = site.on(
            "worker1",
            &format!(
                "openssl s_client -connect {endpoint} </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName"
            ),
        );
        assert!(served.contains("192.168.2.88") && served.contains("api.example"), "{endpoint}: {served}");
    }
    assert_eq!(units(), pids, "a server was restarted");
    run
}

fn repoints(site: &Site) -> Given {
    // Of somebody's own, and of a network plugin.
    site.on("worker1", "mkdir -p /root/.kube; printf 'clusters:\\n- cluster:\\n    server: https://192.168.2.119:6443\\n' >/root/.kube/config");
    site.on("worker2", "echo '{\"kubeconfig\": \"https://192.168.2.119:6443\", \"etcd\": \"https://192.168.2.119:2379\"}' >/etc/cni/net.d/99-other.note");
    let run = planned_and_run(site, &repointing(&[]));
    assert_eq!(run.changes().iter().filter(|change| change.contains("file.put")).count(), 8, "{:#?}", run.changes());
    use_endpoint(site, &WORKERS, DOOR);
    let note = site.on("worker2", "cat /etc/cni/net.d/99-other.note");
    assert!(note.contains(DOOR) && note.contains("192.168.2.119:2379"), "{note}");
    assert_eq!(
        site.on("master1", "grep -rl 192.168.2.88 /opt/kubernetes/cfg /root/.kube"),
        "",
        "a master was repointed"
    );
    run
}

/// The kubelet of the second worker does not start with the new endpoint: the worker is back on the old one, the first one
/// stays, and once it is repaired the run goes on.
fn puts_one_back(site: &Site) -> Given {
    let folder = "/etc/systemd/system/kubelet.service.d";
    let sick = format!(
        "mkdir -p {folder}; printf '[Service]\nExecStartPre=/bin/sh -c \"! grep -q 192.168.2.88 /opt/kubernetes/cfg/kubelet.kubeconfig\"\n' >{folder}/sick.conf; systemctl daemon-reload"
    );
    site.on("worker2", &sick);
    let run = goes_back(site);
    recipe(site, "undo", &run).ended_with(0);
    use_endpoint(site, &WORKERS, MASTER);
    goes_back(site);
    let audit = recipe_with(site, "run", &["audit", "-i", "site.yaml"]).ended_with(2);
    assert!(audit.out.contains("the workers use 192.168.2.88:16443 and 192.168.2.119:6443"), "{}", audit.out);

    site.on("worker2", &format!("rm -r {folder}; systemctl daemon-reload"));
    let run = recipe_with(site, "run", &repointing(&[])).ended_with(0);
    use_endpoint(site, &WORKERS, DOOR);
    recipe_with(site, "run", &["audit", "-i", "site.yaml"]).ended_with(0);
    run
}

fn goes_back(site: &Site) -> Given {
    let run = recipe_with(site, "run", &repointing(&[])).ended_with(1);
    for words in ["worker2 did not come back with 192.168.2.88:16443, and was put back", "then run this again"] {
        assert!(run.out.contains(words), "it does not say `{words}`:\n{}\n{}", run.out, run.errors);
    }
    use_endpoint(site, &["worker1"], DOOR);
    use_endpoint(site, &["worker2"], MASTER);
    assert_eq!(ready_nodes(site).len(), 3);
    run
}

fn repointing<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let door = if more.is_empty() { &["new=192.168.2.88:16443"][..] } else { more };
    [&["repoint_workers", "-i", "site.yaml"], door].concat()
}

/// What was planned is done, and then nothing is left to do.
fn planned_and_run(site: &Site, words: &[&str]) -> Given {
    let before = touched(site);
    let plan = recipe_with(site, "plan", words).ended_with(0);
    assert_eq!(differences(&before, &touched(site)), "", "the plan touched something");
    let run = recipe_with(site, "run", words).ended_with(0);
    assert_eq!(differences(&plan.changes().join("\n"), &run.changes().join("\n")), "", "not what was planned");
    let again = recipe_with(site, "run", words).ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{:#?}", again.changes());
    run
}

fn refused(site: &Site, words: &[&str], says: &[&str]) {
    let before = touched(site);
    let run = recipe_with(site, "run", &repointing(words)).ended_with(2);
    for words in says {
        assert!(run.out.contains(words), "it does not say `{words}`:\n{}\n{}", run.out, run.errors);
    }
    assert_eq!(differences(&before, &touched(site)), "", "it was refused and touched something");
}

fn recipe_with(site: &Site, command: &str, words: &[&str]) -> Given {
    site.haengine(&[&[command], words, &["--json", "--yes"]].concat())
}

fn recipe(site: &Site, command: &str, run: &Given) -> Given {
    let id = run.finished()["run"].as_str().unwrap().to_owned();
    site.haengine(&[command, &id, "--yes", "--json"])
}

/// Their files and the live connections of their units name this endpoint and no other one.
pub fn use_endpoint(site: &Site, workers: &[&str], endpoint: &str) {
    let other = if endpoint == DOOR { MASTER } else { DOOR };
    for worker in workers {
        let files = site.on(worker, &format!("grep -rlF {other} /opt/kubernetes/cfg /root/.kube /etc/cni 2>/dev/null"));
        assert_eq!(files, "", "{worker} still names {other}");
        for unit in ["kubelet", "kube-proxy"] {
            site.until(worker, &format!(
                "peers=$(ss -Htnp state established | grep 'pid='$(systemctl show -p MainPID --value {unit})',') && \
                 echo \"$peers\" | grep -qF {endpoint} && ! echo \"$peers\" | grep -qF {other}"
            ));
        }
    }
    for worker in workers {
        ready_since_started(site, worker);
    }
}

/// What a kubelet said before it was started again stays in the API for a moment.
fn ready_since_started(site: &Site, worker: &str) {
    let since =
        site.on(worker, "date -u -d \"$(TZ=UTC systemctl show -p ActiveEnterTimestamp --value kubelet)\" +%FT%TZ");
    let (_, _, node) = stage::WORKERS.iter().find(|(name, _, _)| *name == worker).unwrap();
    let ready = "{range .status.conditions[?(@.type==\"Ready\")]}{.status} {.lastHeartbeatTime}{end}";
    // It says so again after ten seconds, when at first it had not looked at its container runtime yet.
    site.within(Duration::from_secs(60), "master1", &format!(
        "said=$(kubectl --cache-dir /tmp/kubectl get node {node} -o 'jsonpath={ready}') && [ \"${{said% *}}\" = True ] && [ ! \"${{said#* }}\" \\< {} ]",
        since.trim()
    ));
}
