//! The verbs of `ssh` on this machine's own `sh`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod local;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use haengine_kernel::action::{Action, Performed};
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Kind, Result};
use haengine_kernel::event::{Event, Events, Stamped};
use haengine_kernel::host::{Host, Hosts};
use haengine_kernel::inventory::HostSpec;
use haengine_kernel::overlay::{Effect, PlannedFile};
use haengine_kernel::reach::Reach;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::secret::Secret;
use haengine_kernel::signature::Signature;
use haengine_kernel::transport::{Command, Connect, Duplex, Output, Stream, Transport};
use haengine_kernel::value::Value;
use haengine_kernel::verb::{ActionVerb, Verb};
use haengine_stdlib::ssh::{Download, Facts, Query, Run, Script, Wait};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

struct World {
    _hosts: Arc<Hosts>,
    host: Arc<Host>,
    told: UnboundedReceiver<Stamped>,
    cancel: CancellationToken,
    folder: tempfile::TempDir,
}

fn world() -> World {
    let (events, told) = Events::channel();
    let cancel = CancellationToken::new();
    let (hosts, host) = local::hosts_telling(events, cancel.clone());
    World { _hosts: hosts, host, told, cancel, folder: tempfile::tempdir().unwrap() }
}

impl World {
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Ok(stamped) = self.told.try_recv() {
            if let Event::Output { stream, line, .. } = stamped.event {
                lines.push(format!("{stream}: {line}"));
            }
        }
        lines
    }
}

fn list<const N: usize>(words: [&str; N]) -> Value {
    Value::List(words.into_iter().map(Value::from).collect())
}

fn arguments<const N: usize>(
    signature: &Signature,
    given: Vec<Value>,
    options: [(&str, Value); N],
) -> Result<Arguments> {
    let given = std::iter::once(Value::Null).chain(given).collect();
    let options: BTreeMap<String, Value> = options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Arguments::check("ssh::verb", signature, given, Some(options))
}

fn run<const N: usize>(command: impl Into<Value>, options: [(&str, Value); N]) -> Run {
    Run::parse(&arguments(&Run::SIGNATURE, vec![command.into()], options).unwrap()).unwrap()
}

fn script<const N: usize>(text: impl Into<Value>, options: [(&str, Value); N]) -> Script {
    Script::parse(&arguments(&Script::SIGNATURE, vec![text.into()], options).unwrap()).unwrap()
}

fn download<const N: usize>(base: &Path, path: &str, local: &str, options: [(&str, Value); N]) -> Download {
    let given = vec![Value::from(path), Value::from(local)];
    Download::parse(&arguments(&Download::SIGNATURE, given, options).unwrap().with_base(base)).unwrap()
}

fn json(value: &Value) -> serde_json::Value {
    value.redacted()
}

fn gives(stdout: &str, status: i64) -> serde_json::Value {
    serde_json::json!({ "stdout": stdout, "stderr": "", "status": status, "ok": status == 0 })
}

#[tokio::test]
async fn a_string_is_read_by_sh_and_an_array_by_nobody() {
    let world = world();
    let text = run("for i in 1 2; do echo $i; done", []).perform(&world.host).await.unwrap();
    assert_eq!(json(&text), gives("1\n2", 0));
    let words = ["printf", "%s|", "it's", "$HOME", "*", "", "-n", "a\nb", "ü"];
    let exact = run(list(words), []).perform(&world.host).await.unwrap();
    assert_eq!(json(&exact), gives("it's|$HOME|*||-n|a\nb|ü|", 0));
}

#[tokio::test]
async fn only_the_last_line_end_is_taken_off() {
    let world = world();
    let said = run("printf 'a\\n\\n'; printf 'b\\r\\n' >&2", []).perform(&world.host).await.unwrap();
    assert_eq!(json(&said), serde_json::json!({ "stdout": "a\n", "stderr": "b\r", "status": 0, "ok": true }));
}

