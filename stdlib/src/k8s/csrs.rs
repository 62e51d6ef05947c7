//! `k8s::csrs`: the certificate signing requests of a cluster.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::Api;

use super::cluster::{Access, Cluster, KUBECONFIG, SERVER, THROUGH};
use super::csr::Csr;
use super::planned::ApprovedNode;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Csrs {
    access: Access,
    node: Option<String>,
    state: Option<String>,
}

#[async_trait]
impl Read for Csrs {
    const NAME: &'static str = "k8s.csrs";
    const ABOUT: &'static str = "The certificate signing requests of a cluster, oldest first.

The result is an array of maps:

| name | what |
|---|---|
| `name` | of the request |
| `node` | whose certificate is asked for, or who asks; `()` when that is no node |
| `signer` | by whom it is to be signed |
| `requestor`, `groups` | who created it |
| `usages` | what the certificate shall serve for |
| `common_name`, `organizations` | from the request itself; `common_name` is `()` when it cannot be read |
| `names`, `addresses` | the alternative names in it |
| `state` | `pending`, `approved`, `denied` or `failed` |
| `issued` | `true` when there is a certificate |
| `created` | RFC 3339 |";
    const SIGNATURE: Signature = Signature {
        positional: &[THROUGH],
        options: &[
            Param::option("node", ParamKind::String, Absent::Means("()"), "Only those of this node."),
            Param::option(
                "state",
                ParamKind::Choice(&["pending", "approved", "denied", "failed"]),
                Absent::Means("()"),
                "Only those in this state.",
            ),
            KUBECONFIG,
            SERVER,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "What the kubelet of a new node asks for.",
            given: "k8s_cluster; k8s_csr master2",
            code: r#"k8s::csrs(h, #{ node: "master2", state: "pending" }).map(|csr| [csr.common_name, csr.requestor])"#,
            gives: r#"[["system:node:master2","system:bootstrap:abcdef"]]"#,
        },
        Example { about: "All of them.", given: "k8s_cluster", code: "k8s::csrs(h)", gives: "[]" },
    ];
    const GIVES: Shape = Shape::List(&Shape::Map(&[
        ("name", Shape::String),
        ("node", Shape::Anything),
        ("signer", Shape::String),
        ("requestor", Shape::String),
        ("groups", Shape::List(&Shape::String)),
        ("usages", Shape::List(&Shape::String)),
        ("common_name", Shape::Anything),
        ("organizations", Shape::List(&Shape::String)),
        ("names", Shape::List(&Shape::String)),
        ("addresses", Shape::List(&Shape::String)),
        ("state", Shape::String),
        ("issued", Shape::Boolean),
        ("created", Shape::String),
    ]));

    fn parse(arguments: &Arguments) -> Result<Self> {
        let (node, state) = (arguments.opt_string("node"), arguments.opt_string("state"));
        Ok(Csrs { access: Access::parse(arguments)?, node, state })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        self.access.foresee("k8s::csrs", host, overlay, &[Overlay::any_fact::<ApprovedNode>])
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let cluster = self.access.cluster(host).await?;
        let wanted = |csr: &Csr| {
            self.node.as_deref().is_none_or(|node| csr.node() == Some(node))
                && self.state.as_deref().is_none_or(|state| csr.state == state)
        };
        let found = all(&cluster, host).await?;
        Ok(Value::List(found.iter().filter(|csr| wanted(csr)).map(Csr::value).collect()))
    }
}

/// All requests, oldest first.
///
/// # Errors
/// When the API does not answer.
pub async fn all(cluster: &Cluster, host: &Host) -> Result<Vec<Csr>> {
    let api: Api<CertificateSigningRequest> = Api::all(cluster.client.clone());
    let list = cluster.ask(host, api.list(&Default::default())).await?;
    let mut found: Vec<Csr> = list.items.iter().map(Csr::of).collect();
    found.sort_by(|a, b| (&a.created, &a.name).cmp(&(&b.created, &b.name)));
    Ok(found)
}
