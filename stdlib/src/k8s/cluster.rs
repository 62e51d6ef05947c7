//! A cluster as a host sees it: the client, kept for the run.

use std::sync::Arc;
use std::time::Duration;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::Foreseen;
use haengine_kernel::signature::{Absent, Param, ParamKind};
use haengine_kernel::transport::OUTPUT;
use haengine_kernel::value::Unknown;
use http::{Request, Response, Uri};
use http_body_util::Limited;
use hyper_util::rt::TokioExecutor;
use kube::Client;
use kube::client::{Body, ConfigExt};
use kube::config::{AuthInfo, Config};
use kube::core::Status;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use tower::{BoxError, ServiceBuilder};

use super::failure::{self, Place};
use super::kubeconfig;
use super::way::Through;
use crate::service::{Activity, vigil};

/// How long one request may take, unless it waits for something.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The option `kubeconfig`.
pub const KUBECONFIG: Param = Param::option(
    "kubeconfig",
    ParamKind::Path,
    Absent::Means("the first that is there"),
    "The kubeconfig on that host: else `~/.kube/config`, `/etc/kubernetes/admin.conf` or `/root/.kube/config`.",
);
/// The option `server`.
pub const SERVER: Param = Param::option(
    "server",
    ParamKind::String,
    Absent::Means("the kubeconfig's"),
    "The API server, as `\"https://192.168.2.117:6443\"`, seen from that host.",
);
/// The option `on`.
pub const ON: Param = Param::option(
    "on",
    ParamKind::Host,
    Absent::Means("its units are not looked at"),
    "The node's host: waiting ends early, with the unit's journal, when a unit of the node there (the container runtime, etcd, \
     kube-apiserver, kubelet) has failed or ends again and again.",
);
/// The option `address` of what lets a node in.
pub const ADDRESS: Param = Param::option(
    "address",
    ParamKind::String,
    Absent::Means("()"),
    "Of the API server that undo takes away with the node.",
);
/// The argument that names the host through which a cluster is reached.
pub const THROUGH: Param = Param::new("hosts", ParamKind::Hosts, "The host through which the API is reached.");

/// How a call reaches its cluster, beside the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kubeconfig: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server: Option<String>,
}

/// What `work` gives, unless a unit of the node on the host `on` does not stay up meanwhile.
///
/// # Errors
/// Those of `work`; `service.failed`, when a unit does not stay up.
pub async fn beside<T>(host: &Host, on: Option<&str>, work: impl Future<Output = Result<T>>) -> Result<T> {
    let Some(node) = on.map(|on| host.peer(on)).transpose()? else { return work.await };
    tokio::select! {
        biased;
        done = work => done,
        error = vigil(&node) => Err(error),
    }
}

/// A cluster, reached through a host.
pub struct Cluster {
    /// The client.
    pub client: Client,
    /// The server's address, for messages.
    pub server: String,
    kubeconfig: String,
    certificate: Option<Vec<u8>>,
    has_user: bool,
    /// Under which name the host keeps it.
    slot: String,
}

/// A server's answer.
pub struct Answer {
    /// Of HTTP.
    pub status: u16,
    /// The server's own time, as HTTP writes it.
    pub date: Option<String>,
    /// The text.
    pub body: String,
}

/// A slot of the host in which a client is kept.
type Slot = OnceCell<Arc<Cluster>>;

/// Units on which an API depends where it runs.
const UNITS: [&str; 4] = ["kube-apiserver.service", "etcd.service", "kubelet.service", "containerd.service"];

impl Access {
    /// The options of a call.
    ///
    /// # Errors
    /// When the server is no address of one.
    pub fn parse(arguments: &Arguments) -> Result<Access> {
        let server = arguments.opt_string("server");
        if let Some(server) = &server {
            address(server)?;
        }
        Ok(Access { kubeconfig: arguments.opt_string("kubeconfig"), server })
    }

    /// The options of a call that names its API servers itself.
    pub fn of_kubeconfig(arguments: &Arguments) -> Access {
        Access { kubeconfig: arguments.opt_string("kubeconfig"), server: None }
    }

    /// The same through another API server of the cluster.
    pub fn at(&self, server: &str) -> Access {
        Access { server: Some(server.to_owned()), ..self.clone() }
    }

    /// The cluster; connected when it is first needed.
    ///
    /// # Errors
    /// When the kubeconfig cannot be used.
    pub async fn cluster(&self, host: &Host) -> Result<Arc<Cluster>> {
        let slot = host.kept::<Slot>(&self.name());
        let connect = async || {
            let found = kubeconfig::read(host, self.kubeconfig.as_deref()).await?;
            self.connect(host, found).map(Arc::new)
        };
        slot.get_or_try_init(connect).await.cloned()
    }

