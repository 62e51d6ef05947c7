//! The layouts that operators have. Each is a cluster of its own, from bare hosts to a new master, and back to the old one.

use haengine_tests::site::{Given, differences};

use crate::look::{endpoints, is_master, is_second_master, kubectl, objects, ready_nodes, steady, touched};
use crate::stage::{MASTERS, Stage, WORKERS};

type Scenario = fn(&mut Stage);

pub const ALL: [(&str, Scenario); 8] = [
    ("programs_in_usr_bin", programs_in_usr_bin),
    ("nodes_named_by_address", nodes_named_by_address),
    ("ecdsa_keys", ecdsa_keys),
    ("files_elsewhere", files_elsewhere),
    ("a_third_master", a_third_master),
    ("no_approval", no_approval),
    ("serving_certificates", serving_certificates),
    ("kubelets_without_bootstrap", kubelets_without_bootstrap),
];

const BOTH: [&str; 2] = ["192.168.2.117", "192.168.2.119"];

fn programs_in_usr_bin(stage: &mut Stage) {
    stage.bootstrap("run", &["bin=/usr/bin"]).ended_with(0);
    let run = joins(stage, "master2");
    is_second_master(&stage.site);
    let running = stage.site.on(
        "master2",
        "for unit in kube-apiserver kubelet; do readlink /proc/$(systemctl show -p MainPID --value $unit)/exe; done",
    );
    assert_eq!(running, "/usr/bin/kube-apiserver\n/usr/bin/kubelet\n");
    leaves(stage, &run, 3);
}

fn ecdsa_keys(stage: &mut Stage) {
    stage.bootstrap("run", &["algorithm=ecdsa-p256"]).ended_with(0);
    let key = "tail -n +2 /opt/kubernetes/ssl/server-key.pem | sha256sum";
    let before = stage.site.on("master1", key);
    stage.site.haengine(&["run", "extend_certs", "-i", "site.yaml", "addresses=192.168.2.88", "--yes"]).ended_with(0);
    let served = "openssl s_client -connect 192.168.2.119:6443 </dev/null 2>/dev/null | openssl x509 -noout -text";
    let served = stage.site.on("worker1", served);
    assert!(served.contains("id-ecPublicKey") && served.contains("IP Address:192.168.2.88"), "{served}");
    let run = joins(stage, "master2");
    is_second_master(&stage.site);
    assert_eq!(stage.site.on("master1", key), before, "the certificate was extended with another key");
    assert_eq!(stage.site.on("master2", key), before);
    leaves(stage, &run, 3);
}

fn nodes_named_by_address(stage: &mut Stage) {
    let inventory = std::fs::read_to_string(stage.site.path().join("site.yaml")).unwrap();
    let named = inventory.lines().map(|line| match line.split_once("{ address: ") {
        Some((host, address)) => {
            let address = address.trim_end_matches(" }");
            // The new master's name follows from those of the others.
            let name = if host.contains("master2") { String::new() } else { format!(", node_name: \"{address}\"") };
            format!("{host}{{ address: {address}{name} }}\n")
        }
        None => format!("{line}\n"),
    });
    stage.site.write("site.yaml", &named.collect::<String>());
    stage.bootstrap("run", &[]).ended_with(0);
    let mut nodes = ready_nodes(&stage.site);
    nodes.sort();
    assert_eq!(nodes, ["192.168.2.118", "192.168.2.119", "192.168.2.210"]);
    let run = joins(stage, "master2");
    is_master(&stage.site, "master2", "192.168.2.117", "192.168.2.117", &BOTH);
    leaves(stage, &run, 3);
}

/// Certificates and configuration outside the root, and a container runtime that no package owns.
fn files_elsewhere(stage: &mut Stage) {
    stage.bootstrap("run", &[]).ended_with(0);
    stage.site.on("master1", MOVE);
    stage.wait();
    // It gives up where the API server is not there yet, and is started again.
    stage.site.within(
        std::time::Duration::from_secs(60),
        "master1",
        "systemctl is-active kube-proxy && systemctl is-active kubelet",
    );
    let run = joins(stage, "master2");
    is_second_master(&stage.site);
    let there = stage.site.on(
        "master2",
        "ls -d /opt/kubernetes/ssl/server.pem 2>/dev/null; readlink /proc/$(systemctl show -p MainPID --value containerd)/exe; \
         ls /usr/local/sbin; grep -c 192.168.2.117:6443 /etc/kubernetes/kube-proxy.kubeconfig; cd /etc/kubernetes/ssl && ls server.pem kubelet.crt",
    );
    assert_eq!(there, "/usr/local/bin/containerd\nrunc\n1\nkubelet.crt\nserver.pem\n");
    leaves(stage, &run, 3);
    assert_eq!(
        stage.site.on("master2", "ls -d /etc/kubernetes /usr/local/bin/* /usr/local/sbin/* 2>/dev/null; true"),
        ""
    );
}

