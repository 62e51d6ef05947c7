//! A host whose programs are busybox's: what can be done there is done, and what cannot says what the host lacks.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and a skipped one is heard"
)]

#[allow(dead_code, reason = "not every file of tests needs all of it")]
mod sandbox;

use haengine_kernel::action::Action;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Error;
use haengine_kernel::op::{Op, Standing};
use haengine_kernel::read::Read;
use haengine_kernel::value::Value;
use haengine_stdlib::file::{self, CopyTree, Put};
use haengine_stdlib::ssh::{Facts, Run, Script};
use sandbox::{Sandbox, keep, op};

fn host() -> Option<Sandbox> {
    if std::process::Command::new("busybox").arg("true").status().is_ok_and(|status| status.success()) {
        return Some(Sandbox::new("busybox"));
    }
    eprintln!("SKIPPED: this machine has no busybox");
    None
}

fn arguments(signature: &haengine_kernel::signature::Signature, given: Vec<Value>) -> Arguments {
    let given = std::iter::once(Value::Null).chain(given).collect();
    Arguments::check("a::verb", signature, given, None).unwrap()
}

fn put(content: &str) -> Put {
    op(vec!["/srv/demo".into(), content.into()], [])
}

#[tokio::test]
async fn commands_scripts_and_facts() {
    let Some(sandbox) = host() else { return };
    let gives = |text: &str| serde_json::json!({ "stdout": text, "stderr": "", "status": 0, "ok": true });
    let look = "stat --help 2>&1 | grep -q BusyBox && echo \"$1 it's\"";
    let run = Run::parse(&arguments(&Run::SIGNATURE, vec![look.into()])).unwrap();
    assert_eq!(run.perform(&sandbox.host).await.unwrap().redacted(), gives(" it's"));
    let script =
        Script::parse(&arguments(&Script::SIGNATURE, vec!["set -e\nread -r a || :\necho ok\n".into()])).unwrap();
    assert_eq!(script.perform(&sandbox.host).await.unwrap().redacted(), gives("ok"));
    let facts = Facts::parse(&arguments(&Facts::SIGNATURE, vec![])).unwrap().read(&sandbox.host).await.unwrap();
    assert!(Facts::GIVES.holds(&facts));
}

#[tokio::test]
async fn a_new_file_is_placed_read_and_taken_back() {
    let Some(sandbox) = host() else { return };
    let was = sandbox.manifest();
    let done = sandbox.ensure(&put("one\n"), &keep(1)).await;
    done.result.unwrap();
    assert!(sandbox.ensure(&put("one\n"), &keep(2)).await.before.is_none(), "again is no change");
    let read = file::Read::parse(&arguments(&file::Read::SIGNATURE, vec!["/srv/demo".into()])).unwrap();
    let read = read.read(&sandbox.host).await.unwrap();
    assert_eq!(read.redacted(), "one\n");
    let before = done.before.unwrap();
    assert_eq!(sandbox.undo(&put("one\n"), &before, &keep(1)).await.unwrap(), Standing::Ours);
    assert_eq!(sandbox.manifest(), was);
}

/// What would lose its attributes is left alone.
#[tokio::test]
async fn what_cannot_be_done_names_what_the_host_lacks() {
    let Some(sandbox) = host() else { return };
    sandbox.given("echo old >/srv/demo; mkdir /srv/tree; echo a >/srv/tree/a").await;
    let was = sandbox.manifest();
    let error = sandbox.ensure(&put("new\n"), &keep(1)).await.result.unwrap_err();
    refused(&error, "its `cp` has no `--attributes-only`");
    assert_eq!(sandbox.manifest(), was);
    let tree: CopyTree = {
        let given = vec!["a".into(), "/srv/tree".into(), Value::Null, "/srv/copy".into()];
        CopyTree::parse(&Arguments::check("file::copy_tree", &CopyTree::SIGNATURE, given, None).unwrap())
            .unwrap()
            .remove(0)
    };
    refused(&tree.observe(&sandbox.host).await.map(drop).unwrap_err(), "has no `-ignore_readdir_race`");
    assert_eq!(sandbox.manifest(), was);
}

fn refused(error: &Error, lacks: &str) {
    let hint = error.advice().unwrap_or_default();
    assert!(hint.contains(lacks) && hint.contains("busybox"), "{error}: {hint:?} {:?}", error.causes());
}
