//! A lab with hosts, and a folder from which the built binary is run against them.

use std::collections::HashSet;
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use haengine_lab::{HostSpec, Lab, LabSpec, Progress};

use crate::interrupted;
use crate::once::Once;

/// One process may have several of the same name.
static LABS: AtomicU32 = AtomicU32::new(1);

/// Hosts, and the operator's folder. The lab goes down with it, also when a test panics.
pub struct Site {
    /// The hosts' lab.
    pub lab: Lab,
    /// Where the operator stands.
    pub folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    hosts: Vec<HostSpec>,
    groups: String,
    /// What keeps the disks that the hosts stand on.
    disks: Option<Once>,
}

/// What the binary gave.
pub struct Given {
    /// The exit code; -1 where a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub errors: String,
}

impl Given {
    /// The lines of `--json`.
    pub fn events(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect()
    }

    /// Host, op and target of all changes that are not `unchanged`, sorted.
    pub fn changes(&self) -> Vec<String> {
        let mut changes: Vec<String> = self
            .events()
            .iter()
            .filter(|event| event["event"] == "change" && event["status"] != "unchanged")
            .map(|event| format!("{} {} {}", event["host"], event["op"], event["target"]))
            .collect();
        changes.sort();
        changes
    }

    /// The last line, which sums up.
    pub fn finished(&self) -> serde_json::Value {
        let last = self.events().pop().unwrap_or_default();
        assert_eq!(last["event"], "run_finished", "{}\n{}", self.out, self.errors);
        last
    }

    /// Fails with all output unless the exit code is this one.
    pub fn ended_with(self, code: i32) -> Given {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.out, self.errors);
        self
    }
}

/// True where these tests can run; says so loudly where they cannot.
pub fn possible() -> bool {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !root {
        println!("SKIPPED: hosts can only be made by root");
    }
    root
}

/// Where slow things are kept.
pub fn cache() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    variable("HAENGINE_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|path| path.join("haengine")))
        .unwrap_or_else(|| variable("HOME").unwrap().join(".cache/haengine"))
}

/// The binary lies beside the folder of the test binaries; cargo builds it before it runs any test of the workspace.
fn binary() -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let path = deps.parent().unwrap().parent().unwrap().join("haengine");
    assert!(path.is_file(), "{} is missing: `cargo build -p haengine`", path.display());
    path
}

/// Kubernetes' programs for the hosts: those of `KUBE_BIN_DIR`, else the cached ones, which are built if they are not there.
pub fn kubernetes() -> PathBuf {
    let given = std::env::var_os("KUBE_BIN_DIR").map(PathBuf::from);
    haengine_lab::kubernetes::binaries(&cache().join("lab"), given.as_deref(), &loudly()).unwrap()
}

/// Which Kubernetes that is, such as `v1.20.2`; a cluster of one is none of another.
pub fn release() -> String {
    let said = Command::new(kubernetes().join("kubelet")).arg("--version").output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().replace("Kubernetes ", "")
}

fn loudly() -> Progress {
    Arc::new(|line: &str| println!("{line}"))
}

impl Site {
    /// Brings hosts up: `m1`, `m2`, … at 192.168.2.11, 12, …
    pub fn new(name: &str, hosts: u8) -> Site {
        let named = |i: u8| HostSpec::new(format!("m{i}"), Ipv4Addr::new(192, 168, 2, 10 + i));
        let names: Vec<String> = (1..=hosts).map(|i| format!("m{i}")).collect();
        Site::with(name, (1..=hosts).map(named).collect(), &format!("masters: [{}]", names.join(", ")))
    }

    /// Brings these hosts up, in these groups.
    pub fn with(name: &str, hosts: Vec<HostSpec>, groups: &str) -> Site {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let state = cache().join("lab/tests");
        std::fs::create_dir_all(&state).unwrap();
        let lab = runtime.block_on(async {
            haengine_lab::reap(&state).await.unwrap();
            let name = format!("{name}-{}-{}", std::process::id(), LABS.fetch_add(1, Ordering::Relaxed));
            interrupted::takes_down(&cache().join("lab"), &state, &name);
            let lab = Lab::open(&cache().join("lab"), &state, &name).unwrap().ephemeral();
            let spec = LabSpec { hosts: hosts.clone(), authorized_key: None };
            lab.up(&spec, loudly()).await.unwrap();
            lab
        });
        let site = Site { lab, folder, runtime, hosts, groups: groups.to_owned(), disks: None };
        site.inventory("site.yaml", "user: root");
        site
    }

    /// Writes an inventory of all hosts, with more defaults.
    pub fn inventory(&self, file: &str, defaults: &str) {
        let (key, known) = (self.lab.identity(), self.lab.known_hosts());
        let mut text = format!(
            "defaults: {{ identity_file: \"{}\", known_hosts: \"{}\", agent: false, {defaults} }}\nhosts:\n",
            key.display(),
            known.display()
        );
        for host in &self.hosts {
            writeln!(text, "  {}: {{ address: {} }}", host.name, host.address).unwrap();
        }
        writeln!(text, "groups: {{ {} }}", self.groups).unwrap();
        self.write(file, &text);
    }

    /// Freezes the hosts' disks; the hosts boot again.
    pub fn snapshot(&self, name: &str) {
        self.runtime.block_on(self.lab.snapshot(name, loudly())).unwrap();
    }

