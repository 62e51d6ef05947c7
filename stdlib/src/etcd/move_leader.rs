//! `etcd::move_leader`: another member leads.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use haengine_kernel::action::{Action, Performed};
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Param, Signature};
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::ask::{Ask, OPTIONS, Told};
use super::cluster::{Cluster, Member};
use super::remove_member::MEMBER;
use super::send::{decimal, words};

/// See [`Action::ABOUT`].
#[derive(Clone, Serialize, Deserialize)]
pub struct MoveLeader {
    #[serde(flatten)]
    ask: Ask,
    member: String,
}

/// How long the others may take to know the new leader.
const SHOWS: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(300);

#[async_trait]
impl Action for MoveLeader {
    const NAME: &'static str = "etcd.move_leader";
    const ABOUT: &'static str = "Another member of a cluster of etcd leads it, without an election.

It is for planned work on the member that leads: to let another one lead first costs milliseconds, an election costs a \
second or more in which nothing is accepted. The leader itself is told, at the endpoint where it answers. The result is a map: \
`from` and `to`, ids of members. There is nothing to do where the member leads already. A member that does not vote or does \
not answer is refused (`etcd.leader`).

**Undo** lets the former leader lead again, if it still votes and answers; else it says that it does not.";
    const SIGNATURE: Signature = Signature { positional: &[Param::hosts(), MEMBER], options: OPTIONS };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "The other member leads, so that work on this one disturbs nobody.",
        given: VOTING,
        code: r#"etcd::move_leader(h, "second", #{ endpoints: "http://127.0.0.1:2379" }).to != """#,
        gives: "true",
    }];
    const GIVES: Shape = Shape::Map(&[("from", Shape::String), ("to", Shape::String)]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(MoveLeader { ask: Ask::parse(arguments)?, member: arguments.string("member")? })
    }

    fn target(&self) -> String {
        self.member.clone()
    }

    async fn done(&self, host: &Host) -> Result<Option<bool>> {
        let cluster = Cluster::listed(&self.ask, host).await?;
        let leads = |member: &Member| cluster.leader.as_ref() == Some(&member.id);
        Ok(Some(cluster.find(&self.member)?.is_some_and(leads)))
    }

    async fn before(&self, host: &Host) -> Result<Json> {
        Ok(json!({ "from": Cluster::listed(&self.ask, host).await?.leader }))
    }

    async fn perform(&self, host: &Host) -> Result<Value> {
        let cluster = Cluster::look(&self.ask, host).await?;
        let member = cluster.get(&self.member)?;
        if member.learner || !cluster.is_live(member) {
            return Err(unfit(member));
        }
        let from = self.lead(host, &cluster, member).await?;
        Ok(Value::map([("from", from.into()), ("to", member.id.as_str().into())]))
    }

    fn inverse(&self) -> Option<String> {
        Some("etcdctl move-leader FORMER".to_owned())
    }

    async fn undo(&self, host: &Host, performed: &Performed<'_>) -> Result<()> {
        let Some(from) = performed.before["from"].as_str() else { return Ok(()) };
        let cluster = Cluster::look(&self.ask, host).await?;
        let former = cluster.members.iter().find(|member| member.id == from);
        match former.filter(|member| !member.learner && cluster.is_live(member)) {
            Some(former) => self.lead(host, &cluster, former).await.map(drop),
            None => {
                host.warn(format!("the member `{from}` of etcd led before; it does not vote or answer now"));
                Ok(())
            }
        }
    }
}

impl MoveLeader {
    /// Has a member lead, and gives who led before.
    async fn lead(&self, host: &Host, cluster: &Cluster, member: &Member) -> Result<String> {
        let leads = |other: &&Member| Some(&other.id) == cluster.leader.as_ref();
        let Some((leader, Ok(status))) = cluster.members.iter().find(leads).map(|leader| (leader, &leader.status))
        else {
            return Err(self.failed("the member that leads does not answer"));
        };
        if leader.id != member.id {
            let said = self.ask.tell(host, &status.endpoint, told(&member.id)).await?;
            self.seen(host, &member.id, said.err()).await?;
        }
        Ok(leader.id.clone())
    }

    /// Whatever was answered, what counts is who leads then.
    async fn seen(&self, host: &Host, id: &str, problem: Option<String>) -> Result<()> {
        let until = Instant::now() + SHOWS;
        loop {
            let looked = Cluster::look(&self.ask, host).await;
            match looked {
                Ok(cluster) if cluster.leader.as_deref() == Some(id) => return Ok(()),
                Err(error) if error.kind() == Kind::Cancelled => return Err(error),
                _ => {}
            }
            if Instant::now() >= until || problem.as_ref().is_some_and(|problem| problem.contains("etcdserver: ")) {
                return Err(self.failed(problem.as_deref().unwrap_or("the others do not follow it")));
            }
            host.pause(PAUSE).await?;
        }
    }

    fn failed(&self, why: &str) -> Error {
        Error::new(Kind::Failed, "etcd.leader", format!("`{}` does not lead the cluster of etcd", self.member))
            .because(why.to_owned())
            .hint("look at `etcd::health` of all members, and try again")
    }
}

fn told(id: &str) -> Told {
    let body = json!({ "targetID": decimal(id) });
    Told { path: "/v3/maintenance/transfer-leadership", body, words: words(&["move-leader", id]) }
}

fn unfit(member: &Member) -> Error {
    let why = match &member.status {
        _ if member.learner => "it is a learner, and does not vote",
        Err(problem) => problem,
        Ok(_) => "it does not know the leader",
    };
    Error::new(Kind::Refused, "etcd.leader", format!("`{}` cannot lead the cluster of etcd", member.called()))
        .because(why.to_owned())
        .hint("name another member")
}

/// A cluster of two members that vote, the first of which leads.
const VOTING: &str = concat!(
    "systemctl stop demo-etcd demo-etcd-second 2>/dev/null; rm -rf /run/demo-etcd /run/demo-etcd-second\n",
    "both=demo=http://127.0.0.1:2380,second=http://127.0.0.1:2381\n",
    "systemd-run -q --unit=demo-etcd etcd --name demo --data-dir /run/demo-etcd ",
    "--listen-peer-urls=http://127.0.0.1:2380 --initial-advertise-peer-urls=http://127.0.0.1:2380 ",
    "--initial-cluster=$both\n",
    "systemd-run -q --unit=demo-etcd-second -p Type=notify etcd --name second --data-dir /run/demo-etcd-second ",
    "--listen-peer-urls=http://127.0.0.1:2381 --initial-advertise-peer-urls=http://127.0.0.1:2381 ",
    "--listen-client-urls=http://127.0.0.1:2382 --advertise-client-urls=http://127.0.0.1:2382 ",
    "--initial-cluster=$both\n",
    "id=$(etcdctl member list | sed -n 's/, .*, demo,.*//p')\n",
    "etcdctl --endpoints=http://127.0.0.1:2382 move-leader \"$id\" >/dev/null 2>&1 || true"
);
