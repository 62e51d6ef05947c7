//! `k8s::approve`: the kubelet of a node gets its client certificate, if what it asks for is right.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::overlay::Effect;
use haengine_kernel::remnant::Remains;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use serde::{Deserialize, Serialize};

use super::admission::{Admission, Before};
use super::cluster::{ADDRESS, Access, KUBECONFIG, ON, SERVER, THROUGH};
use super::csr::{CLIENT, Csr, Expected};
use super::csrs;
use super::lease::Locked;
use super::leave;
use super::planned::ApprovedNode;

/// See [`ABOUT`](Op::ABOUT).
#[derive(Clone, Serialize, Deserialize)]
pub struct Approve {
    #[serde(flatten)]
    access: Access,
    node: String,
    #[serde(flatten)]
    expected: Expected,
    timeout: Duration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<String>,
}

/// What the cluster knows of a node.
pub struct State {
    /// None in a plan, where the API itself is planned.
    seen: Option<Seen>,
}

struct Seen {
    /// True when the node is in the cluster.
    node: bool,
    /// The requests for its client certificate.
    csrs: Vec<Csr>,
    /// Who has the cluster to itself.
    locked: Option<Locked>,
}

#[async_trait]
impl Op for Approve {
    const NAME: &'static str = "k8s.approve";
    const ABOUT: &'static str = "The kubelet of a node has an approved client certificate.

Unchanged when the node is in the cluster and no request of it is pending. Otherwise it waits for the request and \
approves it at once, if all of it is right: the signer, the common name `system:node:NAME`, the one organisation \
`system:nodes`, no alternative names, a client's usages and no others, and a requestor who is one of `requestors` or in \
one of `groups`. A request that differs is refused with all its differences, and nothing is approved. Of several \
that are right none is approved: whose they are, nobody can tell. Then it waits until the certificate is issued; where \
the request is older than the run's `k8s::lock`, also until the node has joined or its kubelet, started anew, has asked \
again. A request that the cluster approves by itself is as good. A node whose host is at hand needs no such request: see \
`k8s::enroll`.

**Undo** deletes the request, others that were made since the run took `k8s::lock`, and, when the node was not in the \
cluster before, the Node with its Lease. A kubelet that still runs at that moment could bring the Node back: once \
everything else of the run is undone, undo makes sure that it is gone, and, with `address`, that this address has left \
the endpoints of the service `kubernetes`.";
    const SIGNATURE: Signature = Signature {
        positional: &[THROUGH, Param::new("node", ParamKind::String, "The node's name in the cluster.")],
        options: &[
            Param::option(
                "timeout",
                ParamKind::Duration,
                Absent::String("60s"),
                "How long to wait for the request, and for the certificate.",
            ),
            Param::option("signer", ParamKind::String, Absent::String(CLIENT), "Who signs it."),
            Param::option(
                "requestors",
                ParamKind::Strings,
                Absent::Strings(&["kubelet-bootstrap"]),
                "Users who may ask.",
            ),
            Param::option(
                "groups",
                ParamKind::Strings,
                Absent::Strings(&["system:bootstrappers"]),
                "Groups whose members may ask.",
            ),
            ADDRESS,
            ON,
            KUBECONFIG,
            SERVER,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Approve what the kubelet of a node asks for.",
            given: "k8s_cluster; k8s_node master2; k8s_csr master2",
            code: r#"k8s::approve(h, "master2")"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "Only for one user, and not for everybody with a bootstrap token.",
            given: "k8s_cluster; k8s_node master2; k8s_csr master2 kubelet-bootstrap",
            code: r#"k8s::approve(h, "master2", #{ requestors: ["kubelet-bootstrap"], groups: [], timeout: "30s" })"#,
            gives: r#"{"changed":true}"#,
        },
    ];
    const SETTLES: bool = true;
    type State = State;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let node = arguments.string("node")?;
        if node.is_empty() {
            return Err(Error::new(Kind::Usage, "k8s.node", "a node has a name").hint("write the node's name"));
        }
        Ok(vec![Approve {
            access: Access::parse(arguments)?,
            node,
            expected: Expected {
                signer: arguments.string("signer")?,
                requestors: arguments.strings("requestors"),
                groups: arguments.strings("groups"),
            },
            timeout: arguments.duration("timeout")?,
            address: arguments.opt_string("address"),
            on: arguments.opt_string("on"),
        }])
    }

    fn target(&self) -> String {
        self.node.clone()
    }

    async fn observe(&self, host: &Host) -> Result<State> {
        match self.look(host).await {
            Ok(seen) => Ok(State { seen: Some(seen) }),
            // A plan that brings the API up can go on without it; a run never can.
            Err(_) if self.access.planned(&host.overlay()).is_some() => Ok(State { seen: None }),
            Err(error) => Err(error),
        }
    }

    fn plan(&self, state: &State) -> Result<Plan<Before>> {
        let (node, csrs) = state.seen.as_ref().map_or((false, &[][..]), |seen| (seen.node, &seen.csrs));
        let pending: Vec<&Csr> = csrs.iter().filter(|csr| csr.is_pending()).collect();
        if node && !pending.iter().any(|csr| is_latest(csr, csrs)) {
            return Ok(Plan::Unchanged);
        }
        let summary = match pending.last() {
            Some(csr) => format!("approve the request `{}`", csr.name),
            None => "wait for its request and approve it".to_owned(),
        };
        let decided = csrs.iter().filter(|csr| !csr.is_pending()).map(|csr| csr.name.clone()).collect();
        let pending = pending.iter().map(|csr| csr.name.clone()).collect();
        let locked = state.seen.as_ref().and_then(|seen| seen.locked.clone());
        let before = Before { node, pending, decided, locked };
        let effects = vec![Effect::fact(&self.node, ApprovedNode)];
        Ok(Plan::Change(Change { before, summary, diff: None, effects }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let cluster = self.access.cluster(host).await?;
        let deadline = Instant::now() + self.timeout;
        let admission = Admission {
            cluster: &cluster,
            host,
            node: &self.node,
            expected: &self.expected,
            before,
            run: &keep.run,
            on: self.on.as_deref(),
            deadline,
            patience: self.timeout,
        };
        admission.admit().await
    }

    fn standing(&self, state: &State, before: &Before, keep: &Keep) -> Standing {
        let Some(seen) = &state.seen else { return Standing::Ours };
        let appeared = !self.appeared(&seen.csrs, before, keep).is_empty();
        if before.node && !seen.node {
            return Standing::Foreign("the node is no longer in the cluster".to_owned());
        }
        if appeared || seen.node != before.node { Standing::Ours } else { Standing::AsBefore }
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        self.take_back(host, before, keep).await.map(|()| Remains::new())
    }

    async fn settle(&self, host: &Host, _first: &Before, before: &Before, keep: &Keep) -> Result<Remains> {
        if self.access.is_gone(host).await? {
            return Ok(Remains::new());
        }
        self.take_back(host, before, keep).await?;
        let Some(address) = self.address.as_ref().filter(|_| !before.node) else { return Ok(Remains::new()) };
        let cluster = self.access.cluster(host).await?;
        leave::endpoints(&cluster, host, address).await.map(|()| Remains::new())
    }
}

impl Approve {
    async fn look(&self, host: &Host) -> Result<Seen> {
        let cluster = self.access.cluster(host).await?;
        let (csrs, node, locked) = futures::try_join!(
            csrs::all(&cluster, host),
            leave::node(&cluster, host, &self.node),
            Locked::of(&cluster, host)
        )?;
        let csrs = csrs.into_iter().filter(|csr| csr.node() == Some(&self.node));
        Ok(Seen { node, csrs: csrs.filter(|csr| !csr.is_of_a_member(&self.node)).collect(), locked })
    }

    /// The requests that this run brought: new ones, those that waited and are approved now, and those of a kubelet that
    /// the run had started before it began to wait for them.
    fn appeared<'a>(&self, csrs: &'a [Csr], before: &Before, keep: &Keep) -> Vec<&'a Csr> {
        let since = before.since(&keep.run);
        let is_old = |csr: &&Csr| {
            since.is_none_or(|since| csr.created.as_str() < since)
                && (before.decided.contains(&csr.name)
                    || (before.pending.contains(&csr.name) && csr.state != "approved"))
        };
        csrs.iter().filter(|csr| !is_old(csr)).collect()
    }

    async fn take_back(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let seen = self.look(host).await?;
        let cluster = self.access.cluster(host).await?;
        for csr in self.appeared(&seen.csrs, before, keep) {
            leave::delete_csr(&cluster, host, &csr.name, &csr.uid).await?;
        }
        if before.node {
            return Ok(());
        }
        leave::delete_node(&cluster, host, &self.node).await
    }
}

