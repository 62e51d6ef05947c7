//! Switching a host on and off.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::{
    Error, Result, cgroup,
    error::At,
    exec::inside_host,
    host::Host,
    limits, mounts, network,
    program::{command, run},
};

/// How long a host may take to shut down before its power is cut.
const GRACE: Duration = Duration::from_secs(20);
/// How long a host may take to boot. It takes about a second where the machine is idle.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a host sees the Kubernetes that it is given.
const KUBERNETES: &str = "/usr/local/lib/kubernetes/bin";

/// Runs nspawn in the host's control groups, and again when the host reboots.
const KEEP: &str = include_str!("../image/keep.sh");

/// Switches `host` on: disk, cable, systemd. Returns before it is ready.
pub(crate) fn start(bridge: &Path, host: &Host, networks: &[[u8; 3]]) -> Result<()> {
    if cgroup::leader(&host.machine)?.is_some() {
        return Ok(());
    }
    // Whatever was left of it by a crash must not meet the new one.
    cgroup::kill_all(&host.machine)?;
    limits::raise()?;
    host.mount()?;
    network::attach(bridge, host, networks)?;
    let console = File::create(host.console()).at("create", &host.console())?;
    let errors = console.try_clone().at("open", &host.console())?;
    // A session of its own: the host outlives the command that made it, and the Ctrl-C of its terminal.
    let mut child = command("setsid")
        .args(["sh", "-c", KEEP, "keep"])
        .arg(&host.namespace)
        .args(cgroup::create(&host.machine)?)
        .arg("--")
        .args(nspawn(host))
        // Without it /proc/sys is read-only, and kubelet and kube-proxy die of that.
        .env("SYSTEMD_NSPAWN_API_VFS_WRITABLE", "1")
        .stdin(Stdio::piped())
        .stdout(console)
        .stderr(errors)
        .spawn()
        .at("run", Path::new("setsid"))?;
    // Until it hears this it does nothing, and from then on `settle` sees it: no crash leaves one that starts later.
    if let Some(mut ear) = child.stdin.take() {
        ear.write_all(b"begin\n").at("start", Path::new("setsid"))?;
    }
    // Somebody has to bury it while this process lives.
    std::thread::spawn(move || child.wait());
    Ok(())
}

/// `--capability=all`, because nspawn keeps the network's capabilities back when it is handed a namespace;
/// but never the clock's: all hosts share the clock of this machine, and no recipe may set it.
/// `/dev/kmsg`, because kubelet does not start without it, and the machine's own is not for hosts to read.
fn nspawn(host: &Host) -> Vec<String> {
    let words = "systemd-nspawn --quiet --register=no --keep-unit --capability=all \
         --drop-capability=CAP_SYS_TIME --resolv-conf=off --timezone=off --link-journal=no \
         --bind=/dev/null:/dev/kmsg --boot";
    let own = [
        // What runc calls: a session of keys for each container, and its devices on control groups of version 2.
        "--system-call-filter=@keyring bpf".to_owned(),
        format!("--machine={}", host.machine),
        format!("--hostname={}", host.spec.hostname),
        format!("--directory={}", host.root().display()),
        format!("--network-namespace-path={}", host.namespace.display()),
    ];
    let shown = host.spec.kubernetes.as_ref().map(|folder| format!("--bind-ro={}:{KUBERNETES}", escape(folder)));
    words.split_whitespace().map(str::to_owned).chain(own).chain(shown).collect()
}

/// nspawn takes paths apart at colons.
fn escape(path: &Path) -> String {
    path.display().to_string().replace('\\', "\\\\").replace(':', "\\:")
}

/// Waits until systemd has started all there is to start and sshd says its name.
pub(crate) fn wait_ready(bridge: &Path, host: &Host) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    wait_for_systemd(host, deadline)?;
    // Nobody hears a host whose cable is out.
    if host.is_cut() { Ok(()) } else { network::inside(bridge, || wait_for_banner(host, deadline)) }
}

/// Shuts `host` down as an operator does, and cuts its power if it takes too long.
pub(crate) fn shut_down(bridge: &Path, host: &Host) -> Result<()> {
    if let Some(nspawn) = cgroup::supervisor(&host.machine)? {
        cgroup::signal(nspawn, Signal::SIGTERM);
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline && !cgroup::processes(&host.machine)?.is_empty() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    cut_power(bridge, host)
}

/// Ends everything of `host` at once; only its disk stays.
pub(crate) fn cut_power(bridge: &Path, host: &Host) -> Result<()> {
    cgroup::kill_all(&host.machine)?;
    network::detach(bridge, host)?;
    mounts::unmount_below(&host.root())?;
    cgroup::remove(&host.machine)
}

fn wait_for_systemd(host: &Host, deadline: Instant) -> Result<()> {
    let mut said = String::new();
    while Instant::now() < deadline {
        if let Some(leader) = cgroup::leader(&host.machine)? {
            // Until its bus is there, systemctl fails at once.
            let mut ask = inside_host(leader, &["systemctl", "is-system-running", "--wait"]);
            said = ask.output().map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned()).unwrap_or_default();
            match said.as_str() {
                "running" => return Ok(()),
                "degraded" => return Err(degraded(host, leader)),
                _ => {}
            }
        } else if cgroup::processes(&host.machine)?.is_empty() && deadline - Instant::now() < PATIENCE * 29 / 30 {
            return Err(not_ready(host, "it ended while it booted"));
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    Err(not_ready(host, &format!("systemd says `{said}`")))
}

fn wait_for_banner(host: &Host, deadline: Instant) -> Result<()> {
    let address = SocketAddr::from((host.spec.address, host.spec.port));
    while Instant::now() < deadline {
        if banner(address).is_some_and(|line| line.starts_with("SSH-2.0-")) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    Err(not_ready(host, &format!("nothing like sshd answers at {address}")))
}

fn banner(address: SocketAddr) -> Option<String> {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).ok()?;
    Some(line)
}

fn degraded(host: &Host, leader: i32) -> Error {
    let list = ["systemctl", "list-units", "--failed", "--plain", "--no-legend"];
    let failed = run(&mut inside_host(leader, &list)).unwrap_or_default();
    let units: Vec<&str> = failed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    not_ready(host, &format!("these units failed: {}", units.join(", ")))
}

fn not_ready(host: &Host, why: &str) -> Error {
    Error::new("lab.boot", format!("host `{}` does not get ready: {why}", host.spec.name))
        .hint(format!("look at its console in `{}`", host.console().display()))
}
