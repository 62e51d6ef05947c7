//! `ssh::upload` on this machine's `sh`: what it does, and what undo makes of it, however it was broken off.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod sandbox;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::op::{Op, Plan};
use haengine_kernel::overlay::{Effect, Overlay, PlannedFile};
use haengine_kernel::value::Value;
use haengine_stdlib::ssh::Upload;
use sandbox::{Sandbox, keep, laws};

fn parse<const N: usize>(base: &Path, local: Value, path: &str, options: [(&str, Value); N]) -> Result<Vec<Upload>> {
    let options = options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let given = vec![Value::Null, local, Value::from(path)];
    Upload::parse(&Arguments::check("ssh::upload", &Upload::SIGNATURE, given, Some(options))?.with_base(base))
}

/// A recipe's folder with a program, some data and a folder.
fn recipe() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8], mode: u32| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write("tool", b"#!/bin/sh\necho \0\xff\n", 0o700);
    write("it's data", &[7; 3_000_000], 0o600);
    write("empty", b"", 0o644);
    write("site/a.conf", b"a\n", 0o644);
    write("site/sub/ü b.conf", b"b\n", 0o644);
    write("site/sub/run", b"#!/bin/sh\n", 0o755);
    folder
}

async fn all(sandbox: &Sandbox, ops: &[Upload], first: u64) -> Vec<serde_json::Value> {
    let mut states = Vec::new();
    for op in ops {
        states.push(op.observe(&sandbox.host).await.unwrap());
    }
    let mut befores = Vec::new();
    for ((op, state), change) in ops.iter().zip(states).zip(first..) {
        if let Plan::Change(planned) = op.plan(&state).unwrap() {
            befores.push(serde_json::to_value(&planned.before).unwrap());
            op.apply(&sandbox.host, &planned.before, &keep(change)).await.unwrap();
        }
    }
    befores
}

#[tokio::test]
async fn the_laws_hold_for_a_new_file_and_for_an_old_one() {
    let recipe = recipe();
    let old =
        "mkdir /srv/t; echo old >/srv/t/f; chmod 4750 /srv/t/f; chown 1:2 /srv/t/f; touch -d @1600000000.5 /srv/t/f";
    for local in ["tool", "it's data", "empty"] {
        let ops = parse(recipe.path(), local.into(), "/srv/t/f", []).unwrap();
        laws("mkdir /srv/t", &ops[0]).await;
        laws(old, &ops[0]).await;
    }
    let options = [("mode", Value::Integer(0o640)), ("owner", "daemon".into()), ("validate", "test -s %s".into())];
    laws(old, &parse(recipe.path(), "tool".into(), "/srv/t/f", options).unwrap()[0]).await;
}

#[tokio::test]
async fn a_new_file_may_be_executed_where_the_local_one_may() {
    let (recipe, sandbox) = (recipe(), Sandbox::new("dash"));
    sandbox.given("mkdir /srv/t; echo x >/srv/t/tool; chmod 640 /srv/t/tool").await;
    let local = Value::List(vec!["tool".into(), "empty".into()]);
    assert_eq!(all(&sandbox, &parse(recipe.path(), local, "/srv/t", []).unwrap(), 1).await.len(), 2);
    all(&sandbox, &parse(recipe.path(), "tool".into(), "/srv/t/new", []).unwrap(), 3).await;
    sandbox.given("[ \"$(stat -c %a /srv/t/tool /srv/t/empty /srv/t/new | tr '\\n' ' ')\" = '640 644 755 ' ]").await;
}

#[tokio::test]
async fn a_folder_goes_with_all_that_is_in_it() {
    let (recipe, sandbox) = (recipe(), Sandbox::new("dash"));
    sandbox.given("mkdir /srv/site; echo extra >/srv/site/extra; echo old >/srv/site/a.conf").await;
    let was = sandbox.manifest();
    let ops = parse(recipe.path(), "site".into(), "/srv/site", []).unwrap();
    let targets: Vec<String> = ops.iter().map(Op::target).collect();
    let wanted = ["/srv/site", "/srv/site/sub", "/srv/site/a.conf", "/srv/site/sub/run", "/srv/site/sub/ü b.conf"];
    assert_eq!(targets, wanted);
    let befores = all(&sandbox, &ops, 1).await;
    assert_eq!(befores.len(), 4);
    let script = "cat /srv/site/a.conf '/srv/site/sub/ü b.conf' /srv/site/extra; test -x /srv/site/sub/run";
    let said = sandbox.host.ok(&haengine_kernel::transport::Command::script(script)).await.unwrap();
    assert_eq!(said.text(), "a\nb\nextra\n");
    assert_eq!(all(&sandbox, &ops, 11).await.len(), 0);
    // The first op had nothing to do; the others are changes 2 to 5.
    for ((op, before), change) in ops[1..].iter().zip(&befores).zip(2..).collect::<Vec<_>>().into_iter().rev() {
        sandbox.undo(op, before, &keep(change)).await.unwrap();
    }
    assert_eq!(sandbox.manifest(), was);
}

