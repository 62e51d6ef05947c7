//! What no example of the book shows of clusters of etcd: hosts without `etcdctl`, refusals with their numbers, and a run
//! that breaks off when a change was sent.

use haengine_kernel::op::Example;
use libtest_mimic::Trial;

use crate::cases::trial;
use crate::scene::{Scene, User};
use crate::wire::{Break, Wire};
use crate::{Later, Law};

/// A member of a cluster that runs on ports of its own: $1 is its name, $2 its peer port, the client port is the next.
const MEMBER: &str = r#"
member() {
    name=$1 peer=http://127.0.0.1:$2 client=http://127.0.0.1:$(($2 + 1))
    shift 2
    systemd-run -q --unit="demo-etcd-$name" etcd --name "$name" --data-dir "/run/demo-etcd-$name" \
        --listen-peer-urls="$peer" --initial-advertise-peer-urls="$peer" \
        --listen-client-urls="$client" --advertise-client-urls="$client" "$@"
}
ctl() { etcdctl --endpoints=http://127.0.0.1:12001 "$@"; }
leads() { ctl endpoint status -w json 2>/dev/null | grep -q '"leader":[1-9]'; }
systemctl stop 'demo-etcd*' 2>/dev/null; systemctl reset-failed 'demo-etcd*' 2>/dev/null; rm -rf /run/demo-etcd*
"#;

/// One voter, `one`, and where `$learner` is not empty a learner, `two`.
const GROWING: &str = r#"
member one 12000 --initial-cluster=one=http://127.0.0.1:12000
n=0; until leads; do n=$((n + 1)); [ $n -lt 100 ] || exit 1; sleep 0.1; done
if [ -n "$learner" ]; then
    n=0; until ctl member add two --learner --peer-urls=http://127.0.0.1:12010; do
        n=$((n + 1)); [ $n -lt 30 ] || exit 1; sleep 0.3
    done >/dev/null 2>&1
fi
if [ "$learner" = runs ]; then
    member two 12010 --initial-cluster-state=existing --initial-cluster=one=http://127.0.0.1:12000,two=http://127.0.0.1:12010
fi
"#;

/// Three voters.
const THREE: &str = r#"
all=one=http://127.0.0.1:12000,two=http://127.0.0.1:12010,three=http://127.0.0.1:12020
member one 12000 --initial-cluster="$all"
member two 12010 --initial-cluster="$all"
member three 12020 --initial-cluster="$all"
n=0; until leads; do n=$((n + 1)); [ $n -lt 100 ] || exit 1; sleep 0.1; done
"#;

/// From here on a host has only `curl`.
const HIDE: &str = "mv /usr/bin/etcdctl /usr/bin/etcdctl.hidden\n";

/// A call with the endpoint of the first member where it says `E`.
fn asked(code: &str) -> String {
    code.replace("#{ E", r#"#{ endpoints: "http://127.0.0.1:12001""#)
}

/// The verbs on a host without `etcdctl`: how many members there are, the call, and what it gives.
const BY_CURL: [(&str, &str, &str, &str); 6] = [
    (
        "etcd.add_member",
        "learner=",
        r#"etcd::add_member(h, "two", ["http://127.0.0.1:12010"], #{ E }).initial_cluster"#,
        r#""one=http://127.0.0.1:12000,two=http://127.0.0.1:12010""#,
    ),
    ("etcd.promote", "learner=runs", r#"etcd::promote(h, "http://127.0.0.1:12010", #{ E, patience: "1m" })"#, "null"),
    (
        "etcd.remove_member",
        "learner=yes",
        r#"etcd::remove_member(h, "http://127.0.0.1:12010", #{ E }).peer_urls"#,
        r#"["http://127.0.0.1:12010"]"#,
    ),
    ("etcd.defragment", "learner=", r#"etcd::defragment(h, #{ E })[0].endpoint"#, r#""http://127.0.0.1:12001""#),
    (
        "etcd.snapshot",
        "learner=",
        r#"{ let s = etcd::snapshot(h, #{ E, to: "/opt/demo.db", local: "demo.db" });
        ssh::query(h, "sha256sum </opt/demo.db | cut -c1-64; stat -c '%a %s' /opt/demo.db").stdout == s.sha256 + "\n600 " + s.bytes }"#,
        "true",
    ),
    (
        "etcd.snapshot",
        "learner=",
        r#"{ let s = etcd::snapshot(h, #{ E, to: "/opt/demo.age", recipients: "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p" });
        ssh::query(h, "head -c 18 /opt/demo.age; ls -A /opt /var/tmp | grep -c haengine", #{ ok: [0, 1] }).stdout }"#,
        r#""age-encryption.org0""#,
    ),
];

/// One trial for each verb by `curl`, one for each refusal, and one for a lost answer.
pub fn trials(stage: &Later) -> Vec<Trial> {
    let by_curl =
        |(index, (verb, state, code, gives)): (usize, (&'static str, &'static str, &'static str, &'static str))| {
            let name = format!("{verb}::by_curl_{index}::root");
            trial(stage, name, User::Root, "", move |scene| without_etcdctl(scene, state, code, gives))
        };
    let mut trials: Vec<Trial> = BY_CURL.into_iter().enumerate().map(by_curl).collect();
    let mut add = |name: &str, law: fn(&Scene) -> Law| {
        trials.push(trial(stage, format!("etcd.{name}::root"), User::Root, "", law));
    };
    add("move_leader::by_curl", leader_by_curl);
    add("disarm::one_of_two_sorts", one_of_two_sorts);
    add("promote::patience", patience);
    add("guard", guard);
    add("remove_member::leader", leader_goes);
    add("promote::undone", grown_and_undone);
    add("add_member::lost", lost);
    trials
}

/// The laws of the verb, where `curl` asks and tells.
fn without_etcdctl(scene: &Scene, state: &str, code: &str, gives: &str) -> Law {
    let given = format!("{MEMBER}\n{state}\n{GROWING}\n{HIDE}");
    let code = asked(code);
    let example = Example { about: "", given: leak(given), code: leak(code), gives: leak(gives.to_owned()) };
    crate::action::law(scene, &example)
}

/// Examples are made of constants; a test's own may stay until it ends.
fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn says(scene: &Scene, code: &str, wanted: &str) -> Law {
    let gave = scene.run(&asked(code))?.well("run")?.gave().to_string();
    if gave == wanted { Ok(()) } else { Err(format!("`{code}` gives {gave}, and not {wanted}")) }
}

fn leader_by_curl(scene: &Scene) -> Law {
    scene.given(&format!("{MEMBER}\n{THREE}\n{HIDE}"))?;
    let code = r#"{ let m = etcd::health(h, #{ endpoints: ["http://127.0.0.1:12001", "http://127.0.0.1:12011"] }).find(|m| !m.is_leader);
        etcd::move_leader(h, m.member_id, #{ E });
        etcd::health(h, #{ endpoints: m.endpoint })[0].is_leader }"#;
    says(scene, code, "true")
}

fn one_of_two_sorts(scene: &Scene) -> Law {
    let raise = r#"
for alarm in NOSPACE CORRUPT; do
    curl -sSf --noproxy '*' http://127.0.0.1:12001/v3/maintenance/alarm \
        -d "{\"action\":\"ACTIVATE\",\"memberID\":\"7\",\"alarm\":\"$alarm\"}"
done"#;
    scene.given(&format!("{MEMBER}\nlearner=\n{GROWING}\n{raise}"))?;
    let code = r#"{ etcd::disarm(h, #{ E, alarm: "NOSPACE" }); etcd::alarms(h, #{ E }).map(|a| a.alarm) }"#;
    says(scene, code, r#"["CORRUPT"]"#)?;
    says(scene, r#"etcd::disarm(h, #{ E }).map(|a| a.alarm)"#, r#"["CORRUPT"]"#)?;
    says(scene, r#"etcd::disarm(h, #{ E })"#, "null")
}

/// A learner that never was started is waited for, and no longer.
fn patience(scene: &Scene) -> Law {
    scene.given(&format!("{MEMBER}\nlearner=yes\n{GROWING}"))?;
    let code = r#"{ let said = (); try { etcd::promote(h, "http://127.0.0.1:12010", #{ E, patience: "2s" }) } catch (e) { said = [e.code, e.message] } said }"#;
    says(scene, code, r#"["etcd.not_in_sync","the learner `http://127.0.0.1:12010` is not in sync after 2 s"]"#)
}

/// With one of three down, each further change is refused with the numbers; the dead one may go, and then others may come.
fn guard(scene: &Scene) -> Law {
    scene.given(&format!("{MEMBER}\n{THREE}\nsystemctl kill -s KILL demo-etcd-three; sleep 0.3"))?;
    let refused = |call: &str| {
        let code =
            format!("{{ let said = (); try {{ {call} }} catch (e) {{ said = e.code + \": \" + e.message }} said }}");
        says(scene, &code, r#""etcd.quorum: 2 of 3 voters answer: `three` does not""#)
    };
    refused(r#"etcd::add_member(h, "four", "http://127.0.0.1:12030", #{ E, timeout: "2s" })"#)?;
    refused(r#"etcd::remove_member(h, "two", #{ E, timeout: "2s" })"#)?;
    refused(r#"etcd::remove_member(h, "one", #{ E, timeout: "2s" })"#)?;
    says(scene, r#"etcd::remove_member(h, "three", #{ E, timeout: "2s" }).name"#, r#""three""#)?;
    says(scene, r#"etcd::remove_member(h, "three", #{ E })"#, "null")?;
    says(scene, r#"etcd::add_member(h, "four", "http://127.0.0.1:12030", #{ E }).name"#, r#""four""#)
}

/// The member that leads goes: another one is told, and another one leads.
fn leader_goes(scene: &Scene) -> Law {
    scene.given(&format!("{MEMBER}\n{THREE}"))?;
    let code = r#"{ let all = ["http://127.0.0.1:12001", "http://127.0.0.1:12011", "http://127.0.0.1:12021"];
        let leader = etcd::health(h, #{ endpoints: all }).find(|m| m.is_leader);
        let gone = etcd::remove_member(h, leader.member_id, #{ endpoints: all, timeout: "2s" });
        gone.client_urls == [leader.endpoint] }"#;
    says(scene, code, "true")
}

/// How a second member is started, but for the cluster that it joins.
const START: &str = "systemd-run -q --unit=demo-etcd-two etcd --name two --data-dir /run/demo-etcd-two \
    --listen-peer-urls=http://127.0.0.1:12010 --initial-advertise-peer-urls=http://127.0.0.1:12010 \
    --listen-client-urls=http://127.0.0.1:12011 --advertise-client-urls=http://127.0.0.1:12011 \
    --initial-cluster-state=existing --initial-cluster=";

/// A cluster that grew from one to two: undo takes the second one out, whatever it was by then.
fn grown_and_undone(scene: &Scene) -> Law {
    scene.given(&format!("{MEMBER}\nlearner=\n{GROWING}"))?;
    let code = format!(
        r#"{{ let m = etcd::add_member(h, "two", "http://127.0.0.1:12010", #{{ E }});
        ssh::run(h, "{START}" + m.initial_cluster, #{{ unless: "systemctl -q is-active demo-etcd-two" }});
        etcd::promote(h, "two", #{{ E }});
        etcd::members(h, #{{ E }}).members.filter(|m| !m.learner).len() }}"#
    );
    let done = scene.run(&asked(&code))?.well("run")?;
    if done.gave() != 2 {
        return Err(format!("there are {} voters", done.gave()));
    }
    scene.undo(&done.run)?.ok_or("there is nothing to undo")?.well("undo")?;
    match members(scene)?.as_str() {
        "1" => Ok(()),
        count => Err(format!("after undo there are {count} members")),
    }
}

const LIST: &str = "etcdctl --endpoints=http://127.0.0.1:12001 member list | wc -l";

fn members(scene: &Scene) -> Law<String> {
    let said = scene.stage.sh(scene.lane.hosts()[0], LIST, &[])?;
    Ok(String::from_utf8_lossy(&said).trim().to_owned())
}

/// The answer to the change is lost and the run with it: undo removes what was added, and a second undo nothing more.
fn lost(scene: &Scene) -> Law {
    scene.given(&format!("{MEMBER}\nlearner=\n{GROWING}"))?;
    let code = asked(r#"etcd::add_member(h, "two", "http://127.0.0.1:12010", #{ E })"#);
    for call in 1..40 {
        let wire = Wire::breaking(Break::After(call));
        let broken = scene.run_over(&code, &wire)?;
        if members(scene)? != "2" {
            if let Some(undone) = scene.undo(&broken.run)? {
                undone.well("undo")?;
            }
            continue;
        }
        if !wire.broke() {
            return Err("the run ended before its connection broke".to_owned());
        }
        scene.undo(&broken.run)?.ok_or("there is nothing to undo")?.well("undo")?;
        return match members(scene)?.as_str() {
            "1" => Ok(()),
            count => Err(format!("after undo there are {count} members")),
        };
    }
    Err("the member was never added".to_owned())
}
