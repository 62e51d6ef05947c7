//! What a unit wrote and mounted is moved aside and unmounted, and what others have there is not touched; a unit that
//! does not stay down is stopped all the same.

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::service::CLEAN;

/// A unit that runs this script.
fn given(script: &str) -> String {
    format!(
        "{CLEAN}; rm -rf /srv/*; cat >/run/demo.sh <<'END'\n{script}\nEND\n\
         printf '[Service]\\nExecStart=/bin/sh /run/demo.sh\\n[Install]\\nWantedBy=multi-user.target\\n' \
         >/etc/systemd/system/demo.service; systemctl daemon-reload"
    )
}

/// Runs the unit with these options, and tells the run.
async fn started(bench: &Bench, options: Value) -> String {
    let (run, changed) = bench.call("service.running", &[json!("demo")], options).await;
    assert!(changed.unwrap());
    bench.sh("for n in 1 2 3 4 5 6 7 8 9 10; do [ -e /run/demo.up ] && break; sleep 0.2; done; rm /run/demo.up").await;
    run
}

fn owns(paths: &[&str]) -> Value {
    json!({ "enabled": false, "owns": paths })
}

async fn what_appeared_is_moved_aside(bench: &Bench) {
    bench.sh(&given("mkdir -p /srv/demo/a; echo 1 >/srv/demo/a/one; touch /run/demo.up; exec sleep infinity")).await;
    let run = started(bench, owns(&["/srv/demo"])).await;
    bench.sh("echo data >'/srv/demo/a b'; chmod 640 '/srv/demo/a b'").await;
    bench.undo(&run).await.unwrap();
    let aside = format!("/var/lib/haengine/{run}/aside/1/srv/demo");
    assert_eq!(bench.sh("ls -A /srv").await, "");
    assert_eq!(bench.sh(&format!("cat {aside}/a/one '{aside}/a b'; stat -c %a '{aside}/a b'")).await, "1\ndata\n640");
    assert_eq!(bench.sh("stat -c '%a %U' /var/lib/haengine").await, "700 root");
    assert_eq!(bench.remnants(&run), [format!("`/srv/demo` was moved to `{aside}`: it appeared while the unit ran")]);
}

async fn a_pattern_owns_what_matches(bench: &Bench) {
    bench.sh(&given("touch /srv/demo/unit.b /srv/demo/other; touch /run/demo.up; exec sleep infinity")).await;
    bench.sh("mkdir -p /srv/demo; touch /srv/demo/unit.a").await;
    let run = started(bench, owns(&["/srv/demo/unit.*"])).await;
    bench.undo(&run).await.unwrap();
    assert_eq!(bench.sh("ls -A /srv/demo").await, "other\nunit.a");
    bench.sh(&format!("test -e /var/lib/haengine/{run}/aside/1/srv/demo/unit.b")).await;
}

async fn no_mount_is_entered(bench: &Bench) {
    let script = "mkdir -p '/srv/demo/a b' /srv/demo/in/tmp /srv/demo/in/busy
        mount --bind /srv/one '/srv/demo/a b'; mount --bind /srv/two /srv/demo/in/busy; mount -t tmpfs tmpfs /srv/demo/in/tmp
        echo 1 >/srv/demo/in/tmp/one; echo 1 >/srv/demo/in/file; touch /run/demo.up; exec sleep infinity";
    bench.sh(&given(script)).await;
    bench.sh("mkdir /srv/one /srv/two; echo data >/srv/one/data; echo data >/srv/two/data").await;
    let run = started(bench, owns(&["/srv/demo"])).await;
    bench.sh("cd /srv/demo/in/busy; sleep 300 >/dev/null 2>&1 & echo $! >/run/demo.pid").await;
    bench.undo(&run).await.unwrap();
    assert_eq!(bench.sh("cat /srv/one/data /srv/two/data").await, "data\ndata");
    assert_eq!(
        bench.sh("find /srv/demo | sort").await,
        "/srv/demo\n/srv/demo/in\n/srv/demo/in/busy\n/srv/demo/in/busy/data\n/srv/demo/in/tmp\n/srv/demo/in/tmp/one"
    );
    bench.sh(&format!("test -e /var/lib/haengine/{run}/aside/1/srv/demo/in/file")).await;
    let told = bench.remnants(&run).join("\n");
    for word in [
        "`/srv/demo/in/tmp` stays: it is in memory",
        "`/srv/demo/in/busy` stays: it is mounted there, and cannot be unmounted",
        "of /srv/demo/a b` stays: it was mounted while the unit ran, and only unmounted",
    ] {
        assert!(told.contains(word), "{word}\n{told}");
    }
    bench.sh("kill $(cat /run/demo.pid); rm /run/demo.pid; umount /srv/demo/in/busy /srv/demo/in/tmp").await;
}

