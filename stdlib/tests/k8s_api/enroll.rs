//! `k8s::enroll` on a real API, with this machine as the node.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Op, Plan, Standing};
use haengine_kernel::value::Value;
use haengine_stdlib::k8s::{Enroll, Get};
use tempfile::TempDir;

use crate::api::{BOOTSTRAP, Plane, Wish};
use crate::{ensure, host, op, plane, read};

/// A run of its own for each test, as a new process has.
fn keep(change: u64) -> Keep {
    Keep::new(format!("enroll-test-{}-{change}", std::process::id()), change)
}

fn enroll(plane: &Plane, node: &str, folder: &TempDir, more: Vec<(&str, Value)>) -> Enroll {
    let folder = Value::from(folder.path().display().to_string());
    let mut options =
        vec![("kubeconfig", Value::from(plane.admin())), ("timeout", Value::from("20s")), ("folder", folder)];
    options.extend(more);
    op(vec![Value::from(node)], options)
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn current(folder: &TempDir) -> String {
    std::fs::read_to_string(folder.path().join("kubelet-client-current.pem")).unwrap()
}

/// What the kernel does to take a change back, twice.
async fn undo(host: &haengine_kernel::host::Host, op: &Enroll, before: &serde_json::Value, keep: &Keep) {
    let keep = Keep { made: true, ..keep.clone() };
    let before = serde_json::from_value(before.clone()).unwrap();
    for stood in [Standing::Ours, Standing::AsBefore] {
        let state = op.revisit(host, &keep).await.unwrap();
        assert_eq!(op.standing(&state, &before, &keep), stood);
        if stood == Standing::Ours {
            assert_eq!(op.undo(host, &before, &keep).await.unwrap(), []);
        }
    }
    assert_eq!(op.settle(host, &before, &before, &keep).await.unwrap(), []);
    std::fs::remove_dir_all(keep.folder()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_gets_a_certificate_for_a_key_of_its_own_and_gives_it_back() {
    let plane = plane!();
    let ((_hosts, host), folder) = (host(), TempDir::new().unwrap());
    let (op, kept) = (enroll(&plane, "own1", &folder, vec![]), keep(1));
    let before = ensure(&host, &op, &kept).await.unwrap().expect("a change");

    let pem = current(&folder);
    assert!(pem.contains("BEGIN CERTIFICATE") && pem.contains("PRIVATE KEY"), "both are in one file");
    let mode = std::fs::metadata(folder.path().join("kubelet-client-current.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(names(&folder).len(), 2, "the file and the link: {:?}", names(&folder));
    let left = std::fs::read_dir(kept.folder()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().ends_with(".key")), "the key is in one place only");
    assert_eq!(logs_in_as(&plane, &pem).await, "system:node:own1");

    assert_eq!(ensure(&host, &op, &keep(2)).await.unwrap(), None, "again it is nothing to do");
    plane.node("own1").await;
    let serving = |token| Wish {
        signer: "kubernetes.io/kubelet-serving",
        usages: &["digital signature", "key encipherment", "server auth"],
        names: vec![rcgen::SanType::IpAddress([10, 9, 8, 7].into())],
        token,
        ..Wish::of("own1")
    };
    let (own, others) = (plane.ask(&serving("t-own1")).await, plane.ask(&serving("t-eve")).await);
    undo(&host, &op, &before, &kept).await;
    assert!(plane.csr(&own).await.is_none(), "what the node asked for goes with it");
    assert!(plane.csr(&others).await.is_some(), "somebody else asked for that");
    assert_eq!(names(&folder), Vec::<String>::new());
    assert!(!plane.has_node("own1").await);
    assert!(plane.csr(&format!("haengine-{}", kept.nonce)).await.is_none());
}

/// Who the API takes the holder of this key for.
async fn logs_in_as(plane: &Plane, pem: &str) -> String {
    let path = plane.write(&format!("login-{}.pem", pem.len()), pem);
    let user = format!("client-certificate: {path}\n    client-key: {path}");
    let config = plane.write("login.conf", &plane.kubeconfig("certificate-authority: ca.pem", &user));
    let (_hosts, host) = host();
    // A node may not see everything; the refusal says who asked.
    let options = vec![("kubeconfig", Value::from(config)), ("namespace", Value::from("kube-system"))];
    let error =
        read::<Get>(&host, vec![Value::from("serviceaccount/default")], options).await.expect_err("a node asks");
    let said = format!("{error} {:?}", error.causes()).replace('\\', "");
    said.split("User \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn others_who_ask_for_the_same_node_get_nothing() {
    let plane = plane!();
    let ((_hosts, host), folder) = (host(), TempDir::new().unwrap());
    let eves = plane.ask(&Wish::of("race1")).await;
    let user = format!("token: {BOOTSTRAP}");
    let bootstrap = plane.write("bootstrap.conf", &plane.kubeconfig("certificate-authority: ca.pem", &user));
    let op = enroll(&plane, "race1", &folder, vec![("bootstrap", Value::from(bootstrap))]);
    let kept = keep(3);
    let racing = async {
        for _ in 0..5 {
            plane.ask(&Wish::of("race1")).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        plane.ask(&Wish::of("race1")).await
    };
    let (before, last) = tokio::join!(ensure(&host, &op, &kept), racing);
    let before = before.unwrap().expect("a change");
    for name in [eves, last] {
        assert!(!plane.is_approved(&name).await, "{name} is another's");
    }
    let own = plane.csr(&format!("haengine-{}", kept.nonce)).await.expect("its own request");
    assert_eq!(own.spec.username.as_deref(), Some("system:bootstrap:abcdef"), "the node's own bootstrap token asked");
    undo(&host, &op, &before, &kept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_serve_is_replaced_and_comes_back() {
    let plane = plane!();
    let ((_hosts, host), folder) = (host(), TempDir::new().unwrap());
    let (other, kept_other) = (enroll(&plane, "former", &folder, vec![]), keep(4));
    ensure(&host, &other, &kept_other).await.unwrap().expect("a change");
    let former = current(&folder);

    let (op, kept) = (enroll(&plane, "latter", &folder, vec![]), keep(5));
    let Plan::Change(change) = op.plan(&op.observe(&host).await.unwrap()).unwrap() else { panic!("it is another's") };
    assert!(change.summary.contains("system:node:former"), "{}", change.summary);
    let before = ensure(&host, &op, &kept).await.unwrap().expect("a change");
    assert_ne!(current(&folder), former);
    undo(&host, &op, &before, &kept).await;
    assert_eq!(current(&folder), former);
    std::fs::remove_dir_all(kept_other.folder()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_the_links_place_is_not_touched() {
    let plane = plane!();
    let ((_hosts, host), folder) = (host(), TempDir::new().unwrap());
    std::fs::write(folder.path().join("kubelet-client-current.pem"), "somebody's").unwrap();
    let error = ensure(&host, &enroll(&plane, "file", &folder, vec![]), &keep(6)).await.expect_err("no link");
    assert_eq!(error.code(), "file.not_a_link");
    assert_eq!(current(&folder), "somebody's");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_ask_is_told_with_the_kubeconfig() {
    let plane = plane!();
    let ((_hosts, host), folder) = (host(), TempDir::new().unwrap());
    let user = "token: 000000.0000000000000000";
    let bootstrap = plane.write("stale.conf", &plane.kubeconfig("certificate-authority: ca.pem", user));
    let kept = keep(7);
    let op = enroll(&plane, "stale", &folder, vec![("bootstrap", Value::from(bootstrap.clone()))]);
    let error = ensure(&host, &op, &kept).await.expect_err("the token is gone");
    assert_eq!(error.code(), "k8s.unauthorized", "{error}");
    assert!(format!("{error} {:?}", error.advice()).contains(&bootstrap), "{error} {:?}", error.advice());
    assert!(Path::new(&kept.folder()).exists());
    std::fs::remove_dir_all(kept.folder()).unwrap();
}
