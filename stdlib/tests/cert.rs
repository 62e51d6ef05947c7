//! The verbs of `cert` on this machine's `sh`, with certificates that openssl made, and judged by openssl.

#![allow(clippy::unwrap_used, reason = "what a test needs and does not get ends it")]

mod local;
mod sandbox;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Error;
use haengine_kernel::op::{Op, Plan, Standing};
use haengine_kernel::read::Read;
use haengine_kernel::transport::Command;
use haengine_kernel::value::Value;
use haengine_stdlib::cert::{Authority, EnsureSans, Inspect, Issue, Served};
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
    let value = Inspect::parse(&arguments.unwrap()).unwrap().read(&sandbox.host).await?;
    // With `missing: "empty"` there may be nothing.
    assert!(value == Value::Null || Inspect::GIVES.holds(&value), "{}", value.redacted());
    Ok(value.redacted())
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

/// Whatever a certificate says, it is worth nothing once its authority has ended.
#[tokio::test]
async fn a_certificate_ends_with_its_authority() {
    let sandbox = Sandbox::new("dash");
    let authority =
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem -days 20 -subj /CN=demo 2>/dev/null";
    sandbox.given(&given(authority)).await;
    let first = summary(&sandbox, &issue()).await.unwrap();
    assert!(first.contains(", with its authority: there is none"), "{first}");
    sandbox.ensure(&issue(), &keep(1)).await.result.unwrap();
    // It would be renewed 30 days before its end, and a new one would end no later.
    assert_eq!(summary(&sandbox, &issue()).await, None);
    let ends =
        said(&sandbox, "cd /srv/t; openssl x509 -noout -enddate <ca.pem; openssl x509 -noout -enddate <server.pem")
            .await;
    assert!(ends.lines().next() == ends.lines().nth(1), "{ends}");
    let longer = "cd /srv/t; openssl req -new -key server-key.pem -subj /O=first/O=second/CN=server -out a.csr 2>/dev/null; \
        printf 'subjectAltName=DNS:demo.example,DNS:*.demo.example,IP:192.0.2.1,IP:2001:db8::1' >ext; \
        openssl x509 -req -in a.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 400 -extfile ext -out server.pem 2>/dev/null";
    sandbox.given(longer).await;
    let again = summary(&sandbox, &issue()).await.unwrap();
    assert!(again.contains("the old one outlives its authority"), "{again}");
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

/// A certificate of which everything is out of the ordinary: repeated organisations in two encodings, a critical
/// extension that nobody knows, a chain and words around it.
const UNUSUAL: &str = "
printf '[req]\\ndistinguished_name=dn\\nprompt=no\\nstring_mask=%s\\n[dn]\\n0.O=k8s\\n1.O=Ünion\\nOU=a+b\\nCN=server\\n' MASK:0x2002 >req.cnf
printf 'subjectAltName=critical,DNS:one.example,email:a@b.example,IP:192.0.2.1\\nkeyUsage=critical,digitalSignature\\nextendedKeyUsage=serverAuth,1.2.3.4\\n1.2.3.4.5=critical,DER:0403010203\\nauthorityKeyIdentifier=keyid,issuer\\n' >ext
KEY
openssl req -new -utf8 -config req.cnf -key server-key.pem -out server.csr
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca-key.pem -set_serial 77 -days 400 -extfile ext -text -out server.pem 2>/dev/null
cat ca.pem >>server.pem
rm server.csr ext req.cnf
chmod 640 server.pem; chown 1:2 server.pem; touch -d @1600000000.5 server.pem
";

/// The forms in which keys lie around.
const KEYS: [&str; 3] = [
    "openssl genrsa -traditional -out server-key.pem 2048 2>/dev/null",
    "openssl ecparam -name prime256v1 -genkey -out server-key.pem",
    "openssl genpkey -algorithm RSA -out server-key.pem 2>/dev/null",
];

fn unusual(authority: &str, key: &str) -> String {
    format!("{}; {}", given(authority), UNUSUAL.replace("KEY", key))
}

fn sans_with<const N: usize>(more: [(&'static str, Value); N]) -> EnsureSans {
    let mut options = vec![
        ("key", text("/srv/t/server-key.pem")),
        ("authority", signer()),
        ("names", list(&["one.example", "two.example"])),
        ("addresses", list(&["192.0.2.1", "2001:db8::2"])),
    ];
    options.retain(|(name, _)| !more.iter().any(|(other, _)| name == other));
    let options = options.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect();
    let positional = vec![Value::Null, text("/srv/t/server.pem")];
    let arguments = Arguments::check(EnsureSans::NAME, &EnsureSans::SIGNATURE, positional, Some(options)).unwrap();
    EnsureSans::parse(&arguments).unwrap().remove(0)
}

/// All that stays of a certificate, as openssl shows it: not its serial number, its time and its signature.
const STAYS: &str = "
openssl x509 -in FILE -noout -subject -issuer -nameopt oneline,show_type,dump_der,dump_all,esc_msb -pubkey
openssl x509 -in FILE -noout -text -certopt no_serial,no_validity,no_signame,no_sigdump | sed -n '/Subject:/,$p' | grep -v 'one.example\\|Signature Algorithm'
";

#[tokio::test]
async fn a_certificate_gains_names_and_all_else_stays() {
    for (authority, key) in AUTHORITIES.into_iter().zip(KEYS) {
        let sandbox = Sandbox::new("dash");
        sandbox.given(&unusual(authority, key)).await;
        sandbox.given("cp -a /srv/t/server.pem /srv/t/old.pem").await;
        sandbox.ensure(&sans_with([]), &keep(1)).await.result.unwrap();
        let of = |file: &str| format!("cd /srv/t; {}", STAYS.replace("FILE", file));
        assert_eq!(said(&sandbox, &of("server.pem")).await, said(&sandbox, &of("old.pem")).await);
        let more = said(&sandbox, "cd /srv/t; openssl verify -ignore_critical -CAfile ca.pem -purpose sslserver server.pem; openssl x509 -in server.pem -noout -ext subjectAltName; grep -c '^-----BEGIN' server.pem; head -1 server.pem; sed '1,/^-----END/d' server.pem | cmp - ca.pem; stat -c '%a %u:%g' server.pem").await;
        assert!(more.starts_with("server.pem: OK\nX509v3 Subject Alternative Name: critical\n"), "{more}");
        assert!(more.contains("DNS:one.example, email:a@b.example, IP Address:192.0.2.1, DNS:two.example, IP Address:2001:DB8:0:0:0:0:0:2\n2\n-----BEGIN CERTIFICATE-----\n640 1:2\n"), "{more}");
        let days = "cd /srv/t; for f in old server; do echo $(( $(date -d \"$(openssl x509 -in $f.pem -noout -enddate | cut -d= -f2)\" +%s) - $(date -d \"$(openssl x509 -in $f.pem -noout -startdate | cut -d= -f2)\" +%s) )); done";
        assert_eq!(said(&sandbox, days).await, "34560000\n34560000\n");
        sandbox.given("rm /srv/t/ca-key.pem /srv/t/ca.pem").await;
        assert_eq!(summary(&sandbox, &sans_with([])).await, None);
    }
}

#[tokio::test]
async fn gaining_names_obeys_the_laws() {
    laws(&unusual(AUTHORITIES[0], KEYS[1]), &sans_with([])).await;
}

#[tokio::test]
async fn an_old_certificate_without_extensions_gains_names() {
    let sandbox = Sandbox::new("dash");
    let old = "openssl req -newkey rsa:2048 -nodes -keyout server-key.pem -subj /CN=server -out r 2>/dev/null; openssl x509 -req -in r -CA ca.pem -CAkey ca-key.pem -set_serial 1 -out server.pem 2>/dev/null; openssl x509 -in server.pem -noout -text | grep 'Version: 1'";
    sandbox.given(&format!("{}; {old}", given(AUTHORITIES[0]))).await;
    sandbox.ensure(&sans_with([]), &keep(1)).await.result.unwrap();
    let said = said(
        &sandbox,
        "cd /srv/t; openssl verify -CAfile ca.pem server.pem; openssl x509 -in server.pem -noout -ext subjectAltName",
    )
    .await;
    assert!(
        said.contains("server.pem: OK") && said.contains("DNS:one.example, DNS:two.example, IP Address:192.0.2.1"),
        "{said}"
    );
}

#[tokio::test]
async fn what_cannot_gain_names_is_refused() {
    let sandbox = Sandbox::new("dash");
    sandbox.given(&unusual(AUTHORITIES[1], KEYS[0])).await;
    let was = sandbox.manifest();
    let refused = async |script: &str, code: &str| {
        sandbox.given(&format!("cp -a /srv/t /srv/kept; cd /srv/t; {script}")).await;
        assert_eq!(refusal(&sandbox, &sans_with([])).await.code(), code, "{script}");
        sandbox.given("rm -rf /srv/t; mv /srv/kept /srv/t").await;
    };
    refused("rm ca-key.pem", "cert.no_authority_key").await;
    refused("rm ca.pem", "cert.no_authority").await;
    refused("rm server.pem", "cert.missing").await;
    refused("ln -sf ca.pem server.pem", "cert.not_pem").await;
    refused("cp ca-key.pem server-key.pem", "cert.other_key").await;
    refused("cp server-key.pem ca-key.pem", "cert.other_key").await;
    refused("openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem -subj /O=k8s/CN=kubernetes 2>/dev/null", "cert.other_authority").await;
    let logs = "printf '1.3.6.1.4.1.11129.2.4.2=DER:04020000' >ext; openssl req -new -key server-key.pem -subj /CN=s -out r; openssl x509 -req -in r -CA ca.pem -CAkey ca-key.pem -set_serial 1 -extfile ext -out server.pem 2>/dev/null";
    refused(logs, "cert.not_exact").await;
    assert_eq!(sandbox.manifest(), was);
}

/// A server on a free port of the loopback, ended with the test.
struct Server {
    child: std::process::Child,
    port: u16,
}

impl Server {
    fn start(folder: &std::path::Path, options: &[&str]) -> Server {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = std::process::Command::new("openssl")
            .args(["s_server", "-quiet", "-accept", &port.to_string(), "-cert", "server.pem", "-key", "server-key.pem"])
            .args(options)
            .current_dir(folder)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(std::time::Instant::now() < until, "the server does not listen");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Server { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An authority and a server's certificate by it, in a folder of their own.
fn certificates() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let script = "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem -subj /CN=demo 2>/dev/null
        printf 'subjectAltName=DNS:one.example,IP:127.0.0.1' >ext
        openssl req -newkey rsa:2048 -nodes -keyout server-key.pem -subj /CN=server -out r 2>/dev/null
        openssl x509 -req -in r -CA ca.pem -CAkey ca-key.pem -set_serial 9 -extfile ext -out server.pem 2>/dev/null
        openssl req -x509 -newkey rsa:2048 -nodes -keyout other-key.pem -out other.pem -subj /CN=demo 2>/dev/null";
    let status = std::process::Command::new("sh").arg("-ec").arg(script).current_dir(folder.path()).status();
    assert!(status.unwrap().success());
    folder
}

async fn served(endpoint: &str, options: Vec<(&str, Value)>) -> Result<serde_json::Value, Error> {
    let (_hosts, host) = local::hosts();
    let options = options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let arguments =
        Arguments::check(Served::NAME, &Served::SIGNATURE, vec![Value::Null, endpoint.into()], Some(options));
    let value = Served::parse(&arguments.unwrap()).unwrap().read(&host).await?;
    assert!(Served::GIVES.holds(&value), "{}", value.redacted());
    Ok(value.redacted())
}

#[tokio::test]
async fn a_served_certificate_is_seen_and_judged() {
    let folder = certificates();
    let path = |name: &str| Value::from(folder.path().join(name).to_string_lossy().as_ref());
    // The second sort is that of etcd and kubelets, and older ones say so within the handshake.
    for options in
        [&[][..], &["-Verify", "1", "-verify_return_error"], &["-Verify", "1", "-verify_return_error", "-tls1_2"]]
    {
        let server = Server::start(folder.path(), options);
        let endpoint = format!("127.0.0.1:{}", server.port);
        let good = served(&endpoint, vec![("authority", path("ca.pem"))]).await.unwrap();
        assert_eq!((&good["common_name"], &good["serial"]), (&"server".into(), &"09".into()));
        assert_eq!((&good["verified"], &good["problem"]), (&true.into(), &serde_json::Value::Null), "{options:?}");
        let problem = async |options: Vec<(&str, Value)>| {
            let found = served(&endpoint, options).await.unwrap();
            assert_eq!(found["verified"], false);
            found["problem"].as_str().unwrap().to_owned()
        };
        assert_eq!(problem(vec![("authority", path("other.pem"))]).await, "it is not signed by the authority");
        let name = ("server_name", text("two.example"));
        assert_eq!(problem(vec![("authority", path("ca.pem")), name]).await, "it is not for `two.example`");
        assert_eq!(problem(vec![]).await, "not checked, since no `authority` is named");
    }
}

#[tokio::test]
async fn what_does_not_speak_tls_is_an_error() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    let silent = served(&endpoint, vec![("timeout", "200ms".into())]).await.unwrap_err();
    assert_eq!(silent.code(), "cert.timeout");
    let answer = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    assert_eq!(served(&endpoint, vec![]).await.unwrap_err().code(), "cert.no_tls");
    answer.abort();
}

#[tokio::test]
async fn a_plan_goes_on_with_what_is_only_planned() {
    let sandbox = Sandbox::new("dash");
    sandbox.given("mkdir /srv/t").await;
    plan_on(&sandbox, &authority("demo")).await;
    assert_eq!(summary(&sandbox, &authority("demo")).await, None);
    let planned = plan_on(&sandbox, &issue()).await;
    assert_eq!(planned, "issue, CN=server: there is none");
    let planned = plan_on(&sandbox, &sans_with([("names", list(&["two.example"]))])).await;
    assert!(
        planned.starts_with("add what it lacks of two.example, 192.0.2.1, 2001:db8::2, after what `cert::issue`"),
        "{planned}"
    );
    assert!(!sandbox.manifest().contains_key("/srv/t/ca.pem"));
}

/// Plans as a plan does, and remembers what is planned.
async fn plan_on<O: Op>(sandbox: &Sandbox, op: &O) -> String {
    let Plan::Change(change) = op.plan(&op.observe(&sandbox.host).await.unwrap()).unwrap() else {
        panic!("nothing to do")
    };
    let mut overlay = sandbox.host.overlay();
    change.effects.into_iter().for_each(|effect| overlay.record(effect));
    change.summary
}

#[tokio::test]
async fn no_key_reaches_the_journal_or_a_difference() {
    let sandbox = Sandbox::new("dash");
    sandbox.given(&given(AUTHORITIES[0])).await;
    let Plan::Change(change) = issue().plan(&issue().observe(&sandbox.host).await.unwrap()).unwrap() else {
        panic!("nothing to do")
    };
    let before = serde_json::json!([change.before, issue()]).to_string();
    let diff = change.diff.unwrap().text().to_owned();
    assert!(!before.contains("BEGIN") && !diff.contains("BEGIN"), "{before}\n{diff}");
    assert!(
        diff.contains("+subject: CN=server,O=second,O=first\n") && diff.contains("+name: demo.example\n"),
        "{diff}"
    );
}

#[tokio::test]
async fn the_authority_may_be_on_another_host() {
    let folder = certificates();
    let path = |name: &str| Value::from(folder.path().join(name).to_string_lossy().as_ref());
    let signer =
        |host: &str| Value::map([("host", text(host)), ("certificate", path("ca.pem")), ("key", path("ca-key.pem"))]);
    let (_hosts, host) = local::hosts();
    let options = |host: &str| {
        [("key", path("new-key.pem")), ("authority", signer(host)), ("common_name", text("x"))]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    };
    let issue = |name: &str| {
        let positional = vec![Value::Null, path("new.pem")];
        let arguments = Arguments::check(Issue::NAME, &Issue::SIGNATURE, positional, Some(options(name))).unwrap();
        Issue::parse(&arguments).unwrap().remove(0)
    };
    assert_eq!(issue("b").peers(), ["b"]);
    assert!(matches!(issue("b").plan(&issue("b").observe(&host).await.unwrap()).unwrap(), Plan::Change(_)));
    std::fs::remove_file(folder.path().join("ca-key.pem")).unwrap();
    let error = issue("b").plan(&issue("b").observe(&host).await.unwrap()).err().unwrap();
    assert_eq!((error.host(), error.code()), (Some("b"), "cert.no_authority_key"));
    // In an undo nobody asks it.
    let recorded: Issue = serde_json::from_value(serde_json::to_value(issue("nobody")).unwrap()).unwrap();
    recorded.observe(&host).await.unwrap();
}