/// What was there before the unit is nobody's to unmount.
async fn a_mount_that_was_there_stays(bench: &Bench) {
    bench.sh(&given("mkdir /srv/demo/new; touch /run/demo.up; exec sleep infinity")).await;
    bench.sh("mkdir -p /srv/demo/disk; mount -t tmpfs tmpfs /srv/demo/disk").await;
    let run = started(bench, owns(&["/srv/demo"])).await;
    bench.undo(&run).await.unwrap();
    assert_eq!(bench.sh("ls -A /srv/demo; mountpoint /srv/demo/disk").await, "disk\n/srv/demo/disk is a mountpoint");
    bench.sh("umount /srv/demo/disk").await;
}

async fn on_another_mount_it_is_kept_there(bench: &Bench) {
    bench.sh(&given("mkdir /srv/disk/demo; echo 1 >/srv/disk/demo/one; touch /run/demo.up; exec sleep infinity")).await;
    bench.sh("mkdir /srv/disk; mount -t tmpfs tmpfs /srv/disk").await;
    let run = started(bench, owns(&["/srv/disk/demo"])).await;
    bench.undo(&run).await.unwrap();
    let aside = format!("/srv/disk/.haengine/{run}/aside/1/srv/disk/demo");
    assert_eq!(
        bench.sh(&format!("ls /srv/disk; cat {aside}/one; stat -c '%a %U' /srv/disk/.haengine")).await,
        "1\n700 root"
    );
    bench.sh("rm -rf /srv/disk/.haengine").await;

    // Somebody else's folder of that name is not used, nor a link.
    for trap in ["install -d -o nobody /srv/disk/.haengine", "ln -s /srv/trap /srv/disk/.haengine"] {
        bench.sh(&format!("mkdir -p /srv/trap; {trap}")).await;
        let run = started(bench, owns(&["/srv/disk/demo"])).await;
        bench.undo(&run).await.unwrap();
        assert_eq!(bench.sh("find /srv/trap /srv/disk/.haengine/ -mindepth 1; cat /srv/disk/demo/one").await, "1");
        assert_eq!(
            bench.remnants(&run),
            ["`/srv/disk/demo` stays: there is no folder of ours on its mount to move it to"]
        );
        bench.sh("rm -rf /srv/disk/.haengine /srv/disk/demo").await;
    }
    bench.sh("umount /srv/disk").await;
}

/// An overlay does not rename a folder that it has from below.
async fn a_folder_from_below_is_made_anew(bench: &Bench) {
    bench.sh(&given("touch /run/demo.up; exec sleep infinity")).await;
    bench
        .sh(
            "mkdir -p /run/low/demo/in /srv/over /run/up; mount -t tmpfs tmpfs /run/up; mkdir /run/up/up /run/up/work; \
             echo 1 >/run/low/demo/in/one; ln -s nowhere '/run/low/demo/a link'; chmod 2750 /run/low/demo/in",
        )
        .await;
    let run = started(bench, owns(&["/srv/over/demo"])).await;
    bench.sh("mount -t overlay overlay -o lowerdir=/run/low,upperdir=/run/up/up,workdir=/run/up/work /srv/over").await;
    bench.undo(&run).await.unwrap();
    let aside = format!("/srv/over/.haengine/{run}/aside/1/srv/over/demo");
    assert_eq!(
        bench.sh(&format!("ls /srv/over; cat {aside}/in/one; readlink '{aside}/a link'; stat -c %a {aside}/in")).await,
        "1\nnowhere\n2750"
    );
    assert_eq!(bench.remnants(&run).len(), 1, "{:?}", bench.remnants(&run));
    bench.sh("umount /srv/over /run/up; rm -rf /run/low /run/up").await;
}

async fn what_goes_on_appearing_is_named(bench: &Bench) {
    bench.sh(&given("mkdir -p /srv/demo; touch /run/demo.up; exec sleep infinity")).await;
    let run = started(bench, owns(&["/srv/demo"])).await;
    bench.sh("(while :; do mkdir -p /srv/demo; echo data >>/srv/demo/log; done) >/dev/null 2>&1 & echo $! >/run/demo.pid").await;
    bench.undo(&run).await.unwrap();
    bench.sh("kill $(cat /run/demo.pid); rm /run/demo.pid").await;
    assert!(
        bench.remnants(&run).iter().any(|line| line.starts_with("`/srv/demo` stays: ")),
        "{:?}",
        bench.remnants(&run)
    );
    assert!(bench.is_undone(&run));
}

