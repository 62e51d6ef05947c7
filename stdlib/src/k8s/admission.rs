//! Waiting for a kubelet's request, judging it, approving it, and waiting for the certificate.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::Node;
use kube::Api;
use serde::{Deserialize, Serialize};

use super::cluster::{Cluster, beside};
use super::csr::{Csr, Expected, created};
use super::csrs;
use super::lease::Locked;
use super::signing::Signing;
use super::watch::{self, Objects};

/// One kubelet on its way into a cluster.
pub struct Admission<'a> {
    pub cluster: &'a Cluster,
    pub host: &'a Host,
    pub node: &'a str,
    pub expected: &'a Expected,
    pub before: &'a Before,
    /// The run's id.
    pub run: &'a str,
    /// The node's host, whose units are looked at meanwhile.
    pub on: Option<&'a str>,
    pub deadline: Instant,
    pub patience: Duration,
}

/// What undo needs.
#[derive(Serialize, Deserialize)]
pub struct Before {
    /// True when the node was in the cluster.
    pub node: bool,
    /// The requests that were there and waited for a decision.
    pub pending: Vec<String>,
    /// The others that were there.
    pub decided: Vec<String>,
    /// Who had the cluster to itself: what was asked since its run began is that run's doing, whatever was there when it
    /// came to this change.
    #[serde(default)]
    pub locked: Option<Locked>,
}

impl Before {
    /// Since when this run has the cluster to itself, if it has; RFC 3339, by the server's clock.
    pub fn since(&self, run: &str) -> Option<&str> {
        self.locked.as_ref().filter(|locked| locked.run == run).map(|locked| locked.since.as_str())
    }
}

/// What came.
enum Came {
    /// The one request that is right, with others that are not.
    Right(Box<CertificateSigningRequest>, Vec<String>),
    /// A certificate that somebody else approved.
    Issued,
}

