//! `file::copy_tree` between two hosts that are this machine: what it copies, refuses, survives and takes back.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod local;
#[allow(dead_code, reason = "not every file of tests needs all of it")]
mod sandbox;

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Result};
use haengine_kernel::event::{Event, Events, Stamped};
use haengine_kernel::host::{Host, Hosts};
use haengine_kernel::inventory::HostSpec;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Op, Plan, Standing};
use haengine_kernel::overlay::{Effect, PlannedFile};
use haengine_kernel::text::Text;
use haengine_kernel::transport::{Command, Connect, Duplex, Output, Stream, Transport};
use haengine_kernel::value::Value;
use haengine_stdlib::file::CopyTree;
use local::Local;
use sandbox::Sandbox;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

type Before = <CopyTree as Op>::Before;

/// Kills the host's shell where a script comes to this text.
type Fault = Arc<Mutex<Option<(&'static str, &'static str)>>>;

struct Faulty(Fault);

impl Faulty {
    fn broken(&self, command: &Command) -> Command {
        let script = command.to_sh();
        match *self.0.lock().unwrap() {
            Some((at, instead)) if script.contains(at) => {
                let mut broken = Command::script(script.replacen(at, instead, 1));
                broken.stdin = command.stdin.clone();
                broken
            }
            _ => command.clone(),
        }
    }
}

#[async_trait]
impl Transport for Faulty {
    async fn exec(&self, command: &Command) -> Result<Output> {
        Local.exec(&self.broken(command)).await
    }

    async fn stream(&self, command: &Command) -> Result<Stream> {
        Local.stream(&self.broken(command)).await
    }

    async fn open_tcp(&self, address: &str, port: u16) -> Result<Box<dyn Duplex>> {
        Local.open_tcp(address, port).await
    }

    async fn close(&self) {}
}

#[async_trait]
impl Connect for Faulty {
    async fn connect(&self, _host: &HostSpec) -> Result<Arc<dyn Transport>> {
        Ok(Arc::new(Faulty(self.0.clone())))
    }
}

/// A source, a place for a target, and two hosts.
struct Bench {
    folder: tempfile::TempDir,
    _hosts: Arc<Hosts>,
    host: Arc<Host>,
    other: Arc<Host>,
    events: UnboundedReceiver<Stamped>,
    fault: Fault,
    keep: Keep,
}

impl Bench {
    fn new() -> Bench {
        // Memory is a mount of its own nearly everywhere: kept files do not go to this machine's `/var/lib`.
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        let (sender, events) = Events::channel();
        let fault = Fault::default();
        let (hosts, other) = local::hosts_through(Arc::new(Faulty(fault.clone())), sender, CancellationToken::new());
        let host = hosts.get("b").unwrap();
        let run = format!("test-{}", folder.path().file_name().unwrap().to_string_lossy());
        std::fs::create_dir(folder.path().join("from")).unwrap();
        Bench { folder, _hosts: hosts, host, other, events, fault, keep: Keep::new(run, 7) }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    /// Writes `from/…` or `to/…`, with the directories above.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn op(&self, options: &[(&str, Value)]) -> CopyTree {
        self.op_between(&self.path("from"), &self.path("to"), options).unwrap()
    }

    fn op_between(&self, from: &str, to: &str, options: &[(&str, Value)]) -> Result<CopyTree> {
        let positional = vec!["a".into(), from.into(), Value::Null, to.into()];
        let options: BTreeMap<String, Value> =
            options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let arguments = Arguments::check("file::copy_tree", &CopyTree::SIGNATURE, positional, Some(options))?;
        Ok(CopyTree::parse(&arguments)?.remove(0))
    }

    async fn plan(&self, op: &CopyTree) -> Result<Option<Change<<CopyTree as Op>::Before>>> {
        match op.plan(&op.observe(&self.host).await?)? {
            Plan::Unchanged => Ok(None),
            Plan::Change(change) => Ok(Some(change)),
        }
    }

    async fn refused(&self, op: &CopyTree) -> Error {
        match self.plan(op).await {
            Err(error) => error,
            Ok(_) => panic!("was not refused"),
        }
    }

    /// As the kernel does it: from what the journal has, and also after an apply that broke before it was seen.
    async fn undo(&self, op: &CopyTree, before: &<CopyTree as Op>::Before, keep: &Keep) -> Standing {
        let op: CopyTree = reread(op);
        let before: <CopyTree as Op>::Before = reread(before);
        let standing = op.standing(&op.revisit(&self.host, keep).await.unwrap(), &before, keep);
        if !matches!(standing, Standing::Foreign(_)) {
            assert_eq!(op.undo(&self.host, &before, keep).await.unwrap(), []);
            let after = op.standing(&op.revisit(&self.host, keep).await.unwrap(), &before, keep);
            assert_eq!(after, Standing::AsBefore);
        }
        standing
    }

    /// Plan, apply, plan again, undo: the laws. Leaves the target as it was.
    async fn obeys(&self, op: &CopyTree) -> Change<<CopyTree as Op>::Before> {
        let was = snapshot(self.folder.path());
        let change = self.plan(op).await.unwrap().unwrap();
        assert_eq!(snapshot(self.folder.path()), was, "a plan touches nothing");
        op.apply(&self.host, &change.before, &self.keep).await.unwrap();
        assert!(self.plan(op).await.unwrap().is_none(), "a second time changes nothing");
        assert_eq!(self.undo(op, &change.before, &self.keep).await, Standing::Ours);
        assert_eq!(snapshot(self.folder.path()), was, "undo restores");
        assert_eq!(self.undo(op, &change.before, &self.keep).await, Standing::AsBefore);
        self.assert_nothing_kept();
        change
    }

