//! `k8s::ready`: whether an API server is.

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

use super::cluster::{Access, Answer, Cluster, KUBECONFIG, SERVER, THROUGH};

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Ready {
    access: Access,
}

#[async_trait]
impl Read for Ready {
    const NAME: &'static str = "k8s.ready";
    const ABOUT: &'static str = "Whether an API server is ready, as its `/readyz` says.

A server that does not answer, or whose certificate is not accepted, is not ready; that is no error. The result is a map:

| name | what |
|---|---|
| `ready` | `true` when it says so |
| `failing` | its own checks that fail: `[\"etcd\"]` |
| `problem` | why it is not ready, in words, or `()` |";
    const SIGNATURE: Signature = Signature { positional: &[THROUGH], options: &[SERVER, KUBECONFIG] };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "The server of the kubeconfig.",
            given: "k8s_cluster",
            code: "k8s::ready(h).ready",
            gives: "true",
        },
        Example {
            about: "Another server, seen from the host.",
            given: "k8s_cluster",
            code: r#"k8s::ready(h, #{ server: "https://127.0.0.1:1" }).ready"#,
            gives: "false",
        },
    ];
    const GIVES: Shape = Shape::Map(&[
        ("ready", Shape::Boolean),
        ("failing", Shape::List(&Shape::String)),
        ("problem", Shape::Anything),
    ]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Ready { access: Access::parse(arguments)? })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        self.access.foresee("k8s::ready", host, overlay, &[])
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let cluster = self.access.cluster(host).await?;
        match cluster.fetch(host, "/readyz?verbose").await {
            Ok(answer) => Ok(judge(&cluster, &answer)),
            Err(error) if error.code().starts_with("k8s.") => {
                let causes = error.causes();
                let all: Vec<&str> =
                    std::iter::once(error.message()).chain(causes.iter().map(String::as_str)).collect();
                Ok(result(false, Vec::new(), Some(all.join(": "))))
            }
            Err(error) => Err(error),
        }
    }
}

fn judge(cluster: &Cluster, answer: &Answer) -> Value {
    let failing = failing(&answer.body);
    let problem = match answer.status {
        200 => None,
        _ if failing.is_empty() => Some(cluster.refusal(answer).message().to_owned()),
        _ => Some(format!("{} says that it is not ready: {} fails", cluster.server, failing.join(", "))),
    };
    result(problem.is_none(), failing, problem)
}

/// The names behind `[-]`: `[-]etcd failed: reason withheld`.
fn failing(said: &str) -> Vec<String> {
    let names = said.lines().filter_map(|line| line.strip_prefix("[-]"));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn result(ready: bool, failing: Vec<String>, problem: Option<String>) -> Value {
    Value::map([
        ("ready", Value::Boolean(ready)),
        ("failing", Value::List(failing.into_iter().map(Value::from).collect())),
        ("problem", problem.map_or(Value::Null, Value::from)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_that_fail_are_named() {
        let said = "[+]ping ok\n[-]etcd failed: reason withheld\n[-]poststarthook/rbac failed: reason withheld\nreadyz check failed\n";
        assert_eq!(failing(said), ["etcd", "poststarthook/rbac"]);
        assert!(failing("ok").is_empty());
    }
}
