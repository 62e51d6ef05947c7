//! `k8s::wait`: until an object is there, is so, or is gone.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind as Family, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;
use kube::api::DynamicObject;
use serde_json::Value as Json;

use super::cluster::{Access, KUBECONFIG, ON, SERVER, THROUGH, beside};
use super::get::{API_VERSION, NAMESPACE};
use super::kind::{Kind, kind_and_name};
use super::watch;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Wait {
    access: Access,
    kind: String,
    name: String,
    namespace: Option<String>,
    api_version: Option<String>,
    condition: String,
    timeout: Duration,
    on: Option<String>,
}

#[async_trait]
impl Read for Wait {
    const NAME: &'static str = "k8s.wait";
    const ABOUT: &'static str = "Waits until an object has a condition, is there, or is gone.

The API tells what changes; it is not asked again and again. An API that is away for a while is waited for too. The time
counts as waited. A plan does not wait.";
    const SIGNATURE: Signature = Signature {
        positional: &[THROUGH, Param::new("object", ParamKind::String, "`KIND/NAME`.")],
        options: &[
            Param::option(
                "condition",
                ParamKind::String,
                Absent::String("Ready"),
                "A condition of its status that shall be true, or `\"exists\"`, or `\"absent\"`.",
            ),
            Param::option(
                "timeout",
                ParamKind::Duration,
                Absent::String("120s"),
                "How long to wait; then it is an error.",
            ),
            ON,
            NAMESPACE,
            API_VERSION,
            KUBECONFIG,
            SERVER,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Until a node has registered itself.",
            given: "k8s_cluster; k8s_node worker1",
            code: r#"k8s::wait(h, "node/worker1", #{ condition: "exists", timeout: "30s" })"#,
            gives: "null",
        },
        Example {
            about: "Until an object is gone.",
            given: "k8s_cluster",
            code: r#"k8s::wait(h, "configmap/demo", #{ condition: "absent", namespace: "kube-system" })"#,
            gives: "null",
        },
    ];

    fn parse(arguments: &Arguments) -> Result<Self> {
        let (kind, name) = kind_and_name(&arguments.string("object")?)?;
        Ok(Wait {
            access: Access::parse(arguments)?,
            kind,
            name,
            namespace: arguments.opt_string("namespace"),
            api_version: arguments.opt_string("api_version"),
            condition: arguments.string("condition")?,
            timeout: arguments.duration("timeout")?,
            on: arguments.opt_string("on"),
        })
    }

    fn foresee(&self, _host: &Host, _overlay: &Overlay) -> Foreseen {
        Foreseen::Known(Value::Null)
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let deadline = Instant::now() + self.timeout;
        let cluster = self.access.cluster(host).await?;
        let kind = Kind::named(&cluster, host, &self.kind, self.api_version.as_deref()).await?;
        let api = kind.api(&cluster, self.namespace.as_deref());
        let fields = format!("metadata.name={}", self.name);
        let mut last = String::new();
        let wanted = |all: &watch::Objects<DynamicObject>| match self.judge(all.get(&self.name)) {
            Ok(()) => Ok(Some(())),
            Err(why) => {
                last = why;
                Ok(None)
            }
        };
        host.awaits(&self.what());
        let until = watch::until(&cluster, &api, Some(&fields), deadline, wanted);
        let came = host.waiting(beside(host, self.on.as_deref(), until)).await;
        match came {
            Ok(Some(())) => Ok(Value::Null),
            Ok(None) => Err(self.late(&last)),
            Err(error) => Err(error),
        }
    }
}

impl Wait {
    /// Nothing more to wait for, or how it is instead.
    fn judge(&self, object: Option<&DynamicObject>) -> std::result::Result<(), String> {
        match (self.condition.as_str(), object) {
            ("absent", None) | ("exists", Some(_)) => Ok(()),
            ("absent", Some(_)) => Err("it is still there".to_owned()),
            (_, None) => Err("it is not there".to_owned()),
            (condition, Some(object)) => has(&object.data, condition),
        }
    }

    fn what(&self) -> String {
        let (kind, name) = (&self.kind, &self.name);
        match self.condition.as_str() {
            "exists" => format!("`{kind}/{name}` to be there"),
            "absent" => format!("`{kind}/{name}` to be gone"),
            condition => format!("`{kind}/{name}` to be {condition}"),
        }
    }

    fn late(&self, last: &str) -> Error {
        let message = format!("waited {:?} in vain for {}: {last}", self.timeout, self.what());
        Error::new(Family::Failed, "k8s.wait", message).hint(format!(
            "look at `kubectl describe {}/{}`, or give it more time with `timeout`",
            self.kind, self.name
        ))
    }
}

/// True when a condition of the status is; else what it is.
fn has(object: &Json, wanted: &str) -> std::result::Result<(), String> {
    let conditions = object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let named = |condition: &&Json| condition["type"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(wanted));
    let Some(condition) = conditions.iter().find(named) else {
        return Err(format!("it has no condition `{wanted}` yet"));
    };
    match condition["status"].as_str() {
        Some("True") => Ok(()),
        other => {
            let message = condition["message"].as_str().unwrap_or_default();
            Err(format!("{wanted} is {}, {message}", other.unwrap_or("unknown")).trim_end_matches(", ").to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_that_is_not_true_is_told() {
        let object =
            json!({ "status": { "conditions": [{ "type": "Ready", "status": "False", "message": "no network" }] } });
        assert_eq!(has(&object, "ready"), Err("ready is False, no network".to_owned()));
        assert_eq!(has(&object, "Available"), Err("it has no condition `Available` yet".to_owned()));
        let object = json!({ "status": { "conditions": [{ "type": "Ready", "status": "True" }] } });
        assert_eq!(has(&object, "Ready"), Ok(()));
    }
}
