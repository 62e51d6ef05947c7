//! `k8s::enroll`: the kubelet of a node gets its client certificate before it starts, for a key that was made there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::overlay::{Effect, Overlay};
use haengine_kernel::patience::ANSWER;
use haengine_kernel::remnant::Remains;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use k8s_openapi::ByteString;
use k8s_openapi::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestSpec};
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use serde::{Deserialize, Serialize};

use super::cluster::{ADDRESS, Access, Cluster, KUBECONFIG, PATIENCE, SERVER};
use super::credential::Credential;
use super::csr::{Asks, CLIENT, created};
use super::csrs;
use super::leave;
use super::planned::ApprovedNode;
use super::signing::Signing;
use crate::cert::Certificate;
use crate::file::look::{self, Seen};
use crate::file::{Link, LinkBefore, path};

/// See [`ABOUT`](Op::ABOUT).
#[derive(Clone, Serialize, Deserialize)]
pub struct Enroll {
    #[serde(flatten)]
    access: Access,
    node: String,
    folder: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    through: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bootstrap: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    timeout: Duration,
}

/// What the node has, and what the cluster knows of it.
pub struct State {
    /// The link to its certificate.
    link: Seen,
    /// Why the certificate there does not serve.
    lacks: Option<String>,
    /// True when the node is in the cluster. None in a plan, where the API itself is planned.
    node: Option<bool>,
    /// True when the request of the change that is looked at is there.
    request: bool,
}

/// What undo needs.
#[derive(Serialize, Deserialize)]
pub struct Before {
    /// True when the node was in the cluster.
    node: bool,
    link: LinkBefore,
}

