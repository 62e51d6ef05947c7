//! `etcd::members`: who belongs to a cluster.

use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Param, Signature};
use haengine_kernel::value::Value;
use serde_json::Value as Json;

use super::answer::{Answers, id};
use super::ask::{Ask, OPTIONS};
use super::health::DEMO;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Members(Ask);

#[async_trait]
impl Read for Members {
    const NAME: &'static str = "etcd.members";
    const ABOUT: &'static str = "Who belongs to a cluster of etcd, as the first endpoint knows it that answers.

The result is a map: `cluster_id`, and `members`, a list of maps in etcd's own order:

| name | what |
|---|---|
| `id` | as etcd prints it |
| `name` | empty for a member that was added and not yet started |
| `peer_urls`, `client_urls` | lists |
| `learner` | whether it does not vote yet |
| `started` | whether it ever was started; not whether it runs now, which `etcd::health` tells |

It is an error when no endpoint answers. In a plan it is known only when run once something is planned on the host.";
    const SIGNATURE: Signature = Signature { positional: &[Param::hosts()], options: OPTIONS };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "The names of all members.",
            given: DEMO,
            code: r#"etcd::members(h, #{ endpoints: "http://127.0.0.1:2379" }).members.map(|m| m.name)"#,
            gives: r#"["demo"]"#,
        },
        Example {
            about: "Where the members are reached by each other; one endpoint that answers is enough.",
            given: DEMO,
            code: r#"etcd::members(h, #{ endpoints: ["http://127.0.0.1:1", "http://127.0.0.1:2379"], timeout: "1s" }).members[0].peer_urls"#,
            gives: r#"["http://localhost:2380"]"#,
        },
    ];
    const GIVES: Shape = Shape::Map(&[
        ("cluster_id", Shape::Anything),
        (
            "members",
            Shape::List(&Shape::Map(&[
                ("id", Shape::Anything),
                ("name", Shape::String),
                ("peer_urls", Shape::List(&Shape::String)),
                ("client_urls", Shape::List(&Shape::String)),
                ("learner", Shape::Boolean),
                ("started", Shape::Boolean),
            ])),
        ),
    ]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ask::parse(arguments).map(Members)
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("etcd::members", host, overlay)
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let answers = self.0.ask(host, "members").await?;
        told(&answers, &self.0.endpoints)
    }
}

fn told(answers: &Answers, endpoints: &[String]) -> Result<Value> {
    let mut problems = Vec::new();
    for (number, endpoint) in endpoints.iter().enumerate() {
        match answers.members(number) {
            Ok(list) => return Ok(cluster(&list)),
            Err(problem) => problems.push(format!("{endpoint}: {problem}")),
        }
    }
    Err(Error::new(Kind::Failed, "etcd.unanswered", "no endpoint of etcd tells its members")
        .because(problems.join("\n"))
        .hint("look at `journalctl -u etcd` on the members"))
}

fn cluster(list: &Json) -> Value {
    let members = list["members"].as_array().map(Vec::as_slice).unwrap_or_default();
    let id_of = |json, name| id(json, name).map_or(Value::Null, Value::String);
    Value::map([
        ("cluster_id", id_of(&list["header"], "cluster_id")),
        ("members", Value::List(members.iter().map(|one| member(one, id_of(one, "ID"))).collect())),
    ])
}

fn member(one: &Json, id: Value) -> Value {
    let name = one["name"].as_str().unwrap_or_default();
    let urls = |name: &str| -> Vec<Value> {
        let urls = one[name].as_array().map(Vec::as_slice).unwrap_or_default();
        urls.iter().filter_map(Json::as_str).map(Value::from).collect()
    };
    // A member of a founded cluster has its name from the beginning; where it serves clients it tells when it starts.
    let (peer_urls, client_urls) = (urls("peerURLs"), urls("clientURLs"));
    let started = !client_urls.is_empty();
    Value::map([
        ("id", id),
        ("name", name.into()),
        ("peer_urls", Value::List(peer_urls)),
        ("client_urls", Value::List(client_urls)),
        ("learner", (one["isLearner"] == true).into()),
        ("started", started.into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_was_never_started_serves_nobody() {
        let list = serde_json::json!({
            "header": {"cluster_id": 10},
            "members": [
                {"ID": "11", "name": "m1", "peerURLs": ["https://a:2380"], "clientURLs": ["https://a:2379"]},
                {"ID": 12, "peerURLs": ["https://b:2380"], "isLearner": true},
            ],
        });
        let wanted = serde_json::json!({"cluster_id": "a", "members": [
            {"id": "b", "name": "m1", "peer_urls": ["https://a:2380"], "client_urls": ["https://a:2379"], "learner": false, "started": true},
            {"id": "c", "name": "", "peer_urls": ["https://b:2380"], "client_urls": [], "learner": true, "started": false},
        ]});
        assert_eq!(cluster(&list).redacted(), wanted);
        assert!(Members::GIVES.holds(&cluster(&list)));
    }

    #[test]
    fn when_nobody_answers_all_reasons_are_told() {
        let text = "etcdctl\x1e0\x1fmembers\x1fError: refused\x1f1\x1f\x1e1\x1fmembers\x1fError: context deadline exceeded\x1f1\x1f\x1e";
        let endpoints = ["http://a".to_owned(), "http://b".to_owned()];
        let error = told(&Answers::parse(text).unwrap(), &endpoints).err().unwrap();
        assert_eq!(
            (error.code(), error.causes()),
            ("etcd.unanswered", vec!["http://a: refused\nhttp://b: context deadline exceeded".to_owned()])
        );
    }
}
