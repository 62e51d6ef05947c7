//! The lab, for real: hosts that boot, answer, freeze, lose their power, and leave nothing behind.
//!
//! Needs root on a machine of Debian's family; says so and passes where it is not root.
#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used, missing_docs)]

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use haengine_lab::{HostSpec, Lab, LabSpec, Progress, quiet, reap};
use tempfile::TempDir;

const CREATOR: &str = "HAENGINE_TEST_LAB_CREATOR";
const NAME: &str = "HAENGINE_TEST_LAB_NAME";

fn is_root(test: &str) -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        eprintln!("\n*** SKIPPED {test}: a lab needs root ***\n");
    }
    root
}

fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache");
    std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("haengine/lab")
}

fn loudly() -> Progress {
    Arc::new(|line| eprintln!("lab: {line}"))
}

fn two_hosts() -> LabSpec {
    let m1 = HostSpec { hostname: "k8s-master1".into(), ..HostSpec::new("m1", address(11)) };
    let m2 = HostSpec { port: 2222, generous_sshd: true, ..HostSpec::new("m2", address(12)) };
    LabSpec { hosts: vec![m1, m2], authorized_key: None }
}

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, 2, last)
}

async fn start(state: &TempDir, name: &str) -> Lab {
    let lab = Lab::open(&cache(), state.path(), name).unwrap().ephemeral();
    lab.up(&two_hosts(), loudly()).await.unwrap();
    lab
}

async fn sh(lab: &Lab, host: &str, script: &str) -> String {
    let output = lab.exec(host, &["sh", "-c", script]).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    assert!(output.status.success(), "{script}: {} {}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Whether the operator's side gets an answer from this host within half a second.
fn answers(lab: &Lab, last: u8, port: u16) -> bool {
    let address = SocketAddr::from((address(last), port));
    let file = fs::File::open(lab.namespace()).unwrap();
    let ask = move || {
        nix::sched::setns(file, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
        std::net::TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok()
    };
    std::thread::spawn(ask).join().unwrap()
}

fn ssh(lab: &Lab, user: &str, host: &str, script: &str) -> (bool, String) {
    let output = lab.ssh(user, host).unwrap().args(["-o", "BatchMode=yes", script]).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).trim().to_owned())
}

/// Fails if anything of the labs in `state` is left: mounts (which hold the namespaces), processes, groups,
/// files.
fn assert_clean(state: &Path, name: &str) {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let ours: Vec<&str> = mounts.lines().filter(|line| line.contains(state.to_str().unwrap())).collect();
    assert!(ours.is_empty(), "mounts are left: {ours:#?}");
    let mark = format!("/haengine-lab/{name}-");
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let groups = fs::read_to_string(entry.path().join("cgroup")).unwrap_or_default();
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // One that is dead and waits to be buried by the machine's first process is not ours any more.
        if stat.contains(") Z ") {
            continue;
        }
        assert!(!groups.contains(&mark), "{:?} is left in {groups}", entry.file_name());
    }
    let find = ["/sys/fs/cgroup", "-path", &format!("*{mark}*")];
    let groups = Command::new("find").args(find).output().unwrap().stdout;
    assert!(groups.is_empty(), "groups are left: {}", String::from_utf8_lossy(&groups));
    let files: Vec<_> = fs::read_dir(state).unwrap().flatten().collect();
    assert!(files.is_empty(), "files are left: {files:?}");
}

#[tokio::test]
async fn hosts_are_real_and_nothing_is_left_of_them() {
    if !is_root("hosts_are_real") {
        return;
    }
    let state = TempDir::new().unwrap();
    let lab = start(&state, "real").await;
    assert_eq!(sh(&lab, "m1", "hostname").await, "k8s-master1");
    assert_eq!(sh(&lab, "m2", "systemctl is-system-running").await, "running");
    assert_eq!(sh(&lab, "m1", "ping -c1 -W2 192.168.2.12 >/dev/null && echo pong").await, "pong");
    assert!(!lab.exec("m1", &["ping", "-c1", "-W1", "192.0.2.1"]).await.unwrap().status.success());
    assert_ne!(sh(&lab, "m1", "cat /etc/machine-id").await, sh(&lab, "m2", "cat /etc/machine-id").await);

    let status = lab.status().await.unwrap().unwrap();
    assert_eq!(status.operator, [address(254)]);
    assert!(status.hosts.iter().all(|host| host.running && !host.cut && host.pid.is_some()));
    lab.up(&two_hosts(), quiet()).await.unwrap();
    assert_eq!(lab.status().await.unwrap().unwrap(), status, "a second `up` does nothing");
    let mut moved = two_hosts();
    moved.hosts[0].address = address(13);
    assert_eq!(lab.up(&moved, quiet()).await.unwrap_err().code, "lab.differs");

    lab.down().await.unwrap();
    assert_clean(state.path(), "real");
    lab.down().await.unwrap();
    assert!(lab.status().await.unwrap().is_none());
    assert_eq!(lab.exec("m1", &["true"]).await.unwrap_err().code, "lab.absent");
}