    fn assert_nothing_kept(&self) {
        assert!(!Path::new(&format!("{}/7.tree", self.keep.folder_on("/dev/shm"))).exists());
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.keep.folder_on("/dev/shm"));
        let _ = std::fs::remove_dir("/dev/shm/.haengine");
    }
}

fn reread<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_value(serde_json::to_value(value).unwrap()).unwrap()
}

/// Everything below a folder: kind, mode, owner, content or link target, and the time of files.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let kind = if meta.is_dir() {
                folders.push(path.clone());
                "directory".to_owned()
            } else if meta.is_symlink() {
                format!("link to {:?}", path.read_link().unwrap())
            } else if meta.is_file() {
                format!("{}.{} {:?}", meta.mtime(), meta.mtime_nsec(), std::fs::read(&path).unwrap())
            } else {
                "special".to_owned()
            };
            let owner = format!("{:o} {}:{}", meta.mode(), meta.uid(), meta.gid());
            found.insert(path, format!("{owner} {kind}"));
        }
    }
    found
}

/// The same, relative to the folder, for comparing two trees.
fn content(folder: &str) -> BTreeMap<PathBuf, String> {
    let folder = Path::new(folder);
    snapshot(folder).into_iter().map(|(path, what)| (path.strip_prefix(folder).unwrap().to_owned(), what)).collect()
}

