//! The verbs of `file` on this machine's `sh`: what they do, and what undo makes of it, however they were broken off.

#![allow(clippy::unwrap_used, reason = "what a test needs and does not get ends it")]

mod sandbox;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Error;
use haengine_kernel::op::{Op, Plan, Standing};
use haengine_kernel::read::Read;
use haengine_kernel::secret::Secret;
use haengine_kernel::value::Value;
use haengine_stdlib::file::{Absent, Directory, Find, Line, Link, Put, Read as ReadFile, Replace, Stat};
use sandbox::{Sandbox, keep, laws, laws_unbroken, op, ops};

fn put(path: &str, content: &str) -> Put {
    op(vec![path.into(), content.into()], [])
}

async fn read<R: Read, const N: usize>(
    sandbox: &Sandbox,
    path: &str,
    options: [(&str, Value); N],
) -> Result<serde_json::Value, Error> {
    let options = options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let arguments = Arguments::check(R::NAME, &R::SIGNATURE, vec![Value::Null, path.into()], Some(options));
    let value = R::parse(&arguments.unwrap()).unwrap().read(&sandbox.host).await?;
    assert!(R::GIVES.holds(&value), "{} gives {}", R::NAME, value.redacted());
    Ok(value.redacted())
}

async fn refusal<O: Op>(sandbox: &Sandbox, op: &O) -> Error {
    op.plan(&op.observe(&sandbox.host).await.unwrap()).err().expect("a refusal")
}

#[tokio::test]
async fn put_creates() {
    laws("mkdir /var/lib/t", &put("/var/lib/t/new", "hello\n")).await;
    laws_unbroken("mkdir /srv/t", &put("/srv/t/new", "")).await;
    let options = [("mode", Value::Integer(0o600)), ("owner", "daemon".into()), ("group", "1".into())];
    laws_unbroken("mkdir /srv/t", &op::<Put, 3>(vec!["/srv/t/new".into(), "x".into()], options)).await;
}

#[tokio::test]
async fn put_replaces() {
    laws(&old_file("/var/lib/t"), &put("/var/lib/t/f", "new\n")).await;
    laws_unbroken(&old_file("/srv/t"), &put("/srv/t/f", "")).await;
    laws_unbroken("mkdir /srv/t; : >/srv/t/f; touch -d @1 /srv/t/f", &put("/srv/t/f", "new\n")).await;
    let options = [("mode", Value::Integer(0o600)), ("group", "0".into())];
    laws_unbroken(&old_file("/srv/t"), &op::<Put, 2>(vec!["/srv/t/f".into(), "new\n".into()], options)).await;
}

#[tokio::test]
async fn put_replaces_on_another_mount() {
    laws(&old_file("/srv/t"), &put("/srv/t/f", "new\n")).await;
}

/// A file in which everything that undo restores is out of the ordinary.
fn old_file(folder: &str) -> String {
    format!(
        "mkdir {folder}; cd {folder}; printf 'a\\0b\\377' >f; chmod 4751 f; chown 1:2 f; chmod 4751 f; touch -d @1600000000.123456789 f"
    )
}

#[tokio::test]
async fn put_keeps_an_edit_of_what_it_was_made_of() {
    let sandbox = Sandbox::new("dash");
    let made_of = |text: &str| op::<Put, 1>(vec!["/srv/f".into(), "new\n".into()], [("replaces", text.into())]);
    sandbox.given("printf 'edited\\n' >/srv/f").await;
    let error = refusal(&sandbox, &made_of("read\n")).await;
    assert_eq!(error.code(), "file.edited");
    assert!(error.message().contains("`/srv/f` was changed after it was read"), "{error}");
    for text in ["edited\n", "whatever: it is placed already\n"] {
        sandbox.ensure(&made_of(text), &keep(1)).await.result.unwrap();
    }
    sandbox.given("rm /srv/f").await;
    assert!(refusal(&sandbox, &made_of("new\n")).await.message().contains("is gone"));
}

#[tokio::test]
async fn what_nobody_may_change_is_said_and_can_be_changed_later() {
    let sandbox = Sandbox::new("dash");
    sandbox.given("printf 'old\\n' >/srv/f && chattr +i /srv/f").await;
    let new = put("/srv/f", "new\n");
    let error = sandbox.ensure(&new, &keep(1)).await.result.unwrap_err();
    assert!(error.advice().unwrap().contains("chattr -i"), "{error:?}");
    sandbox.given("chattr -i /srv/f").await;
    sandbox.ensure(&new, &keep(2)).await.result.unwrap();
}

