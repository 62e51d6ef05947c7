//! The verbs of `cert` on this machine's `sh`, with certificates that openssl made, and judged by openssl.

#![allow(clippy::unwrap_used, reason = "what a test needs and does not get ends it")]

mod sandbox;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Error;
use haengine_kernel::op::{Op, Plan, Standing};
use haengine_kernel::read::Read;
use haengine_kernel::transport::Command;
use haengine_kernel::value::Value;
use haengine_stdlib::cert::{Authority, Inspect, Issue};
use sandbox::{Sandbox, keep, laws, op};

/// The authorities that people have: RSA of openssl's old form, SEC1 with its parameters, PKCS#8; a name with repeated
/// organisations in two encodings, and a limit to the path.
const AUTHORITIES: [&str; 3] = [
    "openssl genrsa -traditional -out ca-key.pem 2048 2>/dev/null; openssl req -x509 -new -key ca-key.pem -out ca.pem \
     -days 3650 -subj /C=CN/O=k8s/O=System/CN=kubernetes -addext basicConstraints=critical,CA:TRUE,pathlen:0",
    "openssl ecparam -name prime256v1 -genkey -out ca-key.pem; openssl req -x509 -new -key ca-key.pem -out ca.pem \
     -days 3650 -subj /O=k8s/CN=kubernetes -nameopt utf8 -addext keyUsage=critical,keyCertSign,cRLSign",
    "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out ca-key.pem; openssl req -x509 -new -utf8 \
     -key ca-key.pem -out ca.pem -days 3650 -subj /CN=Prüfung",
];

/// A folder with an authority in it.
fn given(authority: &str) -> String {
    format!("mkdir /srv/t; cd /srv/t; {authority}")
}

fn text(value: &str) -> Value {
    Value::from(value)
}

fn list(values: &[&str]) -> Value {
    Value::List(values.iter().map(|value| Value::from(*value)).collect())
}

fn signer() -> Value {
    Value::map([("certificate", text("/srv/t/ca.pem")), ("key", text("/srv/t/ca-key.pem"))])
}

fn authority(common_name: &str) -> Authority {
    let options = [
        ("certificate", text("/srv/t/ca.pem")),
        ("key", text("/srv/t/ca-key.pem")),
        ("common_name", text(common_name)),
        ("organization", list(&["one", "two"])),
    ];
    op(vec![], options)
}

