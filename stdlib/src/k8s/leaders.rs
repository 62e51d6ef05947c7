//! `k8s::leaders`: which controller-manager and which scheduler lead.

use std::time::Duration;

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
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use k8s_openapi::api::coordination::v1::Lease;

use super::cluster::{Access, Answer, Cluster, KUBECONFIG, SERVER, THROUGH};

/// Those that elect a leader.
const ELECTED: [&str; 2] = ["kube-controller-manager", "kube-scheduler"];

/// How long a lease lasts where it does not say.
const LASTS: i32 = 15;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Leaders {
    access: Access,
}

#[async_trait]
impl Read for Leaders {
    const NAME: &'static str = "k8s.leaders";
    const ABOUT: &'static str = "Which controller-manager and which scheduler lead.

The result is a map with `kube-controller-manager` and `kube-scheduler`; each is `()` when none ever led, or a map:

| name | what |
|---|---|
| `holder` | who leads: `master1_3f2a…`, or `()` when the last one left |
| `renewed` | when it last said so, RFC 3339 |
| `age` | seconds since then, by the server's own clock |
| `alive` | `true` while that is within the time of the lease |";
    const SIGNATURE: Signature = Signature { positional: &[THROUGH], options: &[KUBECONFIG, SERVER] };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Whether a controller-manager leads.",
            given: "k8s_cluster",
            code: r#"k8s::leaders(h)["kube-controller-manager"].alive"#,
            gives: "true",
        },
        Example {
            about: "Who never led.",
            given: "k8s_cluster",
            code: r#"k8s::leaders(h).keys().filter(|name| k8s::leaders(h)[name] == ())"#,
            gives: r#"["kube-scheduler"]"#,
        },
    ];
    const GIVES: Shape = Shape::Named(&Shape::Anything);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Leaders { access: Access::parse(arguments)? })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        self.access.foresee("k8s::leaders", host, overlay, &[])
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let cluster = self.access.cluster(host).await?;
        let both = ELECTED.map(|name| leader(&cluster, host, name));
        let both = futures::future::try_join_all(both).await?;
        Ok(Value::Map(ELECTED.iter().map(|name| (*name).to_owned()).zip(both).collect()))
    }
}

async fn leader(cluster: &Cluster, host: &Host, name: &str) -> Result<Value> {
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{name}");
    let answer = cluster.fetch(host, &path).await?;
    match answer.status {
        200 => Ok(value(&answer)),
        404 => Ok(Value::Null),
        _ => Err(cluster.refusal(&answer).on(host.name())),
    }
}

fn value(answer: &Answer) -> Value {
    let spec = serde_json::from_str::<Lease>(&answer.body).ok().and_then(|lease| lease.spec).unwrap_or_default();
    let renewed = spec.renew_time.map(|time| time.0);
    let now = answer.date.as_deref().and_then(|date| rfc2822::parse(date).ok()).map(|date| date.timestamp());
    let age = renewed.zip(now).map(|(renewed, now)| age(renewed, now));
    let holder = spec.holder_identity.filter(|holder| !holder.is_empty());
    let lasts = f64::from(spec.lease_duration_seconds.unwrap_or(LASTS));
    // What cannot be judged is not alive.
    let alive = holder.is_some() && age.is_some_and(|age| age <= lasts);
    Value::map([
        ("holder", holder.map_or(Value::Null, Value::from)),
        ("renewed", renewed.map_or(Value::Null, |time| time.to_string().into())),
        ("age", age.map_or(Value::Null, Value::Float)),
        ("alive", Value::Boolean(alive)),
    ])
}

/// Seconds. HTTP knows whole seconds only, so that a fresh lease may seem to lie ahead.
fn age(renewed: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(renewed).as_secs_f64().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(renewed: &str, holder: &str) -> Value {
        let body = format!(
            r#"{{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{{}},"spec":{{"holderIdentity":"{holder}","leaseDurationSeconds":15,"renewTime":"{renewed}"}}}}"#
        );
        value(&Answer { status: 200, date: Some("Sat, 21 Nov 2026 13:00:10 GMT".to_owned()), body })
    }

    #[test]
    fn a_leader_lives_by_the_servers_clock() {
        let of = |value: Value, name: &str| match value {
            Value::Map(map) => map.get(name).cloned().unwrap_or(Value::Null),
            _ => Value::Null,
        };
        assert!(of(judged("2026-11-21T13:00:08.000000Z", "m1_x"), "alive") == Value::Boolean(true));
        assert!(of(judged("2026-11-21T13:00:10.900000Z", "m1_x"), "age") == Value::Float(0.0));
        assert!(of(judged("2026-11-21T12:59:50.000000Z", "m1_x"), "alive") == Value::Boolean(false));
        assert!(of(judged("2026-11-21T13:00:08.000000Z", ""), "alive") == Value::Boolean(false));
    }
}
