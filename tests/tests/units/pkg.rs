//! The `pkg` module on a Debian host, with the packages of the lab's own repository.

use std::collections::HashSet;

use serde_json::json;

use crate::bench::Bench;

/// Content, mode, owner and link target of everything but what undo says that it leaves, and the list of packages.
const MANIFEST: &str = r"
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/log -o -path /var/cache \
        -o -path /var/lib/apt -o -path '/var/lib/dpkg/*-old' -o -path '/var/lib/dpkg/*lock*' \
        -o -path /var/lib/dpkg/triggers/Lock -o -path '/var/lib/systemd/timers' \) -prune -o -printf '%y %m %U:%G %l %p\n' | sort
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/log -o -path /var/cache \
        -o -path /var/lib/apt -o -path '/var/lib/dpkg/*-old' \) -prune -o -type f -print0 |
        xargs -0 sha256sum | sort -k 2
    dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n'; apt-mark showauto; apt-mark showmanual";

fn differences(before: &str, after: &str) -> Vec<String> {
    let (old, new): (HashSet<&str>, HashSet<&str>) = (before.lines().collect(), after.lines().collect());
    let lost = old.difference(&new).map(|line| format!("- {line}"));
    lost.chain(new.difference(&old).map(|line| format!("+ {line}"))).collect()
}

/// Where nobody else is at work nothing is left but what the packages' own programs wrote, by rule, and nothing is kept.
async fn undo_undisturbed(bench: &Bench, run: &str) {
    bench.undo(run).await.unwrap();
    let remains = bench.remains(run);
    assert!(remains.iter().all(|one| one.by_rule && one.what == "/var/lib/chrony"), "{remains:?}");
    let kept = bench.sh("ls /var/lib/haengine/* 2>/dev/null || :").await;
    assert_eq!(kept, if remains.is_empty() { "" } else { "aside" });
    bench.sh("rm -rf /var/lib/haengine").await;
}

async fn undo_restores_the_manifest(bench: &Bench) {
    let before = bench.sh(MANIFEST).await;
    let packages = [json!(["chrony", "coreutils"])];
    assert!(bench.planned("pkg.installed", &packages, json!({})).await.unwrap());
    assert_eq!(differences(&before, &bench.sh(MANIFEST).await), [""; 0], "plan touches nothing");
    let (run, changed) = bench.call("pkg.installed", &packages, json!({})).await;
    assert!(changed.unwrap());
    assert_eq!(bench.sh("systemctl is-active chrony").await, "active");
    assert!(!bench.planned("pkg.installed", &packages, json!({})).await.unwrap());
    assert!(!bench.call("pkg.installed", &packages, json!({})).await.1.unwrap(), "twice is once");
    // What a run changes afterwards, its undo has put back by now.
    bench
        .sh("cp -a /etc/chrony/chrony.conf /tmp/c; echo x >/etc/chrony/chrony.conf; mv /tmp/c /etc/chrony/chrony.conf")
        .await;
    undo_undisturbed(bench, &run).await;
    assert_eq!(differences(&before, &bench.sh(MANIFEST).await), [""; 0], "undo");
    assert!(bench.is_undone(&run));
}

/// Somebody else at work while the packages come in, and on: each counts in files of its own, beside and within what
/// the packages have, and in one that was there before.
const STRANGER: &str = r#"
    until [ -e "$(echo /var/lib/haengine/*/*/places.before)" ]; do sleep 0.01; done
    mkdir /opt/theirs /opt/chrony-theirs /var/lib/theirs
    useradd --no-create-home guest
    echo '192.0.2.9 theirs' >>/etc/hosts
    until [ -d /etc/chrony ]; do sleep 0.01; done
    echo mine >/etc/chrony/theirs.conf
    exec 3>>/opt/theirs/log 4>>/opt/chrony-theirs/log 5>>/var/lib/theirs/log
    count=0
    while :; do
        count=$((count + 1))
        for fd in 3 4 5; do echo "$count" >&"$fd"; done
        echo "$count" >/opt/theirs/last; echo "$count" >/var/lib/theirs/last
        sleep 0.05
    done"#;

