//! `etcd::promote`: a learner gets its vote.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use haengine_kernel::action::{Action, Performed};
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::ask::{AUTHORITY, Ask, CERTIFICATE, ENDPOINTS, KEY, TIMEOUT};
use super::cluster::{Cluster, Member};
use super::quorum::Change;
use super::remove_member::MEMBER;
use super::send::{self, Sending, UNSETTLED};

/// See [`Action::ABOUT`].
#[derive(Clone, Serialize, Deserialize)]
pub struct Promote {
    #[serde(flatten)]
    ask: Ask,
    member: String,
    patience: Duration,
}

const PAUSE: Duration = Duration::from_millis(500);
/// What etcd says of a learner for as long as it is behind, or has not yet told its name.
const BEHIND: &[&str] = &[UNSETTLED, "in sync with leader", "not enough started members"];

#[async_trait]
impl Action for Promote {
    const NAME: &'static str = "etcd.promote";
    const ABOUT: &'static str = "A learner of a cluster of etcd gets its vote, once it is in sync.

It waits until the learner tells its name, answers, and has applied what the leader had when it was first asked, and then as long as etcd \
itself says that the learner is behind. Where that takes longer than `patience`, it is an error that says why \
(`etcd.not_in_sync`). There is nothing to do where the member votes already. It is refused, with the numbers, while a voter \
does not answer (`etcd.quorum`).

From one voter to two: a cluster of two stops when either of them does. Add the third soon.

**Undo** removes the member that was promoted, since a voter cannot become a learner again; only if the voters that answer \
afterwards are still a quorum. A member that had its vote before is left alone.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), MEMBER],
        options: &[
            ENDPOINTS,
            AUTHORITY,
            CERTIFICATE,
            KEY,
            TIMEOUT,
            Param::option(
                "patience",
                ParamKind::Duration,
                Absent::String("2m"),
                "How long the learner may take to be in sync.",
            ),
        ],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "The second member gets its vote.",
        given: LEARNING,
        code: r#"etcd::promote(h, "second", #{ endpoints: "http://127.0.0.1:2379", patience: "1m" })"#,
        gives: "null",
    }];

    fn parse(arguments: &Arguments) -> Result<Self> {
        let (ask, member) = (Ask::parse(arguments)?, arguments.string("member")?);
        Ok(Promote { ask, member, patience: arguments.duration("patience")? })
    }

    fn target(&self) -> String {
        self.member.clone()
    }

    async fn done(&self, host: &Host) -> Result<Option<bool>> {
        let cluster = Cluster::listed(&self.ask, host).await?;
        Ok(Some(cluster.find(&self.member)?.is_some_and(|member| !member.learner)))
    }

    async fn before(&self, host: &Host) -> Result<Json> {
        let cluster = Cluster::listed(&self.ask, host).await?;
        let voters = cluster.members.iter().filter(|member| !member.learner).map(|member| &member.id);
        Ok(json!({ "voters": voters.collect::<Vec<_>>() }))
    }

    async fn perform(&self, host: &Host) -> Result<Value> {
        let until = Instant::now() + self.patience;
        let (cluster, id, target) = host.waiting(self.in_sync(host, until)).await?;
        let what = format!("giving `{}` its vote", self.member);
        let sending = Sending { bears: BEHIND, until, ..Sending::new(&self.ask, host, what) };
        sending
            .send(cluster, Change::Promote(&id), target, |cluster| votes(cluster, &id), || send::promote(&id))
            .await?;
        Ok(Value::Null)
    }

    fn inverse(&self) -> Option<String> {
        Some("etcdctl member remove ID".to_owned())
    }

    async fn undo(&self, host: &Host, performed: &Performed<'_>) -> Result<()> {
        let cluster = Cluster::listed(&self.ask, host).await?;
        match cluster.find(&self.member)?.filter(|member| is_ours(member, performed.before)) {
            Some(member) => send::take_out(&self.ask, host, &member.id).await,
            None => Ok(()),
        }
    }
}

impl Promote {
    /// Waits until the learner has what the leader had at first: the cluster then, its id, and how far the leader was.
    async fn in_sync(&self, host: &Host, until: Instant) -> Result<(Cluster, String, Option<u64>)> {
        let (mut target, mut told) = (None, String::new());
        loop {
            let cluster = Cluster::look(&self.ask, host).await?;
            let (member, is_named) = self.member(&cluster)?;
            target = target.or(cluster.applied());
            let nameless = || Some("no member has told that name yet".to_owned());
            let Some(lacks) = (if is_named { lacks(&cluster, member, target) } else { nameless() }) else {
                let id = member.id.clone();
                return Ok((cluster, id, target));
            };
            // Where a voter does not answer, waiting for the learner does not help. An election is soon over.
            if cluster.leader.is_some() {
                cluster.permit_once_in_sync(&member.id)?;
            }
            if Instant::now() >= until {
                return Err(self.behind(&lacks));
            }
            let kind = lacks.split(':').next().unwrap_or_default().to_owned();
            if told != kind {
                host.awaits(&format!("the learner `{}`: {lacks}", self.member));
                told = kind;
            }
            host.pause(PAUSE).await?;
        }
    }

