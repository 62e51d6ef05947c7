//! What is refused: with exit code 2, a message that names place and remedy, and nothing touched.

use haengine_tests::look::touched;
use haengine_tests::site::differences;

use crate::stage::Stage;

/// One reason to refuse.
pub struct Case {
    pub name: &'static str,
    /// Makes it so, and takes it back: a host and a script each.
    make: &'static [(&'static str, &'static str)],
    unmake: &'static [(&'static str, &'static str)],
    words: &'static [&'static str],
    /// What the message names.
    says: &'static [&'static str],
}

pub const CASES: [Case; 10] = [
    Case {
        name: "an_address_in_use",
        make: &[("worker1", "ip addr add 192.168.2.90/24 dev eth0")],
        unmake: &[("worker1", "ip addr del 192.168.2.90/24 dev eth0")],
        words: &["vip=192.168.2.90"],
        says: &["192.168.2.90 is in use", "answers for it on the segment of master1", "vip="],
    },
    Case {
        name: "the_address_of_a_host",
        make: &[],
        unmake: &[],
        words: &["vip=192.168.2.118"],
        says: &["192.168.2.118 is the address of worker1", "vip="],
    },
    Case {
        name: "an_address_outside_the_network",
        make: &[],
        unmake: &[],
        words: &["vip=192.168.9.88"],
        says: &["192.168.9.88 is not in 192.168.2.119/24", "eth0 on master1", "vip="],
    },
    Case {
        name: "a_vrid_in_use",
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
        make: &[],
        unmake: &[],
        words: &["vip=192.168.2.88", "interface=eth7"],
        says: &["master1 has no interface eth7", "eth0", "interface="],
    },
    Case {
        name: "a_port_that_is_taken",
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
        make: &[("master2", "mkdir /root/modules && mv /etc/nginx/modules-enabled/*stream* /root/modules/")],
        unmake: &[("master2", "mv /root/modules/* /etc/nginx/modules-enabled/ && rmdir /root/modules")],
        words: &["vip=192.168.2.88"],
        says: &["nginx on master2 has no module stream", "libnginx-mod-stream"],
    },
    Case {
        name: "one_balancer_alone",
        make: &[],
        unmake: &[],
        words: &["vip=192.168.2.88", "balancers=master1"],
        says: &["master1 is the only balancer", "balancers="],
    },
    Case {
        name: "no_key_to_extend_the_certificates_with",
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
        make: &[("master2", "iptables -A OUTPUT -d 192.168.2.119 -p tcp --dport 6443 -j REJECT")],
        unmake: &[("master2", "iptables -D OUTPUT -d 192.168.2.119 -p tcp --dport 6443 -j REJECT")],
        words: &["vip=192.168.2.88"],
        says: &["master2 does not reach 192.168.2.119:6443", "open the port between the two"],
    },
];

pub fn scenario(stage: &mut Stage, case: &Case) {
    stage.clear();
    let site = &stage.cluster.site;
    for (host, script) in case.make {
        assert_eq!(site.on(host, &format!("{{ {script}; }} 2>&1")), "", "{script}");
    }
    let before = touched(site);
    let run = stage.recipe("run", "nginx_keepalived", case.words);
    let after = touched(site);
    let run = run.ended_with(2);
    let said = format!("{}{}", run.out, run.errors);
    for words in case.says {
        assert!(said.contains(words), "it does not say `{words}`:\n{said}");
    }
    assert_eq!(differences(&before, &after), "", "it was refused and touched something");
    for (host, script) in case.unmake {
        assert_eq!(site.on(host, &format!("{{ {script}; }} 2>&1")), "", "{script}");
    }
}