#[tokio::test]
async fn a_file_that_changes_on_the_way_is_not_placed() {
    let (recipe, sandbox) = (recipe(), Sandbox::new("dash"));
    sandbox.given("echo old >/srv/f").await;
    let was = sandbox.manifest();
    let op = parse(recipe.path(), "it's data".into(), "/srv/f", []).unwrap().remove(0);
    let Plan::Change(change) = op.plan(&op.observe(&sandbox.host).await.unwrap()).unwrap() else { panic!("a change") };
    std::fs::write(recipe.path().join("it's data"), "shorter").unwrap();
    let error = op.apply(&sandbox.host, &change.before, &keep(1)).await.unwrap_err();
    assert_eq!(error.message(), "`it's data` did not arrive as it was when it was compared");
    assert_eq!(sandbox.manifest(), was);
}

#[tokio::test]
async fn what_the_journal_holds_can_be_read_again() {
    let recipe = recipe();
    for op in parse(recipe.path(), "site".into(), "/srv/site", []).unwrap() {
        let written = serde_json::to_value(&op).unwrap();
        let read: Upload = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), written);
        assert!(!written.to_string().contains(recipe.path().to_str().unwrap()), "{written}");
    }
}

#[tokio::test]
async fn a_plan_knows_what_will_be_there_but_not_what_it_says() {
    let (recipe, sandbox) = (recipe(), Sandbox::new("dash"));
    let ops = parse(recipe.path(), "site".into(), "/srv/site", []).unwrap();
    let mut overlay = Overlay::default();
    for op in &ops {
        let state = op.assume(op.observe(&sandbox.host).await.unwrap(), &overlay);
        let Plan::Change(change) = op.plan(&state).unwrap() else { panic!("a change of {}", op.target()) };
        change.effects.into_iter().for_each(|effect: Effect| overlay.record(effect));
    }
    assert!(matches!(overlay.file("/srv/site/sub"), Some(PlannedFile::Directory)));
    let Some(PlannedFile::Placed(origin)) = overlay.file("/srv/site/a.conf") else { panic!("placed") };
    assert_eq!(origin, "the upload of `site/a.conf`");
    assert!(sandbox.manifest().is_empty());
}

#[tokio::test]
async fn wrong_calls_are_refused_before_a_host_is_asked() {
    let recipe = recipe();
    let refused = |local: Value| parse(recipe.path(), local, "/srv/x", []).map(drop).unwrap_err().to_string();
    assert_eq!(refused("missing".into()), "cannot read `missing` on your machine");
    assert_eq!(refused("/dev/null".into()), "`/dev/null` is neither a file nor a folder");
    assert_eq!(refused(Value::List(vec![])), "there is nothing to upload");
    let twice = Value::List(vec!["tool".into(), "./tool".into()]);
    assert_eq!(refused(twice), "two things would go to `/srv/x/tool`");
    std::os::unix::fs::symlink("..", recipe.path().join("site/loop")).unwrap();
    assert_eq!(refused("site".into()), "`site/loop` is a symbolic link to a folder");
}

#[tokio::test]
async fn a_missing_directory_is_refused_by_name() {
    let (recipe, sandbox) = (recipe(), Sandbox::new("dash"));
    for local in ["tool", "site"] {
        let op = parse(recipe.path(), local.into(), "/srv/no/such/place", []).unwrap().remove(0);
        let error = op.plan(&op.observe(&sandbox.host).await.unwrap()).map(drop).unwrap_err();
        assert_eq!(error.to_string(), "`/srv/no/such/place` needs the directory `/srv/no`");
    }
}
