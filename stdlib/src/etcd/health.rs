//! `etcd::health`: how members are.

use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Param, Signature};
use haengine_kernel::value::Value;
use serde_json::Value as Json;

use super::answer::{Answers, id, number};
use super::ask::{Ask, OPTIONS};

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Health(Ask);

/// A cluster of one member for the examples; a test looks at all but /run.
pub(super) const DEMO: &str = concat!(
    "systemctl stop demo-etcd 2>/dev/null; rm -rf /run/demo-etcd\n",
    "systemd-run -q --unit=demo-etcd -p Type=notify etcd --name demo --data-dir /run/demo-etcd"
);

#[async_trait]
impl Read for Health {
    const NAME: &'static str = "etcd.health";
    const ABOUT: &'static str = "How members of etcd are, each endpoint with its own view.

The result is a list with a map for each endpoint, in the order of `endpoints`. One that does not answer is in the list too: \
`healthy` is `false`, `problem` says why, and what it did not tell is `()`.

| name | what |
|---|---|
| `endpoint` | as it was asked |
| `healthy` | whether the member served a read that a majority agreed to |
| `problem` | why it is not healthy, or `()` |
| `took` | seconds |
| `cluster_id`, `member_id`, `name` | who answered; ids as etcd prints them |
| `leader`, `is_leader` | the id of the member that leads, or `()` when none does; whether it is this one |
| `learner` | whether it does not vote yet |
| `version` | of etcd |
| `db_size`, `db_size_in_use` | bytes of its database on the disk, and those that hold something: a defragmentation leaves these |
| `raft_term`, `raft_index`, `applied_index` | how far it is |
| `alarms` | a list: `NOSPACE`, `CORRUPT`; of this member |

In a plan it is known only when run once something is planned on the host: ask before.";
    const SIGNATURE: Signature = Signature { positional: &[Param::hosts()], options: OPTIONS };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Whether the member on the host is well.",
            given: DEMO,
            code: r#"etcd::health(h, #{ endpoints: "http://127.0.0.1:2379" })[0].healthy"#,
            gives: "true",
        },
        Example {
            about: "Which members do not answer, and why they do not.",
            given: DEMO,
            code: r#"etcd::health(h, #{ endpoints: ["http://127.0.0.1:2379", "http://127.0.0.1:1"], timeout: "1s" })
    .filter(|m| !m.healthy).map(|m| m.endpoint)"#,
            gives: r#"["http://127.0.0.1:1"]"#,
        },
        Example {
            about: "Whether one member leads, and nothing is wrong.",
            given: DEMO,
            code: r#"etcd::health(h, #{ endpoints: "http://127.0.0.1:2379" }).all(|m| m.is_leader && m.alarms.is_empty())"#,
            gives: "true",
        },
    ];
    const GIVES: Shape = Shape::List(&Shape::Map(&[
        ("endpoint", Shape::String),
        ("healthy", Shape::Boolean),
        ("problem", Shape::Anything),
        ("took", Shape::Anything),
        ("cluster_id", Shape::Anything),
        ("member_id", Shape::Anything),
        ("name", Shape::Anything),
        ("is_leader", Shape::Anything),
        ("leader", Shape::Anything),
        ("learner", Shape::Anything),
        ("version", Shape::Anything),
        ("db_size", Shape::Anything),
        ("db_size_in_use", Shape::Anything),
        ("raft_term", Shape::Anything),
        ("raft_index", Shape::Anything),
        ("applied_index", Shape::Anything),
        ("alarms", Shape::Anything),
    ]));

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ask::parse(arguments).map(Health)
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("etcd::health", host, overlay)
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let answers = self.0.ask(host, "health status members alarms").await?;
        let each = self.0.endpoints.iter().enumerate();
        Ok(Value::List(each.map(|(number, endpoint)| told(&answers, number, endpoint)).collect()))
    }
}

/// What one endpoint told.
fn told(answers: &Answers, endpoint: usize, name: &str) -> Value {
    let health = answers.health(endpoint);
    let asked = answers.status(endpoint);
    // What kept its status from us is plainer than what kept its health from us.
    let problem = health.problem.map(|problem| asked.as_ref().err().cloned().unwrap_or(problem));
    let status = asked.as_ref().ok();
    let header = status.map(|status| &status["header"]);
    let id_of = |json: Option<&Json>, name: &str| json.and_then(|json| id(json, name));
    let (member, leader) = (id_of(header, "member_id"), id_of(status, "leader"));
    let count = |name: &str| known(status, |status| integer(number(status, name)));
    Value::map([
        ("endpoint", name.into()),
        ("healthy", health.healthy.into()),
        ("problem", or_null(problem)),
        ("took", health.took.map_or(Value::Null, Value::Float)),
        ("cluster_id", or_null(id_of(header, "cluster_id"))),
        ("member_id", or_null(member.clone())),
        ("name", or_null(member.as_deref().and_then(|member| name_of(answers, endpoint, member)))),
        ("is_leader", known(status, |_| (leader.is_some() && leader == member).into())),
        ("leader", or_null(leader)),
        ("learner", known(status, |status| (status["isLearner"] == true).into())),
        ("version", known(status, |status| status["version"].as_str().map_or(Value::Null, Value::from))),
        ("db_size", count("dbSize")),
        ("db_size_in_use", known(status, in_use)),
        ("raft_term", count("raftTerm")),
        ("raft_index", count("raftIndex")),
        ("applied_index", count("raftAppliedIndex")),
        ("alarms", alarms(answers, endpoint, member.as_deref())),
    ])
}