#[tokio::test]
async fn put_changes_the_mode_alone() {
    let given = "mkdir /srv/t; printf same >/srv/t/f; chmod 644 /srv/t/f; touch -d @1600000000.5 /srv/t/f";
    let options = [("mode", Value::Integer(0o600)), ("owner", "1".into())];
    laws(given, &op::<Put, 2>(vec!["/srv/t/f".into(), "same".into()], options)).await;
}

#[tokio::test]
async fn names_may_be_anything() {
    for name in ["a b", "-f", "it's \"q\"", "line\nbreak", "ünï ☃", "$(touch x)*?[a]", ".hidden"] {
        let sandbox = Sandbox::new("dash");
        let path = format!("/srv/{name}");
        for text in ["one\n", "two\n"] {
            let done = sandbox.ensure(&put(&path, text), &keep(1)).await;
            done.result.unwrap();
        }
        assert!(sandbox.ensure(&put(&path, "two\n"), &keep(2)).await.before.is_none(), "{name:?}");
        let absent: Absent = op(vec![path.as_str().into()], []);
        let done = sandbox.ensure(&absent, &keep(3)).await;
        done.result.unwrap();
        assert!(!sandbox.manifest().contains_key(&path), "{name:?}");
        sandbox.undo(&absent, &done.before.unwrap(), &keep(3)).await.unwrap();
        assert!(sandbox.manifest().contains_key(&path), "{name:?}");
    }
}

#[tokio::test]
async fn what_the_validator_refuses_is_not_placed() {
    let sandbox = Sandbox::new("dash");
    sandbox.given("printf old >/srv/f").await;
    let was = sandbox.manifest();
    let op: Put = op(vec!["/srv/f".into(), "if".into()], [("validate", "sh -n %s".into())]);
    let done = sandbox.ensure(&op, &keep(1)).await;
    let error = done.result.unwrap_err();
    assert_eq!((error.code(), error.message()), ("file.validate", "`sh -n %s` does not accept the new `/srv/f`"));
    assert_eq!(sandbox.manifest(), was);
    assert_eq!(sandbox.undo(&op, &done.before.unwrap(), &keep(1)).await.unwrap(), Standing::AsBefore);
}

#[tokio::test]
async fn put_refuses_what_is_no_file() {
    let sandbox = Sandbox::new("dash");
    sandbox.given("ln -s /etc/passwd /srv/link; mkdir /srv/dir; mkfifo /srv/pipe; : >/srv/file").await;
    let link = refusal(&sandbox, &put("/srv/link", "x")).await;
    assert_eq!(link.message(), "`/srv/link` is a symbolic link");
    assert!(link.advice().unwrap().contains("`/etc/passwd`"));
    assert_eq!(refusal(&sandbox, &put("/srv/dir", "x")).await.message(), "`/srv/dir` is a directory");
    assert_eq!(refusal(&sandbox, &put("/srv/pipe", "x")).await.code(), "file.not_a_file");
    let missing = refusal(&sandbox, &put("/srv/a/b/c", "x")).await;
    assert_eq!(missing.message(), "`/srv/a/b/c` needs the directory `/srv/a`");
    assert_eq!(refusal(&sandbox, &put("/srv/file/c", "x")).await.code(), "file.no_folder");
}

#[tokio::test]
async fn undo_does_not_overwrite_what_somebody_else_wrote() {
    let sandbox = Sandbox::new("dash");
    sandbox.given("printf old >/srv/f").await;
    let op = put("/srv/f", "new");
    let before = sandbox.ensure(&op, &keep(1)).await.before.unwrap();
    sandbox.given("printf theirs >>/srv/f").await;
    let stood = sandbox.undo(&op, &before, &keep(1)).await.unwrap();
    assert_eq!(stood, Standing::Foreign("its content is different".into()));
}

#[tokio::test]
async fn a_secret_reaches_neither_arguments_nor_journal() {
    let op: Put = op(vec!["/srv/f".into(), Value::Secret(Secret::new("hush-hush".into()))], []);
    let sandbox = Sandbox::new("dash");
    let done = sandbox.ensure(&op, &keep(1)).await;
    done.result.unwrap();
    assert!(sandbox.manifest()["/srv/f"].contains("104, 117, 115, 104"));
    let journal = format!("{}{}", serde_json::to_string(&op).unwrap(), done.before.unwrap());
    assert!(!journal.contains("hush"), "{journal}");
}

