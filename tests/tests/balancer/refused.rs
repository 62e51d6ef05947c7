//! What is refused: with exit code 2, a message that names place and remedy, and nothing touched.

use haengine_tests::refused::{Case, play};

use crate::stage::{NGINX, Stage};

pub const CASES: [Case; 15] = [
    Case {
        name: "an_address_in_use",
        recipe: NGINX.recipe,
        make: &[("worker1", "ip addr add 192.168.2.90/24 dev eth0")],
        unmake: &[("worker1", "ip addr del 192.168.2.90/24 dev eth0")],
        words: &["vip=192.168.2.90"],
        says: &["192.168.2.90 is in use", "answers for it on the segment of master1", "vip="],
    },
    Case {
        name: "the_address_of_a_host",
        recipe: NGINX.recipe,
        make: &[],
        unmake: &[],
        words: &["vip=192.168.2.118"],
        says: &["192.168.2.118 is the address of worker1", "vip="],
    },
    Case {
        name: "an_address_outside_the_network",
        recipe: NGINX.recipe,
        make: &[],
        unmake: &[],
        words: &["vip=192.168.9.88"],
        says: &["192.168.9.88 is not in 192.168.2.119/24", "eth0 on master1", "vip="],
    },
    Case {
        name: "a_vrid_in_use",
        recipe: NGINX.recipe,
        make: &[(
            "worker1",
            "printf 'vrrp_instance other {\n state MASTER\n interface eth0\n virtual_router_id 88\n priority 100\n virtual_ipaddress {\n 192.168.2.91/24\n }\n}\n' >/run/other.conf; systemd-run -q --unit=other keepalived -n -f /run/other.conf -p /run/other.pid -r /run/other-vrrp.pid",
        )],
        unmake: &[("worker1", "systemctl stop other; rm /run/other.conf")],
        words: &["vip=192.168.2.88"],
        says: &["192.168.2.118 uses the VRID 88", "segment of master1", "vrid=; in use: [88]"],
    },
    Case {
        name: "an_interface_that_is_not_there",
        recipe: NGINX.recipe,
        make: &[],
        unmake: &[],
        words: &["vip=192.168.2.88", "interface=eth7"],
        says: &["master1 has no interface eth7", "eth0", "interface="],
    },
    Case {
        name: "a_port_that_is_taken",
        recipe: NGINX.recipe,
        make: &[(
            "master2",
            "systemd-run -q --unit=taken systemd-socket-activate -l 16443 cat; sleep 1; ss -Hltn 'sport = 16443' | grep -q . || echo nobody listens",
        )],
        unmake: &[("master2", "systemctl stop taken")],
        words: &["vip=192.168.2.88"],
        says: &["port 16443 of master2 is held by systemd-socket", "stop it, or choose another with port="],
    },
    Case {
        name: "nginx_without_its_module",
        recipe: NGINX.recipe,
        make: &[("master2", "mkdir /root/modules && mv /etc/nginx/modules-enabled/*stream* /root/modules/")],
        unmake: &[("master2", "mv /root/modules/* /etc/nginx/modules-enabled/ && rmdir /root/modules")],
        words: &["vip=192.168.2.88"],
        says: &["nginx on master2 has no module stream", "libnginx-mod-stream"],
    },
    Case {
        name: "one_balancer_alone",
        recipe: NGINX.recipe,
        make: &[],
        unmake: &[],
        words: &["vip=192.168.2.88", "balancers=master1"],
        says: &["master1 is the only balancer", "balancers="],
    },
    Case {
        name: "no_key_to_extend_the_certificates_with",
        recipe: NGINX.recipe,
        make: &[
            ("master1", "mv /opt/kubernetes/ssl/ca-key.pem /root/"),
            ("master2", "mv /opt/kubernetes/ssl/ca-key.pem /root/"),
        ],
        unmake: &[
            ("master1", "mv /root/ca-key.pem /opt/kubernetes/ssl/"),
            ("master2", "mv /root/ca-key.pem /opt/kubernetes/ssl/"),
        ],
        words: &["vip=192.168.2.92"],
        says: &["/opt/kubernetes/ssl/server.pem on master1 lacks 192.168.2.92", "ca-key.pem", "authority_key="],
    },
    Case {
        name: "a_balancer_that_does_not_reach_an_api_server",
        recipe: NGINX.recipe,
        make: &[("master2", "iptables -A OUTPUT -d 192.168.2.119 -p tcp --dport 6443 -j REJECT")],
        unmake: &[("master2", "iptables -D OUTPUT -d 192.168.2.119 -p tcp --dport 6443 -j REJECT")],
        words: &["vip=192.168.2.88"],
        says: &["master2 does not reach 192.168.2.119:6443", "open the port between the two"],
    },
    Case {
        name: "haproxy_that_serves_something_else",
        recipe: "haproxy_apiserver",
        make: &[(
            "master2",
            "cp -p /etc/haproxy/haproxy.cfg /root/ && printf 'listen web\\n bind *:8080\\n server web 192.168.2.118:80\\n' >>/etc/haproxy/haproxy.cfg",
        )],
        unmake: &[("master2", "mv /root/haproxy.cfg /etc/haproxy/")],
        words: &[],
        says: &["haproxy on master2 serves 8080, too", "/etc/haproxy/haproxy.cfg is written anew", "balancers="],
    },
    Case {
        name: "haproxy_that_keepalived_relies_on",
        recipe: "haproxy_apiserver",
        make: &[(
            "master2",
            "mkdir /etc/systemd/system/haproxy.service.d && touch /etc/systemd/system/haproxy.service.d/keepalived.conf",
        )],
        unmake: &[("master2", "rm -r /etc/systemd/system/haproxy.service.d")],
        words: &[],
        says: &["haproxy on master2 is there already, from haproxy_keepalived", "undo that run first"],
    },
    Case {
        name: "api_servers_that_tell_nobody_whether_they_are_ready",
        recipe: "haproxy_apiserver",
        make: &[(
            "master1",
            "kubectl --cache-dir /tmp/kubectl get clusterrolebinding system:public-info-viewer -o yaml >/root/binding.yaml && kubectl --cache-dir /tmp/kubectl delete -f /root/binding.yaml >/dev/null",
        )],
        unmake: &[(
            "master1",
            "kubectl --cache-dir /tmp/kubectl create -f /root/binding.yaml >/dev/null && rm /root/binding.yaml",
        )],
        words: &["balancers=worker1"],
        says: &["192.168.2.117:6443 answers worker1 with 403", "let everybody ask for /readyz"],
    },
    Case {
        name: "a_member_of_etcd_that_is_down",
        recipe: "haproxy_etcd",
        make: &[("worker2", "systemctl stop etcd")],
        unmake: &[("worker2", "systemctl start etcd")],
        words: &[],
        says: &["the member of etcd at https://192.168.2.210:2379 is not healthy", "journalctl -u etcd"],
    },
    Case {
        name: "a_flag_that_the_api_server_does_not_run_with",
        recipe: "haproxy_etcd",
        make: &[(
            "master2",
            "cp -p /opt/kubernetes/cfg/kube-apiserver.conf /root/ && sed -i 's/,https:[^ ,]*:2379 / /' /opt/kubernetes/cfg/kube-apiserver.conf",
        )],
        unmake: &[("master2", "mv /root/kube-apiserver.conf /opt/kubernetes/cfg/")],
        words: &[],
        says: &["the files of kube-apiserver on master2 say --etcd-servers=https://192.168.2.119:2379,", "restart it"],
    },
];

pub fn scenario(stage: &mut Stage, case: &Case) {
    stage.clear();
    play(&stage.cluster.site, case);
}
