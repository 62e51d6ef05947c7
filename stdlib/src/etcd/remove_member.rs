//! `etcd::remove_member`: a member leaves its cluster.

use async_trait::async_trait;
use haengine_kernel::action::Action;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Param, ParamKind, Signature};
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};

use super::ask::{Ask, OPTIONS};
use super::cluster::{Cluster, Member};
use super::quorum::Change;
use super::send::{self, Sending};

/// See [`Action::ABOUT`].
#[derive(Clone, Serialize, Deserialize)]
pub struct RemoveMember {
    #[serde(flatten)]
    ask: Ask,
    member: String,
}

/// How verbs name a member.
pub(super) const MEMBER: Param = Param::new("member", ParamKind::String, "Its name, its id or one of its peer URLs.");

#[async_trait]
impl Action for RemoveMember {
    const NAME: &'static str = "etcd.remove_member";
    const ABOUT: &'static str = "A member leaves its cluster of etcd.

The result is a map of what it was: `id`, `name`, `peer_urls` and `client_urls`. Where there is no such member, there is \
nothing to do. etcd on that member ends by itself soon after; its data stays on its disk.

It is refused, with the numbers, unless the voters that answer afterwards are still a quorum; while a voter does not answer, \
only that voter or a learner may be removed; the last voter never is (`etcd.quorum`). To remove the member that leads, let \
another one lead first with `etcd::move_leader`: else the cluster elects one, and accepts nothing meanwhile.

Nothing takes it back: a member that was removed may not come back with its data, since the cluster refuses its id for good. \
Clear its data and add it as a new one with `etcd::add_member`.";
    const SIGNATURE: Signature = Signature { positional: &[Param::hosts(), MEMBER], options: OPTIONS };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "A learner that never was started.",
        given: WITH_LEARNER,
        code: r#"etcd::remove_member(h, "http://127.0.0.1:2381", #{ endpoints: "http://127.0.0.1:2379" }).peer_urls"#,
        gives: r#"["http://127.0.0.1:2381"]"#,
    }];
    const GIVES: Shape = Shape::Map(&[
        ("id", Shape::String),
        ("name", Shape::String),
        ("peer_urls", Shape::List(&Shape::String)),
        ("client_urls", Shape::List(&Shape::String)),
    ]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(RemoveMember { ask: Ask::parse(arguments)?, member: arguments.string("member")? })
    }

    fn target(&self) -> String {
        self.member.clone()
    }

    async fn done(&self, host: &Host) -> Result<Option<bool>> {
        let cluster = Cluster::listed(&self.ask, host).await?;
        cluster.find(&self.member).map(|member| Some(member.is_none()))
    }

    async fn perform(&self, host: &Host) -> Result<Value> {
        let cluster = Cluster::look(&self.ask, host).await?;
        let member = cluster.get(&self.member)?.clone();
        let sending = Sending::new(&self.ask, host, format!("removing the member `{}`", member.called()));
        let id = &member.id;
        sending.send(cluster, Change::Remove(id), None, |cluster| !cluster.has(id), || send::remove(id)).await?;
        Ok(told(&member))
    }
}

fn told(member: &Member) -> Value {
    let urls = |urls: &[String]| Value::List(urls.iter().map(|url| url.as_str().into()).collect());
    Value::map([
        ("id", member.id.as_str().into()),
        ("name", member.name.as_str().into()),
        ("peer_urls", urls(&member.peer_urls)),
        ("client_urls", urls(&member.client_urls)),
    ])
}

/// A cluster of one member, and a learner that was never started.
const WITH_LEARNER: &str = concat!(
    "systemctl stop demo-etcd 2>/dev/null; rm -rf /run/demo-etcd\n",
    "systemd-run -q --unit=demo-etcd -p Type=notify etcd --name demo --data-dir /run/demo-etcd\n",
    "n=0; until etcdctl member add second --learner --peer-urls=http://127.0.0.1:2381; do\n",
    "n=$((n + 1)); [ $n -lt 20 ] || exit 1; sleep 0.3; done"
);
