//! A real control plane on free ports of the loopback: etcd, kube-apiserver, and the controller that signs certificates.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use k8s_openapi::ByteString;
use k8s_openapi::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestSpec};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DynamicObject, PostParams};
use kube::config::{AuthInfo, Config};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// The control plane; it ends with the last test that uses it.
pub struct Plane {
    folder: TempDir,
    processes: Mutex<Vec<Child>>,
    authority: Issuer<'static, KeyPair>,
    ca: String,
    pub port: u16,
}

static SHARED: Mutex<Weak<Plane>> = Mutex::new(Weak::new());

/// What a kubelet's request is made of.
pub struct Wish<'a> {
    pub node: &'a str,
    pub common_name: String,
    pub organization: &'a str,
    pub signer: &'a str,
    pub usages: &'a [&'a str],
    pub names: Vec<SanType>,
    /// One of the tokens in `tokens.csv`, or the bootstrap token.
    pub token: &'a str,
}

pub const BOOTSTRAP: &str = "abcdef.0123456789abcdef";

impl<'a> Wish<'a> {
    /// What the kubelet of `node` asks for.
    pub fn of(node: &'a str) -> Wish<'a> {
        Wish {
            node,
            common_name: format!("system:node:{node}"),
            organization: "system:nodes",
            signer: "kubernetes.io/kube-apiserver-client-kubelet",
            usages: &["digital signature", "key encipherment", "client auth"],
            names: Vec::new(),
            token: BOOTSTRAP,
        }
    }
}

/// The control plane that the tests share; none, said loudly, where its programs are missing.
pub async fn shared() -> Option<Arc<Plane>> {
    let plane = running()?;
    plane.ready().await;
    Some(plane)
}

fn running() -> Option<Arc<Plane>> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(plane) = shared.upgrade() {
        return Some(plane);
    }
    let plane = Arc::new(Plane::start()?);
    *shared = Arc::downgrade(&plane);
    Some(plane)
}

/// One of a test's own, to be broken.
pub async fn own() -> Option<Plane> {
    let plane = Plane::start()?;
    plane.ready().await;
    Some(plane)
}

fn programs() -> Option<(PathBuf, PathBuf)> {
    let cache = std::env::var_os("HAENGINE_CACHE")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/haengine"));
    let folders = |prefix: &str| {
        let entries = std::fs::read_dir(cache.join("lab")).into_iter().flatten().flatten().map(|entry| entry.path());
        let named = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix));
        entries.filter(named).collect::<Vec<_>>()
    };
    let given = std::env::var_os("KUBE_BIN_DIR").map(PathBuf::from);
    let kubernetes = given.into_iter().chain(folders("kubernetes-").into_iter().map(|path| path.join("bin")));
    let kubernetes = kubernetes.into_iter().find(|path| path.join("kube-controller-manager").is_file());
    let etcd = folders("base-").into_iter().map(|path| path.join("usr/bin/etcd"));
    let etcd = std::iter::once(PathBuf::from("/usr/bin/etcd")).chain(etcd).find(|path| path.is_file());
    if kubernetes.is_none() || etcd.is_none() {
        println!(
            "\n*** SKIPPED the tests on a real API: etcd or Kubernetes is missing; `haengine lab kubernetes` gets them ***\n"
        );
    }
    kubernetes.zip(etcd)
}