async fn a_stranger_loses_nothing(bench: &Bench) {
    bench
        .sh(&format!(
            "cp -a /etc/hosts /tmp/hosts; systemd-run --quiet --unit stranger sh -c '{}'",
            STRANGER.replace('\'', r"'\''")
        ))
        .await;
    let (run, changed) = bench.call("pkg.installed", &[json!("chrony")], json!({})).await;
    assert!(changed.unwrap());
    bench.sh("until [ -s /opt/theirs/last ]; do sleep 0.1; done; echo '# edited' >>/etc/chrony/chrony.conf").await;
    bench.undo(&run).await.unwrap();
    let remains = bench.remains(&run);
    let told =
        |path: &str| remains.iter().find(|one| one.what == path).unwrap_or_else(|| panic!("{path}: {remains:?}"));
    for path in ["/opt/theirs", "/var/lib/theirs", "/etc/hosts"] {
        assert!(told(path).kept.is_none() && !told(path).by_rule, "{path}: {remains:?}");
    }
    for path in ["/opt/chrony-theirs", "/etc/chrony/theirs.conf", "/etc/chrony/chrony.conf"] {
        let aside = format!("/var/lib/haengine/{run}/aside/");
        assert!(told(path).kept.as_ref().unwrap().starts_with(&aside) && told(path).by_rule, "{path}: {remains:?}");
    }
    let others = remains.iter().filter(|one| one.what != "/var/lib/chrony");
    assert_eq!(others.count(), 6, "{remains:?}");
    let kept = told("/opt/chrony-theirs").kept.clone().unwrap();
    let edited = told("/etc/chrony/chrony.conf").kept.clone().unwrap();
    let mine = told("/etc/chrony/theirs.conf").kept.clone().unwrap();
    // Each goes on in the file that it had opened, and no line is missing.
    let counts = bench
        .sh(&format!(
            "was=$(cat /opt/theirs/last); sleep 0.3; [ \"$(cat /var/lib/theirs/last)\" -gt \"$was\" ]; systemctl stop stranger
            for log in /opt/theirs/log {kept}/log /var/lib/theirs/log; do
                seq \"$(wc -l <$log)\" | cmp - \"$log\" && [ \"$(wc -l <$log)\" -gt \"$was\" ] || exit
            done
            grep -q '^# edited' {edited} && grep -q mine {mine} && grep theirs /etc/hosts && id -un guest && ! id _chrony 2>/dev/null"
        ))
        .await;
    assert_eq!(counts, "192.0.2.9 theirs\nguest");
    bench.sh("userdel guest; cp -a /tmp/hosts /etc/hosts; rm -r /opt/theirs /var/lib/theirs /var/lib/haengine").await;
}

async fn what_somebody_else_did_since_stays(bench: &Bench) {
    let (run, changed) = bench.call("pkg.installed", &[json!("chrony")], json!({ "update": "never" })).await;
    assert!(changed.unwrap());
    bench.sh("apt-get -q -y install tree; useradd --no-create-home visitor; echo mine >/etc/mine").await;
    bench.undo(&run).await.unwrap();
    let left = bench
        .sh("dpkg-query -W -f '${db:Status-Status}' tree; id -un visitor; cat /etc/mine; id _chrony 2>&1 || :")
        .await;
    assert!(left.starts_with("installedvisitor\nmine\n") && left.contains("no such user"), "{left}");
    let remains = bench.remains(&run);
    assert!(
        remains.iter().all(|one| one.by_rule && one.what == "/var/lib/chrony"),
        "what came later is named: {remains:?}"
    );
    bench.sh("apt-get -q -y purge tree; userdel visitor; rm -rf /etc/mine /var/lib/haengine").await;
}

