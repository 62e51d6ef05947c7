//! The verbs of `file` on this machine's `sh`: what they do, and what undo makes of it, however they were broken off.

mod sandbox;

use haengine_kernel::error::Error;
use haengine_kernel::op::{Op, Plan, Standing};
use haengine_kernel::read::Read;
use haengine_kernel::secret::Secret;
use haengine_kernel::value::Value;
use haengine_stdlib::file::{Absent, Directory, Put, Stat};
use sandbox::{Sandbox, keep, laws, op, ops};

fn put(path: &str, content: &str) -> Put {
    op(vec![path.into(), content.into()], [])
}

async fn refusal<O: Op>(sandbox: &Sandbox, op: &O) -> Error {
    op.plan(&op.observe(&sandbox.host).await.unwrap()).err().expect("a refusal")
}

#[tokio::test]
async fn put_creates() {
    laws("mkdir /var/lib/t", &put("/var/lib/t/new", "hello\n")).await;
    laws("mkdir /srv/t", &put("/srv/t/new", "")).await;
    let options = [("mode", Value::Integer(0o600)), ("owner", "daemon".into()), ("group", "1".into())];
    laws("mkdir /srv/t", &op::<Put, 3>(vec!["/srv/t/new".into(), "x".into()], options)).await;
}

#[tokio::test]
async fn put_replaces() {
    for folder in ["/var/lib/t", "/srv/t"] {
        let file = format!("{folder}/f");
        let given = format!(
            "mkdir {folder}; printf 'a\\0b\\377' >{file}; chmod 4751 {file}; chown 1:2 {file}; touch -d @1600000000.123456789 {file}"
        );
        laws(&given, &put(&file, "new\n")).await;
        let options = [("mode", Value::Integer(0o600)), ("group", "0".into())];
        laws(&given, &op::<Put, 2>(vec![file.as_str().into(), "new\n".into()], options)).await;
        let empty = format!("mkdir {folder}; : >{file}; touch -d @1 {file}");
        laws(&empty, &put(&file, "new\n")).await;
        laws(&given, &put(&file, "")).await;
    }
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
    laws("", &op::<Directory, 0>(vec!["/srv/d".into()], [])).await;
    laws(
        "mkdir /srv/s; chmod 2775 /srv/s",
        &op::<Directory, 1>(vec!["/srv/s/d".into()], [("mode", Value::Integer(0o755))]),
    )
    .await;
    let options = [("mode", Value::Integer(0o2750)), ("owner", "1".into()), ("parents", true.into())];
    laws("", &op::<Directory, 3>(vec!["/srv/a/b/c".into()], options)).await;
    let given = "mkdir /srv/d; chmod 755 /srv/d; : >/srv/d/f";
    laws(given, &op::<Directory, 2>(vec!["/srv/d".into()], [("mode", Value::Integer(0o700)), ("group", "2".into())]))
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
    for (op, before) in all.iter().zip(&planned) {
        op.apply(&sandbox.host, before, &keep(1)).await.unwrap();
    }
    for (op, before) in all.iter().zip(&planned).rev() {
        let before = serde_json::to_value(before).unwrap();
        assert_eq!(sandbox.undo(op, &before, &keep(1)).await.unwrap(), Standing::Ours);
    }
    assert_eq!(sandbox.manifest(), was);
}

#[tokio::test]
async fn absent_moves_away_and_back() {
    for folder in ["/var/lib/t", "/srv/t"] {
        let given = format!(
            "mkdir -p {folder}/d/sub; cd {folder}/d; printf a >sub/f; chmod 4700 sub/f; chown 3:4 sub sub/f; ln -s f sub/l; mkfifo sub/p 2>/dev/null; rm sub/p; touch -d @1.5 sub/f"
        );
        for what in ["d", "d/sub/f", "d/sub/l"] {
            laws(&given, &op::<Absent, 0>(vec![format!("{folder}/{what}").into()], [])).await;
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
    let stat = async |path: &str| {
        let arguments = haengine_kernel::arguments::Arguments::check(
            "file::stat",
            &Stat::SIGNATURE,
            vec![Value::Null, path.into()],
            None,
        );
        Stat::parse(&arguments.unwrap()).unwrap().read(&sandbox.host).await.unwrap().redacted()
    };
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
