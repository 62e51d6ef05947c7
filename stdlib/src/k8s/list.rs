//! `k8s::list`: the objects of a kind.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;
use kube::api::ListParams;

use super::cluster::{Access, KUBECONFIG, SERVER, THROUGH};
use super::get::API_VERSION;
use super::kind::Kind;
use super::object;
use super::planned::{ApprovedNode, PlannedObject};

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct List {
    access: Access,
    kind: String,
    namespace: Option<String>,
    api_version: Option<String>,
    selector: Option<String>,
}

#[async_trait]
impl Read for List {
    const NAME: &'static str = "k8s.list";
    const ABOUT: &'static str = "The objects of a kind, as an array of maps such as `k8s::get` gives.

Without `namespace` those of all namespaces.";
    const SIGNATURE: Signature = Signature {
        positional: &[THROUGH, Param::new("kind", ParamKind::String, "As `kubectl` takes it: `pods`, `po`, `Pod`.")],
        options: &[
            Param::option("namespace", ParamKind::String, Absent::Means("all of them"), "Where they lie."),
            Param::option(
                "selector",
                ParamKind::String,
                Absent::Means("()"),
                "Labels that they have, as `\"app=demo,tier!=test\"`.",
            ),
            API_VERSION,
            KUBECONFIG,
            SERVER,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "The names of all namespaces.",
            given: "k8s_cluster",
            code: r#"k8s::list(h, "namespaces").map(|object| object.metadata.name).filter(|name| name.starts_with("kube-s"))"#,
            gives: r#"["kube-system"]"#,
        },
        Example {
            about: "What has a label, in one namespace.",
            given: "k8s_cluster; k8s_object '{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"demo\",\"namespace\":\"default\",\"labels\":{\"app\":\"demo\"}}}'",
            code: r#"k8s::list(h, "cm", #{ namespace: "default", selector: "app=demo" }).len()"#,
            gives: "1",
        },
    ];

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(List {
            access: Access::parse(arguments)?,
            kind: arguments.string("kind")?,
            namespace: arguments.opt_string("namespace"),
            api_version: arguments.opt_string("api_version"),
            selector: arguments.opt_string("selector"),
        })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        self.access.foresee(
            "k8s::list",
            host,
            overlay,
            &[Overlay::any_fact::<ApprovedNode>, Overlay::any_fact::<PlannedObject>],
        )
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let cluster = self.access.cluster(host).await?;
        let kind = Kind::named(&cluster, host, &self.kind, self.api_version.as_deref()).await?;
        let api = match &self.namespace {
            Some(namespace) => kind.api(&cluster, Some(namespace)),
            None => kind.everywhere(&cluster),
        };
        let all = ListParams::default();
        let params = self.selector.as_ref().map_or(all.clone(), |selector| all.labels(selector));
        let found = cluster.ask(host, api.list(&params)).await?;
        Ok(Value::List(found.items.iter().map(|found| object::value(found, &kind)).collect()))
    }
}
