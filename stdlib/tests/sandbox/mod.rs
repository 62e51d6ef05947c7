//! A host for file verbs that is this machine's own `sh` in a view of its own: `/var/lib` and `/srv` are empty folders
//! on two mounts, so that nothing of the real system is touched. Commands can be stopped at the n-th program that
//! writes, as a lost host would.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::event::Events;
use haengine_kernel::host::{Host, Hosts};
use haengine_kernel::inventory::{Become, HostKeyPolicy, HostSpec, Inventory};
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Op, Plan, Standing};
use haengine_kernel::transport::{Command, Connect, Duplex, Exit, Output, Stream, Transport};
use haengine_kernel::value::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

/// Enters the view. `$1` is the sandbox, `$2` the shell, `$3` what it runs, `$4` where the writing programs stop, `$5` what is
/// done there instead.
const ENTER: &str = r#"
if [ -d "$1/lower" ]; then
    mount -t overlay -o "redirect_dir=off,lowerdir=$1/lower,upperdir=$1/lib,workdir=$1/work" none /var/lib || exit 99
else
    mount --bind "$1/lib" /var/lib || exit 99
fi
mount --bind "$1/srv" /srv || exit 99
if [ -d "$1/srv/with a mount/point" ]; then mount -t tmpfs none "/srv/with a mount/point" || exit 99; fi
if [ -z "$5" ]; then echo 0 >"$1/count"; fi
shell=$2
if [ "$2" = busybox ]; then PATH="$1/applets:$PATH" shell=$1/applets/sh; fi
export SANDBOX="$1" STOP="$4" DEED="$5" PATH="$1/programs:$PATH"
exec "$shell" -c "$3"
"#;