#[tokio::test]
async fn users_and_keys_are_as_promised() {
    if !is_root("users_and_keys") {
        return;
    }
    let state = TempDir::new().unwrap();
    let lab = start(&state, "users").await;
    assert_eq!(ssh(&lab, "root", "m1", "id -u"), (true, "0".into()));
    assert_eq!(ssh(&lab, "operator", "m2", "sudo -n id -u"), (true, "0".into()));
    assert!(!ssh(&lab, "keeper", "m1", "sudo -n id -u").0);
    assert_eq!(ssh(&lab, "keeper", "m1", "echo lab-password | sudo -S -p '' id -u"), (true, "0".into()));
    assert_eq!(ssh(&lab, "guest", "m1", "id -un"), (true, "guest".into()));
    assert!(!ssh(&lab, "guest", "m1", "echo lab-password | sudo -S -p '' id -u").0);
    assert_eq!(sh(&lab, "m1", "sshd -T | grep -i ^maxsessions").await, "maxsessions 10");
    assert_eq!(sh(&lab, "m2", "sshd -T | grep -i ^maxsessions").await, "maxsessions 1000");
}

#[tokio::test]
async fn two_labs_share_nothing_but_their_addresses() {
    if !is_root("two_labs") {
        return;
    }
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (first, second) = tokio::join!(start(&one, "twin"), start(&two, "twin"));
    sh(&first, "m1", "touch /root/first; systemctl start nginx").await;
    sh(&second, "m1", "systemctl start nginx; systemctl stop nginx; ! test -e /root/first").await;
    assert!(!sh(&second, "m1", "journalctl -u nginx --no-pager").await.contains("Failed"));
    assert_eq!(sh(&first, "m1", "systemctl is-active nginx").await, "active");
    drop(second);
    assert_clean_eventually(two.path(), "no-name").await;
    assert_eq!(sh(&first, "m2", "hostname").await, "m2");
}

/// A dropped lab goes down before the drop returns; its last handle may be dropped by another thread.
async fn assert_clean_eventually(state: &Path, name: &str) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while fs::read_dir(state).unwrap().count() > 0 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_clean(state, name);
}

#[tokio::test]
async fn a_snapshot_brings_everything_back() {
    if !is_root("a_snapshot") {
        return;
    }
    let state = TempDir::new().unwrap();
    let lab = start(&state, "snap").await;
    sh(&lab, "m1", "echo before > /root/file; rm /etc/motd; mkdir /root/tree; touch /root/tree/a").await;
    lab.snapshot("one", quiet()).await.unwrap();
    let key = sh(&lab, "m1", "cat /etc/ssh/ssh_host_ed25519_key.pub").await;
    sh(&lab, "m1", "echo after > /root/file; rm -r /root/tree; touch /etc/motd /root/new").await;
    lab.snapshot("two", quiet()).await.unwrap();
    assert_eq!(lab.snapshot("two", quiet()).await.unwrap_err().code, "lab.snapshot");
    lab.power_off("m2").await.unwrap();
    lab.cut("m1", true).await.unwrap();

    for _ in 0..2 {
        lab.restore("one", quiet()).await.unwrap();
        let check = "cat /root/file; ls /root/tree; ! test -e /etc/motd && ! test -e /root/new && echo gone";
        assert_eq!(sh(&lab, "m1", check).await, "before\na\ngone");
        assert_eq!(sh(&lab, "m1", "cat /etc/ssh/ssh_host_ed25519_key.pub").await, key);
        sh(&lab, "m1", "rm -r /root/tree /root/file").await;
    }
    lab.restore("two", quiet()).await.unwrap();
    assert_eq!(sh(&lab, "m1", "cat /root/file; ls /root").await, "after\nfile\nnew");
    assert_eq!(sh(&lab, "m2", "systemctl is-system-running").await, "running");
    assert_eq!(lab.snapshots().await.unwrap(), ["one", "two"]);
    assert!(lab.restore("three", quiet()).await.unwrap_err().hint.unwrap().contains("one, two"));
    let layers = fs::read_dir(state.path().join("snap/hosts/m1/layers")).unwrap().count();
    assert_eq!(layers, 3, "two frozen layers and the writable one");
}