    /// What a plan knows of a question to the cluster: nothing once the API itself, the kubeconfig, or one of the
    /// `kinds` of objects are planned to change.
    pub fn foresee(&self, what: &str, host: &Host, overlay: &Overlay, kinds: &[fn(&Overlay) -> bool]) -> Foreseen {
        match self.planned(overlay).or_else(|| planned_object(overlay, kinds)) {
            Some(why) => Foreseen::Unknown(Unknown { origin: format!("`{what}` on `{}`, after {why}", host.name()) }),
            None => Foreseen::Real,
        }
    }

    /// What is planned on the host that makes the API another one than it is now.
    pub fn planned(&self, overlay: &Overlay) -> Option<String> {
        if let Some(origin) = overlay.opaque() {
            return Some(origin.to_owned());
        }
        let unit = UNITS.iter().find(|unit| overlay.fact::<Activity>(unit).is_some());
        unit.map(|unit| format!("the planned `{unit}`")).or_else(|| self.planned_kubeconfig(overlay))
    }

    fn planned_kubeconfig(&self, overlay: &Overlay) -> Option<String> {
        let places = match &self.kubeconfig {
            Some(path) => vec![path.as_str()],
            None => kubeconfig::PLACES[1..].to_vec(),
        };
        let path = places.into_iter().find(|path| overlay.file(path).is_some())?;
        Some(format!("the planned `{path}`"))
    }

    /// True when the host has no kubeconfig any more: an undo took it, and with it the cluster that the run had made.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub async fn is_gone(&self, host: &Host) -> Result<bool> {
        match kubeconfig::read(host, self.kubeconfig.as_deref()).await {
            Ok(_) => Ok(false),
            Err(error) if error.code() == "k8s.kubeconfig" => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn name(&self) -> String {
        format!("{} {}", self.kubeconfig.as_deref().unwrap_or_default(), self.server.as_deref().unwrap_or_default())
    }

    /// The cluster as somebody else is let in: who has the kubeconfig at `path` on `node`.
    ///
    /// # Errors
    /// When one of the kubeconfigs cannot be used.
    pub async fn cluster_as(&self, host: &Host, node: &Host, path: &str) -> Result<Cluster> {
        let mut found = kubeconfig::read(host, self.kubeconfig.as_deref()).await?;
        let other = kubeconfig::read(node, Some(path)).await?;
        found.config.auth_info = other.config.auth_info;
        self.connect(host, kubeconfig::Found { config: found.config, ..other })
    }

    /// The cluster as the bearer of a token is let in.
    ///
    /// # Errors
    /// When the kubeconfig cannot be used.
    pub async fn cluster_with_token(&self, host: &Host, token: &str) -> Result<Cluster> {
        let mut found = kubeconfig::read(host, self.kubeconfig.as_deref()).await?;
        found.config.auth_info = AuthInfo { token: Some(token.to_owned().into()), ..AuthInfo::default() };
        self.connect(host, kubeconfig::Found { certificate: None, ..found })
    }

    fn connect(&self, host: &Host, mut found: kubeconfig::Found) -> Result<Cluster> {
        if let Some(server) = &self.server {
            found.config.cluster_url = address(server)?;
        }
        let server = found.config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let has_user = found.certificate.is_some()
            || found.config.auth_info.token.is_some()
            || found.config.auth_info.username.is_some();
        let place = Place { server: &server, kubeconfig: &found.path, certificate: None, has_user };
        // The host itself, as the run knows it: the client must not hold on to it, and outlives this call.
        let through = Through::new(&host.peer(host.name())?);
        let client = client(&found.config, through).map_err(|error| failure::explain(error, &place).on(host.name()))?;
        Ok(Cluster {
            client,
            server,
            kubeconfig: found.path,
            certificate: found.certificate,
            has_user,
            slot: self.name(),
        })
    }
}

impl Cluster {
    /// Waits for the answer to a request, no longer than [`PATIENCE`].
    ///
    /// # Errors
    /// With what, where, and what to do.
    pub async fn ask<T>(&self, host: &Host, request: impl Future<Output = kube::Result<T>>) -> Result<T> {
        let answered = host.interruptible(self.answer(request)).await;
        if answered.as_ref().is_err_and(|error| matches!(error.code(), "k8s.unauthorized" | "k8s.certificate")) {
            // The kubeconfig may be renewed in a moment: the next question reads it again.
            host.forget::<Slot>(&self.slot);
        }
        answered
    }