/// It ends and is started again all the time, and takes a moment to stop.
async fn what_restarts_itself_is_taken_back_ten_times_of_ten(bench: &Bench) {
    let script = "trap 'sleep 0.4; exit 1' TERM; mkdir -p /srv/demo; date >/srv/demo/$$; touch /run/demo.up; sleep 0.9 & wait; exit 1";
    for n in 0..10 {
        bench.sh(&given(script)).await;
        bench.sh("sed -i '/ExecStart/a Restart=always\\nRestartSec=0.3' /etc/systemd/system/demo.service; \
                  sed -i '1i [Unit]\\nStartLimitIntervalSec=0' /etc/systemd/system/demo.service; systemctl daemon-reload").await;
        let run = started(bench, owns(&["/srv/demo"])).await;
        bench.sh(&format!("sleep {}.{}", 1 + n % 2, n * 13 % 10)).await;
        bench.undo(&run).await.unwrap();
        assert_eq!(
            bench.sh("systemctl is-active demo || :; ls /srv; sleep 1; systemctl is-active demo || :").await,
            "inactive\ninactive"
        );
        assert!(bench.is_undone(&run));
    }
}

/// A start counts once the unit is ready, and the failure says so.
async fn a_unit_is_waited_for_until_it_is_ready(bench: &Bench) {
    bench.sh(&given("sleep 1.5; touch /run/demo.up /run/demo.ready; exec sleep infinity")).await;
    let run = started(bench, json!({ "enabled": false, "ready": "test -e /run/demo.ready" })).await;
    bench.undo(&run).await.unwrap();
    bench.sh("rm /run/demo.ready").await;
    let options = json!({ "enabled": false, "ready": "test -e /run/demo.never", "timeout": "2s" });
    let (run, result) = bench.call("service.running", &[json!("demo")], options).await;
    assert_eq!(result.unwrap_err().message(), "`demo.service` runs, and was not ready within 2 s");
    bench.undo(&run).await.unwrap();
    bench.sh("rm -f /run/demo.up /run/demo.ready").await;
}

/// Links that somebody else made for the unit stay, and are named; so does a link that was made anew.
async fn only_links_of_the_run_go(bench: &Bench) {
    let (theirs, wants) = ("/etc/systemd/system/rescue.target.wants", "/etc/systemd/system/multi-user.target.wants");
    let link =
        |folder: &str| format!("mkdir -p {folder}; ln -sfn /etc/systemd/system/demo.service {folder}/demo.service");
    for (meanwhile, left) in [(link(theirs), theirs), (format!("rm {wants}/demo.service; {}", link(wants)), wants)] {
        for verb in ["service.running", "service.enabled"] {
            bench.sh(&given("exec sleep infinity")).await;
            let (run, changed) = bench.call(verb, &[json!("demo")], json!({})).await;
            assert!(changed.unwrap());
            assert_eq!(bench.sh("systemctl is-enabled demo").await, "enabled");
            // So that the inode is not the same again.
            bench.sh(&format!("ln -s a /etc/systemd/system/other; {meanwhile}; rm /etc/systemd/system/other")).await;
            bench.undo(&run).await.unwrap();
            assert_eq!(
                bench.sh("cd /etc/systemd/system; echo */demo.service").await,
                format!("{}/demo.service", &left[20..])
            );
            assert_eq!(
                bench.remnants(&run),
                [format!("`{left}/demo.service` stays: somebody else made it: the unit starts by it")]
            );
            bench.sh(&format!("rm {left}/demo.service; rmdir {theirs} 2>/dev/null || :")).await;
        }
    }
}

/// One host serves all cases: they undo what they do.
#[tokio::test(flavor = "multi_thread")]
async fn what_units_own_on_a_real_host() {
    let Some(bench) = Bench::start("owned").await else { return };
    what_appeared_is_moved_aside(&bench).await;
    a_pattern_owns_what_matches(&bench).await;
    no_mount_is_entered(&bench).await;
    a_mount_that_was_there_stays(&bench).await;
    on_another_mount_it_is_kept_there(&bench).await;
    a_folder_from_below_is_made_anew(&bench).await;
    what_goes_on_appearing_is_named(&bench).await;
    what_restarts_itself_is_taken_back_ten_times_of_ten(&bench).await;
    a_unit_is_waited_for_until_it_is_ready(&bench).await;
    only_links_of_the_run_go(&bench).await;
    bench.end().await;
}