#[tokio::test]
async fn directory_creates_and_corrects() {
    laws_unbroken("", &op::<Directory, 0>(vec!["/srv/d".into()], [])).await;
    laws_unbroken(
        "mkdir /srv/s; chmod 2775 /srv/s",
        &op::<Directory, 1>(vec!["/srv/s/d".into()], [("mode", Value::Integer(0o755))]),
    )
    .await;
    let options = [("mode", Value::Integer(0o2750)), ("owner", "1".into()), ("parents", true.into())];
    laws("", &op::<Directory, 3>(vec!["/srv/a/b/c".into()], options)).await;
    let given = "mkdir /srv/d; chmod 755 /srv/d; : >/srv/d/f";
    laws_unbroken(
        given,
        &op::<Directory, 2>(vec!["/srv/d".into()], [("mode", Value::Integer(0o700)), ("group", "2".into())]),
    )
    .await;
}

#[tokio::test]
async fn a_list_of_directories_is_undone_backwards() {
    let sandbox = Sandbox::new("dash");
    let was = sandbox.manifest();
    let list = Value::List(["/srv/d", "/srv/d/a", "/srv/d/a/b"].map(Value::from).to_vec());
    let all: Vec<Directory> = ops(vec![list], []);
    let mut planned = Vec::new();
    for op in &all {
        let Plan::Change(change) = op.plan(&op.observe(&sandbox.host).await.unwrap()).unwrap() else { panic!() };
        planned.push(change.before);
    }
    let changes: Vec<_> = (1..).zip(all.iter().zip(&planned)).collect();
    for (change, (op, before)) in &changes {
        op.apply(&sandbox.host, before, &keep(*change)).await.unwrap();
    }
    for (change, (op, before)) in changes.into_iter().rev() {
        let before = serde_json::to_value(before).unwrap();
        assert_eq!(sandbox.undo(op, &before, &keep(change)).await.unwrap(), Standing::Ours);
    }
    assert_eq!(sandbox.manifest(), was);
}

#[tokio::test]
async fn absent_moves_away_and_back() {
    for folder in ["/var/lib/t", "/srv/t"] {
        let given = format!(
            "mkdir -p {folder}/d/sub; cd {folder}/d; printf a >sub/f; chmod 4700 sub/f; chown 3:4 sub sub/f; ln -s f sub/l; touch -d @1.5 sub/f"
        );
        laws(&given, &op::<Absent, 0>(vec![format!("{folder}/d").into()], [])).await;
        for what in ["d/sub/f", "d/sub/l"] {
            laws_unbroken(&given, &op::<Absent, 0>(vec![format!("{folder}/{what}").into()], [])).await;
        }
    }
}

/// A directory of an overlay's lower layer cannot be renamed: it is carried file by file.
#[tokio::test]
async fn absent_takes_a_directory_out_of_a_lower_layer() {
    for count in 0.. {
        let sandbox = Sandbox::new("dash");
        sandbox.given("mkdir -p /var/lib/d/sub; printf a >/var/lib/d/sub/f; touch -d @1.5 /var/lib/d/sub/f").await;
        sandbox.freeze();
        let was = sandbox.seen().await;
        let op: Absent = op(vec!["/var/lib/d".into()], []);
        sandbox.stop_at(count);
        let done = sandbox.ensure(&op, &keep(1)).await;
        sandbox.stop_at(0);
        if count == 0 {
            assert!(sandbox.seen().await.is_empty());
        }
        let again = sandbox.ensure(&op, &keep(2)).await;
        assert!(sandbox.seen().await.is_empty(), "{count}");
        if let Some(before) = &again.before {
            sandbox.undo(&op, before, &keep(2)).await.unwrap();
        }
        sandbox.clean_up(&op, &done.before.unwrap(), &keep(1)).await.unwrap();
        assert_eq!(sandbox.seen().await, was, "{count}");
        if count > 0 && done.result.is_ok() {
            break;
        }
    }
}

#[tokio::test]
async fn absent_refuses_mount_points_and_folders_around_them() {
    let sandbox = Sandbox::new("dash");
    sandbox.given("mkdir -p '/srv/with a mount/point'").await;
    for path in ["/srv/with a mount", "/srv/with a mount/point"] {
        let op = op::<Absent, 0>(vec![path.into()], []);
        assert_eq!(refusal(&sandbox, &op).await.code(), "file.mounted", "{path}");
    }
}

