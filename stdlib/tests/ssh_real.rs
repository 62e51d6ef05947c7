//! The verbs of `ssh` through the real client and a real OpenSSH server on the loopback.

// A skipped test has to be heard.
#![allow(clippy::print_stderr, missing_docs)]
#![allow(clippy::unwrap_used)]

#[path = "ssh_client/sshd.rs"]
#[allow(dead_code, reason = "the tests of the client use all of it")]
mod sshd;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use haengine_kernel::action::Action;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Kind;
use haengine_kernel::event::Events;
use haengine_kernel::host::{Host, Hosts};
use haengine_kernel::inventory::Inventory;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Op, Plan};
use haengine_kernel::read::Read;
use haengine_kernel::signature::Signature;
use haengine_kernel::value::Value;
use haengine_stdlib::ssh::{Download, Facts, Query, Run, Script, Upload, Wait};
use sshd::{Operator, Sshd};
use tokio_util::sync::CancellationToken;

struct World {
    server: Sshd,
    _hosts: Arc<Hosts>,
    host: Arc<Host>,
    cancel: CancellationToken,
    folder: tempfile::TempDir,
}

fn world() -> Option<World> {
    let server = Sshd::start()?;
    server.know(&["ed25519"]);
    let inventory = Inventory { hosts: vec![server.host("a")], ..Inventory::default() };
    let connector = Arc::new(Operator::default().connector(&inventory.hosts));
    let cancel = CancellationToken::new();
    let hosts = Hosts::new(Arc::new(inventory), connector, Events::channel().0, cancel.clone());
    let host = hosts.get("a").unwrap();
    Some(World { server, _hosts: hosts, host, cancel, folder: tempfile::tempdir().unwrap() })
}

impl World {
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
}

fn given<const N: usize>(signature: &Signature, given: Vec<Value>, options: [(&str, Value); N]) -> Arguments {
    let given = std::iter::once(Value::Null).chain(given).collect();
    let options = options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Arguments::check("ssh::verb", signature, given, Some(options)).unwrap()
}

fn run<const N: usize>(command: &str, options: [(&str, Value); N]) -> Run {
    Run::parse(&given(&Run::SIGNATURE, vec![command.into()], options)).unwrap()
}