fn name_of(answers: &Answers, endpoint: usize, member: &str) -> Option<String> {
    let list = answers.members(endpoint).ok()?;
    let found = list["members"].as_array()?.iter().find(|one| id(one, "ID").as_deref() == Some(member))?;
    found["name"].as_str().map(str::to_owned)
}

/// The alarms of a member; nothing where they could not be asked, which is not the same as none.
fn alarms(answers: &Answers, endpoint: usize, member: Option<&str>) -> Value {
    let (Ok(all), Some(member)) = (answers.alarms(endpoint), member) else { return Value::Null };
    let all = all["alarms"].as_array().cloned().unwrap_or_default();
    let of_member = all.iter().filter(|alarm| id(alarm, "memberID").as_deref() == Some(member));
    Value::List(of_member.map(|alarm| alarm_name(&alarm["alarm"]).into()).collect())
}

/// etcdctl gives the number of an alarm, the gateway its name.
pub(super) fn alarm_name(alarm: &Json) -> String {
    match (alarm.as_u64(), alarm.as_str()) {
        (Some(1), _) => "NOSPACE".to_owned(),
        (Some(2), _) => "CORRUPT".to_owned(),
        (_, Some(name)) => name.to_owned(),
        _ => alarm.to_string(),
    }
}

/// A database holds something, if only its buckets: zero is what nobody told.
fn in_use(status: &Json) -> Value {
    Some(number(status, "dbSizeInUse")).filter(|bytes| *bytes > 0).map_or(Value::Null, integer)
}

fn known(status: Option<&Json>, value: impl Fn(&Json) -> Value) -> Value {
    status.map_or(Value::Null, value)
}

fn or_null(text: Option<String>) -> Value {
    text.map_or(Value::Null, Value::String)
}

fn integer(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(program: &str, records: &[[&str; 5]]) -> Answers {
        let records: String = records.iter().map(|fields| fields.join("\x1f") + "\x1e").collect();
        Answers::parse(&format!("{program}\x1e{records}")).unwrap()
    }

    /// What etcd 3.4 says, through etcdctl and through its gateway, with an alarm of this member and one of another.
    fn of_both() -> [Answers; 2] {
        let etcdctl = answers(
            "etcdctl",
            &[
                ["0", "health", "", "0", r#"[{"endpoint":"e","health":true,"took":"2ms"}]"#],
                [
                    "0",
                    "status",
                    "",
                    "0",
                    r#"[{"Endpoint":"e","Status":{"header":{"cluster_id":2,"member_id":10,"revision":1,"raft_term":3},"version":"3.4.23","dbSize":32768,"dbSizeInUse":24576,"leader":10,"raftIndex":4,"raftTerm":3,"raftAppliedIndex":4}}]"#,
                ],
                [
                    "0",
                    "members",
                    "",
                    "0",
                    r#"{"header":{"cluster_id":2},"members":[{"ID":10,"name":"m1"},{"ID":11,"name":"m2"}]}"#,
                ],
                ["0", "alarms", "", "0", r#"{"alarms":[{"memberID":10,"alarm":1},{"memberID":11,"alarm":2}]}"#],
            ],
        );
        let curl = answers(
            "curl",
            &[
                ["0", "health", "", "0", "{\"health\":\"true\"}\n200 0.002"],
                [
                    "0",
                    "status",
                    "",
                    "0",
                    "{\"header\":{\"cluster_id\":\"2\",\"member_id\":\"10\"},\"version\":\"3.4.23\",\"dbSize\":\"32768\",\"dbSizeInUse\":\"24576\",\"leader\":\"10\",\"raftIndex\":\"4\",\"raftTerm\":\"3\",\"raftAppliedIndex\":\"4\"}\n200 0.1",
                ],
                ["0", "members", "", "0", "{\"members\":[{\"ID\":\"10\",\"name\":\"m1\"}]}\n200 0.1"],
                ["0", "alarms", "", "0", "{\"alarms\":[{\"memberID\":\"10\",\"alarm\":\"NOSPACE\"}]}\n200 0.1"],
            ],
        );
        [etcdctl, curl]
    }

    #[test]
    fn both_programs_tell_the_same() {
        for answers in of_both() {
            let wanted = serde_json::json!({
                "endpoint": "e", "healthy": true, "problem": null, "took": 0.002, "cluster_id": "2", "member_id": "a",
                "name": "m1", "leader": "a", "is_leader": true, "learner": false, "version": "3.4.23",
                "db_size": 32768, "db_size_in_use": 24576, "raft_term": 3, "raft_index": 4, "applied_index": 4, "alarms": ["NOSPACE"],
            });
            assert_eq!(told(&answers, 0, "e").redacted(), wanted);
            assert!(Health::GIVES.holds(&Value::List(vec![told(&answers, 0, "e")])));
        }
    }

    #[test]
    fn what_was_not_told_is_nothing_and_not_zero() {
        let errors = "curl: (7) Connection refused";
        let down = answers("curl", &[["0", "health", errors, "7", ""], ["0", "status", errors, "7", ""]]);
        let json = told(&down, 0, "e").redacted();
        assert_eq!((&json["healthy"], &json["problem"]), (&false.into(), &errors.into()));
        for name in ["is_leader", "learner", "alarms", "db_size", "db_size_in_use", "member_id", "took"] {
            assert!(json[name].is_null(), "{name}: {}", json[name]);
        }
    }
}