    /// The learner, and whether it is known to be that: a new one tells its name some time after it was started.
    fn member<'a>(&self, cluster: &'a Cluster) -> Result<(&'a Member, bool)> {
        let nameless = || cluster.members.iter().find(|member| member.learner && member.name.is_empty());
        match (cluster.find(&self.member)?, nameless()) {
            (None, Some(member)) => Ok((member, false)),
            _ => cluster.get(&self.member).map(|member| (member, true)),
        }
    }

    fn behind(&self, lacks: &str) -> Error {
        let message = format!("the learner `{}` is not in sync after {} s", self.member, self.patience.as_secs());
        Error::new(Kind::Failed, "etcd.not_in_sync", message)
            .because(lacks.to_owned())
            .hint("look at `journalctl -u etcd` on it; give it more `patience` where it only needs time")
    }
}

/// What a learner lacks to get its vote; none when it is in sync, or votes.
fn lacks(cluster: &Cluster, member: &Member, target: Option<u64>) -> Option<String> {
    let status = match &member.status {
        _ if !member.learner => return None,
        Err(problem) => return Some(format!("it does not answer: {problem}")),
        Ok(status) => status,
    };
    let Some(target) = target else { return Some("nobody leads".to_owned()) };
    if status.applied < target {
        return Some(format!("it is behind: it has applied {} of {target}", status.applied));
    }
    (!cluster.is_live(member)).then(|| "it does not know the leader".to_owned())
}

/// Whether it got its vote since then.
fn is_ours(member: &Member, before: &Json) -> bool {
    let voted = |voters: &Vec<Json>| voters.iter().any(|voter| *voter == member.id);
    !member.learner && before["voters"].as_array().is_some_and(|voters| !voted(voters))
}

fn votes(cluster: &Cluster, id: &str) -> bool {
    cluster.members.iter().any(|member| member.id == id && !member.learner)
}

/// A cluster of one member, and a learner that runs beside it.
pub(super) const LEARNING: &str = concat!(
    "systemctl stop demo-etcd demo-etcd-second 2>/dev/null; rm -rf /run/demo-etcd /run/demo-etcd-second\n",
    "systemctl reset-failed demo-etcd-second 2>/dev/null\n",
    "systemd-run -q --unit=demo-etcd -p Type=notify etcd --name demo --data-dir /run/demo-etcd\n",
    "n=0; until etcdctl member add second --learner --peer-urls=http://127.0.0.1:2381; do\n",
    "n=$((n + 1)); [ $n -lt 20 ] || exit 1; sleep 0.3; done\n",
    "systemd-run -q --unit=demo-etcd-second etcd --name second --data-dir /run/demo-etcd-second ",
    "--listen-peer-urls=http://127.0.0.1:2381 --initial-advertise-peer-urls=http://127.0.0.1:2381 ",
    "--listen-client-urls=http://127.0.0.1:2382 --advertise-client-urls=http://127.0.0.1:2382 ",
    "--initial-cluster-state=existing --initial-cluster=demo=http://localhost:2380,second=http://127.0.0.1:2381"
);

#[cfg(test)]
mod tests {
    use super::super::cluster::Status;
    use super::*;

    fn member(id: &str, learner: bool, status: Result<Status, String>) -> Member {
        let (name, urls) = (id.to_owned(), Vec::new());
        Member { id: id.to_owned(), name, peer_urls: urls.clone(), client_urls: urls, learner, status }
    }

    fn status(applied: u64) -> Status {
        let leader = Some("a".to_owned());
        Status { endpoint: String::new(), leader, term: 2, applied, db_size: 0, cluster: None }
    }

    fn lack(status: Result<Status, String>, learner: bool) -> Option<String> {
        let member = member("b", learner, status);
        let cluster = Cluster { members: vec![member.clone()], leader: Some("a".to_owned()) };
        lacks(&cluster, &member, Some(40))
    }

    #[test]
    fn undo_takes_out_only_who_got_its_vote_since() {
        let voter = |id| member(id, false, Ok(status(40)));
        let before = json!({ "voters": ["a"] });
        assert!(is_ours(&voter("b"), &before));
        assert!(!is_ours(&voter("a"), &before));
        assert!(!is_ours(&voter("a"), &Json::Null));
        assert!(!is_ours(&member("b", true, Ok(status(40))), &before));
    }

    #[test]
    fn a_learner_lacks_an_answer_or_what_the_leader_had() {
        assert_eq!(lack(Ok(status(40)), true), None);
        assert_eq!(lack(Ok(status(39)), true).as_deref(), Some("it is behind: it has applied 39 of 40"));
        assert_eq!(lack(Err("refused".to_owned()), true).as_deref(), Some("it does not answer: refused"));
        assert_eq!(
            lack(Ok(Status { leader: None, ..status(40) }), true).as_deref(),
            Some("it does not know the leader")
        );
        assert_eq!(lack(Err("refused".to_owned()), false), None);
    }
}