/// False for a request that waits since before a later one was approved: its kubelet was started anew, and nobody waits
/// for it any more.
fn is_latest(pending: &Csr, csrs: &[Csr]) -> bool {
    csrs.iter().filter(|csr| csr.state == "approved").all(|approved| approved.created <= pending.created)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approve() -> Approve {
        Approve {
            access: Access::default(),
            node: "m2".to_owned(),
            expected: Expected { signer: CLIENT.to_owned(), requestors: vec![], groups: vec![] },
            timeout: Duration::from_secs(1),
            address: None,
            on: None,
        }
    }

    fn csr(name: &str, state: &'static str) -> Csr {
        Csr {
            name: name.to_owned(),
            requestor: "system:node:m2".to_owned(),
            signer: CLIENT.to_owned(),
            state,
            ..Csr::default()
        }
    }

    #[test]
    fn a_node_without_a_pending_request_is_done() {
        let plan = |node, csrs| approve().plan(&State { seen: Some(Seen { node, csrs, locked: None }) }).unwrap();
        assert!(matches!(plan(true, vec![csr("a", "approved")]), Plan::Unchanged));
        assert!(matches!(plan(true, vec![csr("a", "approved"), csr("b", "pending")]), Plan::Change(_)));
        assert!(matches!(plan(false, vec![csr("a", "approved")]), Plan::Change(_)));
        let at = |created: &str, csr: Csr| Csr { created: created.to_owned(), ..csr };
        let left =
            vec![at("2026-01-01T00:00:01Z", csr("a", "pending")), at("2026-01-01T00:00:02Z", csr("b", "approved"))];
        assert!(matches!(plan(true, left), Plan::Unchanged), "a kubelet that was started anew has asked again");
        let again =
            vec![at("2026-01-01T00:00:03Z", csr("a", "pending")), at("2026-01-01T00:00:02Z", csr("b", "approved"))];
        assert!(matches!(plan(true, again), Plan::Change(_)));
        assert!(matches!(approve().plan(&State { seen: None }).unwrap(), Plan::Change(_)));
    }

    #[test]
    fn undo_takes_what_appeared_and_what_was_approved() {
        let before = Before {
            node: false,
            pending: vec!["p".to_owned(), "q".to_owned()],
            decided: vec!["d".to_owned()],
            locked: None,
        };
        let now = [csr("d", "approved"), csr("p", "approved"), csr("q", "pending"), csr("new", "pending")];
        let keep = Keep::new("run", 1);
        let appeared = |csrs: &[Csr], before: &Before| -> Vec<String> {
            approve().appeared(csrs, before, &keep).iter().map(|csr| csr.name.clone()).collect()
        };
        assert_eq!(appeared(&now, &before), ["p", "new"]);

        let at = |created: &str| [Csr { created: created.to_owned(), ..csr("q", "pending") }];
        let locked = |run: &str| Some(Locked { run: run.to_owned(), since: "2026-01-01T00:00:02Z".to_owned() });
        let ours = Before { locked: locked("run"), ..before };
        assert_eq!(appeared(&at("2026-01-01T00:00:02Z"), &ours), ["q"], "its kubelet asked before it waited");
        assert!(appeared(&at("2026-01-01T00:00:01Z"), &ours).is_empty(), "it waited before the run");
        let decided = [Csr { created: "2026-01-01T00:00:03Z".to_owned(), ..csr("d", "approved") }];
        assert_eq!(appeared(&decided, &ours), ["d"], "the cluster approved it by itself");
        let theirs = Before { locked: locked("another"), ..ours };
        assert!(appeared(&at("2026-01-01T00:00:02Z"), &theirs).is_empty());
    }
}
