//! `etcd::defragment`: databases give back what they do not use.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use haengine_kernel::action::Action;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::id;
use super::ask::{AUTHORITY, Ask, CERTIFICATE, ENDPOINTS, KEY, TIMEOUT, Told};
use super::cluster::Cluster;
use super::quorum::Change;
use super::send::words;

/// See [`Action::ABOUT`].
#[derive(Clone, Serialize, Deserialize)]
pub struct Defragment {
    #[serde(flatten)]
    ask: Ask,
    patience: Duration,
}

/// A member to be defragmented, by the endpoint that the call names.
#[derive(Clone, Debug, PartialEq)]
struct Turn {
    endpoint: String,
    id: String,
    leads: bool,
}

const PAUSE: Duration = Duration::from_millis(500);

#[async_trait]
impl Action for Defragment {
    const NAME: &'static str = "etcd.defragment";
    const ABOUT: &'static str = "Databases of etcd give back to the disk what they no longer use.

The members at `endpoints` have their turn one after the other, the one that leads last, each healthy again before the next \
one. A member answers nothing while it is at it, a minute or more for some GB; so name all members, not a balancer before \
them. It is refused while another voter does not answer and the rest is no quorum (`etcd.quorum`). Of a cluster of one or two, \
each turn is a pause of the whole cluster.

The result is a list of maps, in the order of the work: `endpoint`, and `before` and `after`, the size of its database in bytes. \
What is old is thrown away by etcd's compaction, which Kubernetes asks for by itself; this only makes the file smaller.

Nothing needs to take it back: the data is the same.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts()],
        options: &[
            ENDPOINTS,
            AUTHORITY,
            CERTIFICATE,
            KEY,
            TIMEOUT,
            Param::option("patience", ParamKind::Duration, Absent::String("5m"), "How long each member may take."),
        ],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "The only member has its turn.",
        given: super::health::DEMO,
        code: r#"etcd::defragment(h, #{ endpoints: "http://127.0.0.1:2379" })[0].endpoint"#,
        gives: r#""http://127.0.0.1:2379""#,
    }];
    const GIVES: Shape =
        Shape::List(&Shape::Map(&[("endpoint", Shape::String), ("before", Shape::Integer), ("after", Shape::Integer)]));

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Defragment { ask: Ask::parse(arguments)?, patience: arguments.duration("patience")? })
    }

    fn target(&self) -> String {
        self.ask.endpoints.join(", ")
    }

    fn repeatable(&self) -> bool {
        true
    }

    async fn perform(&self, host: &Host) -> Result<Value> {
        let mut done = Vec::new();
        for turn in self.turns(host).await? {
            let result = host.waiting(self.defragment(host, &turn)).await;
            done.push(result.map_err(|error| error.on(host.name()))?);
        }
        Ok(Value::List(done))
    }
}

impl Defragment {
    /// Who has a turn, the leader last. All must answer.
    async fn turns(&self, host: &Host) -> Result<Vec<Turn>> {
        let answers = self.ask.ask(host, "status").await?;
        let mut turns: Vec<Turn> = Vec::new();
        for (at, endpoint) in self.ask.endpoints.iter().enumerate() {
            let status = answers.status(at).map_err(|problem| silent(endpoint, &problem))?;
            let Some(member) = id(&status["header"], "member_id") else { continue };
            let leads = id(&status, "leader").as_ref() == Some(&member);
            if !turns.iter().any(|turn| turn.id == member) {
                turns.push(Turn { endpoint: endpoint.clone(), id: member, leads });
            }
        }
        turns.sort_by_key(|turn| turn.leads);
        Ok(turns)
    }

    async fn defragment(&self, host: &Host, turn: &Turn) -> Result<Value> {
        Cluster::look(&self.ask, host).await?.permit(Change::Pause(&turn.id), None)?;
        let before = self.back(host, turn, Instant::now() + self.ask.timeout()).await?;
        host.awaits(&format!("etcd at {} to be defragmented", turn.endpoint));
        let (until, patient) = (Instant::now() + self.patience, self.ask.within(self.patience));
        if let Err(problem) = patient.tell(host, &turn.endpoint, told()).await? {
            return Err(failed(turn, problem));
        }
        let after = self.back(host, turn, until.max(Instant::now() + self.ask.timeout())).await?;
        let bytes = |bytes: u64| Value::Integer(i64::try_from(bytes).unwrap_or(i64::MAX));
        Ok(Value::map([
            ("endpoint", turn.endpoint.as_str().into()),
            ("before", bytes(before)),
            ("after", bytes(after)),
        ]))
    }

    /// Waits until the member has what the leader has; the size of its database. An alarm is no reason to wait: a member
    /// without space is what this is for.
    async fn back(&self, host: &Host, turn: &Turn, until: Instant) -> Result<u64> {
        let mut target = None;
        loop {
            let cluster = Cluster::look(&self.ask, host).await?;
            target = target.or(cluster.applied());
            let member = cluster.members.iter().find(|member| member.id == turn.id);
            let problem = match member.map(|member| (&member.status, cluster.is_live(member))) {
                Some((Ok(status), true)) if target.is_some_and(|target| status.applied >= target) => {
                    return Ok(status.db_size);
                }
                Some((Ok(_), true)) => "it is behind".to_owned(),
                Some((Ok(_), false)) => "it does not know the leader".to_owned(),
                Some((Err(problem), _)) => problem.clone(),
                None => "it is no member any more".to_owned(),
            };
            if Instant::now() >= until {
                return Err(failed(turn, problem));
            }
            host.pause(PAUSE).await?;
        }
    }
}

fn told() -> Told {
    Told { path: "/v3/maintenance/defragment", body: json!({}), words: words(&["defrag"]) }
}

fn silent(endpoint: &str, problem: &str) -> Error {
    Error::new(Kind::Refused, "etcd.defragment", format!("etcd at {endpoint} does not answer"))
        .because(problem.to_owned())
        .hint("bring it back first, or leave it out of `endpoints`")
}

fn failed(turn: &Turn, problem: String) -> Error {
    Error::new(Kind::Failed, "etcd.defragment", format!("etcd at {} was not defragmented", turn.endpoint))
        .because(problem)
        .hint("look at `journalctl -u etcd` on it; give it more `patience` where it only needs time")
}
