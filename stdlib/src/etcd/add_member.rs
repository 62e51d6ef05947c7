//! `etcd::add_member`: a cluster gets a learner.

use async_trait::async_trait;
use haengine_kernel::action::{Action, Performed};
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Param, ParamKind, Signature};
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::ask::{Ask, OPTIONS, checked};
use super::cluster::{Cluster, Member};
use super::health::DEMO;
use super::quorum::Change;
use super::send::{self, Sending};

/// See [`Action::ABOUT`].
#[derive(Clone, Serialize, Deserialize)]
pub struct AddMember {
    #[serde(flatten)]
    ask: Ask,
    name: String,
    peer_urls: Vec<String>,
}

#[async_trait]
impl Action for AddMember {
    const NAME: &'static str = "etcd.add_member";
    const ABOUT: &'static str = "A cluster of etcd gets a new member, which does not vote yet.

It is added as a learner: until `etcd::promote` it counts in no quorum, so that a wrong address or a slow disk of it \
harms nobody. The result is a map:

| name | what |
|---|---|
| `id` | as etcd prints it |
| `name`, `peer_urls` | of the new member |
| `initial_cluster` | what it is to be started with as `--initial-cluster`, with `--initial-cluster-state existing`: all members by their names and peer URLs, and itself |

Nothing is done where a member with one of the `peer_urls` is there, started or not: then the result is `()`. It is \
refused, with the numbers, while a voter does not answer (`etcd.quorum`: remove the dead one first), while there is another \
learner, and where another member has that name. An answer that is lost is looked up in the list of members; nothing \
is added twice.

**Undo** removes the member that was added, unless it is gone, and never one that was there before: where it votes by then, \
only if the voters that answer afterwards are still a quorum.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("name", ParamKind::String, "The name with which the new member will be started."),
            Param::new("peer_urls", ParamKind::Strings, "Where the other members will reach it."),
        ],
        options: OPTIONS,
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "What a second member is to be started with.",
        given: DEMO,
        code: r#"etcd::add_member(h, "second", "http://127.0.0.1:2381", #{ endpoints: "http://127.0.0.1:2379" }).initial_cluster"#,
        gives: r#""demo=http://localhost:2380,second=http://127.0.0.1:2381""#,
    }];
    const GIVES: Shape = Shape::Map(&[
        ("id", Shape::String),
        ("name", Shape::String),
        ("peer_urls", Shape::List(&Shape::String)),
        ("initial_cluster", Shape::String),
    ]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        let (ask, peer_urls) = (Ask::parse(arguments)?, peer_urls(arguments)?);
        Ok(AddMember { ask, name: name(arguments)?, peer_urls })
    }

    fn target(&self) -> String {
        self.name.clone()
    }

    async fn done(&self, host: &Host) -> Result<Option<bool>> {
        let cluster = Cluster::listed(&self.ask, host).await?;
        Ok(Some(cluster.at(&self.peer_urls).is_some()))
    }

    async fn before(&self, host: &Host) -> Result<Json> {
        let cluster = Cluster::listed(&self.ask, host).await?;
        let ids: Vec<&str> = cluster.members.iter().map(|member| member.id.as_str()).collect();
        Ok(json!({ "members": ids }))
    }

    async fn perform(&self, host: &Host) -> Result<Value> {
        let cluster = Cluster::look(&self.ask, host).await?;
        self.is_free(&cluster)?;
        let sending = Sending::new(&self.ask, host, format!("adding the member `{}`", self.name));
        let is_done = |cluster: &Cluster| cluster.at(&self.peer_urls).is_some();
        let cluster =
            sending.send(cluster, Change::AddLearner, None, is_done, || send::add(&self.name, &self.peer_urls)).await?;
        Ok(cluster.at(&self.peer_urls).map_or(Value::Null, |member| self.told(&cluster, member)))
    }

    fn inverse(&self) -> Option<String> {
        Some("etcdctl member remove ID".to_owned())
    }

    async fn undo(&self, host: &Host, performed: &Performed<'_>) -> Result<()> {
        let cluster = Cluster::listed(&self.ask, host).await?;
        match ours(&cluster, &self.peer_urls, performed) {
            Some(id) => send::take_out(&self.ask, host, &id).await,
            None => Ok(()),
        }
    }
}

impl AddMember {
    /// Two members of one name are one in `--initial-cluster`.
    fn is_free(&self, cluster: &Cluster) -> Result<()> {
        let Some(other) = cluster.members.iter().find(|member| member.name == self.name) else { return Ok(()) };
        let urls = other.peer_urls.join(", ");
        let message = format!("etcd has a member `{}` already, at {urls}", self.name);
        Err(Error::new(Kind::Refused, "etcd.name_taken", message)
            .hint("give the new one another name, or remove the other one first with `etcd::remove_member`"))
    }