/// Old controllers listen on another port, too, unless they are told not to; newer ones do not know it.
fn insecure(controllers: &Path) -> Vec<String> {
    let said = Command::new(controllers).arg("--help").output().unwrap().stdout;
    let has = String::from_utf8_lossy(&said).lines().any(|line| line.trim_start().starts_with("--port "));
    if has { vec!["--port=0".to_owned()] } else { Vec::new() }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn named(common_name: &str, organization: Option<&str>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    if let Some(organization) = organization {
        params.distinguished_name.push(DnType::OrganizationName, organization);
    }
    params
}

impl Plane {
    fn start() -> Option<Plane> {
        let (kubernetes, etcd) = programs()?;
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = named("test-ca", None);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
        let ca = params.self_signed(&key).unwrap().pem();
        std::fs::write(folder.path().join("ca.pem"), &ca).unwrap();
        std::fs::write(folder.path().join("ca-key.pem"), key.serialize_pem()).unwrap();
        let authority = Issuer::new(params, key);
        let port = free_port();
        let plane = Plane { folder, processes: Mutex::default(), authority, ca, port };
        plane.write_files();
        plane.run(&etcd, &plane.etcd());
        plane.run(&kubernetes.join("kube-apiserver"), &plane.apiserver(&plane.read("etcd.url")));
        let controllers = kubernetes.join("kube-controller-manager");
        plane.run(&controllers, &[plane.controllers(), insecure(&controllers)].concat());
        Some(plane)
    }

    fn write_files(&self) {
        let (certificate, key) = {
            let mut params = named("kube-apiserver", None);
            params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
            self.issue(params)
        };
        self.write("server.pem", &certificate);
        self.write("server-key.pem", &key);
        let accounts = KeyPair::generate().unwrap();
        self.write("sa.pem", &accounts.serialize_pem());
        self.write("sa.pub", &accounts.public_key_pem());
        self.write(
            "tokens.csv",
            "t-kubelet,kubelet-bootstrap,1,\"joiners\"\nt-eve,eve,2,\"joiners\"\nt-nobody,nobody,3\nt-own1,system:node:own1,4,\"system:nodes\"\n",
        );
        let (certificate, key) = self.issue(named("admin", Some("system:masters")));
        self.write("admin.pem", &certificate);
        self.write("admin-key.pem", &key);
        // With paths, as those are that people write by hand: one of them relative.
        self.write(
            "admin.conf",
            &self.kubeconfig(
                "certificate-authority: ca.pem",
                &format!(
                    "client-certificate: {}\n    client-key: \"{}\"",
                    self.path("admin.pem").display(),
                    self.path("admin-key.pem").display()
                ),
            ),
        );
        let (client, peer) = (free_port(), free_port());
        self.write("etcd.url", &format!("http://127.0.0.1:{client}"));
        self.write("etcd.peer", &format!("http://127.0.0.1:{peer}"));
    }

    /// A kubeconfig of this server, with lines for the cluster and for the user.
    pub fn kubeconfig(&self, cluster: &str, user: &str) -> String {
        let user = if user.is_empty() { "{}".to_owned() } else { format!("\n    {user}") };
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: test\nclusters:\n- name: test\n  cluster:\n    \
             server: https://127.0.0.1:{}\n    {cluster}\ncontexts:\n- name: test\n  context: {{ cluster: test, user: admin }}\n\
             users:\n- name: admin\n  user: {user}\n",
            self.port
        )
    }

    fn etcd(&self) -> Vec<String> {
        let (client, peer) = (self.read("etcd.url"), self.read("etcd.peer"));
        let data = self.path("etcd").display().to_string();
        [
            ("--data-dir", data.as_str()),
            ("--listen-client-urls", &client),
            ("--advertise-client-urls", &client),
            ("--listen-peer-urls", &peer),
            ("--initial-advertise-peer-urls", &peer),
            ("--initial-cluster", &format!("default={peer}")),
        ]
        .map(|(name, value)| format!("{name}={value}"))
        .to_vec()
    }

    fn apiserver(&self, etcd: &str) -> Vec<String> {
        let file = |name: &str| self.path(name).display().to_string();
        vec![
            format!("--etcd-servers={etcd}"),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", self.port),
            format!("--cert-dir={}", self.folder.path().display()),
            format!("--tls-cert-file={}", file("server.pem")),
            format!("--tls-private-key-file={}", file("server-key.pem")),
            format!("--client-ca-file={}", file("ca.pem")),
            format!("--service-account-key-file={}", file("sa.pub")),
            format!("--service-account-signing-key-file={}", file("sa.pem")),
            "--service-account-issuer=https://test".to_owned(),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            "--authorization-mode=Node,RBAC".to_owned(),
            "--enable-bootstrap-token-auth".to_owned(),
            format!("--token-auth-file={}", file("tokens.csv")),
        ]
    }

    fn controllers(&self) -> Vec<String> {
        let file = |name: &str| self.path(name).display().to_string();
        vec![
            format!("--kubeconfig={}", file("admin.conf")),
            format!("--cluster-signing-cert-file={}", file("ca.pem")),
            format!("--cluster-signing-key-file={}", file("ca-key.pem")),
            "--controllers=csrsigning".to_owned(),
            "--leader-elect=true".to_owned(),
            "--secure-port=0".to_owned(),
        ]
    }

    fn run(&self, program: &Path, arguments: &[String]) {
        let log = program.file_name().unwrap().to_string_lossy().into_owned() + ".log";
        let log = std::fs::File::create(self.path(&log)).unwrap();
        let (out, err) = (Stdio::from(log.try_clone().unwrap()), Stdio::from(log));
        let child = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(out).stderr(err).spawn().unwrap();
        self.processes.lock().unwrap().push(child);
    }

    fn has_ended(&self) -> bool {
        let mut processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        processes.iter_mut().take(2).any(|child| child.try_wait().is_ok_and(|status| status.is_some()))
    }

    /// Ends its processes at once.
    pub fn kill(&self) {
        for child in self.processes.lock().unwrap_or_else(PoisonError::into_inner).iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends a signal to its processes: `STOP` makes them silent, `CONT` lets them go on.
    pub fn signal(&self, signal: &str) {
        for child in self.processes.lock().unwrap().iter() {
            let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
            assert!(sent.success(), "{signal}");
        }
    }

    async fn ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            match self.prepare().await {
                Ok(()) => return,
                Err(error) if Instant::now() > deadline || self.has_ended() => {
                    panic!("the control plane does not come up: {error}\n{}", self.read("kube-apiserver.log"))
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    }

    /// What kubelets need to ask for certificates. Twice is once.
    async fn prepare(&self) -> kube::Result<()> {
        self.client().request_text(http::Request::get("/readyz").body(Vec::new()).unwrap()).await?;
        Api::<Namespace>::all(self.client()).get("default").await?;
        let subject =
            |kind: &str, name: &str| json!({ "kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io" });
        let subjects =
            [subject("Group", "system:bootstrappers"), subject("User", "kubelet-bootstrap"), subject("User", "eve")];
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": "joiners" },
            "subjects": subjects,
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:node-bootstrapper" },
        });
        let (id, secret) = BOOTSTRAP.split_once('.').unwrap();
        let token = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "bootstrap.kubernetes.io/token",
            "metadata": { "name": format!("bootstrap-token-{id}"), "namespace": "kube-system" },
            "stringData": {
                "token-id": id, "token-secret": secret, "usage-bootstrap-authentication": "true",
                "auth-extra-groups": "system:bootstrappers:test",
            },
        });
        for object in [binding, token] {
            match self.create(&object).await {
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                other => drop(other?),
            }
        }
        Ok(())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The administrator's kubeconfig.
    pub fn admin(&self) -> String {
        self.path("admin.conf").display().to_string()
    }

    pub fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// A client certificate and its key, of this cluster's authority.
    pub fn issue(&self, params: CertificateParams) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.authority).unwrap().pem(), key.serialize_pem())
    }

    /// One that has expired.
    pub fn expired(&self) -> (String, String) {
        let mut params = named("admin", Some("system:masters"));
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        self.issue(params)
    }

    fn config(&self) -> Config {
        let mut config = Config::new(format!("https://127.0.0.1:{}", self.port).parse().unwrap());
        let (_, ca) = x509_parser::pem::parse_x509_pem(self.ca.as_bytes()).unwrap();
        config.root_cert = Some(vec![ca.contents]);
        config
    }

    pub fn client(&self) -> Client {
        let mut config = self.config();
        config.auth_info = AuthInfo {
            client_certificate: Some(self.path("admin.pem").display().to_string()),
            client_key: Some(self.path("admin-key.pem").display().to_string()),
            ..AuthInfo::default()
        };
        Client::try_from(config).unwrap()
    }

    fn client_with(&self, token: &str) -> Client {
        let mut config = self.config();
        config.auth_info = AuthInfo { token: Some(token.to_owned().into()), ..AuthInfo::default() };
        Client::try_from(config).unwrap()
    }

    fn dynamic(&self, object: &Json) -> Api<DynamicObject> {
        let (version, kind) = (object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
        let version: kube::core::GroupVersion = version.parse().unwrap();
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(&version.group, &version.version, kind));
        match object["metadata"]["namespace"].as_str() {
            Some(namespace) => Api::namespaced_with(self.client(), namespace, &resource),
            None => Api::all_with(self.client(), &resource),
        }
    }

    pub async fn create(&self, object: &Json) -> kube::Result<DynamicObject> {
        let parsed: DynamicObject = serde_json::from_value(object.clone()).unwrap();
        self.dynamic(object).create(&PostParams::default(), &parsed).await
    }

    /// Changes an object as somebody else does.
    pub async fn edit(&self, like: &Json, fields: Json) {
        let (name, params) = (like["metadata"]["name"].as_str().unwrap(), kube::api::PatchParams::default());
        self.dynamic(like).patch(name, &params, &kube::api::Patch::Merge(fields)).await.unwrap();
    }

    /// Changes what a controller would say of an object.
    pub async fn edit_status(&self, like: &Json, fields: Json) {
        let (name, params) = (like["metadata"]["name"].as_str().unwrap(), kube::api::PatchParams::default());
        self.dynamic(like).patch_status(name, &params, &kube::api::Patch::Merge(fields)).await.unwrap();
    }

    pub async fn delete(&self, like: &Json) {
        let name = like["metadata"]["name"].as_str().unwrap();
        self.dynamic(like).delete(name, &kube::api::DeleteParams::default()).await.unwrap();
    }

    /// The object as the API has it; `Null` when it is not there.
    pub async fn object(&self, like: &Json) -> Json {
        let found = self.dynamic(like).get_opt(like["metadata"]["name"].as_str().unwrap()).await.unwrap();
        found.map_or(Json::Null, |found| serde_json::to_value(found).unwrap())
    }

    pub async fn node(&self, name: &str) {
        self.create(&json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name } })).await.unwrap();
    }

    pub async fn has_node(&self, name: &str) -> bool {
        !self.object(&json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name } })).await.is_null()
    }

    /// Asks as a kubelet does; gives the name of the request.
    pub async fn ask(&self, wish: &Wish<'_>) -> String {
        let mut params = named(&wish.common_name, Some(wish.organization));
        params.subject_alt_names = wish.names.clone();
        let request = params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap();
        let mut csr = CertificateSigningRequest::default();
        csr.metadata.generate_name = Some(format!("csr-{}-", wish.node));
        csr.spec = CertificateSigningRequestSpec {
            request: ByteString(request.into_bytes()),
            signer_name: wish.signer.to_owned(),
            usages: Some(wish.usages.iter().map(|usage| (*usage).to_owned()).collect()),
            ..CertificateSigningRequestSpec::default()
        };
        let api: Api<CertificateSigningRequest> = Api::all(self.client_with(wish.token));
        // The API server reads tokens and rights from a cache of its own: what was just given is unknown for a moment.
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            match api.create(&PostParams::default(), &csr).await {
                Err(kube::Error::Api(status))
                    if matches!(status.code, 401 | 403) && std::time::Instant::now() < until =>
                {
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
                created => return created.unwrap().metadata.name.unwrap(),
            }
        }
    }

    /// A request as the API has it.
    pub async fn csr(&self, name: &str) -> Option<CertificateSigningRequest> {
        Api::all(self.client()).get_opt(name).await.unwrap()
    }

    /// True when a request is approved and its certificate issued.
    pub async fn is_issued(&self, name: &str) -> bool {
        let status = self.csr(name).await.and_then(|csr| csr.status).unwrap_or_default();
        status.certificate.is_some() && self.is_approved(name).await
    }

    pub async fn is_approved(&self, name: &str) -> bool {
        let status = self.csr(name).await.and_then(|csr| csr.status).unwrap_or_default();
        status.conditions.unwrap_or_default().iter().any(|condition| condition.type_ == "Approved")
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        self.kill();
    }
}