#[tokio::test]
async fn a_later_lab_begins_where_another_was() {
    if !is_root("a_later_lab") {
        return;
    }
    let (state, disks) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let lab = start(&state, "first").await;
    sh(&lab, "m1", "echo before > /root/file; rm /etc/motd; mkdir -p /srv/old/deep").await;
    lab.snapshot("one", quiet()).await.unwrap();
    sh(&lab, "m1", "echo after > /root/file; rm -r /srv/old; mkdir /srv/old; touch /srv/old/new").await;
    let identity = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub";
    let former = sh(&lab, "m1", identity).await;
    let folder = disks.path().join("kept");
    lab.export(&folder, quiet()).await.unwrap();
    assert_eq!(sh(&lab, "m1", "cat /root/file").await, "after", "it is up again");
    assert_eq!(lab.export(&folder, quiet()).await.unwrap_err().code, "lab.export");
    lab.down().await.unwrap();

    let mut spec = two_hosts();
    spec.hosts.iter_mut().for_each(|host| host.stands_on = Some(folder.join(&host.name)));
    for (name, next) in [("second", "again"), ("third", "third")] {
        let lab = Lab::open(&cache(), state.path(), name).unwrap().ephemeral();
        lab.up(&spec, quiet()).await.unwrap();
        let check = "cat /root/file; ls -A /srv/old; ! test -e /etc/motd && echo gone";
        assert_eq!(ssh(&lab, "root", "m1", check), (true, "after\nnew\ngone".into()));
        assert_ne!(sh(&lab, "m1", identity).await, former, "it is another host");
        sh(&lab, "m1", "rm -r /root/file /srv/old").await;
        // What stands on what is exported is exported with it.
        lab.export(&disks.path().join(next), quiet()).await.unwrap();
    }
    spec.hosts.iter_mut().for_each(|host| host.stands_on = Some(disks.path().join("again").join(&host.name)));
    let lab = Lab::open(&cache(), state.path(), "last").unwrap().ephemeral();
    lab.up(&spec, quiet()).await.unwrap();
    assert_eq!(sh(&lab, "m1", "ls -A /root/file /srv/old 2>/dev/null; test -e /etc/motd || echo gone").await, "gone");
}

#[tokio::test]
async fn a_host_joins_later_from_another_network() {
    if !is_root("a_host_joins_later") {
        return;
    }
    let state = TempDir::new().unwrap();
    let lab = start(&state, "join").await;
    lab.snapshot("before", quiet()).await.unwrap();
    let mut spec = two_hosts();
    spec.hosts.push(HostSpec::new("a-host-with-a-very-long-name", Ipv4Addr::new(10, 9, 8, 7)));
    lab.up(&spec, quiet()).await.unwrap();
    let late = "a-host-with-a-very-long-name";
    assert_eq!(ssh(&lab, "root", late, "hostname"), (true, late.into()));
    sh(&lab, "m1", "ping -c1 -W3 10.9.8.7").await;
    sh(&lab, late, "ping -c1 -W3 192.168.2.12; touch /root/file").await;
    lab.power_off("m1").await.unwrap();
    lab.power_on("m1").await.unwrap();
    sh(&lab, "m1", "ping -c1 -W3 10.9.8.7").await;

    lab.restore("before", quiet()).await.unwrap();
    assert!(!lab.status().await.unwrap().unwrap().hosts[2].running, "the snapshot does not know it");
    lab.up(&spec, quiet()).await.unwrap();
    assert_eq!(ssh(&lab, "root", late, "ls /root; hostname"), (true, late.into()));

    spec.hosts.push(HostSpec::new("m9", address(254)));
    assert!(lab.up(&spec, quiet()).await.unwrap_err().message.contains("operator's own address"));
    assert_eq!(lab.enter().unwrap_err().code, "lab.threads");
}