fn stdout(value: &Value) -> String {
    value.redacted()["stdout"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_say_how_they_ended() {
    let Some(world) = world() else { return };
    let host = &world.host;
    let error = run("echo why >&2; exit 255", []).perform(host).await.map(drop).unwrap_err();
    assert_eq!((error.kind(), error.code(), error.causes().concat().as_str()), (Kind::Failed, "host.exit", "why"));
    let error = run("kill -TERM $$", []).perform(host).await.map(drop).unwrap_err();
    assert!(error.message().contains("TERM"), "{error}");
    let echo = run("cat; echo end", [("stdin", Value::from("x".repeat(1 << 20)))]).perform(host).await.unwrap();
    assert_eq!(stdout(&echo).len(), (1 << 20) + 3);
    let unread = run("echo x", [("stdin", Value::from("y".repeat(1 << 22)))]).perform(host).await.unwrap();
    assert_eq!(stdout(&unread), "x");
    let query = Query::parse(&given(&Query::SIGNATURE, vec!["printf 'a\\377'".into()], [])).unwrap();
    assert_eq!(stdout(&query.read(host).await.unwrap()), "a\u{fffd}");
    let text = "#!/bin/bash\nread -r line\necho \"$1-$line-${BASH_VERSION:+bash}\"\n";
    let options = [("args", Value::from("one")), ("stdin", Value::from("two\n"))];
    let script = Script::parse(&given(&Script::SIGNATURE, vec![text.into()], options)).unwrap();
    assert_eq!(stdout(&script.perform(host).await.unwrap()), "one-two-bash");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_ends_the_command_with_its_children() {
    let Some(world) = world() else { return };
    let pids = world.path("pids");
    let action = run(&format!("sleep 300 & echo $! >{pids}.new; echo $$ >>{pids}.new; mv {pids}.new {pids}; wait"), []);
    let host = world.host.clone();
    let work = tokio::spawn(async move { action.perform(&host).await });
    while !Path::new(&pids).exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.cancel.cancel();
    assert_eq!(work.await.unwrap().map(drop).unwrap_err().kind(), Kind::Cancelled);
    gone(&pids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_ends_the_command_and_the_host_can_be_asked_on() {
    let Some(world) = world() else { return };
    let pids = world.path("pids");
    let slow = run(&format!("echo $$ >{pids}; sleep 300; true"), [("timeout", Value::from("1s"))]);
    assert_eq!(slow.perform(&world.host).await.map(drop).unwrap_err().code(), "host.timeout");
    gone(&pids).await;
    let flood = run("yes", []).perform(&world.host).await.map(drop).unwrap_err();
    assert_eq!(flood.code(), "ssh.output");
    assert_eq!(stdout(&run("echo on", []).perform(&world.host).await.unwrap()), "on");
}

async fn gone(pids: &str) {
    let since = Instant::now();
    for pid in std::fs::read_to_string(pids).unwrap().lines() {
        let status = format!("/proc/{pid}/status");
        while std::fs::read_to_string(&status).is_ok_and(|text| !text.contains("State:\tZ")) {
            assert!(since.elapsed() < Duration::from_secs(10), "process {pid} still runs");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_in_the_background_does_not_hold_the_recipe() {
    let Some(world) = world() else { return };
    let since = Instant::now();
    let said = run("sleep 30 & echo $!", []).perform(&world.host).await.unwrap();
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    let _ = run(&format!("kill {}", stdout(&said)), []).perform(&world.host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn big_files_go_both_ways() {
    let Some(world) = world() else { return };
    let content: Vec<u8> = (0..30_000_000_u32).map(|number| (number % 251) as u8).collect();
    std::fs::write(world.path("here"), &content).unwrap();
    let arguments = given(&Upload::SIGNATURE, vec!["here".into(), world.path("there").into()], []);
    let op = Upload::parse(&arguments.with_base(world.folder.path())).unwrap().remove(0);
    let Plan::Change(change) = op.plan(&op.observe(&world.host).await.unwrap()).unwrap() else { panic!("a change") };
    // Nothing is replaced, so nothing is kept outside of the folder.
    let keep = Keep::new("test", 1);
    op.apply(&world.host, &change.before, &keep).await.unwrap();
    assert!(std::fs::read(world.path("there")).unwrap() == content);
    assert!(matches!(op.plan(&op.observe(&world.host).await.unwrap()).unwrap(), Plan::Unchanged));
    let arguments = given(&Download::SIGNATURE, vec![world.path("there").into(), "back/".into()], []);
    let download = Download::parse(&arguments.with_base(world.folder.path())).unwrap();
    assert_eq!(download.read(&world.host).await.unwrap().redacted()["bytes"], 30_000_000);
    assert!(std::fs::read(world.path("back/there")).unwrap() == content);
    op.undo(&world.host, &change.before, &keep).await.unwrap();
    assert!(!Path::new(&world.path("there")).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_and_ports() {
    let Some(world) = world() else { return };
    let facts = Facts.read(&world.host).await.unwrap().redacted();
    assert!(facts["clock_offset"].as_f64().unwrap().abs() < 0.2, "{facts}");
    let wait = |port: u16| {
        let options = [("port", Value::Integer(port.into())), ("timeout", Value::from("800ms"))];
        Wait::parse(&given(&Wait::SIGNATURE, vec![], options)).unwrap()
    };
    wait(world.server.host("a").port).read(&world.host).await.unwrap();
    let error = wait(sshd::free_port()).read(&world.host).await.map(drop).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Failed, "ssh.wait"));
    assert!(error.causes().concat().contains("does not accept connections"), "{:?}", error.causes());
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_makes_a_broken_connection_anew() {
    let Some(world) = world() else { return };
    world.host.reach().await.unwrap();
    // Ends the server's process of this very connection, as a restart of the host would.
    let _ = run("pid=$$; while [ \"$(cat /proc/$pid/comm)\" != sshd ]; do pid=$(cut -d ' ' -f 4 /proc/$pid/stat); done; kill -9 $pid", [])
        .perform(&world.host)
        .await;
    let wait = Wait::parse(&given(&Wait::SIGNATURE, vec![], [("timeout", Value::from("30s"))])).unwrap();
    wait.read(&world.host).await.unwrap();
    assert_eq!(stdout(&run("echo again", []).perform(&world.host).await.unwrap()), "again");
}
