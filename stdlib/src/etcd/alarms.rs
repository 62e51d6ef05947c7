//! `etcd::alarms`: what a cluster cannot go on with.

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
use super::health::alarm_name;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Alarms(Ask);

/// An alarm that is raised.
#[derive(Debug, PartialEq)]
pub(super) struct Alarm {
    pub(super) member_id: String,
    /// Its name, where it is a member and has one.
    member: Option<String>,
    pub(super) alarm: String,
}

pub(super) const ALARMS: Shape =
    Shape::List(&Shape::Map(&[("member_id", Shape::String), ("member", Shape::Anything), ("alarm", Shape::String)]));

#[async_trait]
impl Read for Alarms {
    const NAME: &'static str = "etcd.alarms";
    const ABOUT: &'static str = "Which alarms are raised in a cluster of etcd, as the first endpoint knows them that answers.

The result is a list of maps: `member_id`, `member` (its name, or `()`), and `alarm`: `NOSPACE` when the member's database has \
reached its quota (the whole cluster accepts no write until that is mended and `etcd::disarm` has ended it), `CORRUPT` when its \
data differs from that of others. It is an error when no endpoint answers. In a plan it is known only when run once \
something is planned on the host.";
    const SIGNATURE: Signature = Signature { positional: &[Param::hosts()], options: OPTIONS };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Whose database is full.",
            given: RAISED,
            code: r#"etcd::alarms(h, #{ endpoints: "http://127.0.0.1:2379" }).map(|a| a.member + " " + a.alarm)"#,
            gives: r#"["demo NOSPACE"]"#,
        },
        Example {
            about: "A cluster that goes on has none.",
            given: super::health::DEMO,
            code: r#"etcd::alarms(h, #{ endpoints: "http://127.0.0.1:2379" })"#,
            gives: "[]",
        },
    ];
    const GIVES: Shape = ALARMS;

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ask::parse(arguments).map(Alarms)
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("etcd::alarms", host, overlay)
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        raised(&self.0, host).await.map(|alarms| Value::List(alarms.iter().map(Alarm::told).collect()))
    }
}

/// All alarms that are raised.
pub(super) async fn raised(ask: &Ask, host: &Host) -> Result<Vec<Alarm>> {
    let answers = ask.ask(host, "alarms members").await?;
    let mut problems = Vec::new();
    for (number, endpoint) in ask.endpoints.iter().enumerate() {
        match answers.alarms(number) {
            Ok(json) => return Ok(alarms(&json, &answers, number)),
            Err(problem) => problems.push(format!("{endpoint}: {problem}")),
        }
    }
    Err(Error::new(Kind::Failed, "etcd.unanswered", "no endpoint of etcd tells its alarms")
        .because(problems.join("\n"))
        .hint("look at `journalctl -u etcd` on the members"))
}

fn alarms(json: &Json, answers: &Answers, endpoint: usize) -> Vec<Alarm> {
    let members = answers.members(endpoint).unwrap_or_default();
    let of = |json: &Json, name: &str| json[name].as_array().cloned().unwrap_or_default();
    let name_of = |member: &str| {
        let members = of(&members, "members");
        let found = members.iter().find(|one| id(one, "ID").as_deref() == Some(member))?;
        found["name"].as_str().filter(|name| !name.is_empty()).map(str::to_owned)
    };
    let alarm = |json: &Json| {
        let member_id = id(json, "memberID").unwrap_or_default();
        Alarm { member: name_of(&member_id), member_id, alarm: alarm_name(&json["alarm"]) }
    };
    of(json, "alarms").iter().map(alarm).collect()
}

impl Alarm {
    pub(super) fn told(&self) -> Value {
        Value::map([
            ("member_id", self.member_id.as_str().into()),
            ("member", self.member.as_deref().map_or(Value::Null, Value::from)),
            ("alarm", self.alarm.as_str().into()),
        ])
    }
}

/// A cluster of one member whose alarm was raised by hand.
pub(super) const RAISED: &str = concat!(
    "systemctl stop demo-etcd 2>/dev/null; rm -rf /run/demo-etcd\n",
    "systemd-run -q --unit=demo-etcd -p Type=notify etcd --name demo --data-dir /run/demo-etcd\n",
    "id=$(etcdctl member list -w json | sed 's/.*\"member_id\":\\([0-9]*\\).*/\\1/')\n",
    "curl -sSf --noproxy '*' http://127.0.0.1:2379/v3/maintenance/alarm ",
    "-d \"{\\\"action\\\":\\\"ACTIVATE\\\",\\\"memberID\\\":\\\"$id\\\",\\\"alarm\\\":\\\"NOSPACE\\\"}\""
);

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(program: &str, alarms_of: &str, members: &str) -> Vec<Alarm> {
        let text =
            format!("{program}\x1e0\x1falarms\x1f\x1f0\x1f{alarms_of}\x1e0\x1fmembers\x1f\x1f0\x1f{members}\x1e");
        let answers = Answers::parse(&text).unwrap();
        alarms(&answers.alarms(0).unwrap(), &answers, 0)
    }

    #[test]
    fn both_programs_tell_the_same_alarms() {
        let wanted = |id: &str, member: Option<&str>, alarm: &str| Alarm {
            member_id: id.to_owned(),
            member: member.map(str::to_owned),
            alarm: alarm.to_owned(),
        };
        let wanted = [wanted("a", Some("m1"), "NOSPACE"), wanted("b", None, "CORRUPT")];
        let etcdctl = r#"{"alarms":[{"memberID":10,"alarm":1},{"memberID":11,"alarm":2}]}"#;
        assert_eq!(heard("etcdctl", etcdctl, r#"{"members":[{"ID":10,"name":"m1"}]}"#), wanted);
        let gateway = r#"{"alarms":[{"memberID":"10","alarm":"NOSPACE"},{"memberID":"11","alarm":"CORRUPT"}]}"#;
        let (gateway, members) =
            (format!("{gateway}\n200 0.1"), "{\"members\":[{\"ID\":\"10\",\"name\":\"m1\"}]}\n200 0.1");
        assert_eq!(heard("curl", &gateway, members), wanted);
        assert!(heard("etcdctl", r#"{"header":{}}"#, "{}").is_empty());
    }
}
