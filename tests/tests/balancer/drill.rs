//! What a client sees, fifty times a second, while something fails. What is measured is told; only what must hold on a
//! busy machine, too, is asserted.

use std::time::Duration;

use serde_json::Value;

use crate::stage::{Balancer, Stage};

/// Something that is done, and what brings all back afterwards.
pub struct Drill {
    pub name: &'static str,
    /// Where: on the holder, or on the other balancer.
    on_holder: bool,
    /// A command for `sh`; `BALANCER` stands for nginx or haproxy.
    what: &'static str,
    time: &'static str,
    after: &'static str,
}

pub const DRILLS: &[Drill] = &[
    Drill { name: "balancer_killed", on_holder: true, what: "pkill BALANCER", time: "7s", after: "" },
    Drill { name: "balancer_killed_without_a_word", on_holder: true, what: "pkill -9 BALANCER", time: "7s", after: "" },
    Drill {
        name: "keepalived_stopped",
        on_holder: true,
        what: "systemctl stop keepalived",
        time: "7s",
        after: "systemctl start keepalived",
    },
    Drill { name: "handover", on_holder: true, what: "handover", time: "13s", after: "" },
    Drill {
        name: "api_server_stopped",
        on_holder: false,
        what: "systemctl stop kube-apiserver",
        time: "7s",
        after: "systemctl start kube-apiserver",
    },
];

/// No outage may last longer, whatever else the machine does.
const BOUND: f64 = 5.0;

pub fn scenario(stage: &mut Stage, balancer: &'static Balancer, drill: &Drill) {
    stage.with(balancer);
    let holder = stage.holder(balancer.vip);
    let other = if holder == "master1" { "master2" } else { "master1" };
    let on = if drill.on_holder { holder.as_str() } else { other };
    let words = [
        format!("vip={}", balancer.vip),
        format!("on={on}"),
        format!("what={}", drill.what.replace("BALANCER", balancer.name)),
        format!("time={}", drill.time),
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let run = stage.recipe("run", "drill.rhai", &words).ended_with(0);
    let seen = run.events().iter().find_map(measured).unwrap_or_else(|| panic!("nothing was measured: {}", run.out));
    tell(balancer, drill, on, &seen);

    assert!(seen["requests"].as_u64().unwrap() > 100, "it hardly asked: {seen}");
    assert!(seen["outage"].as_f64().unwrap() < BOUND, "{seen}");
    let moved = stage.holder(balancer.vip) != holder;
    assert_eq!(moved, drill.on_holder, "the address is on {}", stage.holder(balancer.vip));
    if drill.what == "handover" {
        let refused = seen["failed"].as_array().unwrap().iter().filter(|one| one["what"] == "refused").count();
        assert_eq!(refused, 0, "a planned handover refused somebody: {seen}");
    }
    let site = &stage.cluster.site;
    if !drill.after.is_empty() {
        site.on(on, drill.after);
    }
    for host in ["master1", "master2"] {
        site.within(Duration::from_secs(60), host, "systemctl is-active keepalived >/dev/null && /etc/keepalived/check_apiserver.sh && kubectl --cache-dir /tmp/kubectl get --raw /readyz >/dev/null");
    }
}

fn measured(event: &Value) -> Option<Value> {
    let seen: Value = serde_json::from_str(event["message"].as_str()?).ok()?;
    seen.get("outage").is_some().then_some(seen)
}

fn tell(balancer: &Balancer, drill: &Drill, on: &str, seen: &Value) {
    let milliseconds = |name: &str| seen[name].as_f64().unwrap() * 1000.0;
    println!(
        "drill {} {} on {on}: outage {:.0} ms, disturbance {:.0} ms; {} of {} requests failed, {} of them were open; slowest {:.0} ms",
        balancer.name,
        drill.name,
        milliseconds("outage"),
        milliseconds("disturbance"),
        seen["failures"],
        seen["requests"],
        seen["cut"],
        milliseconds("slowest"),
    );
}