#[tokio::test]
async fn folder_environment_and_input_reach_the_command() {
    let world = world();
    let folder = world.path("it's a folder");
    std::fs::create_dir(&folder).unwrap();
    let env = Value::map([("A", Value::from("x 'y' $z")), ("B", Value::Integer(7))]);
    let options = [("cwd", Value::from(folder.as_str())), ("env", env), ("stdin", Value::from("in\n"))];
    let said = run("pwd; echo \"$A $B\"; cat", options).perform(&world.host).await.unwrap();
    assert_eq!(json(&said), gives(&format!("{folder}\nx 'y' $z 7\nin"), 0));
}

#[tokio::test]
async fn a_missing_folder_is_said() {
    let world = world();
    let missing = world.path("missing");
    let error = run("true", [("cwd", Value::from(missing.as_str()))]).perform(&world.host).await.map(drop).unwrap_err();
    assert_eq!(error.code(), "host.exit");
    assert!(error.causes().concat().contains("missing"), "{:?}", error.causes());
}

#[tokio::test]
async fn a_status_is_an_error_unless_it_is_allowed() {
    let world = world();
    let error = run("echo why >&2; exit 255", []).perform(&world.host).await.map(drop).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Failed, "host.exit"));
    assert_eq!(error.to_string(), "a: `echo why >&2; exit 255` ended with status 255");
    assert_eq!(error.causes(), ["why"]);
    let allowed = run("exit 255", [("ok", Value::List(vec![Value::Integer(3), Value::Integer(255)]))]);
    assert_eq!(json(&allowed.perform(&world.host).await.unwrap()), gives("", 255));
    let error = run(list(["no-such-program-here"]), []).perform(&world.host).await.map(drop).unwrap_err();
    assert!(error.advice().unwrap().contains("installed"), "{error}");
}

#[tokio::test]
async fn lines_are_told_while_it_runs() {
    let mut world = world();
    let seen = world.path("seen");
    let action = run(format!("echo first; while [ ! -e {seen} ]; do sleep 0.02; done; printf last"), []);
    let host = world.host.clone();
    let work = tokio::spawn(async move { action.perform(&host).await });
    let first = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            if let Event::Output { line, .. } = world.told.recv().await.unwrap().event {
                return line;
            }
        }
    });
    assert_eq!(first.await.unwrap(), "first");
    assert!(!work.is_finished());
    std::fs::write(&seen, "").unwrap();
    assert_eq!(json(&work.await.unwrap().unwrap()), gives("first\nlast", 0));
    assert_eq!(world.lines(), ["stdout: last"]);
}

#[tokio::test]
async fn what_is_told_holds_no_secret_and_the_last_state_of_progress() {
    let mut world = world();
    let said = "printf '10%%\\r50%%\\r100%%\\n'; echo token: abcdef; cat; echo done >&2";
    let secret = Value::Secret(Secret::new("open sesame\n".to_owned()));
    let result = run(said, [("stdin", secret)]).perform(&world.host).await.unwrap();
    let mut lines = world.lines();
    lines.sort();
    assert_eq!(lines, ["stderr: done", "stdout: 100%", "stdout: token: ‹secret›", "stdout: ‹secret›"]);
    // The recipe gets the text, as a secret.
    let Value::Map(map) = &result else { panic!("a map") };
    let Some(Value::Secret(text)) = map.get("stdout") else { panic!("a secret") };
    assert!(text.expose().ends_with("open sesame"));
    assert!(!json(&result).to_string().contains("sesame"));
}

#[tokio::test]
async fn a_failure_that_repeats_the_secret_does_not_show_it() {
    let world = world();
    let secret = Value::Secret(Secret::new("open sesame\n".to_owned()));
    let error =
        run("cat >&2; echo so >&2; false", [("stdin", secret)]).perform(&world.host).await.map(drop).unwrap_err();
    assert_eq!(error.causes(), ["‹secret›\nso"]);
}

#[tokio::test]
async fn an_interruption_ends_the_command() {
    let world = world();
    let pid = world.path("pid");
    let action = run(format!("echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 300"), []);
    let (host, cancel) = (world.host.clone(), world.cancel.clone());
    let work = tokio::spawn(async move { action.perform(&host).await });
    while !Path::new(&pid).exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    cancel.cancel();
    assert_eq!(work.await.unwrap().map(drop).unwrap_err().kind(), Kind::Cancelled);
    assert_gone(&pid).await;
}