#[async_trait]
impl Op for Enroll {
    const NAME: &'static str = "k8s.enroll";
    const ABOUT: &'static str = "The kubelet of a node has a client certificate, for a key that was made on the node.

To be called before the kubelet starts: nobody else can then ask in its name. Unchanged where \
`kubelet-client-current.pem` in `folder` has a certificate of this node whose time is not over, with its key. Otherwise \
`openssl` makes a key there, which never leaves the node. The request for it is made in the cluster, under a name that \
nobody could guess, by whoever the node's `bootstrap` kubeconfig is for; without one by the administrator. That request is \
approved, by its name, its UID and its key, whatever others ask for the same node. The certificate that comes is looked \
at, and placed with its key where kubelets keep theirs, so that the kubelet renews it by itself. Its kubeconfig names \
`FOLDER/kubelet-client-current.pem` as `client-certificate` and as `client-key`.

**Undo** deletes the request, takes key and certificate away, and, when the node was not in the cluster before, its Node \
with its Lease. A kubelet that still runs at that moment could bring the Node back: once everything else of the run is \
undone, undo makes sure that it is gone, and, with `address`, that this address has left the endpoints of the service \
`kubernetes`.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("node", ParamKind::String, "The node's name in the cluster.")],
        options: &[
            Param::option(
                "through",
                ParamKind::Host,
                Absent::Means("the node itself"),
                "The host through which the API is reached.",
            ),
            Param::option(
                "folder",
                ParamKind::Path,
                Absent::String("/var/lib/kubelet/pki"),
                "Where the kubelet keeps its certificates: its flag `--cert-dir`.",
            ),
            Param::option(
                "bootstrap",
                ParamKind::Path,
                Absent::Means("the administrator asks"),
                "A kubeconfig on the node for who may ask: the kubelet's flag `--bootstrap-kubeconfig`.",
            ),
            Param::option(
                "timeout",
                ParamKind::Duration,
                Absent::String("60s"),
                "How long to wait for the certificate.",
            ),
            ADDRESS,
            KUBECONFIG,
            SERVER,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "A certificate for the kubelet of a new node.",
            given: "k8s_cluster; rm -rf /var/lib/kubelet; mkdir -p /var/lib/kubelet/pki",
            code: r#"k8s::enroll(h, "master2")"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "Where a kubelet keeps its certificates elsewhere, instead of one whose time is over.",
            given: "k8s_cluster; rm -rf /opt/kubernetes; mkdir -p /opt/kubernetes/ssl; k8s_client_over /opt/kubernetes/ssl",
            code: r#"k8s::enroll(h, "master2", #{ folder: "/opt/kubernetes/ssl", timeout: "30s" })"#,
            gives: r#"{"changed":true}"#,
        },
    ];
    const SETTLES: bool = true;
    type State = State;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let node = arguments.string("node")?;
        // It becomes part of a subject.
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-.".contains(letter);
        if node.is_empty() || !node.chars().all(is_plain) {
            let message = format!("`{node}` is no name of a node");
            return Err(Error::new(Kind::Usage, "k8s.node", message)
                .hint("write the node's name in the cluster: lower-case letters, digits, `-` and `.`"));
        }
        Ok(vec![Enroll {
            access: Access::parse(arguments)?,
            node,
            folder: path::of(arguments, "folder")?,
            through: arguments.opt_string("through"),
            bootstrap: arguments.opt_string("bootstrap"),
            address: arguments.opt_string("address"),
            timeout: arguments.duration("timeout")?,
        }])
    }

    fn target(&self) -> String {
        self.node.clone()
    }

    fn peers(&self) -> Vec<String> {
        self.through.iter().cloned().collect()
    }

    fn patience(&self) -> Duration {
        ANSWER + PATIENCE
    }

    async fn observe(&self, host: &Host) -> Result<State> {
        let credential = self.credential();
        let current = credential.current();
        let (link, lacks, node) =
            futures::try_join!(look::look(host, &current, 0), credential.lacks(host), self.known(host))?;
        Ok(State { link, lacks, node, request: false })
    }

    async fn revisit(&self, host: &Host, keep: &Keep) -> Result<State> {
        let (current, kept) = (self.credential().current(), keep.name());
        let link = look::revisit(host, &current, keep, &kept);
        let (link, node, request) = futures::try_join!(link, self.known(host), self.request_of(host, keep))?;
        Ok(State { link, lacks: None, node, request: request.is_some() })
    }

    fn assume(&self, state: State, overlay: &Overlay) -> State {
        State { link: look::assume(state.link, &self.credential().current(), overlay), ..state }
    }

    fn plan(&self, state: &State) -> Result<Plan<Before>> {
        let Some(lacks) = &state.lacks else { return Ok(Plan::Unchanged) };
        let link = match self.link("kubelet-client-NEW.pem").plan(&state.link)? {
            Plan::Change(change) => change,
            Plan::Unchanged => return Ok(Plan::Unchanged),
        };
        let before = Before { node: state.node.unwrap_or_default(), link: link.before };
        let mut effects = link.effects;
        // The node is there for whoever asks the API, through the same host or another.
        effects.extend(
            self.through
                .iter()
                .map(|through| Effect::On(through.clone(), Box::new(Effect::fact(&self.node, ApprovedNode)))),
        );
        effects.push(Effect::fact(&self.node, ApprovedNode));
        let summary = format!("make a key there and have its certificate signed: {lacks}");
        Ok(Plan::Change(Change { before, summary, diff: None, effects }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let credential = self.credential();
        let request = credential.request(host, keep).await?;
        let certificate = self.certify(host, &request, keep).await?;
        credential.place(host, keep, certificate).await?;
        self.link(&credential.name(keep)).apply(host, &before.link, keep).await
    }

    fn standing(&self, state: &State, before: &Before, keep: &Keep) -> Standing {
        let is_node_as_before = state.node.is_none_or(|node| node == before.node);
        match self.link(&self.credential().name(keep)).standing(&state.link, &before.link, keep) {
            Standing::AsBefore if is_node_as_before && !state.request => Standing::AsBefore,
            // The kubelet has renewed its certificate; what it made is of its unit.
            Standing::Foreign(_) if self.is_renewed(&state.link) => Standing::Ours,
            Standing::Foreign(why) => Standing::Foreign(why),
            _ => Standing::Ours,
        }
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        self.leave(host, before, keep).await?;
        let link = self.link(&self.credential().name(keep));
        let mut remains = link.undo(host, &before.link, keep).await?;
        remains.extend(self.credential().take_back(host, keep).await?);
        Ok(remains)
    }

    async fn settle(&self, host: &Host, _first: &Before, before: &Before, keep: &Keep) -> Result<Remains> {
        let through = self.through(host)?;
        if self.access.is_gone(&through).await? {
            return Ok(Remains::new());
        }
        self.leave(host, before, keep).await?;
        let Some(address) = self.address.as_ref().filter(|_| !before.node) else { return Ok(Remains::new()) };
        let cluster = self.access.cluster(&through).await?;
        leave::endpoints(&cluster, &through, address).await.map(|()| Remains::new())
    }
}

impl Enroll {
    fn credential(&self) -> Credential<'_> {
        Credential { folder: &self.folder, node: &self.node }
    }

    fn link(&self, target: &str) -> Link {
        Link::new(self.credential().current(), target.to_owned())
    }

    /// The host through which the API is reached.
    fn through(&self, host: &Host) -> Result<Arc<Host>> {
        host.peer(self.through.as_deref().unwrap_or(host.name()))
    }

    /// True when the node is in the cluster; none in a plan, where the API is planned.
    async fn known(&self, host: &Host) -> Result<Option<bool>> {
        let through = self.through(host)?;
        let known = async {
            let cluster = self.access.cluster(&through).await?;
            leave::node(&cluster, &through, &self.node).await
        };
        match known.await {
            Err(_) if self.access.planned(&through.overlay()).is_some() => Ok(None),
            known => known.map(Some),
        }
    }

    /// The request of a change, by the name that only that change could give it.
    async fn request_of(&self, host: &Host, keep: &Keep) -> Result<Option<CertificateSigningRequest>> {
        let through = self.through(host)?;
        let cluster = self.access.cluster(&through).await?;
        let requests: Api<CertificateSigningRequest> = Api::all(cluster.client.clone());
        cluster.ask(&through, requests.get_opt(&name(keep))).await
    }

    /// Has the request signed, and gives the certificate for it.
    async fn certify(&self, host: &Host, request: &str, keep: &Keep) -> Result<Vec<u8>> {
        let asks = Asks::parse(request.as_bytes()).filter(|asks| asks.differences(&self.node).is_empty());
        let asks = asks.ok_or_else(|| self.wrong("what `openssl` made on the node is no request of its kubelet"))?;
        let through = self.through(host)?;
        let asked = self.ask(host, &through, request, keep).await?;
        let cluster = self.access.cluster(&through).await?;
        let signing = Signing {
            cluster: &cluster,
            host: &through,
            node: &self.node,
            deadline: Instant::now() + self.timeout,
            patience: self.timeout,
        };
        let signed = signing.certify(&asked).await?;
        let certificate = Certificate::first(&name(keep), &String::from_utf8_lossy(&signed))?;
        let is_right = certificate.public_key == asks.public_key
            && certificate.common_name.as_ref() == Some(&asks.common_name)
            && certificate.organizations == asks.organizations;
        if is_right {
            Ok(signed)
        } else {
            Err(self.wrong("the certificate that was issued is another one than was asked for"))
        }
    }

    /// Makes the request, as whoever may.
    async fn ask(
        &self,
        host: &Host,
        through: &Arc<Host>,
        request: &str,
        keep: &Keep,
    ) -> Result<CertificateSigningRequest> {
        let object = CertificateSigningRequest {
            metadata: ObjectMeta { name: Some(name(keep)), ..ObjectMeta::default() },
            spec: CertificateSigningRequestSpec {
                request: ByteString(request.as_bytes().to_vec()),
                signer_name: CLIENT.to_owned(),
                usages: Some(["digital signature", "key encipherment", "client auth"].map(str::to_owned).to_vec()),
                ..CertificateSigningRequestSpec::default()
            },
            status: None,
        };
        let asking = match &self.bootstrap {
            Some(bootstrap) => Arc::new(self.access.cluster_as(through, host, bootstrap).await?),
            None => self.access.cluster(through).await?,
        };
        let requests: Api<CertificateSigningRequest> = Api::all(asking.client.clone());
        asking.ask(through, requests.create(&PostParams::default(), &object)).await
    }

    /// Nothing of the node is left in the cluster that was not there before.
    async fn leave(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let through = self.through(host)?;
        let cluster = self.access.cluster(&through).await?;
        if let Some(request) = self.request_of(host, keep).await? {
            if !before.node {
                self.forget_requests(&cluster, &through, &created(&request.metadata)).await?;
            }
            let uid = request.metadata.uid.unwrap_or_default();
            leave::delete_csr(&cluster, &through, &name(keep), &uid).await?;
        }
        if before.node { Ok(()) } else { leave::delete_node(&cluster, &through, &self.node).await }
    }

    /// What the node itself has asked for since it was let in: another one of its name is no part of that.
    async fn forget_requests(&self, cluster: &Cluster, through: &Host, since: &str) -> Result<()> {
        let all = csrs::all(cluster, through).await?;
        for csr in all.iter().filter(|csr| csr.is_of_a_member(&self.node) && csr.created.as_str() >= since) {
            leave::delete_csr(cluster, through, &csr.name, &csr.uid).await?;
        }
        Ok(())
    }

    /// True when the link leads to another of a kubelet's files beside it.
    fn is_renewed(&self, link: &Seen) -> bool {
        let target = link.found.as_ref().and_then(|found| found.target.as_deref()).unwrap_or_default();
        let beside = target.strip_prefix(&format!("{}/", self.folder)).unwrap_or(target);
        beside.starts_with("kubelet-client-") && !beside.contains('/')
    }

    fn wrong(&self, what: &str) -> Error {
        Error::new(Kind::Failed, "k8s.csr", format!("{what}: `{}` gets none", self.node))
            .hint("look at it with `kubectl get csr -o yaml`, and at who signs for this cluster")
    }
}

/// What a change's request is called in the cluster.
fn name(keep: &Keep) -> String {
    format!("haengine-{}", keep.nonce)
}