#[tokio::test]
async fn stat_tells_what_is_there() {
    let sandbox = Sandbox::new("dash");
    sandbox.given("printf hello >/srv/f; chmod 640 /srv/f; touch -d @1600000000.9 /srv/f; ln -s nowhere /srv/l").await;
    let stat = async |path: &str| read::<Stat, 0>(&sandbox, path, []).await.unwrap();
    let file = stat("/srv/f").await;
    assert_eq!(
        (file["kind"].as_str(), file["mode"].as_i64(), file["size"].as_i64()),
        (Some("file"), Some(0o640), Some(5))
    );
    assert_eq!(file["modified"].as_i64(), Some(1_600_000_000));
    assert!(file["sha256"].as_str().unwrap().starts_with("2cf24dba5fb0a30e"));
    assert_eq!(stat("/srv/l").await["target"].as_str(), Some("nowhere"));
    assert_eq!(stat("/srv/none").await, serde_json::json!({"exists": false}));
}

#[tokio::test]
async fn read_gives_text_and_refuses_the_rest() {
    let sandbox = Sandbox::new("dash");
    sandbox.given(r"printf 'a\nb' >/srv/f; ln -s f /srv/l; printf '\377' >/srv/b; : >/srv/e; mkdir /srv/d").await;
    sandbox.given("head -c 5000000 /dev/zero >/srv/big; mkfifo /srv/pipe").await;
    let content = async |path| read::<ReadFile, 0>(&sandbox, path, []).await;
    for path in ["/srv/f", "/srv/l"] {
        assert_eq!(content(path).await.unwrap(), "a\nb");
    }
    assert_eq!(content("/srv/e").await.unwrap(), "");
    for (path, code) in [
        ("/srv/b", "file.not_text"),
        ("/srv/big", "file.too_big"),
        ("/srv/d", "file.not_a_file"),
        ("/srv/pipe", "file.not_a_file"),
        ("/srv/none", "file.missing"),
        ("/srv/none/deeper", "file.missing"),
    ] {
        assert_eq!(content(path).await.unwrap_err().code(), code, "{path}");
    }
    let empty = [("missing", Value::from("empty"))];
    assert_eq!(read::<ReadFile, 1>(&sandbox, "/srv/none", empty).await.unwrap(), "");
}

#[tokio::test]
async fn find_lists_what_fits() {
    for shell in ["dash", "bash"] {
        let sandbox = Sandbox::new(shell);
        sandbox
            .given("mkdir -p '/srv/t/a b/c'; cd /srv/t; echo needle >'a b/x.conf'; echo hay >y.conf; ln -s y.conf z")
            .await;
        sandbox.given("printf 'one needle\n' >/srv/t/'new\nline'; mkfifo /srv/t/pipe").await;
        let find = async |options: Vec<(&str, Value)>| {
            let options = options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let positional = vec![Value::Null, "/srv/t".into()];
            let arguments = Arguments::check("file::find", &Find::SIGNATURE, positional, Some(options)).unwrap();
            let value = Find::parse(&arguments).unwrap().read(&sandbox.host).await.unwrap();
            assert!(Find::GIVES.holds(&value));
            value.redacted()
        };
        let json = |paths: &[&str]| serde_json::json!(paths);
        let all = [
            "/srv/t/a b",
            "/srv/t/a b/c",
            "/srv/t/a b/x.conf",
            "/srv/t/new\nline",
            "/srv/t/pipe",
            "/srv/t/y.conf",
            "/srv/t/z",
        ];
        assert_eq!(find(vec![]).await, json(&all));
        assert_eq!(find(vec![("name", "*.conf".into())]).await, json(&["/srv/t/a b/x.conf", "/srv/t/y.conf"]));
        assert_eq!(find(vec![("contains", "needle".into())]).await, json(&["/srv/t/a b/x.conf", "/srv/t/new\nline"]));
        assert_eq!(find(vec![("contains", "-e".into())]).await, json(&[]));
        assert_eq!(find(vec![("kind", "link".into())]).await, json(&["/srv/t/z"]));
        let shallow = vec![("kind", "directory".into()), ("depth", Value::Integer(1))];
        assert_eq!(find(shallow).await, json(&["/srv/t/a b"]));
        assert_eq!(read::<Find, 0>(&sandbox, "/srv/none", []).await.unwrap_err().code(), "file.missing");
        assert_eq!(read::<Find, 0>(&sandbox, "/srv/t/y.conf", []).await.unwrap_err().code(), "file.find");
    }
}