#[tokio::test]
async fn a_timeout_ends_the_command() {
    let world = world();
    let pid = world.path("pid");
    let action = run(format!("echo $$ > {pid}; exec sleep 300"), [("timeout", Value::from("300ms"))]);
    let error = action.perform(&world.host).await.map(drop).unwrap_err();
    assert_eq!((error.kind(), error.code(), error.host()), (Kind::Failed, "host.timeout", Some("a")));
    assert_gone(&pid).await;
}

async fn assert_gone(pid: &str) {
    let pid = std::fs::read_to_string(pid).unwrap();
    let status = format!("/proc/{}/status", pid.trim());
    let alive = || std::fs::read_to_string(&status).is_ok_and(|text| !text.contains("State:\tZ"));
    let since = Instant::now();
    while alive() {
        assert!(since.elapsed() < Duration::from_secs(5), "process {pid} still runs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_stays_in_the_background_does_not_hold_the_recipe() {
    let world = world();
    let since = Instant::now();
    let said = run("sleep 20 & echo $!", []).perform(&world.host).await.unwrap();
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    let Value::Map(map) = said else { panic!("a map") };
    let Some(Value::String(pid)) = map.get("stdout") else { panic!("a number") };
    run(list(["kill", pid]), []).perform(&world.host).await.unwrap();
}

#[tokio::test]
async fn a_command_need_not_read_its_input() {
    let world = world();
    let said = run("echo x", [("stdin", Value::from("y".repeat(1 << 20)))]).perform(&world.host).await.unwrap();
    assert_eq!(json(&said), gives("x", 0));
}

#[tokio::test]
async fn output_is_bounded_and_may_be_binary() {
    let world = world();
    let error = run("head -c 20000000 /dev/zero", []).perform(&world.host).await.map(drop).unwrap_err();
    assert_eq!(error.code(), "ssh.output");
    assert!(error.advice().unwrap().contains("ssh::download"));
    let binary = run("printf 'a\\377b\\000c'", []).perform(&world.host).await.unwrap();
    assert_eq!(json(&binary), gives("a\u{fffd}b\0c", 0));
    let long = run("head -c 9000000 /dev/zero | tr '\\0' x", []).perform(&world.host).await.unwrap();
    assert_eq!(json(&long)["stdout"].as_str().unwrap().len(), 9_000_000);
}

#[tokio::test]
async fn a_flood_of_lines_is_kept_but_not_told() {
    let mut world = world();
    let said = run("i=0; while [ $i -lt 60000 ]; do echo $i; i=$((i+1)); done", []).perform(&world.host).await.unwrap();
    assert!(json(&said)["stdout"].as_str().unwrap().ends_with("\n59999"));
    let lines = world.lines();
    assert!(lines.len() < 40_000, "{} lines", lines.len());
    assert_eq!(lines[1999], "stdout: 1999");
    let left_out =
        |line: &String| line.strip_prefix("stdout: ‹")?.strip_suffix(" lines are not shown›")?.parse::<usize>().ok();
    let hidden: usize = lines.iter().filter_map(left_out).sum();
    let owned_up = lines.iter().filter(|line| line.contains("not shown")).count();
    assert_eq!(lines.len() - owned_up + hidden, 60_000);
}

#[tokio::test]
async fn unless_says_when_it_is_done_and_undo_takes_it_back() {
    let world = world();
    let file = world.path("file");
    let options = [
        ("unless", Value::from(format!("test -e '{file}'"))),
        ("undo", Value::from("rm ./file")),
        ("cwd", Value::from(world.path("").as_str())),
    ];
    let action = run("echo x > ./file", options);
    assert_eq!(action.done(&world.host).await.unwrap(), Some(false));
    action.perform(&world.host).await.unwrap();
    assert_eq!(action.done(&world.host).await.unwrap(), Some(true));
    assert_eq!(action.inverse().as_deref(), Some("rm ./file"));
    let again: Run = serde_json::from_value(serde_json::to_value(&action).unwrap()).unwrap();
    let performed = Performed { before: &serde_json::Value::Null, result: &serde_json::Value::Null };
    again.undo(&world.host, &performed).await.unwrap();
    assert!(!Path::new(&file).exists());
    assert_eq!(run("true", []).done(&world.host).await.unwrap(), None);
}

#[test]
fn the_journal_holds_hashes_of_inputs_and_reads_itself_again() {
    let secret = Value::Secret(Secret::new("open sesame".to_owned()));
    let env = Value::map([("A", Value::from("b"))]);
    let full = run(
        list(["a", "b c"]),
        [
            ("stdin", secret),
            ("env", env),
            ("timeout", Value::from("5m")),
            ("ok", Value::Integer(2)),
            ("login", Value::Boolean(true)),
        ],
    );
    for action in [full, run("plain", [])] {
        let written = serde_json::to_value(&action).unwrap();
        assert!(!written.to_string().contains("sesame"), "{written}");
        let verb: Arc<dyn Verb> = ActionVerb::<Run>::shared();
        assert_eq!(verb.reread(&written, &serde_json::Value::Null).unwrap().0, written);
    }
    let written = serde_json::to_value(script("echo a\necho sesame\n", [("args", list(["x"]))])).unwrap();
    assert!(!written.to_string().contains("sesame"), "{written}");
    let verb: Arc<dyn Verb> = ActionVerb::<Script>::shared();
    assert_eq!(verb.reread(&written, &serde_json::Value::Null).unwrap().0, written);
}

#[test]
fn wrong_calls_are_refused() {
    let check = |given: Value| arguments(&Run::SIGNATURE, vec![given], []).map(drop).unwrap_err().to_string();
    assert!(check(Value::from(" ")).contains("a command"));
    assert!(check(Value::List(vec![])).contains("a command"));
    assert!(check(Value::List(vec![Value::Integer(1)])).contains("a command"));
    assert!(check(Value::Secret(Secret::new("x".into()))).contains("not a secret"));
    let wait = |options: [(&str, Value); 1]| {
        Wait::parse(&arguments(&Wait::SIGNATURE, vec![], options).unwrap()).map(drop).unwrap_err().to_string()
    };
    assert!(wait([("port", Value::Integer(70_000))]).contains("65535"));
    assert!(wait([("address", Value::from("10.0.0.1"))]).contains("no `port`"));
}

#[tokio::test]
async fn a_query_is_quiet_and_unknown_once_the_host_has_planned_changes() {
    let mut world = world();
    let query = Query::parse(&arguments(&Query::SIGNATURE, vec![Value::from("echo x")], []).unwrap()).unwrap();
    let said = query.read(&world.host).await.unwrap();
    assert!(Query::GIVES.holds(&said));
    assert_eq!(json(&said), gives("x", 0));
    assert_eq!(world.lines(), Vec::<String>::new());
    assert!(matches!(query.foresee(&world.host, &world.host.overlay()), Foreseen::Real));
    world.host.overlay().record(Effect::File("/x".into(), PlannedFile::Absent));
    assert!(matches!(query.foresee(&world.host, &world.host.overlay()), Foreseen::Unknown(_)));
}

#[tokio::test]
async fn scripts_have_arguments_input_and_an_interpreter() {
    let world = world();
    let text = "#!/bin/sh\nset -eu\nread -r line\nprintf '<%s>' \"$@\" \"$line\" 'back\\slash' \"`echo t`\" '$x'\n\n\n";
    let options = [("args", list(["a b", "-c", "it's", ""])), ("stdin", Value::from("in put\nrest"))];
    let said = script(text, options).perform(&world.host).await.unwrap();
    assert_eq!(json(&said), gives("<a b><-c><it's><><in put><back\\slash><t><$x>", 0));
    let bash = script("#!/bin/bash -e\na=(1 2 3)\necho ${#a[@]} $-\n", []).perform(&world.host).await.unwrap();
    assert!(json(&bash)["stdout"].as_str().unwrap().starts_with("3 e"), "{}", json(&bash));
    let error = script("set -e\nfalse\necho never\n", []).perform(&world.host).await.map(drop).unwrap_err();
    assert_eq!(error.to_string(), "a: `set -e …` ended with status 1");
}

#[tokio::test]
async fn a_long_script_arrives_whole() {
    let world = world();
    let filler: String = (0..20_000).map(|number| format!(": line {number} of a long script\n")).collect();
    let said = script(format!("{filler}echo end; cat\n"), [("stdin", Value::from("own"))]).perform(&world.host).await;
    assert_eq!(json(&said.unwrap()), gives("end\nown", 0));
}

#[tokio::test]
async fn a_script_is_a_file_of_the_recipes_folder() {
    let world = world();
    std::fs::write(world.path("x.sh"), "echo \"$1\"\n").unwrap();
    let given = |name: &str| arguments(&Script::SIGNATURE, vec![Value::from(name)], [("args", list(["y"]))]);
    let found = Script::parse(&given("x.sh").unwrap().with_base(world.folder.path())).unwrap();
    assert_eq!(found.target(), "x.sh");
    assert_eq!(json(&found.perform(&world.host).await.unwrap()), gives("y", 0));
    let error = Script::parse(&given("echo hello").unwrap().with_base(world.folder.path())).map(drop).unwrap_err();
    assert!(error.advice().unwrap().contains("ssh::run"), "{error}");
}

#[tokio::test]
async fn a_download_is_whole_or_not_there() {
    let world = world();
    let remote = world.path("it's remote\nü");
    let content: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    std::fs::write(&remote, &content).unwrap();
    let fetch = download(world.folder.path(), &remote, "got/{host}/copy", []);
    let result = fetch.read(&world.host).await.unwrap();
    assert!(Download::GIVES.holds(&result));
    let result = json(&result);
    let copy = world.path("got/a/copy");
    assert_eq!(result["bytes"], 3_000_000);
    assert_eq!((result["changed"].as_bool(), result["path"].as_str()), (Some(true), Some(copy.as_str())));
    assert!(std::fs::read(&copy).unwrap() == content);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&copy).unwrap().permissions());
    assert_eq!(mode & 0o7777, 0o600);
    let again = json(&fetch.read(&world.host).await.unwrap());
    assert_eq!((&again["changed"], &again["sha256"]), (&false.into(), &result["sha256"]));
    assert_eq!(std::fs::read_dir(world.path("got/a")).unwrap().count(), 1);
}

