//! What `add_master` refuses: with exit code 2, a message that names place and remedy, and nothing touched.

use haengine_tests::refused::{Case, play};

use crate::stage::{Needs, Stage};

pub const CASES: [Case; 12] = [
    Case {
        name: "a_source_that_is_no_master",
        recipe: "add_master",
        make: &[],
        unmake: &[],
        words: &["target=master2", "source=worker1"],
        says: &["worker1", "kube-apiserver", "name a control-plane node as source="],
    },
    Case {
        name: "the_source_as_target",
        recipe: "add_master",
        make: &[],
        unmake: &[],
        words: &["target=master1"],
        says: &["the target is the source", "name another host as target="],
    },
    Case {
        name: "a_target_of_another_cluster",
        recipe: "add_master",
        make: &[(
            "master2",
            "mkdir -p /opt/kubernetes/cfg /opt/kubernetes/ssl; echo 'of somebody else' >/opt/kubernetes/ssl/ca.pem",
        )],
        unmake: &[("master2", "rm -r /opt/kubernetes")],
        words: &["target=master2"],
        says: &["/opt/kubernetes/ssl/ca.pem", "master2", "another cluster", "choose another host"],
    },
    Case {
        name: "a_target_with_the_port_taken",
        recipe: "add_master",
        make: &[(
            "master2",
            "systemd-run -q --unit=taken systemd-socket-activate -l 6443 cat; sleep 1; ss -Hltn 'sport = 6443' | grep -q . || echo nobody listens",
        )],
        unmake: &[("master2", "systemctl stop taken")],
        words: &["target=master2"],
        says: &["6443", "master2", "systemd-socket", "stop it, or choose another host"],
    },
    Case {
        name: "no_key_to_extend_the_certificate_with",
        recipe: "add_master",
        make: &[("master1", "mv /opt/kubernetes/ssl/ca-key.pem /root/")],
        unmake: &[("master1", "mv /root/ca-key.pem /opt/kubernetes/ssl/")],
        words: &["target=master2"],
        says: &["/opt/kubernetes/ssl/server.pem", "192.168.2.117", "ca-key.pem", "master1", "authority_key="],
    },
    Case {
        name: "too_little_disk",
        recipe: "add_master",
        make: &[("master2", "mount -t tmpfs -o size=100m none /opt")],
        unmake: &[("master2", "umount /opt")],
        words: &["target=master2"],
        says: &["MiB", "free on master2", "make room below /opt"],
    },
    Case {
        name: "a_member_of_etcd_that_is_down",
        recipe: "add_master",
        make: &[("worker2", "systemctl stop etcd")],
        unmake: &[("worker2", "systemctl start etcd")],
        words: &["target=master2"],
        says: &["etcd", "192.168.2.210", "not healthy", "bring it back first"],
    },
    Case {
        name: "an_api_server_that_is_down",
        recipe: "add_master",
        make: &[("master1", "systemctl kill -s KILL kube-apiserver; systemctl stop kube-apiserver")],
        unmake: &[("master1", "systemctl start kube-apiserver")],
        words: &["target=master2"],
        says: &["kube-apiserver does not run on master1", "journalctl -u kube-apiserver"],
    },
    Case {
        name: "a_name_that_another_node_has",
        recipe: "add_master",
        make: &[("master2", "hostname k8s-node1")],
        unmake: &[("master2", "hostname k8s-master2")],
        words: &["target=master2"],
        says: &["the cluster has a node k8s-node1 at 192.168.2.118", "node_name"],
    },
    Case {
        name: "clocks_that_are_apart",
        recipe: "add_master",
        // All hosts of a lab share the machine's clock, and none may set it: this one tells a wrong time.
        make: &[(
            "master2",
            r#"printf '#!/bin/sh\nexec /usr/bin/date -d "now + 60 seconds" "$@"\n' >/usr/local/bin/date; chmod +x /usr/local/bin/date"#,
        )],
        unmake: &[("master2", "rm /usr/local/bin/date")],
        words: &["target=master2"],
        says: &["the clocks of master2 and master1 are", "s apart", "run time_sync on both first"],
    },
    Case {
        name: "ports_that_are_closed_between_the_masters",
        recipe: "add_master",
        make: &[(
            "master2",
            "iptables -A OUTPUT -p tcp --dport 6443 -j REJECT; iptables -A OUTPUT -d 192.168.2.118 -p tcp --dport 2379 -j DROP",
        )],
        unmake: &[("master2", "iptables -F OUTPUT")],
        words: &["target=master2"],
        says: &[
            "master2 does not reach 192.168.2.119:6443",
            "master2 does not reach 192.168.2.118:2379",
            "open the port between the two",
        ],
    },
    Case {
        name: "a_master_that_the_cluster_does_not_list",
        recipe: "add_master",
        make: &[(
            "worker1",
            "printf '[Service]\nExecStart=/bin/true\n' >/etc/systemd/system/kube-apiserver.service; systemctl daemon-reload",
        )],
        unmake: &[("worker1", "rm /etc/systemd/system/kube-apiserver.service; systemctl daemon-reload")],
        words: &["target=master2"],
        says: &["worker1 has an API server, and the cluster does not list it", "journalctl -u kube-apiserver"],
    },
];

pub fn scenario(stage: &mut Stage, case: &Case) {
    play(&stage.site, case);
    if !case.unmake.is_empty() {
        stage.wait();
    }
    stage.stands(Needs::Founded);
}