/// A cluster that is not let come to its end is taken back, ten times of ten: etcd's members need each other until then. Half
/// of the runs fail where no certificate comes in time, the others once the kubelets run.
fn no_approval(stage: &mut Stage) {
    let recipe = include_str!("../../../scripts/bootstrap_cluster.rhai");
    let enroll = "k8s::enroll(h, site.at[h.name].hostname, #{";
    let part = "    step(\"give each node its part";
    assert!(recipe.contains(enroll) && recipe.contains(part), "the recipe lets nodes in another way");
    let late = recipe.replace(enroll, &format!("{enroll} timeout: \"1ms\","));
    let stopped = recipe.replace(part, &format!("    step(\"stop here\", || fail(\"enough\", \"go on\"));\n{part}"));
    let before = steady(&stage.site.manifest(), "");
    for time in 1..=10 {
        let (recipe, says) = if time % 2 == 1 { (&late, "k8s.csr_unsigned") } else { (&stopped, "enough") };
        stage.site.write("bootstrap_cluster.rhai", recipe);
        let run = stage.bootstrap("run", &[]).ended_with(1);
        assert!(run.out.contains(says), "{}", run.out);
        let undo = stage.undo(&run).ended_with(0);
        assert_eq!(undo.finished()["failed"], 0, "time {time}: {}", undo.out);
        assert_eq!(differences(&before, &steady(&stage.site.manifest(), "")), "", "time {time}: undo left something");
        eprintln!("time {time} of 10: clean");
    }
}