/// This machine, where each stream sends without an end.
struct Flood;

#[async_trait]
impl Transport for Flood {
    async fn exec(&self, command: &Command) -> Result<Output> {
        local::Local.exec(command).await
    }

    async fn stream(&self, _command: &Command) -> Result<Stream> {
        local::Local.stream(&Command::script("exec yes")).await
    }

    async fn open_tcp(&self, address: &str, port: u16) -> Result<Box<dyn Duplex>> {
        local::Local.open_tcp(address, port).await
    }

    async fn close(&self) {}
}

#[async_trait]
impl Connect for Flood {
    async fn connect(&self, _host: &HostSpec) -> Result<Arc<dyn Transport>> {
        Ok(Arc::new(Flood))
    }
}

#[tokio::test]
async fn a_download_takes_no_more_than_was_announced() {
    let folder = tempfile::tempdir().unwrap();
    let (hosts, host) = local::hosts_through(Arc::new(Flood), Events::channel().0, CancellationToken::new());
    let remote = folder.path().join("one").to_str().unwrap().to_owned();
    std::fs::write(&remote, "one\n").unwrap();
    let error = download(folder.path(), &remote, "copy", []).read(&host).await.map(drop).unwrap_err();
    assert_eq!((error.code(), hosts.inventory().hosts.len()), ("host.too_much", 2));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left");
}

