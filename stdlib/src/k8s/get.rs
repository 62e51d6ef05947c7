//! `k8s::get`: one object.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;

use super::cluster::{Access, KUBECONFIG, SERVER, THROUGH};
use super::kind::{Kind, kind_and_name};
use super::object;
use super::planned::{ApprovedNode, PlannedObject};

/// The option `namespace`.
pub const NAMESPACE: Param = Param::option(
    "namespace",
    ParamKind::String,
    Absent::Means("the kubeconfig's, or `\"default\"`"),
    "Where it lies.",
);
/// The option `api_version`.
pub const API_VERSION: Param = Param::option(
    "api_version",
    ParamKind::String,
    Absent::Means("the usual one"),
    "As `\"v1\"` or `\"GROUP/v1\"`, where a kind has several.",
);

const FIELD: Param = Param::option(
    "field",
    ParamKind::String,
    Absent::Means("the object"),
    "The way to one value, with dots: `spec.podCIDR`.",
);

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Get {
    access: Access,
    kind: String,
    name: String,
    namespace: Option<String>,
    api_version: Option<String>,
    field: Option<String>,
}

#[async_trait]
impl Read for Get {
    const NAME: &'static str = "k8s.get";
    const ABOUT: &'static str = "One object as a map, or `()` when it is not there.

The kind is written as `kubectl` takes it: `node`, `nodes`, `no`, in any case. The map has the names of the API
(`metadata`, `spec`, `status`), without `managedFields`. With `field` it is that one value, or `()` where there is none: in
a plan, where it may be known only when run, it can be handed on to an op. What a Secret holds is a secret here too: it can be placed, not read.";
    const SIGNATURE: Signature = Signature {
        positional: &[THROUGH, Param::new("object", ParamKind::String, "`KIND/NAME`.")],
        options: &[FIELD, NAMESPACE, API_VERSION, KUBECONFIG, SERVER],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "An object in a namespace.",
            given: "k8s_cluster; k8s_object '{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"demo\",\"namespace\":\"kube-system\"},\"data\":{\"a\":\"1\"}}'",
            code: r#"k8s::get(h, "configmap/demo", #{ namespace: "kube-system" }).data.a"#,
            gives: r#""1""#,
        },
        Example {
            about: "One value of it.",
            given: "k8s_cluster",
            code: r#"k8s::get(h, "service/kubernetes", #{ namespace: "default", field: "spec.type" })"#,
            gives: r#""ClusterIP""#,
        },
        Example {
            about: "Whether something is there at all.",
            given: "k8s_cluster",
            code: r#"k8s::get(h, "node/master2") == ()"#,
            gives: "true",
        },
    ];

    fn parse(arguments: &Arguments) -> Result<Self> {
        let (kind, name) = kind_and_name(&arguments.string("object")?)?;
        let (namespace, api_version) = (arguments.opt_string("namespace"), arguments.opt_string("api_version"));
        let field = arguments.opt_string("field");
        Ok(Get { access: Access::parse(arguments)?, kind, name, namespace, api_version, field })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        self.access.foresee(
            "k8s::get",
            host,
            overlay,
            &[Overlay::any_fact::<ApprovedNode>, Overlay::any_fact::<PlannedObject>],
        )
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let cluster = self.access.cluster(host).await?;
        let kind = Kind::named(&cluster, host, &self.kind, self.api_version.as_deref()).await?;
        let api = kind.api(&cluster, self.namespace.as_deref());
        let found = cluster.ask(host, api.get_opt(&self.name)).await?;
        let value = found.map_or(Value::Null, |found| object::value(&found, &kind));
        Ok(self.field.iter().flat_map(|field| field.split('.')).fold(value, inside))
    }
}

fn inside(value: Value, name: &str) -> Value {
    match value {
        Value::Map(mut fields) => fields.remove(name).unwrap_or(Value::Null),
        _ => Value::Null,
    }
}
