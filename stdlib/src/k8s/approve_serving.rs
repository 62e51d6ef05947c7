//! `k8s::approve_serving`: the kubelet of a node gets a certificate to serve with, if what it asks for is its own.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::remnant::Remains;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::Node;
use kube::Api;
use serde::{Deserialize, Serialize};

use super::admission::names;
use super::cluster::{Access, KUBECONFIG, ON, SERVER, THROUGH, beside};
use super::csr::{Csr, SERVING, created};
use super::csrs;
use super::lease::Locked;
use super::leave;
use super::signing::Signing;
use super::watch::{self, Objects};

/// See [`ABOUT`](Op::ABOUT).
#[derive(Clone, Serialize, Deserialize)]
pub struct ApproveServing {
    #[serde(flatten)]
    access: Access,
    node: String,
    addresses: Vec<String>,
    names: Vec<String>,
    timeout: Duration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<String>,
}

/// What the cluster knows.
pub struct State {
    /// When the node came into the cluster, RFC 3339; none where it is not there.
    node: Option<String>,
    /// What its kubelet asked for, to serve with.
    csrs: Vec<Csr>,
    locked: Option<Locked>,
}

/// What undo needs.
#[derive(Serialize, Deserialize)]
pub struct Before {
    /// The requests that were there and decided, and those that were made before the run.
    known: Vec<String>,
}

#[async_trait]
impl Op for ApproveServing {
    const NAME: &'static str = "k8s.approve_serving";
    const ABOUT: &'static str = "The kubelet of a node has a certificate of the cluster's to serve with.

For kubelets whose configuration says `serverTLSBootstrap: true`: until somebody approves what they ask for, `kubectl logs` and \
`exec` fail on their node. It waits for the request of a node that came into the cluster since the run took `k8s::lock`, and \
approves one that is pending, if all of it is right: the node itself asks, since then, for itself, for a server's usages, and for \
no other addresses than `addresses`, nor other names than its own and `names`. One that differs is refused with all its \
differences. Unchanged where nothing is pending and the node has its certificate, or was there before the run.

**Undo** deletes the request. The certificate goes with the kubelet's folder.";
    const SIGNATURE: Signature = Signature {
        positional: &[THROUGH, Param::new("node", ParamKind::String, "The node's name in the cluster.")],
        options: &[
            Param::option("addresses", ParamKind::Strings, Absent::Refused, "The node's own addresses."),
            Param::option("names", ParamKind::Strings, Absent::Strings(&[]), "Its names beside that in the cluster."),
            Param::option(
                "timeout",
                ParamKind::Duration,
                Absent::String("60s"),
                "How long to wait for the request, and for the certificate.",
            ),
            ON,
            KUBECONFIG,
            SERVER,
        ],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "A node that was there before, and asks for nothing.",
        given: "k8s_cluster; k8s_node master2",
        code: r#"k8s::approve_serving(h, "master2", #{ addresses: ["192.0.2.2"] })"#,
        gives: r#"{"changed":false}"#,
    }];
    type State = State;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        Ok(vec![ApproveServing {
            access: Access::parse(arguments)?,
            node: arguments.string("node")?,
            addresses: arguments.strings("addresses"),
            names: arguments.strings("names"),
            timeout: arguments.duration("timeout")?,
            on: arguments.opt_string("on"),
        }])
    }

    fn target(&self) -> String {
        self.node.clone()
    }

    async fn observe(&self, host: &Host) -> Result<State> {
        match self.look(host).await {
            Err(_) if self.access.planned(&host.overlay()).is_some() => {
                Ok(State { node: None, csrs: Vec::new(), locked: None })
            }
            looked => looked,
        }
    }

    fn plan(&self, state: &State) -> Result<Plan<Before>> {
        let since = state.locked.as_ref().map(|locked| locked.since.as_str());
        let is_new = |created: &str| since.is_some_and(|since| created >= since);
        // What waits from before our start is somebody else's to judge.
        let pending: Vec<&Csr> = state.csrs.iter().filter(|csr| csr.is_pending() && is_new(&csr.created)).collect();
        let is_there = state.node.as_ref().is_some_and(|node| !is_new(node));
        let has_one = state.csrs.iter().any(|csr| csr.issued && is_new(&csr.created));
        if pending.is_empty() && (is_there || has_one) {
            return Ok(Plan::Unchanged);
        }
        let summary = match pending.last() {
            Some(csr) => format!("approve the request `{}`", csr.name),
            None => "wait for its request and approve it".to_owned(),
        };
        let known = state.csrs.iter().filter(|csr| !csr.is_pending() || !is_new(&csr.created));
        let before = Before { known: known.map(|csr| csr.name.clone()).collect() };
        Ok(Plan::Change(Change { before, summary, diff: None, effects: Vec::new() }))
    }

    async fn apply(&self, host: &Host, before: &Before, _keep: &Keep) -> Result<()> {
        let cluster = self.access.cluster(host).await?;
        let deadline = Instant::now() + self.timeout;
        let signing = Signing { cluster: &cluster, host, node: &self.node, deadline, patience: self.timeout };
        host.awaits(&format!("the kubelet of `{}` to ask for a certificate to serve with", self.node));
        let requests = signing.requests();
        let asked = watch::until(&cluster, &requests, None, deadline, |all| self.judge(all, before));
        match host.waiting(beside(host, self.on.as_deref(), asked)).await? {
            Some(csr) => signing.certify(&csr).await.map(drop),
            None => Err(self.nothing()),
        }
    }

    fn standing(&self, state: &State, before: &Before, _keep: &Keep) -> Standing {
        if self.appeared(&state.csrs, before).next().is_some() { Standing::Ours } else { Standing::AsBefore }
    }

    async fn undo(&self, host: &Host, before: &Before, _keep: &Keep) -> Result<Remains> {
        let cluster = self.access.cluster(host).await?;
        let seen = self.look(host).await?;
        for csr in self.appeared(&seen.csrs, before) {
            leave::delete_csr(&cluster, host, &csr.name, &csr.uid).await?;
        }
        Ok(Remains::new())
    }
}

