//! `k8s::nodes`: the nodes of a cluster.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::Signature;
use haengine_kernel::value::Value;
use k8s_openapi::api::core::v1::Node;
use kube::{Api, ResourceExt};

use super::cluster::{Access, KUBECONFIG, SERVER, THROUGH};
use super::csr::created;
use super::planned::ApprovedNode;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Nodes {
    access: Access,
}

#[async_trait]
impl Read for Nodes {
    const NAME: &'static str = "k8s.nodes";
    const ABOUT: &'static str = "The nodes of a cluster.

The result is an array of maps, by name:

| name | what |
|---|---|
| `name` | of the node |
| `ready` | `true` while its kubelet reports that it is |
| `version` | of its kubelet: `v1.20.2` |
| `addresses` | its addresses, without its hostname |
| `internal_address` | the first one of type `InternalIP`, or `()` |
| `pod_cidr` | or `()` |
| `labels` | a map |
| `taints` | an array of maps: `key`, `value`, `effect` |
| `unschedulable` | `true` when it is cordoned |
| `created` | RFC 3339 |";
    const SIGNATURE: Signature = Signature { positional: &[THROUGH], options: &[KUBECONFIG, SERVER] };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "The names of all nodes.",
            given: "k8s_cluster; k8s_node worker1",
            code: "k8s::nodes(h).map(|node| node.name)",
            gives: r#"["worker1"]"#,
        },
        Example {
            about: "The nodes that are not ready, with a kubeconfig in another place.",
            given: "k8s_cluster; k8s_node worker1; mkdir -p /opt/demo; cp /root/.kube/config /opt/demo/admin.conf",
            code: r#"k8s::nodes(h, #{ kubeconfig: "/opt/demo/admin.conf" }).filter(|node| !node.ready).map(|node| node.name)"#,
            gives: r#"["worker1"]"#,
        },
    ];
    const GIVES: Shape = Shape::List(&Shape::Map(&[
        ("name", Shape::String),
        ("ready", Shape::Boolean),
        ("version", Shape::Anything),
        ("addresses", Shape::List(&Shape::String)),
        ("internal_address", Shape::Anything),
        ("pod_cidr", Shape::Anything),
        ("labels", Shape::Named(&Shape::String)),
        (
            "taints",
            Shape::List(&Shape::Map(&[("key", Shape::String), ("value", Shape::Anything), ("effect", Shape::String)])),
        ),
        ("unschedulable", Shape::Boolean),
        ("created", Shape::String),
    ]));

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Nodes { access: Access::parse(arguments)? })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        self.access.foresee("k8s::nodes", host, overlay, &[Overlay::any_fact::<ApprovedNode>])
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let cluster = self.access.cluster(host).await?;
        let api: Api<Node> = Api::all(cluster.client.clone());
        let nodes = cluster.ask(host, api.list(&Default::default())).await?;
        Ok(Value::List(nodes.items.iter().map(value).collect()))
    }
}

/// True while the node's kubelet reports that it is ready.
pub fn is_ready(node: &Node) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| all.iter().any(|one| one.type_ == "Ready" && one.status == "True"))
}

fn value(node: &Node) -> Value {
    let (spec, status) = (node.spec.clone().unwrap_or_default(), node.status.clone().unwrap_or_default());
    let all = status.addresses.unwrap_or_default();
    let internal = all.iter().find(|address| address.type_ == "InternalIP").map(|address| address.address.clone());
    let addresses = all.into_iter().filter(|address| address.type_ != "Hostname").map(|address| address.address.into());
    let labels = node.labels().iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
    let taint = |taint: k8s_openapi::api::core::v1::Taint| {
        let value = taint.value.map_or(Value::Null, Value::from);
        Value::map([("key", taint.key.into()), ("value", value), ("effect", taint.effect.into())])
    };
    Value::map([
        ("name", node.name_any().into()),
        ("ready", Value::Boolean(is_ready(node))),
        ("version", status.node_info.map_or(Value::Null, |info| info.kubelet_version.into())),
        ("addresses", Value::List(addresses.collect())),
        ("internal_address", internal.map_or(Value::Null, Value::from)),
        ("pod_cidr", spec.pod_cidr.map_or(Value::Null, Value::from)),
        ("labels", Value::Map(labels.collect())),
        ("taints", Value::List(spec.taints.unwrap_or_default().into_iter().map(taint).collect())),
        ("unschedulable", Value::Boolean(spec.unschedulable.unwrap_or(false))),
        ("created", created(&node.metadata).into()),
    ])
}
