//! `haproxy_apiserver` and `haproxy_etcd`: what clients see through them, while a backend is not well too.

use std::time::Duration;

use haengine_tests::stage::in_haste;

use crate::recipe::play;
use crate::stage::{HAPROXY, NGINX, Stage};

/// On hosts of their own, for which the certificates have to be extended.
pub fn apiserver(stage: &mut Stage) {
    stage.with(&NGINX);
    play(stage, "haproxy_apiserver", &["balancers=workers"], ("worker1", &["haproxy"]), |stage| {
        for address in ["192.168.2.118", "192.168.2.210"] {
            for host in ["master1", "worker1", "worker2"] {
                assert_eq!(stage.cluster.site.on(host, &ask(address)), "okokokok", "{address} from {host}");
            }
        }
        hung(stage);
    });
}

/// Four requests of a client that checks the certificate.
fn ask(address: &str) -> String {
    let url = format!("https://{address}:16443/readyz");
    format!("for n in 1 2 3 4; do curl -s --max-time 5 --cacert /opt/kubernetes/ssl/ca.pem {url}; done")
}

/// An API server that accepts connections and answers none gets none.
fn hung(stage: &Stage) {
    let site = &stage.cluster.site;
    site.on("master2", "systemctl kill -s STOP kube-apiserver");
    sees(stage, "worker1", 16445, "192.168.2.117:6443", "DOWN");
    let served = site.on("worker2", &ask("192.168.2.118"));
    site.on("master2", "systemctl kill -s CONT kube-apiserver");
    assert_eq!(served, "okokokok");
    for host in ["worker1", "worker2"] {
        sees(stage, host, 16445, "192.168.2.117:6443", "UP");
    }
}

/// Each API server asks through its own host.
pub fn etcd(stage: &mut Stage) {
    stage.with(&NGINX);
    in_haste(&stage.cluster.site, true);
    play(stage, "haproxy_etcd", &[], ("master1", &["haproxy-etcd", "kube-apiserver"]), |stage| {
        for address in ["192.168.2.119", "192.168.2.117"] {
            assert_eq!(asked(stage, address), "true", "{address}");
        }
        for host in ["master1", "master2"] {
            assert_eq!(asks(stage, host, "dport = :2379"), "", "{host} asks a member itself");
            assert_ne!(asks(stage, host, "dport = :12379"), "", "{host} asks nobody through its balancer");
        }
        member_down(stage);
    });
    stage.clear();
    by_health(stage);
    in_haste(&stage.cluster.site, false);
}

/// What etcd says of its health behind an address, to a client that checks the certificate.
fn asked(stage: &Stage, address: &str) -> String {
    let ssl = "--cacert /opt/etcd/ssl/ca.pem --cert /opt/etcd/ssl/server.pem --key /opt/etcd/ssl/server-key.pem";
    let said = stage.cluster.site.on("worker1", &format!("curl -s --max-time 5 {ssl} https://{address}:12379/health"));
    let said: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
    said["health"].as_str().unwrap_or_default().to_owned()
}

/// The connections of a host's API server.
fn asks(stage: &Stage, host: &str, filter: &str) -> String {
    stage.cluster.site.on(host, &format!("ss -Htnp state established '{filter}' | grep kube-apiserver"))
}

/// A member that is down is seen, and missed by nobody.
fn member_down(stage: &Stage) {
    let site = &stage.cluster.site;
    site.on("worker2", "systemctl stop etcd");
    sees(stage, "master1", 12380, "192.168.2.210:2379", "DOWN");
    for host in ["master1", "master2"] {
        site.within(Duration::from_secs(20), host, "kubectl --cache-dir /tmp/kubectl get --raw /readyz >/dev/null");
    }
    site.on("worker2", "systemctl start etcd");
    for host in ["master1", "master2"] {
        sees(stage, host, 12380, "192.168.2.210:2379", "UP");
    }
}

/// Members that tell their health without TLS are asked for it. Here the balancer is not the master itself.
fn by_health(stage: &Stage) {
    let config = "/opt/etcd/cfg/etcd.conf";
    let members = ["master1", "worker1", "worker2"];
    for host in members {
        stage.cluster.site.on(host, &format!("cp -p {config} /root/ && sed -n 's|^ETCD_ADVERTISE_CLIENT_URLS=https:\\(.*\\):2379|ETCD_LISTEN_METRICS_URLS=http:\\1:2381|p' /root/etcd.conf >>{config}; systemctl restart etcd"));
    }
    let run = stage.recipe("run", "haproxy_etcd", &["masters=master2", "balancers=worker1"]).ended_with(0);
    let seen = stage.cluster.site.on("worker1", &format!("{} | grep -c '^etcd,192.*,UP,.*,L7OK,'", page(12380)));
    assert_eq!(seen.trim(), "3", "they are not asked for their health: {}", run.out);
    // Another haproxy still has room beside it.
    stage.recipe("plan", HAPROXY.recipe, &["vip=192.168.2.88", "balancers=workers"]).ended_with(0);
    assert_ne!(asks(stage, "master2", "dst 192.168.2.118 and dport = :12379"), "");
    stage.cluster.undo(&run).ended_with(0);
    for host in members {
        stage.cluster.site.on(host, &format!("mv /root/etcd.conf {config}; systemctl restart etcd"));
    }
    stage.settle();
}

/// A balancer's page of statistics says this of a backend, in the end.
fn sees(stage: &Stage, host: &str, port: u16, backend: &str, status: &str) {
    let script = format!("{} | grep -q ',{backend},.*,{status},'", page(port));
    stage.cluster.site.within(Duration::from_secs(20), host, &script);
}

fn page(port: u16) -> String {
    format!("curl -s --max-time 3 'http://127.0.0.1:{port}/;csv'")
}