fn issue_with<const N: usize>(more: [(&'static str, Value); N]) -> Issue {
    let mut options = vec![
        ("key", text("/srv/t/server-key.pem")),
        ("authority", signer()),
        ("common_name", text("server")),
        ("organizations", list(&["first", "second"])),
        ("names", list(&["demo.example", "*.demo.example"])),
        ("addresses", list(&["192.0.2.1", "2001:db8::1"])),
    ];
    options.retain(|(name, _)| !more.iter().any(|(other, _)| name == other));
    let options = options.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect();
    let positional = vec![Value::Null, text("/srv/t/server.pem")];
    Issue::parse(&Arguments::check(Issue::NAME, &Issue::SIGNATURE, positional, Some(options)).unwrap())
        .unwrap()
        .remove(0)
}

fn issue() -> Issue {
    issue_with([])
}

async fn said(sandbox: &Sandbox, script: &str) -> String {
    sandbox.host.ok(&Command::script(script)).await.unwrap().text()
}

async fn inspect<const N: usize>(
    sandbox: &Sandbox,
    path: &str,
    options: [(&str, Value); N],
) -> Result<serde_json::Value, Error> {
    let options = options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let arguments = Arguments::check(Inspect::NAME, &Inspect::SIGNATURE, vec![Value::Null, path.into()], Some(options));
    Ok(Inspect::parse(&arguments.unwrap()).unwrap().read(&sandbox.host).await?.redacted())
}

async fn refusal<O: Op>(sandbox: &Sandbox, op: &O) -> Error {
    op.plan(&op.observe(&sandbox.host).await.unwrap()).err().expect("a refusal")
}

async fn summary<O: Op>(sandbox: &Sandbox, op: &O) -> Option<String> {
    match op.plan(&op.observe(&sandbox.host).await.unwrap()).unwrap() {
        Plan::Change(change) => Some(change.summary),
        Plan::Unchanged => None,
    }
}

#[tokio::test]
async fn an_authority_is_made() {
    laws("mkdir /srv/t", &authority("demo")).await;
    let sandbox = Sandbox::new("dash");
    sandbox.given("mkdir /srv/t").await;
    sandbox.ensure(&authority("demo"), &keep(1)).await.result.unwrap();
    let said = said(&sandbox, "cd /srv/t; openssl verify -x509_strict -CAfile ca.pem ca.pem; openssl x509 -in ca.pem -noout -subject -ext basicConstraints,keyUsage; openssl pkey -in ca-key.pem -noout -check; stat -c %a ca-key.pem ca.pem").await;
    assert!(said.starts_with("ca.pem: OK\nsubject=O = one, O = two, CN = demo\n"), "{said}");
    assert!(said.contains("CA:TRUE") && said.contains("Certificate Sign, CRL Sign"), "{said}");
    assert!(said.ends_with("600\n644\n"), "{said}");
    // Whatever its subject is.
    assert_eq!(summary(&sandbox, &authority("other")).await, None);
}

#[tokio::test]
async fn an_authority_takes_the_key_that_is_there() {
    laws("mkdir /srv/t; openssl genrsa -traditional -out /srv/t/ca-key.pem 2048 2>/dev/null", &authority("demo")).await;
}

#[tokio::test]
async fn an_authority_is_never_overwritten() {
    let sandbox = Sandbox::new("dash");
    sandbox.given(&given(AUTHORITIES[0])).await;
    assert_eq!(summary(&sandbox, &authority("other")).await, None);
    sandbox.given("mv /srv/t/ca-key.pem /srv/t/away").await;
    assert_eq!(refusal(&sandbox, &authority("demo")).await.code(), "cert.no_key");
    sandbox.given("openssl genpkey -algorithm RSA -out /srv/t/ca-key.pem 2>/dev/null").await;
    assert_eq!(refusal(&sandbox, &authority("demo")).await.code(), "cert.other_key");
    sandbox.given("openssl pkcs8 -topk8 -passout pass:x -in /srv/t/away -out /srv/t/ca-key.pem").await;
    let error = refusal(&sandbox, &authority("demo")).await;
    assert_eq!(error.message(), "the key `/srv/t/ca-key.pem` has a passphrase");
    sandbox.given("cd /srv/t; openssl req -x509 -key away -out ca.pem -subj /CN=x -addext basicConstraints=critical,CA:FALSE; cp away ca-key.pem").await;
    assert_eq!(refusal(&sandbox, &authority("demo")).await.code(), "cert.no_authority");
    assert_eq!(refusal(&sandbox, &issue()).await.code(), "cert.no_authority");
}

#[tokio::test]
async fn a_certificate_is_issued_by_every_sort_of_authority() {
    for authority in AUTHORITIES {
        let sandbox = Sandbox::new("dash");
        sandbox.given(&given(authority)).await;
        sandbox.ensure(&issue(), &keep(1)).await.result.unwrap();
        assert_eq!(summary(&sandbox, &issue()).await, None);
        let said = said(&sandbox, "cd /srv/t; openssl verify -CAfile ca.pem -purpose sslserver server.pem; openssl verify -CAfile ca.pem -purpose sslclient server.pem; openssl x509 -in server.pem -noout -subject -ext subjectAltName,extendedKeyUsage; openssl pkey -in server-key.pem -pubout | openssl sha256; openssl x509 -in server.pem -noout -pubkey | openssl sha256; stat -c %a server-key.pem").await;
        assert!(
            said.starts_with("server.pem: OK\nserver.pem: OK\nsubject=O = first, O = second, CN = server\n"),
            "{said}"
        );
        assert!(
            said.contains(
                "DNS:demo.example, DNS:*.demo.example, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1"
            ),
            "{said}"
        );
        let lines: Vec<&str> = said.lines().rev().take(3).collect();
        assert!(lines[0] == "600" && lines[1] == lines[2], "{said}");
    }
}

#[tokio::test]
async fn issuing_obeys_the_laws() {
    laws(&given(AUTHORITIES[1]), &issue()).await;
    let old =
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout server-key.pem -out server.pem -subj /CN=old 2>/dev/null";
    let given = format!(
        "{}; {old}; chmod 640 server-key.pem; chown 1:2 server.pem; touch -d @1 server*",
        given(AUTHORITIES[0])
    );
    laws(&given, &issue()).await;
}

#[tokio::test]
async fn what_a_certificate_lacks_is_the_reason() {
    let sandbox = Sandbox::new("dash");
    sandbox.given(&given(AUTHORITIES[0])).await;
    let reason = async |op: &Issue| {
        let text = summary(&sandbox, op).await?;
        Some(text.split_once(": ").unwrap().1.to_owned())
    };
    assert_eq!(reason(&issue()).await.unwrap(), "there is none");
    sandbox.ensure(&issue(), &keep(1)).await.result.unwrap();
    assert_eq!(reason(&issue_with([("names", list(&["DEMO.example"])), ("usages", list(&["client"]))])).await, None);
    let cases = [
        (issue_with([("common_name", text("x"))]), "its subject is CN=server,O=second,O=first"),
        (issue_with([("organizations", list(&["first"]))]), "its subject is CN=server,O=second,O=first"),
        (issue_with([("addresses", list(&["192.0.2.7"]))]), "it lacks 192.0.2.7"),
        (issue_with([("names", list(&["a.b"]))]), "it lacks a.b"),
    ];
    for (op, wanted) in cases {
        assert_eq!(reason(&op).await.unwrap(), wanted);
    }
    assert!(
        reason(&issue_with([("renew_before", Value::Integer(3651))]))
            .await
            .unwrap()
            .starts_with("the old one ends on ")
    );
    // The same subject, another key: only the signature tells.
    sandbox.given("cd /srv/t; openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem -days 3650 -subj /C=CN/O=k8s/O=System/CN=kubernetes 2>/dev/null").await;
    assert_eq!(reason(&issue()).await.unwrap(), "it is not signed by `/srv/t/ca.pem`");
    sandbox.given("openssl genpkey -algorithm RSA -out /srv/t/ca-key.pem 2>/dev/null").await;
    assert_eq!(refusal(&sandbox, &issue()).await.code(), "cert.other_key");
    sandbox.given("rm /srv/t/ca-key.pem").await;
    let error = refusal(&sandbox, &issue()).await;
    assert_eq!(
        (error.code(), error.message()),
        ("cert.no_authority_key", "the authority's key `/srv/t/ca-key.pem` is not there")
    );
    sandbox.given("rm /srv/t/ca.pem").await;
    assert_eq!(refusal(&sandbox, &issue()).await.code(), "cert.no_authority");
}

#[tokio::test]
async fn what_is_there_needs_no_authority_key() {
    let sandbox = Sandbox::new("dash");
    sandbox.given(&given(AUTHORITIES[1])).await;
    sandbox.ensure(&issue(), &keep(1)).await.result.unwrap();
    sandbox.given("rm /srv/t/ca-key.pem").await;
    assert_eq!(summary(&sandbox, &issue()).await, None);
}

#[tokio::test]
async fn a_certificate_that_somebody_replaced_since_is_left_alone() {
    let sandbox = Sandbox::new("dash");
    sandbox.given(&given(AUTHORITIES[1])).await;
    let before = sandbox.ensure(&issue(), &keep(1)).await.before.unwrap();
    sandbox.given("cp /srv/t/ca-key.pem /srv/t/server-key.pem").await;
    let stood = sandbox.undo(&issue(), &before, &keep(1)).await.unwrap();
    assert_eq!(stood, Standing::Foreign("its key `/srv/t/server-key.pem`: its content is different".to_owned()));
}

#[tokio::test]
async fn a_certificate_is_inspected() {
    let sandbox = Sandbox::new("dash");
    sandbox.given(&given(AUTHORITIES[0])).await;
    sandbox.ensure(&issue(), &keep(1)).await.result.unwrap();
    let found = inspect(&sandbox, "/srv/t/server.pem", []).await.unwrap();
    assert_eq!(found["subject"], "CN=server,O=second,O=first");
    assert_eq!(found["issuer"], "CN=kubernetes,O=System,O=k8s,C=CN");
    assert_eq!(found["addresses"], serde_json::json!(["192.0.2.1", "2001:db8::1"]));
    assert_eq!(found["usages"], serde_json::json!(["server auth", "client auth"]));
    assert_eq!((&found["days_left"], &found["authority"]), (&3649.into(), &false.into()));
    let script = "cd /srv/t; openssl x509 -in server.pem -noout -serial -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f; openssl x509 -in server.pem -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1; openssl x509 -in server.pem -noout -enddate -dateopt iso_8601 | sed 's/.*=//; s/ /T/'";
    let openssl = said(&sandbox, script).await;
    let ours: Vec<&str> =
        ["serial", "fingerprint", "public_key", "not_after"].map(|name| found[name].as_str().unwrap()).into();
    assert_eq!(ours, openssl.lines().collect::<Vec<_>>());
    let authority = inspect(&sandbox, "/srv/t/ca.pem", []).await.unwrap();
    assert_eq!((&authority["algorithm"], &authority["authority"]), (&"rsa-2048".into(), &true.into()));
    assert_eq!(inspect(&sandbox, "/srv/t/no", []).await.unwrap_err().code(), "file.missing");
    assert!(inspect(&sandbox, "/srv/t/no", [("missing", text("empty"))]).await.unwrap().is_null());
    assert_eq!(inspect(&sandbox, "/srv/t/ca-key.pem", []).await.unwrap_err().code(), "cert.not_pem");
}

#[tokio::test]
async fn a_kubeconfig_is_inspected() {
    let sandbox = Sandbox::new("dash");
    sandbox.given(&given(AUTHORITIES[0])).await;
    sandbox.ensure(&issue(), &keep(1)).await.result.unwrap();
    sandbox.given("cd /srv/t; printf 'clusters:\\n- name: c\\n  cluster: {certificate-authority-data: %s}\\nusers:\\n- name: u\\n  user: {client-certificate-data: %s}\\n' $(base64 -w0 ca.pem) $(base64 -w0 server.pem) >k").await;
    assert_eq!(inspect(&sandbox, "/srv/t/k", []).await.unwrap()["common_name"], "server");
    let authority = inspect(&sandbox, "/srv/t/k", [("part", text("authority"))]).await.unwrap();
    assert_eq!(authority["common_name"], "kubernetes");
}