/// Stands before every program that writes: at the n-th one the shell that called it dies, or somebody else does something.
const PROGRAM: &str = r#"#!/bin/sh
read -r count <"$SANDBOX/count"
count=$((count + 1))
echo "$count" >"$SANDBOX/count"
PATH=${PATH#*:}
if [ "$count" = "$STOP" ] && [ -n "$DEED" ]; then
    sh -c "$DEED"
elif [ "$count" = "$STOP" ]; then
    kill -9 "$PPID"
    exit 1
fi
exec "${0##*/}" "$@"
"#;

const WRITERS: [&str; 10] = ["mkdir", "ln", "cp", "mv", "dd", "chown", "chmod", "rm", "rmdir", "touch"];

/// What is on a host, as undo must restore it.
pub type Manifest = BTreeMap<String, String>;

/// The host, and its files seen from outside.
pub struct Sandbox {
    folder: TempDir,
    stop: Arc<AtomicU32>,
    deed: Arc<Mutex<&'static str>>,
    _hosts: Arc<Hosts>,
    /// The host.
    pub host: Arc<Host>,
}

impl Sandbox {
    /// A fresh host whose commands run in `shell`; with `busybox`, all programs that it has are busybox's.
    pub fn new(shell: &'static str) -> Sandbox {
        let folder = tempfile::tempdir().unwrap();
        for name in ["lib", "srv", "programs"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        for name in WRITERS {
            let program = folder.path().join("programs").join(name);
            std::fs::write(&program, PROGRAM).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        if shell == "busybox" {
            let applets = folder.path().join("applets");
            std::fs::create_dir(&applets).unwrap();
            let install = std::process::Command::new("busybox").args(["--install", "-s"]).arg(&applets).status();
            assert!(install.unwrap().success());
        }
        let stop = Arc::new(AtomicU32::new(0));
        let deed = Arc::new(Mutex::new(""));
        let path = folder.path().display().to_string();
        let local = Local { folder: path, shell, stop: stop.clone(), deed: deed.clone() };
        let inventory = Inventory { hosts: vec![spec()], ..Inventory::default() };
        let hosts =
            Hosts::new(Arc::new(inventory), Arc::new(Connector(local)), Events::channel().0, CancellationToken::new());
        let host = hosts.get("a").unwrap();
        Sandbox { folder, stop, deed, _hosts: hosts, host }
    }

    /// Puts all that is below `/var/lib` into the lower layer of an overlay, as the lab's hosts have it.
    #[allow(dead_code, reason = "not every file of tests has an overlay")]
    pub fn freeze(&self) {
        let folder = self.folder.path();
        std::fs::rename(folder.join("lib"), folder.join("lower")).unwrap();
        std::fs::create_dir(folder.join("lib")).unwrap();
        std::fs::create_dir(folder.join("work")).unwrap();
    }

    /// As [`manifest`](Sandbox::manifest), of `/var/lib` as the host sees it.
    #[allow(dead_code, reason = "not every file of tests has an overlay")]
    pub async fn seen(&self) -> Manifest {
        self.given("rm -rf \"$SANDBOX/seen\"; cp -a /var/lib \"$SANDBOX/seen\"").await;
        let mut manifest = Manifest::new();
        walk(&self.folder.path().join("seen"), "/lib", &mut manifest);
        without_kept(manifest)
    }

    /// Stops each command at the n-th program that writes; 0 lets them run.
    pub fn stop_at(&self, count: u32) {
        self.stop.store(count, Ordering::Relaxed);
    }

    /// Somebody does `deed` right before the n-th program that writes from now on, counted over all commands.
    #[allow(dead_code, reason = "not every file of tests has somebody else")]
    pub fn meet_at(&self, count: u32, deed: &'static str) {
        std::fs::write(self.folder.path().join("count"), "0\n").unwrap();
        *self.deed.lock().unwrap() = deed;
        self.stop_at(count);
    }

    /// Nobody does anything from now on. True when somebody did.
    #[allow(dead_code, reason = "not every file of tests has somebody else")]
    pub fn has_met(&self) -> bool {
        *self.deed.lock().unwrap() = "";
        let count = std::fs::read_to_string(self.folder.path().join("count")).unwrap();
        count.trim().parse::<u32>().unwrap() >= self.stop.swap(0, Ordering::Relaxed)
    }

    /// Prepares the host with POSIX sh.
    pub async fn given(&self, script: &str) {
        self.host.ok(&Command::script(script)).await.unwrap();
    }

    /// Every path on both mounts with its sort, mode, owner, content and, except for directories, its time.
    pub fn manifest(&self) -> Manifest {
        let mut manifest = Manifest::new();
        for name in ["lib", "srv"] {
            let folder = self.folder.path().join(name);
            walk(&folder, &format!("/{name}"), &mut manifest);
        }
        without_kept(manifest)
    }

    /// Observes, plans and applies as a run does. Gives what the journal would hold of it.
    pub async fn ensure<O: Op>(&self, op: &O, keep: &Keep) -> Ensured {
        let state = op.observe(&self.host).await.unwrap();
        match op.plan(&state).unwrap() {
            Plan::Unchanged => Ensured { before: None, result: Ok(()) },
            Plan::Change(change) => {
                let before = serde_json::to_value(&change.before).unwrap();
                let result = op.apply(&self.host, &change.before, keep).await;
                Ensured { before: Some(before), result }
            }
        }
    }

    /// Undoes a change that was made, from what the journal holds, as the kernel does; says where the host stood.
    pub async fn undo<O: Op>(&self, op: &O, before: &serde_json::Value, keep: &Keep) -> Result<Standing> {
        self.take_back(op, before, keep, false).await
    }

    /// Undoes a change that broke off.
    pub async fn clean_up<O: Op>(&self, op: &O, before: &serde_json::Value, keep: &Keep) -> Result<Standing> {
        self.take_back(op, before, keep, true).await
    }

    async fn take_back<O: Op>(
        &self,
        op: &O,
        before: &serde_json::Value,
        keep: &Keep,
        broken: bool,
    ) -> Result<Standing> {
        let op: O = serde_json::from_value(serde_json::to_value(op).unwrap()).unwrap();
        let before: O::Before = serde_json::from_value(before.clone()).unwrap();
        let keep = &Keep { made: !broken, ..keep.clone() };
        let stood = op.standing(&op.revisit(&self.host, keep).await?, &before, keep);
        if stood == Standing::Ours || (broken && stood == Standing::AsBefore) {
            op.undo(&self.host, &before, keep).await?;
            let stands = op.standing(&op.revisit(&self.host, keep).await?, &before, keep);
            assert_eq!(stands, Standing::AsBefore, "{} is not as before", op.target());
        }
        Ok(stood)
    }
}

/// What came of an op.
pub struct Ensured {
    /// What the journal would hold; none when nothing had to change.
    pub before: Option<serde_json::Value>,
    /// How apply ended.
    pub result: Result<()>,
}

/// The ops of a call.
#[allow(dead_code, reason = "not every file of tests needs it")]
pub fn ops<O: Op, const N: usize>(positional: Vec<Value>, options: [(&str, Value); N]) -> Vec<O> {
    let options = options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let positional = std::iter::once(Value::Null).chain(positional).collect();
    O::parse(&Arguments::check(O::NAME, &O::SIGNATURE, positional, Some(options)).unwrap()).unwrap()
}

/// The one op of a call.
#[allow(dead_code, reason = "not every file of tests needs it")]
pub fn op<O: Op, const N: usize>(positional: Vec<Value>, options: [(&str, Value); N]) -> O {
    ops(positional, options).remove(0)
}

/// The kept files of a change.
pub fn keep(change: u64) -> Keep {
    Keep { run: "run-1".to_owned(), change, nonce: format!("n0nce{change}"), made: false }
}

/// The laws for one op in one situation where nothing breaks off, in dash and in bash: for further situations of an op
/// whose breaks [`laws`] goes through.
#[allow(dead_code, reason = "not every file of tests has such situations")]
pub async fn laws_unbroken<O: Op>(given: &str, op: &O) {
    for shell in ["dash", "bash"] {
        restores(shell, given, op).await;
    }
}

/// The laws for one op in one situation, in dash and in bash, and stopped at every program that writes.
pub async fn laws<O: Op>(given: &str, op: &O) {
    laws_unbroken(given, op).await;
    for count in 1.. {
        if !survives_a_stop_in_apply(given, op, count).await {
            assert!(count > 1, "no program of apply could be stopped");
            break;
        }
    }
    for count in 1.. {
        if !survives_a_stop_in_undo(given, op, count).await {
            break;
        }
    }
}

async fn restores<O: Op>(shell: &'static str, given: &str, op: &O) {
    let sandbox = Sandbox::new(shell);
    sandbox.given(given).await;
    let was = sandbox.manifest();
    let done = sandbox.ensure(op, &keep(1)).await;
    done.result.unwrap();
    let before = done.before.unwrap_or_else(|| panic!("{} had nothing to do in {given}", O::NAME));
    assert_ne!(sandbox.manifest(), was);
    assert!(sandbox.ensure(op, &keep(2)).await.before.is_none(), "{} again is a change in {shell}", O::NAME);
    assert_eq!(sandbox.undo(op, &before, &keep(1)).await.unwrap(), Standing::Ours);
    assert_eq!(sandbox.manifest(), was, "{shell}");
    assert_eq!(sandbox.undo(op, &before, &keep(1)).await.unwrap(), Standing::AsBefore);
}

async fn survives_a_stop_in_apply<O: Op>(given: &str, op: &O, count: u32) -> bool {
    let sandbox = Sandbox::new("dash");
    sandbox.given(given).await;
    let was = sandbox.manifest();
    sandbox.stop_at(count);
    let broken = sandbox.ensure(op, &keep(1)).await;
    sandbox.stop_at(0);
    let before = broken.before.unwrap();
    if broken.result.is_ok() {
        return false;
    }
    sandbox.clean_up(op, &before, &keep(1)).await.unwrap();
    assert_eq!(sandbox.manifest(), was, "undone after a stop at {count}");

    // The same break, then the run goes on, and all of it is undone.
    sandbox.stop_at(count);
    let before = sandbox.ensure(op, &keep(3)).await.before.unwrap();
    sandbox.stop_at(0);
    let resumed = sandbox.ensure(op, &keep(4)).await;
    resumed.result.unwrap();
    if let Some(before) = &resumed.before {
        sandbox.undo(op, before, &keep(4)).await.unwrap();
    }
    sandbox.clean_up(op, &before, &keep(3)).await.unwrap();
    assert_eq!(sandbox.manifest(), was, "undone after a stop at {count} and a resume");
    true
}

async fn survives_a_stop_in_undo<O: Op>(given: &str, op: &O, count: u32) -> bool {
    let sandbox = Sandbox::new("dash");
    sandbox.given(given).await;
    let was = sandbox.manifest();
    let before = sandbox.ensure(op, &keep(1)).await.before.unwrap();
    sandbox.stop_at(count);
    let whole = sandbox.undo(op, &before, &keep(1)).await.is_ok();
    sandbox.stop_at(0);
    if whole {
        return false;
    }
    sandbox.undo(op, &before, &keep(1)).await.unwrap();
    assert_eq!(sandbox.manifest(), was, "undone again after a stop at {count}");
    true
}

/// The kernel removes the folder when a run is undone.
fn without_kept(mut manifest: Manifest) -> Manifest {
    let kept = |path: &str| ["/lib/haengine", "/srv/.haengine"].iter().any(|folder| path.starts_with(folder));
    manifest.retain(|path, _| !kept(path));
    manifest
}

fn walk(folder: &Path, name: &str, manifest: &mut Manifest) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        let path = entry.path();
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        let data = std::fs::symlink_metadata(&path).unwrap();
        let content = if data.is_symlink() {
            std::fs::read_link(&path).unwrap().display().to_string()
        } else if data.is_file() {
            format!("{:?}", std::fs::read(&path).unwrap())
        } else {
            walk(&path, &name, manifest);
            String::new()
        };
        let time = if data.is_dir() { (0, 0) } else { (data.mtime(), data.mtime_nsec()) };
        let about = format!("{:o} {}:{} {time:?} {content}", data.mode(), data.uid(), data.gid());
        manifest.insert(name, about);
    }
}

#[derive(Clone)]
struct Local {
    folder: String,
    shell: &'static str,
    stop: Arc<AtomicU32>,
    deed: Arc<Mutex<&'static str>>,
}

impl Local {
    fn start(&self, command: &Command) -> tokio::process::Child {
        let stop = self.stop.load(Ordering::Relaxed).to_string();
        let deed = self.deed.lock().unwrap().to_string();
        tokio::process::Command::new("unshare")
            .args(["-m", "sh", "-c", ENTER, "sh", &self.folder, self.shell, &command.to_sh(), &stop, &deed])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }
}

struct Connector(Local);

#[async_trait]
impl Connect for Connector {
    async fn connect(&self, _host: &HostSpec) -> Result<Arc<dyn Transport>> {
        Ok(Arc::new(self.0.clone()))
    }
}

#[async_trait]
impl Transport for Local {
    async fn exec(&self, command: &Command) -> Result<Output> {
        let mut child = self.start(command);
        let mut stdin = child.stdin.take().unwrap();
        let input = command.stdin.clone();
        let feed = tokio::spawn(async move {
            if let Some(text) = input {
                let _ = stdin.write_all(text.expose().as_bytes()).await;
            }
        });
        let output = child.wait_with_output().await.unwrap();
        feed.await.unwrap();
        let exit = output.status.code().map_or_else(|| Exit::Signal("KILL".to_owned()), Exit::Status);
        Ok(Output { exit, stdout: output.stdout, stderr: output.stderr })
    }

    async fn stream(&self, command: &Command) -> Result<Stream> {
        let mut child = self.start(command);
        Ok(Stream {
            stdin: Box::new(child.stdin.take().unwrap()),
            stdout: Box::new(child.stdout.take().unwrap()),
            stderr: Box::new(child.stderr.take().unwrap()),
            exit: Box::pin(async move {
                Ok(child.wait().await.unwrap().code().map_or_else(|| Exit::Signal("KILL".to_owned()), Exit::Status))
            }),
        })
    }

    async fn open_tcp(&self, _address: &str, _port: u16) -> Result<Box<dyn Duplex>> {
        Err(Error::new(Kind::Local, "local.tcp", "no connections here"))
    }

    async fn close(&self) {}
}

fn spec() -> HostSpec {
    HostSpec {
        name: "a".to_owned(),
        address: "127.0.0.1".to_owned(),
        port: 22,
        user: "root".to_owned(),
        identity_files: Vec::new(),
        passphrase: None,
        agent: false,
        known_hosts: "/dev/null".into(),
        host_key: HostKeyPolicy::Strict,
        escalation: Become::No,
        jump: None,
        node_name: None,
        connect_timeout: std::time::Duration::from_secs(5),
        vars: BTreeMap::new(),
    }
}
