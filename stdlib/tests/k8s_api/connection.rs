//! How a cluster is reached, and what is said when it is not.

use std::sync::Arc;

use haengine_kernel::host::Host;
use haengine_kernel::value::Value;
use haengine_stdlib::k8s::Nodes;
use serde_json::Value as Json;

use crate::{host, plane, read};

async fn nodes(host: &Arc<Host>, kubeconfig: &str) -> Result<Json, (String, String, String)> {
    let options = vec![("kubeconfig", Value::from(kubeconfig))];
    read::<Nodes>(host, vec![], options).await.map_err(|error| {
        (error.code().to_owned(), error.message().to_owned(), error.advice().unwrap_or_default().to_owned())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kubeconfig_may_name_files() {
    let plane = plane!();
    let (_hosts, host) = host();
    plane.node("conn-files").await;
    let found = nodes(&host, &plane.admin()).await.unwrap();
    assert!(found.as_array().unwrap().iter().any(|node| node["name"] == "conn-files"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_authority_is_not_believed() {
    let plane = plane!();
    let (_hosts, host) = host();
    let other = rcgen::generate_simple_self_signed(vec!["other".to_owned()]).unwrap().cert.pem();
    plane.write("other-ca.pem", &other);
    let path = plane.write("wrong-ca.conf", &plane.kubeconfig("certificate-authority: other-ca.pem", "token: t-eve"));
    let (code, message, hint) = nodes(&host, &path).await.unwrap_err();
    assert_eq!(code, "k8s.certificate", "{message}");
    assert!(message.contains("did not issue it") && hint.contains("kubeconfig"), "{message} {hint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_certificate_lacks_is_said() {
    let plane = plane!();
    let (_hosts, host) = host();
    let server = format!("https://localhost:{}", plane.port);
    let options = vec![("kubeconfig", Value::from(plane.admin())), ("server", Value::from(server))];
    let error = read::<Nodes>(&host, vec![], options).await.unwrap_err();
    assert_eq!(error.code(), "k8s.certificate");
    assert!(error.message().contains("does not name this address"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_known_or_may_not_is_told_why() {
    let plane = plane!();
    let (_hosts, host) = host();
    let (certificate, key) = plane.expired();
    plane.write("old.pem", &certificate);
    plane.write("old-key.pem", &key);
    let ca = "certificate-authority: ca.pem";
    let expired =
        plane.write("expired.conf", &plane.kubeconfig(ca, "client-certificate: old.pem\n    client-key: old-key.pem"));
    let (code, message, _) = nodes(&host, &expired).await.unwrap_err();
    assert_eq!(code, "k8s.certificate", "{message}");
    assert!(message.contains("expired at"), "{message}");

    let unknown = plane.write("unknown.conf", &plane.kubeconfig(ca, "token: nobody-knows"));
    let (code, message, _) = nodes(&host, &unknown).await.unwrap_err();
    assert_eq!(code, "k8s.unauthorized", "{message}");
    assert!(!message.contains("nobody-knows"));

    let nobody = plane.write("nobody.conf", &plane.kubeconfig(ca, ""));
    let (code, message, hint) = nodes(&host, &nobody).await.unwrap_err();
    assert_eq!(code, "k8s.forbidden", "{message}");
    assert!(hint.contains("this one has none"), "{hint}");

    let weak = plane.write("weak.conf", &plane.kubeconfig(ca, "token: t-eve"));
    let (code, message, _) = nodes(&host, &weak).await.unwrap_err();
    assert_eq!(code, "k8s.forbidden", "{message}");
    assert!(message.contains("eve"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_kubeconfig_is_read_again() {
    let plane = plane!();
    let (_hosts, host) = host();
    let path = plane.write("renewed.conf", &plane.kubeconfig("certificate-authority: ca.pem", "token: nobody-knows"));
    assert_eq!(nodes(&host, &path).await.unwrap_err().0, "k8s.unauthorized");
    std::fs::copy(plane.admin(), &path).unwrap();
    nodes(&host, &path).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_named() {
    let plane = plane!();
    let (_hosts, host) = host();
    let (code, message, _) = nodes(&host, "/nowhere/k.conf").await.unwrap_err();
    assert_eq!(code, "k8s.kubeconfig");
    assert!(message.contains("`/nowhere/k.conf`"), "{message}");
    let path = plane.write("gone.conf", &plane.kubeconfig("certificate-authority: gone.pem", ""));
    let (code, message, _) = nodes(&host, &path).await.unwrap_err();
    assert_eq!(code, "k8s.kubeconfig");
    assert!(message.contains("`gone.pem`"), "{message}");
    let refuses = plane.kubeconfig("certificate-authority: ca.pem", "").replace(&plane.port.to_string(), "1");
    let (code, message, _) = nodes(&host, &plane.write("refuses.conf", &refuses)).await.unwrap_err();
    assert_eq!(code, "k8s.unreachable");
    assert!(message.contains("https://127.0.0.1:1"), "{message}");
}