#[tokio::test]
async fn a_file_of_the_kernel_is_downloaded_whole() {
    let world = world();
    let fetch = download(world.folder.path(), "/proc/version", "version", []);
    fetch.read(&world.host).await.unwrap();
    assert_eq!(std::fs::read(world.path("version")).unwrap(), std::fs::read("/proc/version").unwrap());
}

#[tokio::test]
async fn a_download_into_a_folder_takes_the_files_name() {
    let world = world();
    std::fs::write(world.path("empty"), "").unwrap();
    let fetch = download(world.folder.path(), &world.path("empty"), "into/", [("mode", Value::Integer(0o644))]);
    let result = json(&fetch.read(&world.host).await.unwrap());
    assert_eq!((result["bytes"].as_i64(), result["path"].as_str()), (Some(0), Some(world.path("into/empty").as_str())));
    assert_eq!(std::fs::read(world.path("into/empty")).unwrap(), b"");
}

#[tokio::test]
async fn what_cannot_be_downloaded_is_said_and_leaves_nothing() {
    let world = world();
    for (path, why) in [("missing", "is not there"), ("", "is a directory")] {
        let fetch = download(world.folder.path(), &world.path(path), "copy", []);
        let error = fetch.read(&world.host).await.map(drop).unwrap_err();
        assert!(error.to_string().ends_with(why), "{error}");
    }
    std::fs::write(world.path("one"), "1").unwrap();
    let fetch = download(world.folder.path(), &world.path("one"), "copy", []);
    fetch.read(&world.host).await.unwrap();
    let error = fetch.read(&world.host.peer("b").unwrap()).await.map(drop).unwrap_err();
    assert_eq!(error.advice(), Some("put `{host}` into the path"));
    assert_eq!(std::fs::read_dir(world.folder.path()).unwrap().count(), 2);
}