    /// The same for work that a host's waiting already guards.
    ///
    /// # Errors
    /// As [`ask`](Cluster::ask).
    pub async fn answer<T>(&self, request: impl Future<Output = kube::Result<T>>) -> Result<T> {
        match tokio::time::timeout(PATIENCE, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.explain(error)),
            Err(_) => Err(failure::silent(&self.place(), PATIENCE.as_secs())),
        }
    }

    /// What the server answers to a plain GET, whatever its status.
    ///
    /// # Errors
    /// As [`ask`](Cluster::ask).
    pub async fn fetch(&self, host: &Host, path: &str) -> Result<Answer> {
        let request = async {
            let request = Request::get(path).body(Body::empty()).map_err(kube::Error::HttpError)?;
            let response = self.client.send(request).await?;
            let (status, headers) = (response.status().as_u16(), response.headers());
            let date = headers.get(http::header::DATE).and_then(|date| date.to_str().ok()).map(str::to_owned);
            let body = response.into_body().collect_bytes().await?;
            Ok(Answer { status, date, body: String::from_utf8_lossy(&body).into_owned() })
        };
        self.ask(host, request).await
    }

    /// The error that an answer is.
    pub fn refusal(&self, answer: &Answer) -> Error {
        let status = serde_json::from_str::<Status>(&answer.body).unwrap_or_default();
        let message = if status.message.is_empty() { answer.body.clone() } else { status.message.clone() };
        failure::refusal(&Status { code: answer.status, message, ..status }, &self.place())
    }

    /// The error of a request.
    pub fn explain(&self, error: kube::Error) -> Error {
        failure::explain(error, &self.place())
    }

    fn place(&self) -> Place<'_> {
        let certificate = self.certificate.as_deref();
        Place { server: &self.server, kubeconfig: &self.kubeconfig, certificate, has_user: self.has_user }
    }
}

fn planned_object(overlay: &Overlay, kinds: &[fn(&Overlay) -> bool]) -> Option<String> {
    kinds.iter().find(|is_planned| is_planned(overlay)).map(|_| "a planned change of the cluster".to_owned())
}

fn client(config: &Config, through: Through) -> kube::Result<Client> {
    let https = config.rustls_https_connector_with_connector(through)?;
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(https);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_response(|response: Response<_>| response.map(|body| Limited::new(body, OUTPUT)))
        .map_err(BoxError::from)
        .service(http);
    Ok(Client::new(service, config.default_namespace.clone()))
}

/// The address of an API server.
///
/// # Errors
/// `k8s.server`, where it is none.
pub fn address(server: &str) -> Result<Uri> {
    let wrong = || {
        Error::new(Kind::Usage, "k8s.server", format!("`{server}` is no address of an API server"))
            .hint("write `https://ADDRESS:6443`")
    };
    let uri: Uri = server.parse().map_err(|_| wrong())?;
    let is_complete = uri.scheme_str() == Some("https") && uri.host().is_some_and(|host| !host.is_empty());
    if is_complete { Ok(uri) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use haengine_kernel::overlay::{Effect, PlannedFile};

    use super::*;

    #[test]
    fn a_server_has_a_scheme_and_a_host() {
        assert!(address("https://192.168.2.11:6443").is_ok());
        assert!(address("https://[fd00::1]:6443").is_ok());
        for wrong in ["192.168.2.11:6443", "http://192.168.2.11:8080", "https://", ""] {
            assert_eq!(address(wrong).unwrap_err().code(), "k8s.server", "{wrong}");
        }
    }

    #[test]
    fn a_plan_does_not_ask_an_api_that_is_planned() {
        let mut overlay = Overlay::default();
        overlay.record(Effect::File("/etc/motd".into(), PlannedFile::Absent));
        let access = Access::default();
        assert_eq!(access.planned(&overlay), None);
        overlay.record(Effect::File("/etc/kubernetes/admin.conf".into(), PlannedFile::Placed("x".into())));
        assert_eq!(access.planned(&overlay).as_deref(), Some("the planned `/etc/kubernetes/admin.conf`"));
        let other = Access { kubeconfig: Some("/opt/k.conf".into()), server: None };
        assert_eq!(other.planned(&overlay), None);
        overlay.record(Effect::fact("kube-apiserver.service", Activity::Active));
        assert!(other.planned(&overlay).is_some());
    }
}