const MOVE: &str = "set -e; cd /opt/kubernetes
    units='kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet'
    systemctl stop $units containerd
    mkdir /etc/kubernetes; mv ssl cfg/kube-proxy.kubeconfig /etc/kubernetes/
    for current in /etc/kubernetes/ssl/kubelet-client-current.pem; do ln -sfn /etc/kubernetes/ssl/$(basename $(readlink $current)) $current; done
    sed -i 's#/opt/kubernetes/ssl#/etc/kubernetes/ssl#g; s#/opt/kubernetes/cfg/kube-proxy.kubeconfig#/etc/kubernetes/kube-proxy.kubeconfig#g' cfg/* /etc/kubernetes/kube-proxy.kubeconfig /root/.kube/config
    mv /usr/bin/containerd /usr/bin/containerd-shim* /usr/bin/ctr /usr/local/bin/; mv /usr/sbin/runc /usr/local/sbin/
    sed 's#/usr/bin/containerd#/usr/local/bin/containerd#' /lib/systemd/system/containerd.service >/etc/systemd/system/containerd.service
    systemctl daemon-reload; systemctl start containerd $units";

fn a_third_master(stage: &mut Stage) {
    let groups = "masters: [master1, master2], workers: [worker1], etcd: [master1, master2, worker1]";
    *stage = Stage::of("three", &[&MASTERS[..], &WORKERS[..1]].concat(), groups);
    stage.bootstrap("run", &[]).ended_with(0);
    // A member of etcd may become a master.
    joins(stage, "master2");
    is_master(&stage.site, "master2", "k8s-master2", "192.168.2.117", &BOTH);

    let ca = "/opt/kubernetes/ssl/ca.pem";
    stage.site.on("master2", &format!("cp -a {ca} /root/ca.pem; echo >>{ca}"));
    is_refused(stage, &[ca, "differs between", "master2", "make them equal first"]);
    stage.site.on("master2", &format!("cp -a /root/ca.pem {ca}"));

    // One that hangs is still listed.
    stage.site.on("master2", "systemctl kill -s STOP kube-apiserver");
    is_refused(stage, &["the API server at 192.168.2.117:6443 is not ready"]);
    stage.site.on("master2", "systemctl kill -s CONT kube-apiserver; systemctl stop kube-apiserver");
    is_refused(stage, &["master2 has an API server, and the cluster does not list it", "start it"]);
    stage.site.on("master2", "systemctl start kube-apiserver");
    stage.site.within(
        std::time::Duration::from_secs(60),
        "master1",
        "kubectl --cache-dir /tmp/kubectl get endpoints kubernetes | grep -q 192.168.2.117",
    );

    let run = joins(stage, "master3");
    let all = ["192.168.2.116", "192.168.2.117", "192.168.2.119"];
    is_master(&stage.site, "master3", "k8s-master3", "192.168.2.116", &all);
    stage.undo(&run).ended_with(0);
    assert_eq!(endpoints(&stage.site), BOTH);
    assert!(!objects(&stage.site).contains("node/k8s-master3"));
}

/// Kubelets that serve with certificates of the cluster's, each of which somebody has to approve.
fn serving_certificates(stage: &mut Stage) {
    stage.bootstrap("run", &[]).ended_with(0);
    for host in ["master1", "worker1", "worker2"] {
        let config = "/opt/kubernetes/cfg/kubelet-config.yml";
        stage.site.on(host, &format!("echo 'serverTLSBootstrap: true' >>{config}; systemctl restart kubelet"));
    }
    let minute = std::time::Duration::from_secs(60);
    let asked =
        "kubectl --cache-dir /tmp/kubectl get csr --no-headers | awk '/kubelet-serving/ && /Pending/ { print $1 }'";
    stage.site.within(minute, "master1", &format!("[ $({asked} | wc -l) = 3 ]"));
    stage.site.on("master1", &format!("kubectl --cache-dir /tmp/kubectl certificate approve $({asked})"));
    let serves = "openssl s_client -connect 192.168.2.117:10250 -CAfile /opt/kubernetes/ssl/ca.pem -verify_return_error \
        </dev/null >/dev/null 2>&1";

    // Nobody is asked to approve it, and who runs it is told.
    let told = stage.add_master("run", &["target=master2"]).ended_with(0);
    assert!(told.out.contains("logs and exec fail on k8s-master2 until somebody approves"), "{}", told.out);
    assert_eq!(stage.site.on("master1", &format!("{serves} || echo none")), "none\n");
    leaves(stage, &told, 3);
    assert_eq!(stage.site.on("master1", asked), "", "the node that is gone asks for nothing");
    let run = joins_with(stage, "master2", &["approve_serving=true"]);
    stage.site.within(minute, "master1", serves);
    assert_eq!(stage.site.on("master1", asked), "");
    is_second_master(&stage.site);
    leaves(stage, &run, 3);
}

/// Kubelets with a key that somebody placed, and no way to ask for another: the administrator lets the new one in. The
/// source's key stays where it is.
fn kubelets_without_bootstrap(stage: &mut Stage) {
    stage.bootstrap("run", &[]).ended_with(0);
    for host in ["master1", "worker1", "worker2"] {
        assert_eq!(stage.site.on(host, &format!("{{ {STATIC}; }} 2>&1")), "", "{host}");
    }
    stage.wait();
    let key = "openssl pkey -in /etc/kubernetes/kubelet-key.pem -pubout | sha256sum";
    let source = stage.site.on("master1", key);
    let run = joins(stage, "master2");
    is_second_master(&stage.site);
    let keys = "find / -xdev -type f -size -16k ! -path '/proc/*' -exec grep -lE 'BEGIN (EC |RSA )?PRIVATE KEY' {} + | \
        while read -r file; do openssl pkey -in \"$file\" -pubout | sha256sum; done";
    let keys = stage.site.on("master2", keys);
    assert!(keys.lines().count() > 2 && !keys.contains(source.trim()), "the source's key is on the new node");
    assert_ne!(source, stage.site.on("worker1", key));
    leaves(stage, &run, 3);
}

/// What `kubelet-client-current.pem` holds as two files of another folder, and a kubelet that asks for nothing.
const STATIC: &str = "set -e; mkdir -p /etc/kubernetes; cd /opt/kubernetes
    openssl x509 -in ssl/kubelet-client-current.pem -out /etc/kubernetes/kubelet.pem
    openssl pkey -in ssl/kubelet-client-current.pem -out /etc/kubernetes/kubelet-key.pem
    systemctl stop kubelet
    sed -i 's#client-certificate: .*#client-certificate: /etc/kubernetes/kubelet.pem#; s#client-key: .*#client-key: /etc/kubernetes/kubelet-key.pem#' cfg/kubelet.kubeconfig
    sed -i 's#--bootstrap-kubeconfig=[^ ]* ##' cfg/kubelet.conf
    sed -i 's#rotateCertificates: true#rotateCertificates: false#' cfg/kubelet-config.yml
    rm -f cfg/bootstrap.kubeconfig ssl/kubelet-client-*
    systemctl start kubelet";

/// A host becomes a master, and another run finds nothing to do.
fn joins(stage: &Stage, host: &str) -> Given {
    joins_with(stage, host, &[])
}

fn joins_with(stage: &Stage, host: &str, words: &[&str]) -> Given {
    let target = format!("target={host}");
    let words = [&[target.as_str()], words].concat();
    let plan = stage.add_master("plan", &words).ended_with(0);
    let run = stage.add_master("run", &words).ended_with(0);
    assert_eq!(differences(&plan.changes().join("\n"), &run.changes().join("\n")), "", "not what was planned");
    let again = stage.add_master("run", &words).ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{:#?}", again.changes());
    run
}

fn leaves(stage: &Stage, run: &Given, nodes: usize) {
    stage.undo(run).ended_with(0);
    assert_eq!(endpoints(&stage.site), ["192.168.2.119"]);
    assert_eq!(ready_nodes(&stage.site).len(), nodes, "{}", kubectl(&stage.site, "get nodes"));
}

fn is_refused(stage: &Stage, says: &[&str]) {
    let before = touched(&stage.site);
    let run = stage.add_master("run", &["target=master3"]).ended_with(2);
    let said = format!("{}{}", run.out, run.errors);
    for words in says {
        assert!(said.contains(words), "it does not say `{words}`:\n{said}");
    }
    assert_eq!(differences(&before, &touched(&stage.site)), "", "it was refused and touched something");
}