#[tokio::test]
async fn power_and_cables() {
    if !is_root("power_and_cables") {
        return;
    }
    let state = TempDir::new().unwrap();
    let lab = start(&state, "power").await;
    sh(&lab, "m1", "echo kept > /root/file; ip address add 192.168.2.88/24 dev eth0; systemctl start nginx").await;
    assert!(answers(&lab, 11, 80) && answers(&lab, 88, 22) && answers(&lab, 12, 2222));

    lab.power_off("m1").await.unwrap();
    assert!(!answers(&lab, 11, 22) && !answers(&lab, 88, 22));
    assert_eq!(lab.exec("m1", &["true"]).await.unwrap_err().code, "lab.off");
    lab.power_on("m1").await.unwrap();
    assert_eq!(sh(&lab, "m1", "cat /root/file").await, "kept");
    assert!(answers(&lab, 11, 22) && !answers(&lab, 88, 22) && !answers(&lab, 11, 80));

    lab.cut("m1", true).await.unwrap();
    assert!(!answers(&lab, 11, 22) && answers(&lab, 12, 2222));
    assert_eq!(sh(&lab, "m1", "hostname").await, "k8s-master1");
    lab.power_off("m1").await.unwrap();
    lab.power_on("m1").await.unwrap();
    assert!(!answers(&lab, 11, 22), "a host that boots does not repair its cable");
    lab.cut("m1", false).await.unwrap();
    // A bridge notices a cable within a second.
    assert!((0..4).any(|_| answers(&lab, 11, 22)));
}

#[tokio::test]
async fn a_host_reboots_and_powers_off_by_itself() {
    if !is_root("a_host_reboots") {
        return;
    }
    let state = TempDir::new().unwrap();
    let lab = start(&state, "reboot").await;
    sh(&lab, "m1", "echo kept > /root/file; touch /run/mark; systemctl start nginx").await;
    let _ = lab.exec("m1", &["systemctl", "reboot"]).await;
    let deadline = Instant::now() + Duration::from_secs(60);
    let rebooted = "! test -e /run/mark && systemctl is-system-running --wait";
    loop {
        // Asked without a pause, so that commands are inside while the host goes down: none may hold it up.
        let asked = async { lab.exec("m1", &["sh", "-c", rebooted]).await };
        let answer = tokio::time::timeout(Duration::from_secs(20), asked).await.expect("a command hangs");
        if answer.is_ok_and(|output| output.status.success()) {
            break;
        }
        assert!(Instant::now() < deadline, "it never came back");
    }
    assert!(answers(&lab, 11, 22) && !answers(&lab, 11, 80));
    assert_eq!(sh(&lab, "m1", "cat /root/file").await, "kept");

    let _ = lab.exec("m1", &["systemctl", "poweroff"]).await;
    while lab.status().await.unwrap().unwrap().hosts[0].running || answers(&lab, 11, 22) {
        assert!(Instant::now() < deadline, "it never went off");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    lab.up(&two_hosts(), quiet()).await.unwrap();
    assert_eq!(sh(&lab, "m1", "cat /root/file").await, "kept");
}

#[tokio::test]
async fn hosts_cannot_set_this_machines_clock_but_can_compare_theirs() {
    if !is_root("hosts_cannot_set_the_clock") {
        return;
    }
    let state = TempDir::new().unwrap();
    let lab = start(&state, "clock").await;
    // The time it already is: harmless even if it were allowed.
    let output = lab.exec("m1", &["sh", "-c", "date -s @$(date +%s)"]).await.unwrap();
    assert!(!output.status.success(), "a host may set the clock");
    let (done, said) = ssh(&lab, "root", "m1", "date -s @$(date +%s)");
    assert!(!done, "a login may set the clock: {said}");

    let install = "dpkg-query -W | sort > /run/before; apt-get install -y chrony >/dev/null 2>&1";
    sh(&lab, "m1", install).await;
    sh(&lab, "m1", "printf 'local stratum 8\\nallow\\n' > /etc/chrony/chrony.conf; systemctl restart chrony").await;
    sh(&lab, "m2", install).await;
    let client = "printf 'server 192.168.2.11 iburst\\nmakestep 1 3\\nrtcsync\\n' > /etc/chrony/chrony.conf; \
        systemctl restart chrony; chronyc waitsync 20 0.1 0 1 >/dev/null; chronyc -c tracking";
    let tracking = sh(&lab, "m2", client).await;
    assert!(tracking.contains("192.168.2.11"), "{tracking}");
    let left = "apt-get purge -y chrony >/dev/null 2>&1; dpkg-query -W | sort | diff /run/before - && \
        ! test -e /etc/chrony && systemctl is-system-running";
    assert_eq!(sh(&lab, "m2", left).await, "running");
}

/// Not a test: the process that the next tests kill.
#[tokio::test]
#[ignore = "run by the tests that kill it"]
async fn creator() {
    let Some(state) = std::env::var_os(CREATOR) else { return };
    let name = std::env::var(NAME).unwrap();
    let lab = Lab::open(&cache(), Path::new(&state), &name).unwrap().ephemeral();
    lab.up(&two_hosts(), quiet()).await.unwrap();
    fs::write(Path::new(&state).with_extension("up"), "").unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

fn create_and_kill(state: &Path, name: &str, until: impl Fn() -> bool) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "creator", "--ignored"])
        .env(CREATOR, state)
        .env(NAME, name)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !until() {
        assert!(Instant::now() < deadline, "the creator never got that far");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9), "it ended before it was killed");
}