/// The installation breaks off in the middle: dpkg has unpacked, and configured nothing.
async fn a_broken_installation_is_taken_back(bench: &Bench) {
    let before = bench.sh(MANIFEST).await;
    bench
        .sh(r#"printf '#!/bin/sh\nexit 3\n' >/usr/sbin/adduser.broken; chmod +x /usr/sbin/adduser.broken
        dpkg-divert --quiet --local --rename --divert /usr/sbin/adduser.real --add /usr/sbin/adduser
        mv /usr/sbin/adduser.broken /usr/sbin/adduser"#)
        .await;
    let (run, result) = bench.call("pkg.installed", &[json!("chrony")], json!({})).await;
    let error = result.unwrap_err();
    assert_eq!(error.code(), "pkg.failed", "{error} {:?}", error.causes());
    assert_eq!(bench.sh("dpkg-query -W -f '${db:Status-Status}' chrony").await, "half-configured");
    undo_undisturbed(bench, &run).await;
    bench.sh("rm /usr/sbin/adduser; dpkg-divert --quiet --local --rename --remove /usr/sbin/adduser").await;
    assert_eq!(differences(&before, &bench.sh(MANIFEST).await), [""; 0], "undo");
}

/// Somebody presses Ctrl-C: apt ends with it, and undo cleans up.
async fn an_interrupted_installation_is_taken_back(bench: &Bench) {
    let before = bench.sh(MANIFEST).await;
    let attempt = bench.run().await;
    let cancel = attempt.run.cancel().clone();
    let interrupt = async {
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        cancel.cancel();
    };
    let packages = [json!("chrony")];
    let (result, ()) = tokio::join!(attempt.call("pkg.installed", &packages, json!({})), interrupt);
    let run = attempt.finish().await;
    bench.sh("while fuser -s /var/lib/dpkg/lock-frontend; do sleep 0.2; done").await;
    if let Err(error) = result {
        assert_eq!(error.code(), "run.cancelled");
    }
    undo_undisturbed(bench, &run).await;
    assert_eq!(differences(&before, &bench.sh(MANIFEST).await), [""; 0], "undo");
}

/// Journals before version 2 have no nonces, and hosts no notes of what apt had dpkg unpack.
async fn a_run_of_an_older_version_is_taken_back(bench: &Bench) {
    let before = bench.sh(MANIFEST).await;
    let (run, changed) = bench.call("pkg.installed", &[json!("chrony")], json!({ "update": "never" })).await;
    assert!(changed.unwrap());
    bench.age(&run);
    bench.sh("rm /var/lib/haengine/*/*/asked; mkdir /opt/chrony-theirs; echo mine >/opt/chrony-theirs/x").await;
    bench.undo(&run).await.unwrap();
    assert_eq!(bench.sh("cat /opt/chrony-theirs/x; rm -r /opt/chrony-theirs /var/lib/haengine").await, "mine");
    assert_eq!(differences(&before, &bench.sh(MANIFEST).await), [""; 0], "undo");
}

async fn what_cannot_be(bench: &Bench) {
    let installed = async |package: &str, update| {
        let (run, result) = bench.call("pkg.installed", &[json!(package)], json!({ "update": update })).await;
        bench.undo(&run).await.unwrap();
        result.unwrap_err()
    };
    assert_eq!(installed("chronny", "never").await.code(), "pkg.unknown");
    assert_eq!(installed("chronny", "auto").await.code(), "pkg.unknown");
    assert_eq!(installed("chrony=0.1", "never").await.code(), "pkg.unknown");
    assert_eq!(installed("time-daemon", "never").await.code(), "pkg.virtual");
    let before = bench.sh("dpkg-query -W -f '${Package} ${Version}\n'").await;
    assert!(!before.contains("chrony"), "nothing came in");
}

/// One host serves all cases: they undo what they do.
#[tokio::test(flavor = "multi_thread")]
async fn packages_on_a_real_host() {
    let Some(bench) = Bench::start("packages").await else { return };
    // dpkg writes its records in its own way the first time that it changes them.
    bench.sh("apt-get -q -y install tree; apt-get -q -y purge tree").await;
    undo_restores_the_manifest(&bench).await;
    a_broken_installation_is_taken_back(&bench).await;
    an_interrupted_installation_is_taken_back(&bench).await;
    a_stranger_loses_nothing(&bench).await;
    what_somebody_else_did_since_stays(&bench).await;
    a_run_of_an_older_version_is_taken_back(&bench).await;
    what_cannot_be(&bench).await;
    bench.end().await;
}
