//! A run that is killed goes on, and what it changed in all its attempts is taken back.

use haengine_tests::site::{Given, Site, differences, possible};

use crate::interrupted::signal;

/// Files, a unit and actions; it stays in `wait` until somebody lets it go on.
const RECIPE: &str = r#"
fn params() { #{ careful: param::boolean("Whether `wait` can tell that it is done.").or(false) } }

fn main(p) {
    let h = host("m1");
    step("place", || {
        file::directory(h, "/srv/resumed");
        file::put(h, "/etc/placed-by-a-test", "text\n");
    });
    step("once", || {
        let said = ssh::run(h, "echo once >>/srv/resumed/counted && wc -l </srv/resumed/counted");
        file::put(h, "/srv/resumed/said", said.stdout);
    });
    step("wait", || {
        let options = #{};
        if p.careful { options.unless = "test -e /srv/resumed/go"; }
        ssh::run(h, "touch /srv/resumed/begun; while ! [ -e /srv/resumed/go ]; do sleep 0.1; done", options);
    });
    step("serve", || {
        file::put(h, "/etc/systemd/system/resumed.service", "[Service]\nExecStart=/bin/sleep 98764\n");
        service::running(h, "resumed", #{ restart_on: ["/etc/systemd/system/resumed.service"] });
    });
}
"#;

fn site(name: &str) -> Site {
    let site = Site::new(name, 1);
    site.write("resumed.rhai", RECIPE);
    site
}

const RUN: [&str; 5] = ["run", "resumed.rhai", "-i", "site.yaml", "--json"];

/// Runs until `wait`, kills the engine there, and gives the run's id.
fn killed(site: &Site, more: &[&str]) -> String {
    let mut child = site.start(&[&RUN, more].concat());
    site.until("m1", "[ -e /srv/resumed/begun ]");
    signal("KILL", &child);
    child.wait().unwrap();
    let runs = site.haengine(&["runs", "--json"]).ended_with(0);
    let run = runs.events().into_iter().next().unwrap();
    assert_eq!(run["outcome"], "died");
    run["run"].as_str().unwrap().to_owned()
}

fn statuses(given: &Given) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let changes = given.events().into_iter().filter(|event| event["event"] == "change");
    changes.map(|change| (text(&change["step"]), text(&change["status"]))).collect()
}

#[test]
fn a_killed_run_is_resumed_and_undone() {
    if !possible() {
        return;
    }
    let site = site("resume");
    let before = site.manifest();
    let id = killed(&site, &[]);

    let asked = site.haengine(&["resume", &id]).ended_with(2);
    for word in ["m1: nobody knows whether `ssh.run touch", "of step `wait`", "--unknown repeat"] {
        assert!(asked.errors.contains(word), "{word} is not in {}", asked.errors);
    }
    assert_eq!(site.on("m1", "pgrep -cf 'while ! . -e /srv/resumed/g[o]'").trim(), "0", "it was not repeated");

    site.on("m1", "echo theirs >/etc/placed-by-a-test; touch /srv/resumed/go");
    let resumed = site.haengine(&["resume", &id, "--unknown", "repeat", "--json"]).ended_with(0);
    let begun = &resumed.events()[0];
    assert_eq!(
        (&begun["event"], &begun["command"], &begun["run"]),
        (&"run_started".into(), &"resume".into(), &id.as_str().into())
    );
    let said = |word: &str| resumed.out.contains(word);
    assert!(said("`/etc/placed-by-a-test` is no longer as this run left it"), "{}", resumed.out);
    let expected = [
        ("place", "unchanged"),
        ("place", "changed"),
        ("once", "skipped"),
        ("once", "unchanged"),
        ("wait", "changed"),
        ("serve", "changed"),
        ("serve", "changed"),
    ];
    assert_eq!(statuses(&resumed), expected.map(|(step, status)| (step.to_owned(), status.to_owned())));
    assert_eq!(site.on("m1", "cat /srv/resumed/counted /srv/resumed/said /etc/placed-by-a-test"), "once\n1text\n");
    assert_eq!(site.on("m1", "systemctl is-active resumed"), "active\n");

    let nothing = site.haengine(&["resume", &id]).ended_with(0);
    assert!(nothing.out.contains("nothing to go on with"), "{}", nothing.out);
    let shown = site.haengine(&["show", &id]).ended_with(0).out;
    for word in ["attempt 1 of 3", "died after", "attempt 3 of 3", "succeeded after", "-theirs", "have no inverse"] {
        assert!(shown.contains(word), "{word} is not in {shown}");
    }
    // What commands made has no inverse.
    site.on("m1", "rm -f /srv/resumed/begun /srv/resumed/go /srv/resumed/counted");
    site.haengine(&["undo", &id, "--yes"]).ended_with(0);
    assert_eq!(differences(&before, &site.manifest()), "", "undo takes back all attempts");
    let refused = site.haengine(&["resume", &id]).ended_with(2);
    assert!(refused.errors.contains("resume.undone"), "{}", refused.errors);
}

/// Two names make the same call, and come in another order when they come again.
const NAMES: &str = r#"
fn main(p) {
    let h = host("m1");
    file::directory(h, "/srv/named");
    let names = if file::stat(h, "/srv/named/begun").exists { ["two", "one"] } else { ["one", "two"] };
    each(names, |name| {
        let said = ssh::run(h, "cat /proc/sys/kernel/random/uuid");
        file::put(h, `/srv/named/${name}`, said.stdout + "\n");
    });
    ssh::run(h, "touch /srv/named/begun; while ! [ -e /srv/named/go ]; do sleep 0.1; done", #{ repeatable: true });
}
"#;

#[test]
fn each_name_finds_what_it_has_done() {
    if !possible() {
        return;
    }
    let site = Site::new("names", 1);
    site.write("names.rhai", NAMES);
    let mut child = site.start(&["run", "names.rhai", "-i", "site.yaml", "--json"]);
    site.until("m1", "[ -e /srv/named/begun ]");
    signal("KILL", &child);
    child.wait().unwrap();
    let said = site.on("m1", "cat /srv/named/one /srv/named/two");
    assert_eq!(said.lines().count(), 2, "{said}");
    site.on("m1", "touch /srv/named/go");
    let run = site.haengine(&["runs", "--json"]).ended_with(0).events()[0]["run"].as_str().unwrap().to_owned();
    let resumed = site.haengine(&["resume", &run, "--json"]).ended_with(0);
    assert_eq!(site.on("m1", "cat /srv/named/one /srv/named/two"), said, "each has what it was told before");
    assert_eq!(resumed.finished()["skipped"], 2, "{}", resumed.out);
}

/// One op of each kind that keeps what it replaces, then a wait in which the engine is killed.
const KINDS: &str = r#"
fn main(p) {
    let h = host("m1");
    file::put(h, "/etc/kinds/put", "new\n");
    file::line(h, "/etc/kinds/line", "new");
    file::replace(h, "/etc/kinds/replace", "old", "new");
    file::link(h, "/etc/kinds/link", "/etc/kinds/put");
    file::directory(h, "/etc/kinds/directory", #{ mode: 0o700 });
    file::absent(h, "/etc/kinds/absent");
    file::copy_tree(h, "/etc/kinds/source", h, "/etc/kinds/tree");
    service::stopped(h, "kinds");
    ssh::run(h, "touch /root/begun; while ! [ -e /root/go ]; do sleep 0.1; done", #{ repeatable: true, undo: "rm -f /root/begun" });
}
"#;

const KINDS_BEFORE: &str =
    "mkdir -p /etc/kinds/source/sub /etc/kinds/tree/sub && cd /etc/kinds && mkdir -m 755 directory
    for file in put line replace absent ; do echo old >$file; done; echo older >tree/one; echo older >tree/sub/two
    for file in source/one source/sub/two source/three; do echo new >$file; done; ln -s /nowhere link
    printf '[Service]\\nExecStart=/bin/sleep 98763\\n' >/etc/systemd/system/kinds.service; systemctl daemon-reload; systemctl start kinds";

/// What somebody does to each of them meanwhile.
const KINDS_DRIFT: &str = "cd /etc/kinds && echo theirs >put && echo theirs >line && echo 'theirs, old' >replace
    ln -sfn /theirs link; chmod 711 directory; echo theirs >absent; echo theirs >tree/one; echo theirs >tree/three
    systemctl start kinds; touch /root/go";

#[test]
fn what_somebody_changed_between_two_attempts_is_made_again_and_undone() {
    if !possible() {
        return;
    }
    let site = Site::new("kinds", 1);
    site.write("kinds.rhai", KINDS);
    site.on("m1", KINDS_BEFORE);
    let before = site.manifest();
    let mut child = site.start(&["run", "kinds.rhai", "-i", "site.yaml"]);
    site.until("m1", "[ -e /root/begun ]");
    signal("KILL", &child);
    child.wait().unwrap();
    site.on("m1", KINDS_DRIFT);
    let resumed = site.haengine(&["run", "kinds.rhai", "-i", "site.yaml", "--json"]).ended_with(0);
    assert_eq!(resumed.finished()["changed"], 9, "{}", resumed.out);
    let id = resumed.finished()["run"].as_str().unwrap().to_owned();
    site.haengine(&["undo", &id, "--yes"]).ended_with(0);
    site.on("m1", "rm -f /root/go");
    assert_eq!(differences(&before, &site.manifest()), "", "the earliest state counts");
}

#[test]
fn the_next_run_goes_on_with_a_killed_one() {
    if !possible() {
        return;
    }
    let site = site("goeson");
    let before = site.manifest();
    let id = killed(&site, &["careful=true"]);
    site.on("m1", "touch /srv/resumed/go");
    let other = site.haengine(&[&RUN[..], &["careful=true", "--anew"]].concat()).ended_with(0);
    assert_ne!(other.finished()["run"], id.as_str());
    site.haengine(&["undo", other.finished()["run"].as_str().unwrap(), "--yes"]).ended_with(0);

    let next = site.haengine(&[&RUN[..], &["careful=true"]].concat()).ended_with(0);
    assert_eq!(next.finished()["run"], id.as_str(), "{}", next.out);
    assert!(next.out.contains("this run died before: going on with it"), "{}", next.out);
    let again = site.haengine(&[&RUN[..], &["careful=true"]].concat()).ended_with(0);
    assert_ne!(again.finished()["run"], id.as_str(), "what has succeeded is not gone on with");
    site.haengine(&["undo", again.finished()["run"].as_str().unwrap(), "--yes"]).ended_with(0);
    // What commands made has no inverse.
    site.on("m1", "rm -f /srv/resumed/begun /srv/resumed/go /srv/resumed/counted");
    site.haengine(&["undo", &id, "--yes"]).ended_with(0);
    assert_eq!(differences(&before, &site.manifest()), "");
}

/// It looks before it acts, as recipes do.
const LOOKING: &str = r#"
fn main(p) {
    let h = host("m1");
    log(`it is ${ssh::query(h, "systemctl is-active late || true").stdout}`);
    service::running(h, "late");
}
"#;

/// A unit, and a host that is so slow that two seconds pass until what starts it begins.
const LATE: &str = "printf '[Service]\\nExecStart=/bin/sleep 98762\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/late.service
    printf '#!/bin/sh\\n[ $1 != start ] || { touch /run/begun; sleep 2; }\\nexec /usr/bin/systemctl \"$@\"\\n' >/usr/local/bin/systemctl
    chmod 755 /usr/local/bin/systemctl; systemctl daemon-reload";

#[test]
fn what_a_dead_run_was_doing_ends_before_anything_else_begins() {
    if !possible() {
        return;
    }
    let site = Site::new("late", 1);
    site.write("late.rhai", LOOKING);
    site.on("m1", LATE);
    let before = site.manifest();
    let killed = || {
        site.on("m1", "rm -f /run/begun");
        let mut child = site.start(&["run", "late.rhai", "-i", "site.yaml", "--anew"]);
        site.until("m1", "[ -e /run/begun ]");
        signal("KILL", &child);
        child.wait().unwrap();
        let runs = site.haengine(&["runs", "--json"]).ended_with(0);
        runs.events()[0]["run"].as_str().unwrap().to_owned()
    };
    let undone = killed();
    site.haengine(&["undo", &undone, "--yes"]).ended_with(0);
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(differences(&before, &site.manifest()), "", "it was started after the undo");

    let resumed = killed();
    let said = site.haengine(&["resume", &resumed, "--json"]).ended_with(0);
    assert!(said.out.contains("it is active"), "it looked at what was half done: {}", said.out);
    site.haengine(&["undo", &resumed, "--yes"]).ended_with(0);
    assert_eq!(differences(&before, &site.manifest()), "");
}

#[test]
fn a_forgotten_run_leaves_nothing_on_its_hosts() {
    if !possible() {
        return;
    }
    let site = site("forget");
    site.on("m1", "echo old >/etc/placed-by-a-test; mkdir -p /srv/resumed; touch /srv/resumed/go");
    site.on("m1", "mount -t tmpfs none /mnt && head -c 17000000 /dev/zero >/mnt/placed");
    site.write("mount.rhai", r#"fn main(p) { file::put(host("m1"), "/mnt/placed", "new\n"); file::put(host("m1"), "/etc/placed-by-a-test", "new\n"); }"#);
    let run = site.haengine(&["run", "mount.rhai", "-i", "site.yaml", "--json"]).ended_with(0);
    let id = run.finished()["run"].as_str().unwrap().to_owned();
    let kept = "ls -d /var/lib/haengine /mnt/.haengine 2>/dev/null";
    // Only what is large is kept where it was.
    assert_eq!(site.on("m1", kept), "/mnt/.haengine\n/var/lib/haengine\n");
    let refused = site.haengine(&["forget", &id]).ended_with(2);
    assert!(refused.errors.contains("2 changes could not be taken back any more"), "{}", refused.errors);
    site.haengine(&["forget", &id, "--yes"]).ended_with(0);
    assert_eq!(site.on("m1", kept), "");
    assert_eq!(site.on("m1", "cat /mnt/placed /etc/placed-by-a-test"), "new\nnew\n");
    let undo = site.haengine(&["undo", &id, "--yes"]).ended_with(2);
    assert!(undo.errors.contains("was forgotten at"), "{}", undo.errors);
    let runs = site.haengine(&["runs", "--json"]).ended_with(0);
    assert_eq!(runs.events()[0]["outcome"], "forgotten");
    site.haengine(&["forget", &id, "--yes"]).ended_with(0);
}

/// More lines of the journal than its small disk holds.
const MANY: &str = r#"
fn main(p) {
    let h = host("m1");
    file::directory(h, "/srv/many");
    for number in 0..100 { file::put(h, `/srv/many/${number}`, `a text of some length, which is ${number}\n`); }
}
"#;

/// A small disk that only what is in here sees: it fills up, and later there is room.
const SMALL: &str = r#"set -e
mkdir -p state
mount -t tmpfs -o size=64k none state
"$0" run many.rhai -i site.yaml --state-dir state --json && echo it was not full
echo "{\"exit\": $?}"
cat state/runs/*/journal.jsonl
mount -o remount,size=8m state
"$0" resume "$(ls state/runs)" --state-dir state --json
echo "{\"exit\": $?}"
"$0" undo "$(ls state/runs)" --state-dir state --json --yes"#;

#[test]
fn a_full_disk_of_the_operator_stops_the_run_before_the_next_change() {
    if !possible() {
        return;
    }
    let site = Site::new("full", 1);
    site.write("many.rhai", MANY);
    let before = site.manifest();
    let output = site.around(&["unshare", "--mount", "sh", "-c", SMALL]).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let exits: Vec<_> = lines.iter().filter_map(|line| line.get("exit")).collect();
    assert_eq!(exits, [1, 0], "{out}");
    let count = |field: &str, value: &str| lines.iter().filter(|line| line[field] == value).count();
    let written =
        lines.iter().take_while(|line| line["event"] != "run_finished").filter(|line| line["status"] == "changed");
    assert!(count("entry", "started") >= written.count(), "what is not written down is not done: {out}");
    let error = lines.iter().find(|line| line["event"] == "error").unwrap();
    assert_eq!(error["code"], "journal.write", "{error}");
    assert!(error["hint"].as_str().unwrap().contains("make room where"), "{error}");
    assert_eq!(differences(&before, &site.manifest()), "", "{}", String::from_utf8_lossy(&output.stderr));
}