impl ApproveServing {
    async fn look(&self, host: &Host) -> Result<State> {
        let cluster = self.access.cluster(host).await?;
        let nodes: Api<Node> = Api::all(cluster.client.clone());
        let node = cluster.ask(host, nodes.get_metadata_opt(&self.node));
        let (csrs, node, locked) = futures::try_join!(csrs::all(&cluster, host), node, Locked::of(&cluster, host))?;
        let csrs = csrs.into_iter().filter(|csr| self.is_its_own(csr)).collect();
        Ok(State { node: node.map(|node| created(&node.metadata)), csrs, locked })
    }

    /// What the node itself asks for, to serve with.
    fn is_its_own(&self, csr: &Csr) -> bool {
        csr.signer == SERVING && csr.is_of_a_member(&self.node)
    }

    /// The latest that is right; an error where what is asked for is not.
    fn judge(
        &self,
        all: &Objects<CertificateSigningRequest>,
        before: &Before,
    ) -> Result<Option<CertificateSigningRequest>> {
        let requests = all.values().map(|object| (Csr::of(object), object));
        let mut waiting: Vec<(Csr, &CertificateSigningRequest)> = requests
            .filter(|(csr, _)| self.is_its_own(csr) && !before.known.contains(&csr.name))
            .filter(|(csr, _)| csr.is_pending() || csr.issued)
            .collect();
        waiting.sort_by(|(a, _), (b, _)| (&a.created, &a.name).cmp(&(&b.created, &b.name)));
        let Some((csr, object)) = waiting.last() else { return Ok(None) };
        let differences = csr.differences_in_serving(&self.node, &self.names, &self.addresses);
        if differences.is_empty() {
            return Ok(Some((*object).clone()));
        }
        let message = format!(
            "what the kubelet of `{}` asks for is not right, and nothing is approved: `{}`: {}",
            self.node,
            csr.name,
            differences.join("; ")
        );
        Err(Error::new(Kind::Refused, "k8s.csr", message).hint(format!(
            "look at {} with `kubectl get csr -o yaml`; approve it by hand where that is how it should be",
            names([&csr.name])
        )))
    }

    fn appeared<'a>(&self, csrs: &'a [Csr], before: &Before) -> impl Iterator<Item = &'a Csr> {
        csrs.iter().filter(|csr| !before.known.contains(&csr.name))
    }

    fn nothing(&self) -> Error {
        let message =
            format!("the kubelet of `{}` asked for no certificate to serve with within {:?}", self.node, self.timeout);
        Error::new(Kind::Failed, "k8s.csr_timeout", message).hint(
            "look at `journalctl -u kubelet` on that node, and whether its configuration has `serverTLSBootstrap: true`",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op() -> ApproveServing {
        ApproveServing {
            access: Access::default(),
            node: "m2".to_owned(),
            addresses: vec!["192.0.2.2".to_owned()],
            names: Vec::new(),
            timeout: Duration::from_secs(1),
            on: None,
        }
    }

    #[test]
    fn it_waits_for_a_node_that_the_run_brought_in() {
        let csr = |created: &str, state: &'static str, issued| Csr {
            name: state.to_owned(),
            created: created.to_owned(),
            state,
            issued,
            ..Csr::default()
        };
        let plan = |node: Option<&str>, csrs: Vec<Csr>| {
            let locked = Some(Locked { run: "r".to_owned(), since: "2026-01-01T00:00:02Z".to_owned() });
            op().plan(&State { node: node.map(str::to_owned), csrs, locked }).unwrap()
        };
        let (early, late) = ("2026-01-01T00:00:01Z", "2026-01-01T00:00:03Z");
        assert!(matches!(plan(Some(early), vec![]), Plan::Unchanged), "it was there before");
        assert!(matches!(plan(None, vec![]), Plan::Change(_)) && matches!(plan(Some(late), vec![]), Plan::Change(_)));
        assert!(matches!(plan(Some(late), vec![csr(late, "approved", true)]), Plan::Unchanged));
        assert!(matches!(plan(Some(early), vec![csr(late, "pending", false)]), Plan::Change(_)));
        assert!(matches!(plan(Some(early), vec![csr(early, "pending", false)]), Plan::Unchanged), "not of this run");
        let Plan::Change(change) = plan(Some(late), vec![csr(early, "pending", false)]) else { panic!("it waits") };
        assert_eq!(change.before.known, ["pending"], "it came before our start");
    }
}
