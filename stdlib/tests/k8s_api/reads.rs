//! The reads.

use haengine_kernel::value::Value;
use haengine_stdlib::k8s::{Csrs, Get, Leaders, List, Nodes, Ready, Version, Wait};
use serde_json::json;

use crate::api::{Plane, Wish};
use crate::{host, plane, read};

fn at(plane: &Plane, more: Vec<(&'static str, Value)>) -> Vec<(&'static str, Value)> {
    let mut options = vec![("kubeconfig", Value::from(plane.admin()))];
    options.extend(more);
    options
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_and_requests_are_maps() {
    let plane = plane!();
    let (_hosts, host) = host();
    plane.node("read-a").await;
    let nodes = read::<Nodes>(&host, vec![], at(&plane, vec![])).await.unwrap();
    let node = nodes.as_array().unwrap().iter().find(|node| node["name"] == "read-a").unwrap().clone();
    assert_eq!(
        (&node["ready"], &node["unschedulable"], &node["internal_address"]),
        (&json!(false), &json!(false), &json!(null))
    );

    let name = plane.ask(&Wish::of("read-b")).await;
    let options = at(&plane, vec![("node", Value::from("read-b")), ("state", Value::from("pending"))]);
    let csrs = read::<Csrs>(&host, vec![], options).await.unwrap();
    let csr = &csrs.as_array().unwrap()[0];
    assert_eq!((&csr["name"], &csr["node"]), (&json!(name), &json!("read-b")));
    assert_eq!(
        (&csr["requestor"], &csr["common_name"]),
        (&json!("system:bootstrap:abcdef"), &json!("system:node:read-b"))
    );
    assert_eq!((&csr["issued"], &csr["organizations"]), (&json!(false), &json!(["system:nodes"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_any_kind_are_found() {
    let plane = plane!();
    let (_hosts, host) = host();
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "read", "namespace": "default", "labels": { "read": "yes" } }, "data": { "a": "1" } });
    plane.create(&map).await.unwrap();
    let found = read::<Get>(&host, vec![Value::from("cm/read")], at(&plane, vec![])).await.unwrap();
    assert_eq!((&found["kind"], &found["data"]["a"]), (&json!("ConfigMap"), &json!("1")));
    let absent = read::<Get>(&host, vec![Value::from("cm/none")], at(&plane, vec![])).await.unwrap();
    assert_eq!(absent, json!(null));
    // Not in the table: the API is asked.
    let slices = read::<List>(&host, vec![Value::from("FlowSchema")], at(&plane, vec![])).await.unwrap();
    assert!(!slices.as_array().unwrap().is_empty());
    let options = at(&plane, vec![("selector", Value::from("read=yes"))]);
    assert_eq!(
        read::<List>(&host, vec![Value::from("configmaps")], options).await.unwrap().as_array().unwrap().len(),
        1
    );
    let error = read::<List>(&host, vec![Value::from("gizmos")], at(&plane, vec![])).await.unwrap_err();
    assert_eq!(error.code(), "k8s.kind");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_secret_holds_is_not_shown() {
    let plane = plane!();
    let (_hosts, host) = host();
    let options = at(&plane, vec![("namespace", Value::from("kube-system"))]);
    let found = read::<Get>(&host, vec![Value::from("secret/bootstrap-token-abcdef")], options).await.unwrap();
    assert_eq!(found["data"]["token-secret"], json!("‹secret›"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_says_whether_it_is_ready_and_who_leads() {
    let plane = plane!();
    let (_hosts, host) = host();
    let ready = read::<Ready>(&host, vec![], at(&plane, vec![])).await.unwrap();
    assert_eq!(ready, json!({ "ready": true, "failing": [], "problem": null }));
    let away = at(&plane, vec![("server", Value::from("https://127.0.0.1:1"))]);
    let ready = read::<Ready>(&host, vec![], away).await.unwrap();
    assert_eq!(ready["ready"], json!(false));
    assert!(ready["problem"].as_str().unwrap().contains("cannot be reached"), "{ready}");
    let version = read::<Version>(&host, vec![], at(&plane, vec![])).await.unwrap();
    assert_eq!(version["major"], json!(1));
    assert!(version["version"].as_str().unwrap().starts_with("v1."), "{version}");

    for _ in 0..100 {
        let leaders = read::<Leaders>(&host, vec![], at(&plane, vec![])).await.unwrap();
        assert_eq!(leaders["kube-scheduler"], json!(null));
        if leaders["kube-controller-manager"]["alive"] == json!(true) {
            assert!(leaders["kube-controller-manager"]["age"].as_f64().unwrap() < 15.0, "{leaders}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("no controller-manager leads");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_when_the_api_tells() {
    let plane = plane!();
    let (hosts, host) = host();
    let wait = |condition: &str, timeout: &str| {
        let options = vec![("condition", Value::from(condition)), ("timeout", Value::from(timeout))];
        read::<Wait>(&host, vec![Value::from("node/wait-a")], at(&plane, options))
    };
    let comes = async {
        tokio::time::sleep(std::time::Duration::from_millis(800)).await;
        plane.node("wait-a").await;
    };
    let (came, ()) = tokio::join!(wait("exists", "20s"), comes);
    assert_eq!(came.unwrap(), json!(null));
    assert!(hosts.waits().total() > std::time::Duration::from_millis(600));
    let error = wait("Ready", "500ms").await.unwrap_err();
    assert_eq!(error.code(), "k8s.wait");
    assert!(error.message().contains("no condition `Ready`"), "{error}");
    assert!(wait("absent", "500ms").await.unwrap_err().message().contains("still there"));
}

/// A job needs no controller to be told that it has failed; a pod that nobody runs is told so by whoever edits its status.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_what_cannot_come() {
    let plane = plane!();
    let (_hosts, host) = host();
    let template = json!({ "spec": { "restartPolicy": "Never", "containers": [{ "name": "c", "image": "i" }] } });
    let job = json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "wait-j", "namespace": "default" },
        "spec": { "template": template } });
    plane.create(&job).await.unwrap();
    let condition = json!({ "type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "",
        "lastProbeTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z" });
    let began = std::time::Instant::now();
    plane.edit_status(&job, json!({ "status": { "conditions": [condition] } })).await;
    let options = vec![("condition", Value::from("Complete")), ("timeout", Value::from("60s"))];
    let error = read::<Wait>(&host, vec![Value::from("job/wait-j")], at(&plane, options)).await.unwrap_err();
    assert_eq!(error.code(), "k8s.never");
    assert!(error.message().ends_with("it has failed: BackoffLimitExceeded"), "{error}");
    assert!(began.elapsed().as_secs() < 30);
}
