//! How a change of the membership is sent: through the guard, once, and looked up where its answer is lost.

use std::time::{Duration, Instant};

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use serde_json::json;

use super::answer::Problem;
use super::ask::{Ask, Told};
use super::cluster::Cluster;
use super::quorum::Change;

/// A change to be sent from a host.
pub(super) struct Sending<'a> {
    pub(super) ask: &'a Ask,
    pub(super) host: &'a Host,
    /// As messages name what is done: "adding `m3`".
    pub(super) what: String,
    /// What etcd may say for a while although it will take the change.
    pub(super) bears: &'a [&'a str],
    pub(super) until: Instant,
}

/// etcd takes no change until all voters were connected for five seconds.
pub(super) const UNSETTLED: &str = "unhealthy cluster";
/// How long a cluster whose voters all answer may take to settle.
const SETTLES: Duration = Duration::from_secs(20);
/// How long a change may take to be seen.
const SHOWS: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(500);

impl<'a> Sending<'a> {
    pub(super) fn new(ask: &'a Ask, host: &'a Host, what: String) -> Sending<'a> {
        Sending { ask, host, what, bears: &[UNSETTLED], until: Instant::now() + SETTLES }
    }

    /// Sends `change` to the cluster that was just looked at, unless `is_done`; gives the cluster that it made. A learner is
    /// in sync once it has applied `target`.
    pub(super) async fn send(
        &self,
        mut cluster: Cluster,
        change: Change<'_>,
        target: Option<u64>,
        is_done: impl Fn(&Cluster) -> bool,
        told: impl Fn() -> Told,
    ) -> Result<Cluster> {
        let mut waits = false;
        loop {
            if is_done(&cluster) {
                return Ok(cluster);
            }
            cluster.permit(change, target)?;
            let Some(teller) = cluster.teller(change) else { return Err(self.failed("no voter answers")) };
            let problem = match self.ask.tell(self.host, &teller.endpoint, told()).await? {
                Ok(_) => return self.seen(is_done, None).await,
                Err(problem) => problem,
            };
            if !is_refusal(&problem) {
                return self.seen(is_done, Some(problem)).await;
            }
            if !self.bears.iter().any(|text| problem.contains(text)) || Instant::now() >= self.until {
                return Err(self.failed(&problem));
            }
            if !std::mem::replace(&mut waits, true) {
                self.host.awaits(&format!("etcd, before {}: it says `{problem}`", self.what));
            }
            self.host.pause(PAUSE).await?;
            cluster = Cluster::look(self.ask, self.host).await?;
        }
    }

    /// Waits until the change is seen: after an answer, or instead of one that was `lost`. It is not sent again.
    async fn seen(&self, is_done: impl Fn(&Cluster) -> bool, lost: Option<Problem>) -> Result<Cluster> {
        let until = Instant::now() + SHOWS.max(2 * self.ask.timeout());
        loop {
            let problem = match Cluster::look(self.ask, self.host).await {
                Ok(cluster) if is_done(&cluster) => return Ok(cluster),
                Ok(_) => "the list of members does not show it".to_owned(),
                Err(error) if error.kind() == Kind::Cancelled => return Err(error),
                Err(error) => error.message().to_owned(),
            };
            if Instant::now() >= until {
                return Err(self.unknown(lost.unwrap_or(problem)));
            }
            self.host.pause(PAUSE).await?;
        }
    }

    fn failed(&self, problem: &str) -> Error {
        Error::new(Kind::Failed, "etcd.change", format!("etcd refuses {}", self.what))
            .because(problem.to_owned())
            .hint("look at `etcd::health` of all members, and try again")
    }

    fn unknown(&self, problem: Problem) -> Error {
        let message = format!("{}: how it ended is not known", self.what);
        Error::new(Kind::Failed, "etcd.unknown_end", message)
            .because(problem)
            .hint("look at `etcd::members` once the cluster answers, then resume: it is not done twice")
    }
}

/// Whether etcd has said no. What says that time or a leader is lost says nothing of the change.
fn is_refusal(problem: &str) -> bool {
    const SAYS_NOTHING: [&str; 5] = ["timed out", "leader changed", "no leader", "server stopped", "not capable"];
    problem.contains("etcdserver: ") && !SAYS_NOTHING.iter().any(|text| problem.contains(text))
}

/// Adds a learner.
pub(super) fn add(name: &str, peer_urls: &[String]) -> Told {
    Told {
        path: "/v3/cluster/member/add",
        body: json!({ "peerURLs": peer_urls, "isLearner": true }),
        words: words(&["member", "add", name, "--learner", &format!("--peer-urls={}", peer_urls.join(","))]),
    }
}

/// Has a learner vote.
pub(super) fn promote(id: &str) -> Told {
    let body = json!({ "ID": decimal(id) });
    Told { path: "/v3/cluster/member/promote", body, words: words(&["member", "promote", id]) }
}

/// Removes a member.
pub(super) fn remove(id: &str) -> Told {
    let body = json!({ "ID": decimal(id) });
    Told { path: "/v3/cluster/member/remove", body, words: words(&["member", "remove", id]) }
}

pub(super) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// An id as the gateway takes it.
pub(super) fn decimal(id: &str) -> String {
    u64::from_str_radix(id, 16).unwrap_or_default().to_string()
}

/// Removes a member that this run made one, unless it is gone.
pub(super) async fn take_out(ask: &Ask, host: &Host, id: &str) -> Result<()> {
    let sending = Sending::new(ask, host, format!("removing the member `{id}`"));
    let cluster = Cluster::look(ask, host).await?;
    sending.send(cluster, Change::Remove(id), None, |cluster| !cluster.has(id), || remove(id)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_of_etcd_is_told_from_a_lost_answer() {
        for no in [
            "etcdserver: unhealthy cluster",
            "it answered 503: etcdserver: unhealthy cluster",
            "etcdserver: Peer URLs already exists",
            "etcdserver: can only promote a learner member which is in sync with leader",
            "etcdserver: too many learner members in cluster",
            "etcdserver: re-configuration failed due to not enough started members",
        ] {
            assert!(is_refusal(no), "{no}");
        }
        for lost in [
            "etcdserver: request timed out",
            "etcdserver: request timed out, possibly due to previous leader failure",
            "etcdserver: leader changed",
            "etcdserver: no leader",
            "context deadline exceeded",
            "curl: (28) Operation timed out after 5001 milliseconds with 0 bytes received",
            "Error while dialing dial tcp 127.0.0.1:1: connect: connection refused",
        ] {
            assert!(!is_refusal(lost), "{lost}");
        }
    }

    #[test]
    fn both_programs_are_told_the_same() {
        let told = add("m3", &["https://a:2380".to_owned(), "https://b:2380".to_owned()]);
        assert_eq!(told.words.join(" "), "member add m3 --learner --peer-urls=https://a:2380,https://b:2380");
        assert_eq!(told.body.to_string(), r#"{"peerURLs":["https://a:2380","https://b:2380"],"isLearner":true}"#);
        let told = remove("babc9795b64f03e3");
        assert_eq!(told.words.join(" "), "member remove babc9795b64f03e3");
        assert_eq!(told.body.to_string(), r#"{"ID":"13455796455940752355"}"#);
    }
}