#[tokio::test]
async fn link_makes_and_turns() {
    let link: Link = op(vec!["/srv/l".into(), "-new target".into()], []);
    laws("", &link).await;
    laws("ln -s old /srv/l; touch -hd @1600000000.5 /srv/l; chown -h 1:2 /srv/l", &link).await;
    laws(
        "ln -s old /var/lib/l; touch -hd @2.5 /var/lib/l",
        &op::<Link, 0>(vec!["/var/lib/l".into(), "/new".into()], []),
    )
    .await;
    let sandbox = Sandbox::new("dash");
    sandbox.given("mkdir /srv/l").await;
    assert_eq!(refusal(&sandbox, &link).await.code(), "file.not_a_link");
    sandbox.given("rmdir /srv/l").await;
    let before = sandbox.ensure(&link, &keep(1)).await.before.unwrap();
    sandbox.given("ln -sfn theirs /srv/l").await;
    let stood = sandbox.undo(&link, &before, &keep(1)).await.unwrap();
    assert_eq!(stood, Standing::Foreign("it leads to `theirs`".into()));
}

#[tokio::test]
async fn replace_edits_what_is_there() {
    let plain: Replace = op(vec!["/srv/f".into(), "a.c".into(), "$1".into()], []);
    laws_unbroken(r"printf 'a.c abc\na.c' >/srv/f; chmod 600 /srv/f; touch -d @3.25 /srv/f", &plain).await;
    let options = [("regex", Value::Boolean(true)), ("count", Value::Integer(1))];
    let regex: Replace = op(vec!["/srv/f".into(), "^(ip)=.*$".into(), "$1=2".into()], options);
    laws(r"printf 'x\nip=1\ny' >/srv/f", &regex).await;

    let sandbox = Sandbox::new("dash");
    assert_eq!(refusal(&sandbox, &regex).await.code(), "file.missing");
    sandbox.given(r"printf 'ip=1\nip=3\n' >/srv/f").await;
    assert_eq!(refusal(&sandbox, &regex).await.message(), "`/srv/f` has the pattern 2 times, not 1");
    let growing: Replace = op(vec!["/srv/f".into(), "ip".into(), "ipip".into()], []);
    assert_eq!(refusal(&sandbox, &growing).await.code(), "file.unstable");
    let secret: Replace = op(vec!["/srv/f".into(), "ip=1".into(), Value::Secret(Secret::new("hush".into()))], []);
    let Plan::Change(change) = secret.plan(&secret.observe(&sandbox.host).await.unwrap()).unwrap() else { panic!() };
    assert!(change.diff.is_none());
    assert!(!serde_json::to_string(&(&secret, &change.before)).unwrap().contains("hush"));
    sandbox.given(r"printf '\377' >/srv/f").await;
    assert_eq!(refusal(&sandbox, &growing).await.code(), "file.not_text");
}

#[tokio::test]
async fn line_edits_what_is_there() {
    let set: Line = op(vec!["/srv/f".into(), "x=2".into()], [("prefix", "x=".into())]);
    laws_unbroken(r"printf 'a\nx=1\nb' >/srv/f; chmod 600 /srv/f; touch -d @3.25 /srv/f", &set).await;
    let gone: Line = op(vec!["/srv/f".into(), "x".into()], [("present", Value::Boolean(false))]);
    laws(r"printf 'x\na\n' >/srv/f", &gone).await;
    let sandbox = Sandbox::new("dash");
    assert!(sandbox.ensure(&gone, &keep(1)).await.before.is_none());
    assert_eq!(refusal(&sandbox, &set).await.code(), "file.missing");
}

/// A verb that is not listed works in all tests of its own and in no recipe.
#[test]
fn recipes_find_every_verb() {
    let names: Vec<&str> = haengine_stdlib::file::module().verbs.iter().map(|verb| verb.name()).collect();
    let verbs = "read stat find put template replace line directory link absent copy_tree";
    assert_eq!(names, verbs.split(' ').map(|verb| format!("file.{verb}")).collect::<Vec<_>>());
}