fn mode(path: impl AsRef<Path>, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn strange(bench: &Bench) {
    for name in
        ["with space", "it's", "\"q\"", "new\nline", "-rf", "über", "back\\slash\\n", "$HOME", "a\tb", "*", "token"]
    {
        bench.write(&format!("from/dir/{name}"), name);
        bench.write(&format!("from/{name}.d/{name}"), [0, 159, 146, 150]);
    }
    bench.write("from/empty", "");
    mode(bench.write("from/bin/tool", "#!/bin/sh\n"), 0o4751);
    std::fs::create_dir(bench.path("from/bare")).unwrap();
    mode(bench.path("from/bare"), 0o2700);
    symlink("bin/tool", bench.path("from/link")).unwrap();
    symlink("../no where", bench.path("from/dir/dangling")).unwrap();
    std::fs::hard_link(bench.path("from/bin/tool"), bench.path("from/bin/alias")).unwrap();
}

#[tokio::test]
async fn a_fresh_tree_comes_with_all_that_it_has() {
    let bench = Bench::new();
    strange(&bench);
    let op = bench.op(&[]);
    bench.obeys(&op).await;
    let change = bench.plan(&op).await.unwrap().unwrap();
    op.apply(&bench.host, &change.before, &bench.keep).await.unwrap();
    assert_eq!(content(&bench.path("to")), content(&bench.path("from")));
    let inode = |name: &str| std::fs::metadata(bench.path(name)).unwrap().ino();
    assert_eq!(inode("to/bin/alias"), inode("to/bin/tool"));
    assert!(!Path::new(&format!("{}/7.tree/new", bench.keep.folder_on("/dev/shm"))).exists());
}

/// In the stream, in a folder that is new, in one that is there, and under a name that is no text.
#[tokio::test]
async fn what_was_not_asked_for_is_not_placed() {
    let evil = |name: &'static str| ("exec tar -c", name);
    let cases = [
        evil("touch ../evil; chmod 4755 ../evil; exec tar -c -P ../evil --transform s,.*evil,./evil,"),
        evil("touch ../evil; chmod 4755 ../evil; exec tar -c -P ../evil --transform s,.*evil,./new/evil,"),
        evil("touch ../evil; chmod 4755 ../evil; exec tar -c -P ../evil --transform s,.*evil,./old/evil,"),
        evil("mkdir -p ../evil; exec tar -c -P ../evil --transform s,.*evil,./old/evil,"),
        evil("touch ../evil; exec tar -c -P ../evil --transform \"s,.*evil,./$(printf '\\377'),\""),
    ];
    for (at, instead) in cases {
        for fresh in [true, false] {
            let bench = Bench::new();
            bench.write("from/new/a", "a");
            bench.write("from/old/b", "b");
            if !fresh {
                bench.write("to/old/mine", "mine");
            }
            let op = bench.op(&[]);
            let change = bench.plan(&op).await.unwrap().unwrap();
            let was = if fresh { BTreeMap::new() } else { content(&bench.path("to")) };
            *bench.fault.lock().unwrap() = Some((at, instead));
            let error = op.apply(&bench.host, &change.before, &bench.keep).await.unwrap_err();
            assert!(matches!(error.code(), "file.not_asked_for" | "file.source_changed"), "{instead}: {error}");
            if fresh {
                assert!(!Path::new(&bench.path("to")).exists());
            } else {
                assert_eq!(content(&bench.path("to")), was, "{instead}");
            }
        }
    }
}

/// Sets or lists extended attributes: few hosts have a program for that.
fn attributes(bench: &Bench, script: &str) -> String {
    let perl = r#"
        my ($set, $list) = `uname -m` =~ /x86_64/ ? (188, 194) : (5, 11);
        sub set { my ($path, $name, $value) = @_; syscall($set, $path, $name, $value, length $value, 0) == 0 or die "$name: $!" }
        sub list {
            my ($path, $names) = ($_[0], "\0" x 4096);
            print join " ", sort grep { !/^security.selinux/ } split /\0/, substr($names, 0, syscall($list, $path, $names, 4096));
        }
    "#;
    let mut command = std::process::Command::new("perl");
    let done = command.current_dir(bench.folder.path()).arg("-e").arg(format!("{perl}{script}")).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// Neither those that a source sends of itself, nor those that it is made to.
#[tokio::test]
async fn an_attribute_that_gives_rights_does_not_come_along() {
    for instead in ["exec tar -c -b 128", "exec tar -c --xattrs-include=* -b 128"] {
        for fresh in [true, false] {
            let bench = Bench::new();
            bench.write("from/tool", "tool");
            if !fresh {
                bench.write("to/tool", "older tool");
            }
            // What `setcap cap_setuid=ep` writes.
            let names = attributes(
                &bench,
                r#"set("from/tool", "security.capability", pack "V*", 0x02000001, 1 << 7, 0, 0, 0);
                set("from/tool", "trusted.mine", "x"); list "from/tool""#,
            );
            assert_eq!(names, "security.capability trusted.mine");
            let op = bench.op(&[]);
            let change = bench.plan(&op).await.unwrap().unwrap();
            if Path::new("/usr/sbin/getcap").exists() {
                assert!(change.summary.ends_with("without the capabilities of `tool`"), "{}", change.summary);
            }
            *bench.fault.lock().unwrap() = Some(("exec tar -c -b 128", instead));
            op.apply(&bench.host, &change.before, &bench.keep).await.unwrap();
            assert_eq!(std::fs::read(bench.path("to/tool")).unwrap(), b"tool");
            assert_eq!(attributes(&bench, r#"list "to/tool""#), "", "{instead}, fresh: {fresh}");
        }
    }
}

/// A header for all that follows, or for one file, that says other things than the file system does.
#[tokio::test]
async fn a_header_of_the_stream_changes_nothing_that_was_planned() {
    for header in
        ["uid=1", "mode=04755", "path=../evil", "linkpath=/etc/passwd", "SCHILY.xattr.security.capability=abc"]
    {
        for separator in ["=", ":="] {
            let bench = Bench::new();
            bench.write("from/tool", "tool");
            let op = bench.op(&[]);
            let change = bench.plan(&op).await.unwrap().unwrap();
            let option = format!("exec tar -c --pax-option='{}' -b 128", header.replacen('=', separator, 1));
            *bench.fault.lock().unwrap() = Some(("exec tar -c -b 128", Box::leak(option.into_boxed_str())));
            let applied = op.apply(&bench.host, &change.before, &bench.keep).await;
            assert!(!Path::new(&bench.path("evil")).exists(), "{header}");
            if applied.is_err() {
                assert!(!Path::new(&bench.path("to")).exists(), "{header}");
                continue;
            }
            let there = std::fs::symlink_metadata(bench.path("to/tool")).unwrap();
            assert_eq!((there.mode() & 0o7777, there.uid(), there.is_file()), (0o644, 0, true), "{header}");
            assert_eq!(attributes(&bench, r#"list "to/tool""#), "", "{header}");
        }
    }
}

#[tokio::test]
async fn a_stream_without_end_is_cut() {
    let bench = Bench::new();
    bench.write("from/a", "a");
    let op = bench.op(&[]);
    let change = bench.plan(&op).await.unwrap().unwrap();
    std::fs::File::create(bench.path("huge")).unwrap().set_len(1 << 40).unwrap();
    *bench.fault.lock().unwrap() = Some(("--sparse", "-P ../huge"));
    let error = op.apply(&bench.host, &change.before, &bench.keep).await.unwrap_err();
    assert_eq!(error.code(), "host.too_much", "{error}");
    assert!(!Path::new(&bench.path("to")).exists());
}

#[tokio::test]
async fn strange_names_are_replaced_and_given_back() {
    let bench = Bench::new();
    strange(&bench);
    let op = bench.op(&[]);
    let change = bench.plan(&op).await.unwrap().unwrap();
    op.apply(&bench.host, &change.before, &Keep { change: 6, ..bench.keep.clone() }).await.unwrap();
    for name in
        ["with space", "it's", "\"q\"", "new\nline", "-rf", "über", "back\\slash\\n", "$HOME", "a\tb", "*", "token"]
    {
        bench.write(&format!("to/dir/{name}"), "changed on the target");
        bench.write(&format!("from/{name}.d/new/{name}"), "new below");
    }
    std::fs::remove_file(bench.path("to/link")).unwrap();
    symlink("elsewhere", bench.path("to/link")).unwrap();
    let change = bench.obeys(&op).await;
    assert!(change.summary.starts_with("11 new, 11 new directories, 12 differ, "), "{}", change.summary);
}

/// A target that has a bit of everything: same, older, other rights, extras, missing parts.
fn older(bench: &Bench) {
    for name in ["same", "differs", "rights", "sub/deep/differs", "sub/new", "fresh/a/b", "fresh/c"] {
        mode(bench.write(&format!("from/{name}"), name), 0o640);
    }
    for (name, text) in [("differs", "old"), ("sub/deep/differs", "old"), ("sub/extra", "stays"), ("extra", "stays")] {
        mode(bench.write(&format!("to/{name}"), text), 0o600);
    }
    for name in ["same", "rights"] {
        let time = std::fs::metadata(bench.path(&format!("from/{name}"))).unwrap().modified().unwrap();
        let path = bench.write(&format!("to/{name}"), name);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        mode(&path, if name == "same" { 0o640 } else { 0o644 });
    }
    mode(bench.path("from/sub/deep"), 0o711);
    mode(bench.path("to"), 0o750);
}

#[tokio::test]
async fn a_merge_sends_what_differs_and_keeps_extras() {
    let bench = Bench::new();
    older(&bench);
    let op = bench.op(&[]);
    let change = bench.obeys(&op).await;
    assert_eq!(change.summary, "3 new, 2 new directories, 2 differ, 2 with other rights, 46 B");
    let diff = change.diff.unwrap();
    assert!(diff.text().contains("+0640 0:0 7 B, other content  differs\n"), "{}", diff.text());
    // The files that undo has put back are others.
    let change = bench.plan(&op).await.unwrap().unwrap();
    op.apply(&bench.host, &change.before, &bench.keep).await.unwrap();
    let (from, to) = (content(&bench.path("from")), content(&bench.path("to")));
    assert!(from.iter().all(|(path, what)| to[path] == *what));
    assert!(to.contains_key(Path::new("extra")) && to.contains_key(Path::new("sub/extra")));
    assert_eq!(std::fs::metadata(bench.path("to")).unwrap().mode() & 0o777, 0o750);
}

#[tokio::test]
async fn what_is_excluded_is_not_looked_at_on_either_side() {
    let bench = Bench::new();
    for name in ["logs/a", "logs/b/c", "cfg/x", "ssl/kubelet.key", "ssl/ca.pem", "deep/x.tmp", "deep/y", "cache/x"] {
        bench.write(&format!("from/{name}"), "x");
    }
    bench.write("to/ssl/kubelet.key", "the target's own");
    std::fs::create_dir(bench.path("to/cache.d")).unwrap();
    let globs = ["logs/*", "cfg/*", "ssl/kubelet*", "**/*.tmp", "cache"].map(Value::from).to_vec();
    let op = bench.op(&[("exclude", Value::List(globs))]);
    let change = bench.obeys(&op).await;
    op.apply(&bench.host, &change.before, &bench.keep).await.unwrap();
    let found: Vec<PathBuf> = content(&bench.path("to")).into_keys().collect();
    let expected = ["cache.d", "cfg", "deep", "deep/y", "logs", "ssl", "ssl/ca.pem", "ssl/kubelet.key"];
    assert_eq!(found, expected.map(PathBuf::from));
    assert_eq!(std::fs::read_to_string(bench.path("to/ssl/kubelet.key")).unwrap(), "the target's own");
}

#[tokio::test]
async fn size_and_time_then_hash_decide() {
    let bench = Bench::new();
    let past = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let set =
        |path: PathBuf, time| std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    set(bench.write("from/x", "abc"), past);
    set(bench.write("to/x", "abc"), past + std::time::Duration::from_nanos(1));
    assert!(bench.plan(&bench.op(&[])).await.unwrap().is_none(), "only the time differs");
    set(bench.write("to/x", "xyz"), past);
    assert!(bench.plan(&bench.op(&[])).await.unwrap().is_none(), "size and time are the same");
    let change = bench.obeys(&bench.op(&[("checksum", Value::Boolean(true))])).await;
    assert_eq!(change.summary, "1 differ, 3 B");
}

#[tokio::test]
async fn what_must_not_be_touched_is_refused() {
    let bench = Bench::new();
    bench.write("from/dir/x", "x");
    let code = async |from: &str, to: &str| {
        let op = bench.op_between(&bench.path(from), &bench.path(to), &[]).unwrap();
        let error = bench.refused(&op).await;
        assert!(error.advice().is_some());
        (error.code(), error.host().map(str::to_owned))
    };
    assert_eq!(code("no", "to").await, ("file.missing", Some("a".to_owned())));
    assert_eq!(code("from/dir/x", "to").await, ("file.no_directory", Some("a".to_owned())));
    assert_eq!(code("from", "from/dir/x").await.0, "file.no_directory");
    assert_eq!(code("from", "no/to").await.0, "file.no_parent");
    bench.write("to/dir", "a file where the source has a directory");
    assert_eq!(code("from", "to").await.0, "file.conflict");
    let glob = bench.op_between("/a", "/b", &[("exclude", "/abs".into())]);
    assert_eq!(glob.unwrap_err().code(), "file.glob");
    assert_eq!(bench.op_between("/a/../b", "/b", &[]).unwrap_err().code(), "file.path");
}

#[tokio::test]
async fn a_host_may_copy_to_itself_but_not_into_the_tree() {
    let mut bench = Bench::new();
    bench.write("from/x", "x");
    std::mem::swap(&mut bench.host, &mut bench.other);
    bench.obeys(&bench.op(&[])).await;
    let inside = bench.op_between(&bench.path("from"), &bench.path("from/y"), &[]).unwrap();
    assert_eq!(bench.refused(&inside).await.code(), "file.into_itself");
    let same = bench.op_between(&bench.path("from"), &format!("{}/", bench.path("from")), &[]).unwrap();
    assert!(bench.plan(&same).await.unwrap().is_none());
}

#[tokio::test]
async fn pipes_and_sockets_stay_where_they_are_and_that_is_said() {
    let mut bench = Bench::new();
    bench.write("from/x", "x");
    let made = std::process::Command::new("mkfifo").arg(bench.path("from/pipe")).status().unwrap();
    assert!(made.success());
    let op = bench.op(&[]);
    let change = bench.plan(&op).await.unwrap().unwrap();
    op.apply(&bench.host, &change.before, &bench.keep).await.unwrap();
    assert_eq!(content(&bench.path("to")).into_keys().collect::<Vec<_>>(), [PathBuf::from("x")]);
    let told = std::iter::from_fn(|| bench.events.try_recv().ok())
        .any(|stamped| matches!(stamped.event, Event::Log { message, .. } if message.contains("/pipe`")));
    assert!(told);
}

/// Where the target dies, as text of its scripts and what stands there instead.
const CUTS: [(&str, &str); 16] = [
    ("mkdir \"$stage\" \"$stage/new\"", "kill -9 $$; mkdir \"$stage\" \"$stage/new\""),
    ("trap 'rm", "kill -9 $$; trap 'rm"),
    ("&& { sync -f", "&& kill -9 $$ && { sync -f"),
    ("-f - && { sync", "-f - 2>/dev/null; kill -9 $$; { sync"),
    ("cd \"$stage/new\" &&", "cd \"$stage/new\" && kill -9 $$ &&"),
    ("mv -nT -- \"$stage/new\"", "kill -9 $$; mv -nT -- \"$stage/new\""),
    ("if [ -e \"$stage/new\" ]; then exit 76; fi", "kill -9 $$"),
    ("mv -nT -- \"$stage/new/$at", "kill -9 $PPID; mv -nT -- \"$stage/new/$at"),
    ("cat >\"$stage/rights\"", "kill -9 $$; cat >\"$stage/rights\""),
    ("mv -T \"$stage/linking\"", "kill -9 $$; mv -T \"$stage/linking\""),
    ("if [ -s \"$stage/files\" ]", "kill -9 $$\nif [ -s \"$stage/files\" ]"),
    ("if [ -s \"$stage/folders\" ]", "kill -9 $$\nif [ -s \"$stage/folders\" ]"),
    ("    mkdir \"$stage/copying\"", "    kill -9 $$"),
    ("mv -T \"$stage/copying\"", "kill -9 $$; mv -T \"$stage/copying\""),
    ("if [ -s \"$stage/rights\" ]", "kill -9 $$\nif [ -s \"$stage/rights\" ]"),
    ("rm -rf -- \"$stage/new\" \"$stage/paths\"", "kill -9 $$; rm -rf -- \"$stage/new\" \"$stage/paths\""),
];

#[tokio::test]
async fn whatever_a_death_of_the_target_leaves_is_taken_back() {
    let mut died = 0;
    for (cut, prepare) in CUTS.iter().flat_map(|cut| [(cut, older as fn(&Bench)), (cut, strange)]) {
        let bench = Bench::new();
        prepare(&bench);
        let was = snapshot(bench.folder.path());
        let op = bench.op(&[]);
        let change = bench.plan(&op).await.unwrap().unwrap();
        *bench.fault.lock().unwrap() = Some(*cut);
        let applied = op.apply(&bench.host, &change.before, &bench.keep).await;
        *bench.fault.lock().unwrap() = None;
        died += u32::from(applied.is_err());
        bench.undo(&op, &change.before, &bench.keep).await;
        assert_eq!(snapshot(bench.folder.path()), was, "{cut:?}");
        assert_eq!(bench.undo(&op, &change.before, &bench.keep).await, Standing::AsBefore);
        assert!(!Path::new(&format!("{}/7.tree", bench.keep.folder_on("/dev/shm"))).exists(), "{cut:?}");
    }
    // Five cuts strike both kinds of copy, and so does the naming of a folder; one a fresh one alone, eight a merge alone.
    assert_eq!(died, 21);
}

#[tokio::test]
async fn after_a_death_the_next_attempt_ends_the_work_and_both_are_taken_back() {
    for cut in CUTS {
        let bench = Bench::new();
        older(&bench);
        let was = snapshot(bench.folder.path());
        let op = bench.op(&[]);
        let first = bench.plan(&op).await.unwrap().unwrap();
        *bench.fault.lock().unwrap() = Some(cut);
        let _ = op.apply(&bench.host, &first.before, &bench.keep).await;
        *bench.fault.lock().unwrap() = None;
        let again = Keep::new(bench.keep.run.clone(), 8);
        let second = bench.plan(&op).await.unwrap();
        if let Some(second) = &second {
            op.apply(&bench.host, &second.before, &again).await.unwrap();
        }
        assert!(bench.plan(&op).await.unwrap().is_none(), "{cut:?}");
        // Newest first, as undo goes.
        if let Some(second) = second {
            bench.undo(&op, &second.before, &again).await;
        }
        bench.undo(&op, &first.before, &bench.keep).await;
        assert_eq!(snapshot(bench.folder.path()), was, "{cut:?}");
    }
}

#[tokio::test]
async fn an_undo_that_was_cut_off_goes_on() {
    let cuts = [
        ("mv -fT -- \"$stage/back/", "exit 255; mv -fT -- \"$stage/back/"),
        ("mv -t \"$stage/gone/", "exit 255; mv -t \"$stage/gone/"),
        ("rmdir --", "exit 255; rmdir --"),
        ("chmod \"$mode\"", "exit 255; chmod \"$mode\""),
        ("rm -rf -- \"$stage\"\n", "exit 255\n"),
    ];
    for cut in cuts {
        let bench = Bench::new();
        older(&bench);
        let was = snapshot(bench.folder.path());
        let op = bench.op(&[]);
        let change = bench.plan(&op).await.unwrap().unwrap();
        op.apply(&bench.host, &change.before, &bench.keep).await.unwrap();
        *bench.fault.lock().unwrap() = Some(cut);
        assert!(op.undo(&bench.host, &change.before, &bench.keep).await.is_err(), "{cut:?}");
        *bench.fault.lock().unwrap() = None;
        bench.undo(&op, &change.before, &bench.keep).await;
        assert_eq!(snapshot(bench.folder.path()), was, "{cut:?}");
        bench.assert_nothing_kept();
    }
}

#[tokio::test]
async fn a_file_that_changes_under_the_copy_is_not_placed() {
    let bench = Bench::new();
    bench.write("from/x", "x");
    let was = snapshot(bench.folder.path());
    let op = bench.op(&[]);
    let change = bench.plan(&op).await.unwrap().unwrap();
    bench.write("from/x", "longer");
    let error = op.apply(&bench.host, &change.before, &bench.keep).await.unwrap_err();
    assert_eq!((error.code(), error.host()), ("file.source_changed", Some("a")));
    std::fs::remove_file(bench.path("from/x")).unwrap();
    let error = op.apply(&bench.host, &change.before, &bench.keep).await.unwrap_err();
    assert_eq!((error.code(), error.host()), ("file.read_tree", Some("a")));
    assert!(error.causes()[0].contains("x: Cannot stat"), "{:?}", error.causes());
    assert!(!Path::new(&bench.path("to")).exists());
    bench.undo(&op, &change.before, &bench.keep).await;
    assert_eq!(snapshot(bench.folder.path()).len(), was.len() - 1);
}

#[tokio::test]
async fn a_target_that_takes_no_more_says_why() {
    let bench = Bench::new();
    bench.write("from/big", vec![7; 20 << 20]);
    let op = bench.op(&[]);
    let change = bench.plan(&op).await.unwrap().unwrap();
    *bench.fault.lock().unwrap() =
        Some(("tar -x", "{ head -c 99999 >/dev/null; echo 'No space left on device' >&2; exit 2; } ; tar -x"));
    let error = op.apply(&bench.host, &change.before, &bench.keep).await.unwrap_err();
    assert_eq!((error.code(), error.host()), ("file.write_tree", Some("b")));
    assert_eq!(error.causes(), ["No space left on device"]);
    *bench.fault.lock().unwrap() = None;
    assert_eq!(bench.undo(&op, &change.before, &bench.keep).await, Standing::AsBefore);
    bench.assert_nothing_kept();
}

/// coreutils before 8.24 have no `sync -f`.
#[tokio::test]
async fn a_host_with_an_old_sync_takes_a_tree() {
    let bench = Bench::new();
    let old = "sync() { case ${1-} in -f) echo \"sync: invalid option -- 'f'\" >&2; return 1 ;; esac; }\nmkdir \"$stage\" \"$stage/new\"";
    *bench.fault.lock().unwrap() = Some(("mkdir \"$stage\" \"$stage/new\"", old));
    bench.write("from/etc/one", "1\n");
    bench.obeys(&bench.op(&[])).await;
}

/// Hosts with SELinux are none of the lab's: what is asked of them is written down instead.
#[tokio::test]
async fn what_is_placed_gets_the_label_of_its_place() {
    let bench = Bench::new();
    let told = |heard: &str| {
        let selinux = "selinuxenabled() { :; }\nrestorecon() { printf '%s ' \"$*\" in \"$PWD\" >>HEARD; tr '\\0' ' ' >>HEARD; }\n";
        Box::leak(format!("{}set -e\nstage=$1 to=$2", selinux.replace("HEARD", heard)).into_boxed_str())
    };
    let heard = bench.path("heard");
    *bench.fault.lock().unwrap() = Some(("set -e\nstage=$1 to=$2", told(&heard)));
    bench.write("from/etc/old", "1\n");
    let op = bench.op(&[]);
    let change = bench.plan(&op).await.unwrap().unwrap();
    op.apply(&bench.host, &change.before, &bench.keep).await.unwrap();
    let said = || std::fs::read_to_string(&heard).unwrap();
    assert!(said().starts_with("-R -0 -f - in "), "{}", said());
    assert!(said().ends_with(&format!(" {} ", bench.path("to"))), "{}", said());
    std::fs::remove_file(&heard).unwrap();
    bench.write("from/etc/old", "22\n");
    bench.write("from/etc/new", "3\n");
    bench.write("from/folder/file", "4\n");
    let change = bench.plan(&op).await.unwrap().unwrap();
    op.apply(&bench.host, &change.before, &Keep::new(bench.keep.run.clone(), 8)).await.unwrap();
    assert_eq!(said(), format!("-R -0 -f - in {} etc/new folder etc/old ", bench.path("to")));
}

#[tokio::test]
async fn what_somebody_else_changed_since_is_not_overwritten_by_undo() {
    let bench = Bench::new();
    older(&bench);
    let op = bench.op(&[]);
    let change = bench.plan(&op).await.unwrap().unwrap();
    op.apply(&bench.host, &change.before, &bench.keep).await.unwrap();
    bench.write("to/fresh/c", "by hand");
    let standing = bench.undo(&op, &change.before, &bench.keep).await;
    assert_eq!(standing, Standing::Foreign("`fresh/c` was written since".to_owned()));
}

#[tokio::test]
async fn what_appeared_in_a_created_directory_stays_and_is_named() {
    let bench = Bench::new();
    older(&bench);
    let was = snapshot(bench.folder.path());
    let op = bench.op(&[]);
    let change = bench.plan(&op).await.unwrap().unwrap();
    op.apply(&bench.host, &change.before, &bench.keep).await.unwrap();
    bench.write("to/fresh/a/own/data", "a daemon's");
    let remains = op.undo(&bench.host, &change.before, &bench.keep).await.unwrap();
    let stay: Vec<String> = remains.into_iter().map(|remnant| remnant.what).collect();
    assert_eq!(stay, [bench.path("to/fresh/a"), bench.path("to/fresh")]);
    let mut now = snapshot(bench.folder.path());
    now.retain(|path, _| !path.starts_with(bench.path("to/fresh")));
    assert_eq!(now, was);
    assert_eq!(std::fs::read_to_string(bench.path("to/fresh/a/own/data")).unwrap(), "a daemon's");
}

/// Whatever somebody does to a file in between is there afterwards, and the copy says that it was overtaken.
#[tokio::test]
async fn what_somebody_writes_between_observing_and_placing_is_not_lost() {
    type Act = fn(&Bench);
    let acts: [Act; 5] = [
        |bench| drop(bench.write("to/differs", "theirs")),
        |bench| {
            bench.write("to/theirs", "theirs");
            std::fs::rename(bench.path("to/theirs"), bench.path("to/differs")).unwrap();
        },
        |bench| drop(bench.write("to/fresh/c", "theirs")),
        |bench| std::fs::create_dir(bench.path("to/fresh")).unwrap(),
        |bench| std::fs::remove_file(bench.path("to/differs")).unwrap(),
    ];
    for (number, act) in acts.iter().enumerate() {
        let bench = Bench::new();
        older(&bench);
        let op = bench.op(&[]);
        let change = bench.plan(&op).await.unwrap().unwrap();
        act(&bench);
        let theirs = snapshot(bench.folder.path());
        let error = op.apply(&bench.host, &change.before, &bench.keep).await.unwrap_err();
        assert_eq!(error.code(), "file.overtaken", "{number}");
        assert_eq!(snapshot(bench.folder.path()), theirs, "{number}");
        let after = op.standing(&op.revisit(&bench.host, &bench.keep).await.unwrap(), &change.before, &bench.keep);
        if after == Standing::Ours {
            op.undo(&bench.host, &change.before, &bench.keep).await.unwrap();
        }
        assert_eq!(snapshot(bench.folder.path()), theirs, "undo of {number}");
    }
}

#[tokio::test]
async fn lists_longer_than_a_command_line_are_no_matter() {
    let bench = Bench::new();
    for number in 0..2000 {
        let name = format!("{:0>100}/{number:0>100}", number % 7);
        bench.write(&format!("from/{name}"), "new one");
        if number % 2 == 0 {
            bench.write(&format!("to/{name}"), "old");
        }
    }
    let change = bench.obeys(&bench.op(&[])).await;
    assert_eq!(change.summary, "1000 new, 1000 differ, 13.7 KiB");
    assert!(change.diff.unwrap().text().ends_with("+and 1800 more\n"));
}

#[tokio::test]
async fn a_large_tree_tells_how_far_it_is() {
    let mut bench = Bench::new();
    for number in 0..5 {
        bench.write(&format!("from/bin/{number}"), vec![number; 40 << 20]);
    }
    let op = bench.op(&[]);
    let change = bench.plan(&op).await.unwrap().unwrap();
    // A slow reader on the target, so that there is something to tell on a fast machine.
    *bench.fault.lock().unwrap() = Some(("tar -x", "sleep 0.5; tar -x"));
    op.apply(&bench.host, &change.before, &bench.keep).await.unwrap();
    let told: Vec<(u64, Option<u64>)> = std::iter::from_fn(|| bench.events.try_recv().ok())
        .filter_map(|stamped| match stamped.event {
            Event::Progress { done, total, .. } => Some((done, total)),
            _ => None,
        })
        .collect();
    assert!(!told.is_empty() && told.len() < 50, "{}", told.len());
    assert!(told.iter().all(|(done, total)| *done <= 200 << 20 && *total == Some(200 << 20)));
}

fn planned(host: &Host, path: String, file: PlannedFile) {
    host.overlay().record(Effect::File(path, file));
}

async fn summary(bench: &Bench) -> Option<String> {
    bench.plan(&bench.op(&[])).await.unwrap().map(|change| change.summary)
}

#[tokio::test]
async fn a_plan_sees_what_is_planned_on_the_target() {
    let bench = Bench::new();
    bench.write("from/x", "text");
    let above = bench.path("above");
    let op = bench.op_between(&bench.path("from"), &format!("{above}/to"), &[]).unwrap();
    assert_eq!(bench.refused(&op).await.code(), "file.no_parent");
    planned(&bench.host, above, PlannedFile::Directory);
    assert!(bench.plan(&op).await.unwrap().is_some());

    planned(&bench.host, bench.path("to"), PlannedFile::Directory);
    planned(&bench.host, bench.path("to/x"), PlannedFile::File(Text::Plain("text".into())));
    assert_eq!(summary(&bench).await, None, "the same content is planned there");
    planned(&bench.host, bench.path("to/x"), PlannedFile::File(Text::Plain("else".into())));
    assert_eq!(summary(&bench).await.as_deref(), Some("1 differ, 4 B"));
    planned(&bench.host, bench.path("to"), PlannedFile::Absent);
    assert_eq!(summary(&bench).await.as_deref(), Some("1 new, 1 new directories, 4 B"));
}

#[tokio::test]
async fn a_plan_sees_what_is_planned_on_the_source() {
    let bench = Bench::new();
    bench.write("from/x", "text");
    bench.write("to/x", "text");
    let x = bench.path("from/x");
    planned(&bench.other, x.clone(), PlannedFile::File(Text::Plain("text".into())));
    assert_eq!(summary(&bench).await, None);
    planned(&bench.other, x.clone(), PlannedFile::Placed("`ssh::run` on `a`".into()));
    let change = bench.plan(&bench.op(&[])).await.unwrap().unwrap();
    assert!(change.diff.unwrap().text().contains("+known only when run  x\n"));
    planned(&bench.other, x, PlannedFile::Absent);
    assert_eq!(summary(&bench).await, None);
    planned(&bench.other, bench.path("from/cfg/y"), PlannedFile::File(Text::Plain("y".into())));
    assert_eq!(summary(&bench).await.as_deref(), Some("1 new, 1 B"));
}

#[tokio::test]
async fn the_same_copy_planned_twice_is_planned_once() {
    let bench = Bench::new();
    strange(&bench);
    let change = bench.plan(&bench.op(&[])).await.unwrap().unwrap();
    for effect in change.effects {
        bench.host.overlay().record(effect);
    }
    assert_eq!(summary(&bench).await, None);
}

/// Stopped at every program that writes, in apply and in undo, in dash and in bash.
async fn lawful(given: &str, to: &str) {
    let op = Bench::new().op_between("/srv/from", to, &[]).unwrap();
    sandbox::laws(&given.replace("$to", to), &op).await;
}

const OLDER: &str = "mkdir -p /srv/from/sub/new /srv/from/rights $to/sub $to/rights; cd /srv/from
    echo a >a; echo b >sub/b; ln -s a link; echo c >sub/new/c; chmod 700 rights
    cd $to; echo old >a; echo older >sub/b; ln -s x link";

#[tokio::test]
async fn a_merge_where_kept_files_go_to_the_systems_folder_obeys_the_laws() {
    lawful(OLDER, "/var/lib/to").await;
}

#[tokio::test]
async fn a_merge_where_kept_files_go_to_the_mounts_folder_obeys_the_laws() {
    lawful(OLDER, "/srv/to").await;
}

#[tokio::test]
async fn a_fresh_tree_obeys_the_laws() {
    let fresh = "mkdir -p /srv/from/sub; echo a >/srv/from/sub/a; ln /srv/from/sub/a /srv/from/b; ln -s b /srv/from/c";
    lawful(fresh, "/var/lib/to").await;
}

/// A folder of the tree belongs to somebody who makes it a link to where root alone may write.
const LINKED: &str = "mkdir -p /srv/from/sub/fresh /var/lib/to/sub /var/lib/root/fresh; cd /srv/from/sub
    for name in new old kept fresh/x; do echo tree >$name; done; echo a >../first
    cd /var/lib/to/sub; echo old >old; echo tree >kept; touch -r /srv/from/sub/kept kept; chmod 600 kept
    cd /var/lib/root; for name in old kept; do echo root >$name; done; chmod 700 . kept";

const LINK: &str = "cd /var/lib/to && ! [ -L sub ] && mv sub ../away && ln -s ../root sub";

fn roots_own(sandbox: &Sandbox) -> sandbox::Manifest {
    sandbox.manifest().into_iter().filter(|(path, _)| path.starts_with("/lib/root")).collect()
}

#[tokio::test]
async fn a_folder_that_becomes_a_link_while_it_is_copied_to_leads_to_nothing_of_roots() {
    let op = Bench::new().op_between("/srv/from", "/var/lib/to", &[]).unwrap();
    for count in 1.. {
        let sandbox = Sandbox::new(if count % 2 == 0 { "dash" } else { "bash" });
        sandbox.given(LINKED).await;
        let was = roots_own(&sandbox);
        sandbox.meet_at(count, LINK);
        let done = sandbox.ensure(&op, &sandbox::keep(1)).await;
        if !sandbox.has_met() {
            assert!(done.result.is_ok() && count > 10, "{count} programs");
            break;
        }
        assert_eq!(roots_own(&sandbox), was, "linked at {count}");
        let _ = sandbox.clean_up(&op, &done.before.unwrap(), &sandbox::keep(1)).await;
        assert_eq!(roots_own(&sandbox), was, "undone, linked at {count}");
    }
}

#[tokio::test]
async fn a_folder_that_becomes_a_link_while_a_copy_is_undone_leads_to_nothing_of_roots() {
    let op = Bench::new().op_between("/srv/from", "/var/lib/to", &[]).unwrap();
    for count in 1.. {
        let sandbox = Sandbox::new(if count % 2 == 0 { "dash" } else { "bash" });
        sandbox.given(LINKED).await;
        let before = sandbox.ensure(&op, &sandbox::keep(1)).await.before.unwrap();
        // What root has there bears the names of what is taken back.
        sandbox.given("cd /var/lib/root; echo root >new; mkdir -p fresh; echo root >fresh/x").await;
        let was = roots_own(&sandbox);
        sandbox.meet_at(count, LINK);
        let taken: Before = serde_json::from_value(before).unwrap();
        let keep = Keep { made: true, ..sandbox::keep(1) };
        let undone = op.undo(&sandbox.host, &taken, &keep).await;
        if !sandbox.has_met() {
            assert!(undone.is_ok() && count > 10, "{count} programs");
            break;
        }
        assert_eq!(roots_own(&sandbox), was, "linked at {count}");
    }
}

/// What somebody writes while a copy is undone is there afterwards, or undo goes on another time.
#[tokio::test]
async fn what_somebody_edits_while_a_copy_is_undone_is_not_lost() {
    const EDIT: &str =
        "cd /var/lib/to/sub && echo theirs >edit && for name in new old; do [ -e $name ] && cat edit >$name; done";
    let op = Bench::new().op_between("/srv/from", "/var/lib/to", &[]).unwrap();
    for count in 1.. {
        let sandbox = Sandbox::new("dash");
        sandbox.given(LINKED).await;
        let before = sandbox.ensure(&op, &sandbox::keep(1)).await.before.unwrap();
        sandbox.meet_at(count, EDIT);
        let taken: Before = serde_json::from_value(before.clone()).unwrap();
        let keep = Keep { made: true, ..sandbox::keep(1) };
        let undone = op.undo(&sandbox.host, &taken, &keep).await;
        if !sandbox.has_met() {
            assert!(undone.is_ok() && count > 10, "{count} programs");
            break;
        }
        let again = sandbox.undo(&op, &before, &sandbox::keep(1)).await;
        sandbox.given("cd /var/lib/to/sub; ! [ -e edit ] || [ \"$(cat old)\" = theirs ]").await;
        assert!(undone.is_ok() || again.is_ok());
    }
}