#[tokio::test]
async fn a_download_is_not_written_through_a_link_and_opens_nothing() {
    let world = world();
    let mode =
        |path: &str, mode| std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    std::fs::write(world.path("remote"), "new\n").unwrap();
    std::fs::write(world.path("mine"), "mine\n").unwrap();
    for (name, target) in [("link", "mine"), ("dangling", "nowhere")] {
        std::os::unix::fs::symlink(world.path(target), world.path(name)).unwrap();
        let fetch = download(world.folder.path(), &world.path("remote"), name, []);
        let error = fetch.read(&world.host).await.map(drop).unwrap_err();
        assert_eq!((error.code(), error.kind()), ("local.link", Kind::Refused));
    }
    assert_eq!(std::fs::read(world.path("mine")).unwrap(), b"mine\n");
    assert!(!Path::new(&world.path("nowhere")).exists());
    for (before, asked, after) in [(0o600, 0o644, 0o600), (0o640, 0o755, 0o640), (0o644, 0o600, 0o600)] {
        std::fs::write(world.path("copy"), "old\n").unwrap();
        mode(&world.path("copy"), before);
        let fetch = download(world.folder.path(), &world.path("remote"), "copy", [("mode", Value::Integer(asked))]);
        fetch.read(&world.host).await.unwrap();
        let there = std::fs::metadata(world.path("copy")).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&there.permissions()) & 0o7777, after);
        assert_eq!(std::fs::read(world.path("copy")).unwrap(), b"new\n");
    }
}

#[tokio::test]
async fn a_download_stays_within_reach_whatever_leads_out_of_it() {
    let world = world();
    let own = world.folder.path().join("own");
    std::fs::create_dir_all(own.join("got")).unwrap();
    std::fs::create_dir(world.path("other")).unwrap();
    std::fs::write(world.path("remote"), "new\n").unwrap();
    std::os::unix::fs::symlink(world.path("other"), own.join("got/a")).unwrap();
    let reach = Arc::new(Reach::of([own.clone()]));
    let given = |reach: &Arc<Reach>, local: &str| {
        let given = vec![Value::from(world.path("remote")), Value::from(local)];
        let arguments = arguments(&Download::SIGNATURE, given, []).unwrap().with_base(&own);
        Download::parse(&arguments.within(Some(reach.clone())))
    };
    for outside in ["../other/copy", "/tmp/copy"] {
        assert_eq!(given(&reach, outside).err().unwrap().code(), "local.outside");
    }
    // `{host}` is a link of that name.
    let fetch = given(&reach, "got/{host}/").unwrap();
    assert_eq!(fetch.read(&world.host).await.map(drop).unwrap_err().code(), "local.outside");
    assert_eq!(std::fs::read_dir(world.path("other")).unwrap().count(), 0);
    given(&reach, "new/copy").unwrap().read(&world.host).await.unwrap();
    let told = Arc::new(Reach::of([own.clone()]).with(["../other/{host}/".to_owned()]));
    given(&told, "../other/{host}/").unwrap().read(&world.host).await.unwrap();
    assert_eq!(std::fs::read(world.path("other/a/remote")).unwrap(), b"new\n");
}