    /// Throws away what the hosts wrote since that snapshot; they boot again.
    pub fn restore(&self, name: &str) {
        self.runtime.block_on(self.lab.restore(name, loudly())).unwrap();
    }

    /// The names of the snapshots.
    pub fn snapshots(&self) -> Vec<String> {
        self.runtime.block_on(self.lab.snapshots()).unwrap()
    }

    /// Copies the hosts' disks to these; the hosts boot again.
    pub fn keep(&self, disks: &Once) {
        self.runtime.block_on(disks.keep(&self.lab, loudly()));
    }

    /// The hosts stand on these disks.
    pub fn uses(&mut self, disks: Once) {
        self.disks = Some(disks);
    }

    /// Takes the hosts down, before others come up.
    pub fn down(&self) {
        self.runtime.block_on(self.lab.down()).unwrap();
    }

    /// Writes a file of the operator.
    pub fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(file);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The binary on the operator's side of the lab.
    pub fn command(&self, words: &[&str]) -> Command {
        self.beside(self.lab.command(binary()), words)
    }

    /// A program on the operator's side of the lab, with the binary as the last word.
    pub fn around(&self, words: &[&str]) -> Command {
        let mut command = self.beside(self.lab.command(words[0]), &words[1..]);
        command.arg(binary());
        command
    }

    fn beside(&self, mut command: Command, words: &[&str]) -> Command {
        command
            .args(words)
            .current_dir(self.folder.path())
            .env_remove("SSH_AUTH_SOCK")
            .env("HAENGINE_STATE_DIR", self.folder.path().join("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the binary and waits for it.
    pub fn haengine(&self, words: &[&str]) -> Given {
        ended(self.start(words))
    }

    /// Starts the binary.
    pub fn start(&self, words: &[&str]) -> Child {
        self.command(words).spawn().unwrap()
    }

    /// What a command on a host printed; run as root without SSH.
    pub fn on(&self, host: &str, script: &str) -> String {
        let output = self.runtime.block_on(self.lab.exec(host, &["sh", "-c", script])).unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Cuts a host's power.
    pub fn power_off(&self, host: &str) {
        self.runtime.block_on(self.lab.power_off(host)).unwrap();
    }

    /// Switches a host on, and waits until it is ready.
    pub fn power_on(&self, host: &str) {
        self.runtime.block_on(self.lab.power_on(host)).unwrap();
    }

    /// Pulls a host's network cable, or plugs it in again.
    pub fn cut(&self, host: &str, cut: bool) {
        self.runtime.block_on(self.lab.cut(host, cut)).unwrap();
    }

    /// Waits until a command on a host succeeds, for ten seconds.
    pub fn until(&self, host: &str, script: &str) {
        self.within(Duration::from_secs(10), host, script);
    }

    /// Waits until a command on a host succeeds.
    pub fn within(&self, patience: Duration, host: &str, script: &str) {
        let asked = Instant::now();
        loop {
            let output = self.runtime.block_on(self.lab.exec(host, &["sh", "-c", script])).unwrap();
            if output.status.success() {
                return;
            }
            assert!(
                asked.elapsed() < patience,
                "in vain on {host}: {script}\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
            // What takes long is not asked so often: a question may be a program of 40 MB.
            std::thread::sleep(Duration::from_millis(if asked.elapsed().as_secs() < 1 { 50 } else { 200 }));
        }
    }

    /// Every path of every host, by something that knows nothing of haengine; without what undo moved aside, which stays
    /// until the run is forgotten.
    pub fn manifest(&self) -> String {
        crate::look::steady_aside(&self.each_says(MANIFEST))
    }

    /// What a script prints on every host, a line of it behind the host's name.
    pub fn each_says(&self, script: &str) -> String {
        let said = |host: &HostSpec| self.on(&host.name, &format!("{script} | sed 's/^/{} /'", host.name));
        self.hosts.iter().map(said).collect()
    }

    /// The operator's folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Waits for the binary.
pub fn ended(child: Child) -> Given {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Given { code: output.status.code().unwrap_or(-1), out: text(output.stdout), errors: text(output.stderr) }
}

/// Type, mode, owner, link target and content of every path, without what changes by itself: logs, caches, the package
/// manager's lists and backups, and systemd's random seed and clock file.
const MANIFEST: &str = r#"{
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp \
        -o -path /var/log -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/systemd \
        -o -path '/var/lib/dpkg/*-old' -o -path /root/.ssh \) -prune -o -printf '%p %y %m %U %G %l\n'
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp \
        -o -path /var/log -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/systemd \
        -o -path '/var/lib/dpkg/*-old' -o -path /usr/bin -o -path /usr/lib -o -path /usr/share \) -prune \
        -o -type f -print0 | xargs -0 sha256sum
    dpkg-query -W
    systemctl list-unit-files --no-legend --no-pager
    systemctl list-units --type=service --state=running --no-legend --no-pager --plain | cut -d' ' -f1 | grep -v user@
} 2>/dev/null | sort"#;

/// The first lines in which two manifests differ, for a message that can be read.
pub fn differences(before: &str, after: &str) -> String {
    let (old, new): (HashSet<&str>, HashSet<&str>) = (before.lines().collect(), after.lines().collect());
    let gone = before.lines().filter(|line| !new.contains(line)).map(|line| format!("- {line}"));
    let come = after.lines().filter(|line| !old.contains(line)).map(|line| format!("+ {line}"));
    gone.chain(come).take(40).collect::<Vec<_>>().join("\n")
}