    fn told(&self, cluster: &Cluster, member: &Member) -> Value {
        Value::map([
            ("id", member.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("peer_urls", Value::List(member.peer_urls.iter().map(|url| url.as_str().into()).collect())),
            ("initial_cluster", self.initial_cluster(cluster, &member.id).into()),
        ])
    }

    /// All members by their names and peer URLs, the new one last; it has its name only once it was started.
    fn initial_cluster(&self, cluster: &Cluster, new: &str) -> String {
        let (ours, others): (Vec<&Member>, Vec<&Member>) = cluster.members.iter().partition(|member| member.id == new);
        let others = others.into_iter().map(|member| (&member.name, &member.peer_urls));
        let all = others.chain(ours.into_iter().map(|member| (&self.name, &member.peer_urls)));
        let named = all.flat_map(|(name, urls)| urls.iter().map(move |url| format!("{name}={url}")));
        named.collect::<Vec<_>>().join(",")
    }
}

/// The member that the run added, if it is there.
fn ours(cluster: &Cluster, peer_urls: &[String], performed: &Performed<'_>) -> Option<String> {
    let before = performed.before["members"].as_array()?;
    let was_there = |id: &str| before.iter().any(|member| member == id);
    let id = match performed.result["id"].as_str() {
        Some(id) => id,
        None => cluster.at(peer_urls)?.id.as_str(),
    };
    (cluster.has(id) && !was_there(id)).then(|| id.to_owned())
}

/// A name that `--initial-cluster` can hold.
pub(super) fn name(arguments: &Arguments) -> Result<String> {
    let name = arguments.string("name")?;
    if !name.is_empty() && !name.starts_with('-') && !name.contains(['=', ',', ' ', '\t', '\n']) {
        return Ok(name);
    }
    Err(Error::new(Kind::Usage, "etcd.name", format!("`{name}` is no name for a member of etcd"))
        .hint("write the value of its `--name`: no blank, `=` or `,`"))
}

/// Where other members reach one; at least one place.
pub(super) fn peer_urls(arguments: &Arguments) -> Result<Vec<String>> {
    let urls = arguments.strings("peer_urls");
    let wrong = |url: &String| no_url(&format!("`{url}` is no peer URL of etcd"));
    let urls: Vec<String> = urls.iter().map(|url| checked(url).map_err(|_| wrong(url))).collect::<Result<_>>()?;
    if urls.is_empty() { Err(no_url("a member of etcd needs a peer URL")) } else { Ok(urls) }
}

fn no_url(message: &str) -> Error {
    Error::new(Kind::Usage, "etcd.peer_url", message).hint("write it as `https://ADDRESS:2380`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, name: &str, url: &str) -> Member {
        Member {
            id: id.to_owned(),
            name: name.to_owned(),
            peer_urls: vec![url.to_owned()],
            client_urls: Vec::new(),
            learner: name.is_empty(),
            status: Err("not asked".to_owned()),
        }
    }

    fn cluster() -> Cluster {
        let members = vec![member("a", "m1", "https://a:2380"), member("b", "", "https://b:2380")];
        Cluster { members, leader: None }
    }

    #[test]
    fn the_new_member_is_in_initial_cluster_by_the_name_that_it_will_have() {
        let ask: Ask =
            serde_json::from_value(json!({"endpoints": [], "certificates": ["", "", ""], "timeout": 5})).unwrap();
        let add = AddMember { ask, name: "m2".to_owned(), peer_urls: vec!["https://b:2380".to_owned()] };
        assert_eq!(add.initial_cluster(&cluster(), "b"), "m1=https://a:2380,m2=https://b:2380");
        assert!(add.is_free(&cluster()).is_ok());
        let error = AddMember { name: "m1".to_owned(), ..add }.is_free(&cluster()).unwrap_err();
        assert_eq!(
            (error.code(), error.message()),
            ("etcd.name_taken", "etcd has a member `m1` already, at https://a:2380")
        );
    }

    #[test]
    fn undo_removes_what_the_run_added_and_nothing_else() {
        let urls = ["https://b:2380".to_owned()];
        let ours =
            |before: Json, result: Json| ours(&cluster(), &urls, &Performed { before: &before, result: &result });
        let before = |ids: &[&str]| json!({ "members": ids });
        assert_eq!(ours(before(&["a"]), json!({"id": "b"})).as_deref(), Some("b"));
        // Its end is not known: what is there with these peer URLs and was not before.
        assert_eq!(ours(before(&["a"]), Json::Null).as_deref(), Some("b"));
        assert_eq!(ours(before(&["a", "b"]), Json::Null), None);
        // It is gone, and somebody added another with the same URLs.
        assert_eq!(ours(before(&["a"]), json!({"id": "c"})), None);
        assert_eq!(ours(before(&["a", "b"]), json!({"id": "b"})), None);
    }
}