#[tokio::test]
async fn a_plan_says_what_would_be_downloaded() {
    let mut world = world();
    let fetch = download(world.folder.path(), "/etc/hosts", "copy", []);
    let Foreseen::Known(Value::Map(map)) = fetch.foresee(&world.host, &world.host.overlay()) else { panic!("known") };
    assert!(matches!(map.get("sha256"), Some(Value::Unknown(_))));
    let Event::Log { message, .. } = world.told.try_recv().unwrap().event else { panic!("a message") };
    assert_eq!(message, format!("would download `/etc/hosts` to {}", world.path("copy")));
    assert!(!Path::new(&world.path("copy")).exists());
}

#[tokio::test]
async fn facts_of_this_machine() {
    let world = world();
    let facts = Facts.read(&world.host).await.unwrap();
    assert!(Facts::GIVES.holds(&facts));
    let facts = json(&facts);
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(facts["hostname"], hostname.trim());
    assert_eq!(facts["cpus"], std::thread::available_parallelism().unwrap().get());
    assert!(facts["memory"].as_i64().unwrap() > 1 << 26, "{facts}");
    assert!(facts["uptime"].as_f64().unwrap() > 0.0, "{facts}");
    assert!(facts["clock_offset"].as_f64().unwrap().abs() < 0.5, "{facts}");
    assert!(facts["os"]["family"].is_string(), "{facts}");
    let addresses = facts["addresses"].as_array().unwrap();
    assert!(addresses.iter().all(|address| !address.as_str().unwrap().starts_with("127.")), "{facts}");
}

#[tokio::test]
async fn waiting_ends_when_it_is_there_and_counts_as_waited() {
    let mut world = world();
    let (path, listener) = (world.path("ready"), tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
    let port = i64::from(listener.local_addr().unwrap().port());
    let options = [("path", Value::from(path.as_str())), ("port", Value::Integer(port))];
    let wait = Wait::parse(&arguments(&Wait::SIGNATURE, vec![], options).unwrap()).unwrap();
    assert!(matches!(wait.foresee(&world.host, &world.host.overlay()), Foreseen::Known(Value::Null)));
    let later = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        std::fs::write(path, "").unwrap();
    });
    assert!(wait.read(&world.host).await.unwrap() == Value::Null);
    later.await.unwrap();
    let waited = world._hosts.waits().total();
    assert!(waited > Duration::from_millis(200), "{waited:?}");
    let mut waiting = Vec::new();
    while let Ok(stamped) = world.told.try_recv() {
        if let Event::Waiting { what } = stamped.event {
            waiting.push(what);
        }
    }
    assert_eq!(waiting, [format!("port {port}, `{}` on a", world.path("ready"))]);
}

#[tokio::test]
async fn waiting_in_vain_says_what_was_missing() {
    let world = world();
    let options = [("path", Value::from("/no/such/path")), ("timeout", Value::from("700ms"))];
    let wait = Wait::parse(&arguments(&Wait::SIGNATURE, vec![], options).unwrap()).unwrap();
    let error = wait.read(&world.host).await.map(drop).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Failed, "ssh.wait"));
    assert!(error.causes().concat().contains("/no/such/path is not there"), "{:?}", error.causes());
    world.cancel.cancel();
    assert_eq!(wait.read(&world.host).await.map(drop).unwrap_err().kind(), Kind::Cancelled);
}