#[tokio::test]
async fn a_lab_whose_creator_was_killed_is_reaped() {
    if !is_root("a_lab_whose_creator_was_killed") {
        return;
    }
    start(&TempDir::new().unwrap(), "warm").await;
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    create_and_kill(&state, "killed", || folder.path().join("state.up").exists());
    let lab = Lab::open(&cache(), &state, "killed").unwrap();
    assert_eq!(sh(&lab, "m1", "systemctl is-system-running").await, "running", "hosts outlive their creator");
    let mut left = lab.command("sleep").arg("60").spawn().unwrap();
    assert_eq!(reap(&state).await.unwrap(), ["killed"]);
    assert_eq!(left.wait().unwrap().signal(), Some(9), "what ran in the lab's network is ended too");
    assert_clean(&state, "killed");
    assert!(reap(&state).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_creator_that_is_killed_half_way_leaves_what_can_be_cleaned_or_finished() {
    if !is_root("a_creator_that_is_killed_half_way") {
        return;
    }
    start(&TempDir::new().unwrap(), "warm2").await;
    for milliseconds in [5, 20, 40, 60, 80, 120, 200] {
        let folder = TempDir::new().unwrap();
        let state = folder.path().join("state");
        let started = std::cell::Cell::new(None);
        create_and_kill(&state, "halfway", || {
            if started.get().is_none() && state.join("halfway").exists() {
                started.set(Some(Instant::now()));
            }
            started.get().is_some_and(|at: Instant| at.elapsed() > Duration::from_millis(milliseconds))
        });
        if milliseconds % 40 == 0 {
            // A lab of the same name goes on from wherever the dead one stopped.
            let lab = Lab::open(&cache(), &state, "halfway").unwrap().ephemeral();
            lab.up(&two_hosts(), quiet()).await.unwrap();
            assert!(ssh(&lab, "root", "m1", "true").0);
            lab.down().await.unwrap();
        } else {
            reap(&state).await.unwrap();
        }
        assert_clean(&state, "halfway");
    }
}

/// A container as kubelet has it made, in a group of its own choice.
const CONTAINER: &str = "
    systemctl start containerd
    ctr images import --snapshotter native /usr/local/lib/kubernetes/images.tar > /dev/null
    ctr run --detach --snapshotter native --cgroup /kubepods/one docker.io/library/busybox:lab one
    ctr task exec --exec-id first one busybox uname -s";

#[tokio::test]
async fn a_host_sees_kubernetes_and_runs_containers() {
    if !is_root("a_host_sees_kubernetes") {
        return;
    }
    let (state, programs) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fs::write(programs.path().join("kubelet"), "of the machine").unwrap();
    let m1 = HostSpec { kubernetes: Some(programs.path().to_owned()), ..HostSpec::new("m1", address(11)) };
    let spec = LabSpec { hosts: vec![m1], authorized_key: None };
    let lab = Lab::open(&cache(), state.path(), "kubernetes").unwrap().ephemeral();
    lab.up(&spec, loudly()).await.unwrap();
    let kubelet = "cat /usr/local/lib/kubernetes/bin/kubelet";
    assert_eq!(sh(&lab, "m1", kubelet).await, "of the machine");
    assert_eq!(sh(&lab, "m1", "touch /usr/local/lib/kubernetes/bin/kubelet 2>&1 || echo refused").await, {
        "touch: cannot touch '/usr/local/lib/kubernetes/bin/kubelet': Read-only file system\nrefused"
    });
    assert_eq!(sh(&lab, "m1", "stat -Lc %t,%T /dev/kmsg").await, "1,3", "kubelet needs it, and it is no secret");

    lab.snapshot("bare", quiet()).await.unwrap();
    assert_eq!(sh(&lab, "m1", CONTAINER).await, "Linux");
    let group = sh(&lab, "m1", "grep -c /kubepods/one /proc/$(pgrep -of 'sleep 3600')/cgroup").await;
    assert_ne!(group, "0", "the container is in no group");
    lab.restore("bare", quiet()).await.unwrap();
    assert_eq!(sh(&lab, "m1", kubelet).await, "of the machine");

    sh(&lab, "m1", CONTAINER).await;
    drop(lab);
    assert_clean(state.path(), "kubernetes");
}