impl Admission<'_> {
    /// Waits, judges, approves.
    ///
    /// # Errors
    /// `k8s.csr` when what is asked for is not right; `k8s.csr_timeout` when nothing is asked for in time.
    pub async fn admit(&self) -> Result<()> {
        // Approved requests whose kubelet may be gone.
        let mut stale: Vec<String> = Vec::new();
        loop {
            let Came::Right(csr, others) = self.come(&stale).await? else { return Ok(()) };
            if !others.is_empty() {
                self.host.warn(format!("other requests of `{}` stay as they are: {}", self.node, names(&others)));
            }
            match self.signing().approve(&csr).await {
                Ok(()) => {
                    let name = csr.metadata.name.clone().unwrap_or_default();
                    self.signing().issued(&name).await?;
                    if !self.is_stale(&csr) {
                        return Ok(());
                    }
                    // Either its node joins, or the kubelet that runs by now asks in its place.
                    stale.push(name);
                }
                // It is another one than the one that was judged: judge again.
                Err(error)
                    if matches!(error.code(), "k8s.conflict" | "k8s.missing") && Instant::now() < self.deadline => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// True for a request that was made before the run had the cluster to itself, for a node that is not there: an earlier
    /// run may have started its kubelet and stopped it again.
    fn is_stale(&self, csr: &CertificateSigningRequest) -> bool {
        !self.before.node && self.before.since(self.run).is_some_and(|since| created(&csr.metadata).as_str() < since)
    }

    async fn come(&self, stale: &[String]) -> Result<Came> {
        self.host.awaits(&format!("the request of the kubelet of `{}`", self.node));
        let (requests, nodes) = (self.signing().requests(), Api::<Node>::all(self.cluster.client.clone()));
        let asked = watch::until(self.cluster, &requests, None, self.deadline, |all| self.judge(all, stale));
        let joined = async {
            if self.before.node {
                return std::future::pending().await;
            }
            let fields = format!("metadata.name={}", self.node);
            let there = |all: &Objects<Node>| Ok((!all.is_empty()).then_some(Came::Issued));
            watch::until(self.cluster, &nodes, Some(&fields), self.deadline, there).await
        };
        let first = async {
            tokio::select! {
                biased;
                came = asked => came,
                came = joined => came,
            }
        };
        match self.host.waiting(beside(self.host, self.on, first)).await? {
            Some(came) => Ok(came),
            None => Err(self.nothing(stale).await),
        }
    }

    /// What is there of this node's: nothing yet, one that is right, or an error when all are wrong.
    fn judge(&self, all: &Objects<CertificateSigningRequest>, stale: &[String]) -> Result<Option<Came>> {
        let mut csrs: Vec<(Csr, &CertificateSigningRequest)> =
            all.values().map(|object| (Csr::of(object), object)).collect();
        csrs.retain(|(csr, _)| csr.node() == Some(self.node) && !csr.is_of_a_member(self.node));
        csrs.sort_by(|(a, _), (b, _)| (&a.created, &a.name).cmp(&(&b.created, &b.name)));
        let (right, other): (Vec<_>, Vec<_>) = csrs
            .iter()
            .filter(|(csr, _)| csr.is_pending())
            .partition(|(csr, _)| csr.differences(self.node, self.expected).is_empty());
        match right[..] {
            [] => {}
            [(_, object)] => {
                let others = other.iter().map(|(csr, _)| csr.name.clone()).collect();
                return Ok(Some(Came::Right(Box::new((*object).clone()), others)));
            }
            _ => return Err(several(self.node, right.iter().map(|(csr, _)| csr))),
        }
        if !other.is_empty() {
            let other: Vec<&Csr> = other.iter().map(|(csr, _)| csr).collect();
            return Err(wrong(self.node, &other, self.expected));
        }
        let is_new = |csr: &Csr| !self.before.decided.contains(&csr.name) && !stale.contains(&csr.name);
        let approved = |csr: &Csr| csr.state == "approved" && csr.issued && is_new(csr);
        let is_issued =
            csrs.iter().any(|(csr, _)| approved(csr) && csr.differences(self.node, self.expected).is_empty());
        Ok(is_issued.then_some(Came::Issued))
    }

    fn signing(&self) -> Signing<'_> {
        Signing {
            cluster: self.cluster,
            host: self.host,
            node: self.node,
            deadline: self.deadline,
            patience: self.patience,
        }
    }

    async fn nothing(&self, stale: &[String]) -> Error {
        let message = match stale {
            [] => format!("the kubelet of `{}` asked for no certificate within {:?}", self.node, self.patience),
            stale => format!(
                "`{}` did not join within {:?}: {}, made before this run, is approved, and its kubelet may be gone",
                self.node,
                self.patience,
                names(stale.iter().map(String::as_str))
            ),
        };
        let all = csrs::all(self.cluster, self.host).await.unwrap_or_default();
        let others: BTreeSet<&str> = all.iter().filter(|csr| csr.is_pending()).filter_map(Csr::node).collect();
        let waiting = if others.is_empty() { "none".to_owned() } else { names(others) };
        Error::new(Kind::Failed, "k8s.csr_timeout", message).hint(format!(
            "look at `journalctl -u kubelet` on that node: its bootstrap kubeconfig, its token and the server in it; \
             check that its node name is `{}` (nodes whose requests are pending: {waiting})",
            self.node
        ))
    }
}

/// Names in backticks, with commas between.
pub fn names(all: impl IntoIterator<Item: AsRef<str>>) -> String {
    all.into_iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// The error for requests that are all right: whose they are, only their keys could tell.
fn several<'a>(node: &str, csrs: impl Iterator<Item = &'a Csr>) -> Error {
    let told = csrs.map(|csr| format!("`{}` of `{}`", csr.name, csr.requestor)).collect::<Vec<_>>().join(", ");
    let message = format!("several ask for the certificate of `{node}`, and nothing is approved: {told}");
    Error::new(Kind::Refused, "k8s.csr", message).hint(
        "delete with `kubectl delete csr` those that are not its kubelet's, then run again; or let `k8s::enroll` ask for it",
    )
}

/// The error for requests of which none is right.
pub fn wrong(node: &str, csrs: &[&Csr], expected: &Expected) -> Error {
    let told = csrs.iter().map(|csr| format!("`{}`: {}", csr.name, csr.differences(node, expected).join("; ")));
    let message = format!(
        "what the kubelet of `{node}` asks for is not right, and nothing is approved: {}",
        told.collect::<Vec<_>>().join(". ")
    );
    let hint = format!(
        "look at who made {} with `kubectl get csr`; deny or delete it, then run again",
        names(csrs.iter().map(|csr| csr.name.as_str()))
    );
    Error::new(Kind::Refused, "k8s.csr", message).hint(hint)
}
