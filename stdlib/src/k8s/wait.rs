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
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DynamicObject, LogParams};
use serde_json::Value as Json;

use super::cluster::{Access, Cluster, KUBECONFIG, ON, SERVER, THROUGH, beside};
use super::get::{API_VERSION, NAMESPACE};
use super::kind::{Kind, kind_and_name};
use super::outlook::Outlook;
use super::watch;

/// So much of a container's log tells why it ended.
const LINES: i64 = 10;
const PATIENCE: Duration = Duration::from_secs(5);

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

Where it cannot come any more, such as a pod whose container ends again and again, the waiting ends at once with the reason and the
container's last lines. The API tells what changes; it is not asked again and again. An API that is away for a while is waited for too. The time
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
        let (mut last, mut container) = (String::new(), None);
        let wanted = |all: &watch::Objects<DynamicObject>| {
            let object = all.get(&self.name);
            let Err(why) = self.judge(object) else { return Ok(Some(())) };
            let outlook = object.filter(|_| self.is_about_status());
            let outlook = outlook.and_then(|object| Outlook::of(&kind.resource.kind, &object.data));
            match outlook {
                Some(outlook) if !outlook.may_come => {
                    container = outlook.container;
                    return Err(self.never(&outlook.why));
                }
                outlook => last = outlook.map_or(why, |outlook| outlook.why),
            }
            Ok(None)
        };
        host.awaits(&self.what());
        let until = watch::until(&cluster, &api, Some(&fields), deadline, wanted);
        let came = host.waiting(beside(host, self.on.as_deref(), until)).await;
        match came {
            Ok(Some(())) => Ok(Value::Null),
            Ok(None) => Err(self.late(&last)),
            Err(error) => match container {
                Some(container) => Err(self.with_log(error, &cluster, &container).await),
                None => Err(error),
            },
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

    /// Whether a condition is waited for.
    fn is_about_status(&self) -> bool {
        !["exists", "absent"].contains(&self.condition.as_str())
    }

    fn never(&self, why: &str) -> Error {
        let message = format!("waits in vain for {}: {why}", self.what());
        Error::new(Family::Failed, "k8s.never", message)
            .hint(format!("look at `kubectl describe {}/{}`, mend that, then run again", self.kind, self.name))
    }

    /// The error with the last lines of a container, as far as a kubelet has them.
    async fn with_log(&self, error: Error, cluster: &Cluster, container: &str) -> Error {
        let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), self.namespace.as_deref().unwrap_or("default"));
        let mut log =
            LogParams { container: Some(container.to_owned()), tail_lines: Some(LINES), ..LogParams::default() };
        for previous in [true, false] {
            log.previous = previous;
            let lines = tokio::time::timeout(PATIENCE, pods.logs(&self.name, &log)).await;
            if let Ok(Ok(lines)) = lines
                && !lines.trim().is_empty()
            {
                return error.because(lines.trim().to_owned());
            }
        }
        error
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
