//! `k8s::apply` and `k8s::delete`.

use haengine_kernel::op::{Op, Plan, Standing};
use haengine_kernel::secret::Secret;
use haengine_kernel::value::Value;
use haengine_stdlib::k8s::{Apply, Delete};
use serde_json::{Value as Json, json};

use crate::api::Plane;
use crate::{arguments, ensure, host, keep, op, plane, undo};

/// Kept files lie in `/var/lib/haengine`, as on every host.
pub fn may_keep() -> bool {
    let may = std::fs::create_dir_all("/var/lib/haengine").is_ok();
    if !may {
        println!("\n*** SKIPPED a test of undo: it keeps files in /var/lib/haengine, which only root may ***\n");
    }
    may
}

pub fn release(changes: &[u64]) {
    for change in changes {
        let _ = std::fs::remove_dir_all(keep(*change).folder());
    }
    let _ = std::fs::remove_dir("/var/lib/haengine");
}

pub fn at(plane: &Plane, more: Vec<(&'static str, Value)>) -> Vec<(&'static str, Value)> {
    let mut options = vec![("kubeconfig", Value::from(plane.admin()))];
    options.extend(more);
    options
}

pub fn apply(plane: &Plane, object: impl Into<Value>, more: Vec<(&'static str, Value)>) -> Apply {
    op(vec![object.into()], at(plane, more))
}

pub fn map(name: &str, data: Json) -> Json {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "default" }, "data": data })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_placed_and_taken_away_again() {
    let plane = plane!();
    let (_hosts, host) = host();
    let wanted = map("obj-new", json!({ "a": "1" }));
    let op = apply(&plane, wanted.clone(), vec![]);
    assert_eq!(op.target(), "configmap/obj-new in default");
    let Plan::Change(change) = op.plan(&op.observe(&host).await.unwrap()).unwrap() else { panic!("nothing to do") };
    assert_eq!(change.summary, "create");
    assert!(change.diff.unwrap().text().contains("+    \"a\": \"1\""));
    assert!(plane.object(&wanted).await.is_null(), "a plan touches nothing");

    let before = ensure(&host, &op, &keep(11)).await.unwrap().unwrap();
    assert_eq!(plane.object(&wanted).await["data"]["a"], "1");
    assert_eq!(ensure(&host, &op, &keep(12)).await.unwrap(), None);
    assert_eq!(undo(&host, &op, &before, &keep(11)).await.unwrap(), Standing::Ours);
    assert!(plane.object(&wanted).await.is_null());
    assert_eq!(undo(&host, &op, &before, &keep(11)).await.unwrap(), Standing::AsBefore);
    release(&[11]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_fields_that_were_set_are_put_back() {
    let plane = plane!();
    let (_hosts, host) = host();
    if !may_keep() {
        return;
    }
    plane.create(&map("obj-old", json!({ "a": "old", "b": "2" }))).await.unwrap();
    let wanted = map("obj-old", json!({ "a": "new", "c": "3" }));
    let refused = ensure(&host, &apply(&plane, wanted.clone(), vec![]), &keep(21)).await.unwrap_err();
    assert_eq!(refused.code(), "k8s.conflict", "{refused}");
    let op = apply(&plane, wanted.clone(), vec![("force", Value::Boolean(true))]);
    let before = ensure(&host, &op, &keep(21)).await.unwrap().unwrap();
    assert_eq!(plane.object(&wanted).await["data"], json!({ "a": "new", "b": "2", "c": "3" }));
    assert_eq!(ensure(&host, &op, &keep(22)).await.unwrap(), None);
    assert_eq!(undo(&host, &op, &before, &keep(21)).await.unwrap(), Standing::Ours);
    assert_eq!(plane.object(&wanted).await["data"], json!({ "a": "old", "b": "2" }));
    assert_eq!(undo(&host, &op, &before, &keep(21)).await.unwrap(), Standing::AsBefore);
    release(&[21]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_changed_since_is_seen() {
    let plane = plane!();
    let (_hosts, host) = host();
    let mine = apply(&plane, map("obj-drift", json!({ "a": "1" })), vec![]);
    let before = ensure(&host, &mine, &keep(31)).await.unwrap().unwrap();
    let other = apply(&plane, map("obj-drift", json!({ "a": "2" })), vec![]);
    if !may_keep() {
        return;
    }
    ensure(&host, &other, &keep(32)).await.unwrap().unwrap();
    assert!(matches!(undo(&host, &mine, &before, &keep(31)).await.unwrap(), Standing::Foreign(_)));
    release(&[31, 32]);
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_may_need_those_before_them() {
    let plane = plane!();
    let (_hosts, host) = host();
    let text = "apiVersion: v1\nkind: Namespace\nmetadata: { name: obj-space }\n---\napiVersion: v1\nkind: ConfigMap\n\
        metadata: { name: inside, namespace: obj-space }\ndata: { a: '1' }\n";
    let call = arguments(Apply::NAME, &Apply::SIGNATURE, vec![Value::from(text)], at(&plane, vec![])).unwrap();
    let ops = Apply::parse(&call).unwrap();
    // All of a call are observed before the first is applied.
    let mut states = Vec::new();
    for op in &ops {
        states.push(op.observe(&host).await.unwrap());
    }
    let mut befores = Vec::new();
    for (op, state) in ops.iter().zip(&states) {
        let Plan::Change(change) = op.plan(state).unwrap() else { panic!("nothing to do") };
        op.apply(&host, &change.before, &keep(41 + befores.len() as u64)).await.unwrap();
        befores.push(serde_json::to_value(&change.before).unwrap());
    }
    let inside =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "inside", "namespace": "obj-space" } });
    assert_eq!(plane.object(&inside).await["data"]["a"], "1");
    assert_eq!(ensure(&host, &ops[1], &keep(43)).await.unwrap(), None);
    assert_eq!(undo(&host, &ops[1], &befores[1], &keep(42)).await.unwrap(), Standing::Ours);
    assert!(plane.object(&inside).await.is_null());
    release(&[41, 42]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_in_no_journal_and_in_no_diff() {
    let plane = plane!();
    let (_hosts, host) = host();
    if !may_keep() {
        return;
    }
    let canary = |word: &str| format!("canary-{word}-5e1f");
    let secret = |word: &str| {
        Value::map([
            ("apiVersion", Value::from("v1")),
            ("kind", Value::from("Secret")),
            ("metadata", Value::map([("name", Value::from("obj-secret")), ("namespace", Value::from("default"))])),
            ("stringData", Value::map([("k", Value::Secret(Secret::new(canary(word))))])),
        ])
    };
    let encoded = |word: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, canary(word));
    let unseen = |place: &str, text: &str| {
        for word in ["one", "two"] {
            assert!(!text.contains(&canary(word)) && !text.contains(&encoded(word)), "it is in {place}: {text}");
        }
    };
    let first = apply(&plane, secret("one"), vec![]);
    let created = ensure(&host, &first, &keep(51)).await.unwrap().unwrap();
    assert_eq!(ensure(&host, &first, &keep(51)).await.unwrap(), None);
    let second = apply(&plane, secret("two"), vec![]);
    let Plan::Change(change) = second.plan(&second.observe(&host).await.unwrap()).unwrap() else {
        panic!("nothing to do")
    };
    let diff = change.diff.unwrap();
    assert!(diff.text().contains("‹secret"), "{}", diff.text());
    unseen("the diff", diff.text());
    let changed = ensure(&host, &second, &keep(52)).await.unwrap().unwrap();
    for (op, before) in [(&first, &created), (&second, &changed)] {
        unseen("the journal", &format!("{} {before}", serde_json::to_string(op).unwrap()));
    }
    use std::os::unix::fs::PermissionsExt;
    let kept = std::fs::metadata(format!("{}/{}", keep(52).folder(), keep(52).name())).unwrap();
    assert_eq!(kept.permissions().mode() & 0o777, 0o600);

    let like =
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "obj-secret", "namespace": "default" } });
    assert_eq!(undo(&host, &second, &changed, &keep(52)).await.unwrap(), Standing::Ours);
    assert_eq!(plane.object(&like).await["data"]["k"], encoded("one"));
    assert_eq!(undo(&host, &first, &created, &keep(51)).await.unwrap(), Standing::Ours);
    assert!(plane.object(&like).await.is_null());
    release(&[51, 52]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_comes_back() {
    let plane = plane!();
    let (_hosts, host) = host();
    if !may_keep() {
        return;
    }
    let mut like = map("obj-gone", json!({ "a": "1" }));
    like["metadata"]["labels"] = json!({ "x": "y" });
    plane.create(&like).await.unwrap();
    let op: Delete = op(vec![Value::from("cm/obj-gone")], at(&plane, vec![("namespace", Value::from("default"))]));
    assert_eq!(op.target(), "configmap/obj-gone in default");
    let before = ensure(&host, &op, &keep(61)).await.unwrap().unwrap();
    assert!(plane.object(&like).await.is_null());
    assert_eq!(ensure(&host, &op, &keep(62)).await.unwrap(), None);
    assert_eq!(undo(&host, &op, &before, &keep(61)).await.unwrap(), Standing::Ours);
    let back = plane.object(&like).await;
    assert_eq!((&back["data"], &back["metadata"]["labels"]), (&like["data"], &like["metadata"]["labels"]));
    assert_eq!(undo(&host, &op, &before, &keep(61)).await.unwrap(), Standing::AsBefore);
    release(&[61]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_come_back_says_so() {
    let plane = plane!();
    let (_hosts, host) = host();
    plane.node("obj-node").await;
    let op: Delete = op(vec![Value::from("node/obj-node")], at(&plane, vec![]));
    assert!(!op.is_reversible());
    let Plan::Change(change) = op.plan(&op.observe(&host).await.unwrap()).unwrap() else { panic!("nothing to do") };
    assert_eq!(change.summary, "delete; undo cannot bring it back");
    ensure(&host, &op, &keep(71)).await.unwrap().unwrap();
    assert!(!plane.has_node("obj-node").await);
}
