//! A cluster as it is now: who belongs to it, who of them answers, and who leads.

use std::collections::BTreeSet;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::signature::quoted;
use serde_json::Value as Json;

use super::answer::{Answers, Problem, id, number};
use super::ask::Ask;
use super::quorum::{self, Change, Role};

/// A cluster, asked at the endpoints of a call and at the client URLs of all its members.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) members: Vec<Member>,
    /// The id of the member that leads, as those know it who are furthest.
    pub(super) leader: Option<String>,
}

/// A member, and what it says now.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) id: String,
    /// Empty for one that was added and not yet started.
    pub(super) name: String,
    pub(super) peer_urls: Vec<String>,
    pub(super) client_urls: Vec<String>,
    pub(super) learner: bool,
    /// Its status, or why there is none.
    pub(super) status: Result<Status, Problem>,
}

/// What a member says of itself.
#[derive(Clone, Debug)]
pub(super) struct Status {
    /// Where it said so.
    pub(super) endpoint: String,
    pub(super) leader: Option<String>,
    pub(super) term: u64,
    pub(super) applied: u64,
    pub(super) db_size: u64,
    pub(super) cluster: Option<String>,
}

/// What was heard at the endpoints: by member, and the lists of members with how far their teller is.
#[derive(Default)]
struct Heard {
    statuses: Vec<(String, Status)>,
    lists: Vec<(Furthest, Json)>,
    problems: Vec<(String, Problem)>,
}

/// Leads, term, applied index: whose word counts more.
type Furthest = (bool, u64, u64);

impl Cluster {
    /// Who belongs to it and who leads, as the endpoints of the call know it. Others are asked only where those know no
    /// leader: who is cut off has an old list.
    pub(super) async fn listed(ask: &Ask, host: &Host) -> Result<Cluster> {
        let cluster = Heard::at(ask, host).await?.cluster();
        if cluster.leader.is_some() { Ok(cluster) } else { Cluster::look(ask, host).await }
    }

    /// Looks at the cluster: all members are asked.
    pub(super) async fn look(ask: &Ask, host: &Host) -> Result<Cluster> {
        let mut heard = Heard::at(ask, host).await?;
        let Some(first) = heard.list() else { return Err(unanswered(&heard.problems)) };
        // A learner tells no list of members: etcdctl would ask it until its time is over.
        let others = |learner: bool| {
            let members = members(first).filter(|member| (member["isLearner"] == true) == learner);
            let urls = members.flat_map(|member| urls(member, "clientURLs"));
            let urls: BTreeSet<String> = urls.filter(|url| !ask.endpoints.contains(url)).collect();
            ask.of(urls.into_iter().collect())
        };
        let (voters, learners) = (others(false), others(true));
        let (of_voters, of_learners) =
            tokio::try_join!(voters.ask(host, "members status"), learners.ask(host, "status"))?;
        heard.hear(&of_voters, &voters.endpoints);
        heard.hear(&of_learners, &learners.endpoints);
        Ok(heard.cluster())
    }

    /// The member that a recipe names by its name, its id or a peer URL.
    pub(super) fn find(&self, word: &str) -> Result<Option<&Member>> {
        let mut found = self.members.iter().filter(|member| member.is(word));
        match (found.next(), found.next()) {
            (member, None) => Ok(member),
            _ => Err(Error::new(Kind::Refused, "etcd.ambiguous", format!("several members of etcd are `{word}`"))
                .hint("name the member by its id, as `etcd::members` tells it")),
        }
    }

    /// The same, which must be there.
    pub(super) fn get(&self, word: &str) -> Result<&Member> {
        self.find(word)?.ok_or_else(|| {
            let names: Vec<&str> = self.members.iter().map(Member::called).collect();
            let message = format!("etcd has no member `{word}`: it has {}", quoted(&names));
            Error::new(Kind::Refused, "etcd.unknown_member", message)
                .hint("name a member by its name, its id or a peer URL")
        })
    }

    /// The member with one of these peer URLs.
    pub(super) fn at(&self, peer_urls: &[String]) -> Option<&Member> {
        self.members.iter().find(|member| member.peer_urls.iter().any(|url| peer_urls.contains(url)))
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.members.iter().any(|member| member.id == id)
    }

    /// Whether a member answers, is of this cluster, and knows the leader that the others know.
    pub(super) fn is_live(&self, member: &Member) -> bool {
        let leader = member.status.as_ref().ok().and_then(|status| status.leader.as_ref());
        leader.is_some() && leader == self.leader.as_ref()
    }

    /// How far the leader is.
    pub(super) fn applied(&self) -> Option<u64> {
        let leader = self.members.iter().find(|member| Some(&member.id) == self.leader.as_ref())?;
        leader.status.as_ref().ok().map(|status| status.applied)
    }

    /// Whether a change may be sent; a learner is in sync once it has applied `target`.
    pub(super) fn permit(&self, change: Change<'_>, target: Option<u64>) -> Result<()> {
        let members: Vec<quorum::Member> = self.members.iter().map(|member| self.counted(member, target)).collect();
        self.permitted(&members, change)
    }

    /// Whether a learner might get its vote if only it were in sync.
    pub(super) fn permit_once_in_sync(&self, id: &str) -> Result<()> {
        let mut members: Vec<quorum::Member> = self.members.iter().map(|member| self.counted(member, None)).collect();
        for member in members.iter_mut().filter(|member| member.id == id && member.role != Role::Voter) {
            (member.live, member.role) = (true, Role::Learner { in_sync: true });
        }
        self.permitted(&members, Change::Promote(id))
    }

    fn permitted(&self, members: &[quorum::Member], change: Change<'_>) -> Result<()> {
        quorum::permit(members, change).map_err(|refusal| {
            let reasons = self.members.iter().filter_map(|member| Some((member, member.status.as_ref().err()?)));
            let reasons: Vec<String> = reasons.map(|(member, why)| format!("{}: {why}", member.called())).collect();
            let error = Error::new(Kind::Refused, "etcd.quorum", refusal.why).hint(refusal.hint);
            if reasons.is_empty() { error } else { error.because(reasons.join("\n")) }
        })
    }

    /// Where a change is told: at the leader, unless it is what goes.
    pub(super) fn teller(&self, change: Change<'_>) -> Option<&Status> {
        let goes = |member: &Member| matches!(change, Change::Remove(id) if id == member.id);
        let mut live: Vec<&Member> = self.members.iter().filter(|m| !m.learner && self.is_live(m)).collect();
        live.sort_by_key(|member| (goes(member), Some(&member.id) != self.leader.as_ref()));
        live.first().and_then(|member| member.status.as_ref().ok())
    }

    fn counted(&self, member: &Member, target: Option<u64>) -> quorum::Member {
        let applied = member.status.as_ref().ok().map(|status| status.applied);
        let in_sync = target.or(self.applied()).is_some_and(|target| applied.is_some_and(|applied| applied >= target));
        let role = if member.learner { Role::Learner { in_sync } } else { Role::Voter };
        let (id, name) = (member.id.clone(), member.called().to_owned());
        quorum::Member { id, name, role, live: self.is_live(member) }
    }
}

impl Member {
    /// Its name; where it has none yet, where it is reached.
    pub(super) fn called(&self) -> &str {
        let known = [Some(&self.name), self.peer_urls.first()].into_iter().flatten();
        known.filter(|name| !name.is_empty()).map(String::as_str).next().unwrap_or(&self.id)
    }

    fn is(&self, word: &str) -> bool {
        let url = word.trim_end_matches('/');
        !word.is_empty() && (self.id == word || self.name == word || self.peer_urls.iter().any(|peer| peer == url))
    }
}

impl Heard {
    /// What is heard at the endpoints of the call.
    async fn at(ask: &Ask, host: &Host) -> Result<Heard> {
        let mut heard = Heard::default();
        heard.hear(&ask.ask(host, "members status").await?, &ask.endpoints);
        Ok(heard)
    }

    fn hear(&mut self, answers: &Answers, endpoints: &[String]) {
        for (at, endpoint) in endpoints.iter().enumerate() {
            let mut furthest = (false, 0, 0);
            match answers.status(at) {
                Err(problem) => self.problems.push((endpoint.clone(), problem)),
                Ok(json) => {
                    let status = Status::of(&json, endpoint);
                    let member = id(&json["header"], "member_id").unwrap_or_default();
                    furthest = (status.leader.as_ref() == Some(&member), status.term, status.applied);
                    self.statuses.push((member, status));
                }
            }
            if let Ok(list) = answers.members(at) {
                self.lists.push((furthest, list));
            }
        }
    }

    /// The list of who is furthest: others may have an older one.
    fn list(&self) -> Option<&Json> {
        let best = self.lists.iter().max_by_key(|((leads, term, applied), _)| (*term, *leads, *applied));
        best.map(|(_, list)| list)
    }

    fn cluster(&self) -> Cluster {
        let list = self.list().cloned().unwrap_or_default();
        let cluster = id(&list["header"], "cluster_id");
        let ours = |status: &&(String, Status)| status.1.cluster == cluster;
        let furthest = self.statuses.iter().filter(ours).filter(|(_, status)| status.leader.is_some());
        let leader = furthest.max_by_key(|(_, status)| status.term).and_then(|(_, status)| status.leader.clone());
        let members = members(&list).map(|member| self.member(member, cluster.as_ref())).collect();
        Cluster { members, leader }
    }

    fn member(&self, member: &Json, cluster: Option<&String>) -> Member {
        let (id, client_urls) = (id(member, "ID").unwrap_or_default(), urls(member, "clientURLs"));
        let answer = self.statuses.iter().find(|(of, status)| *of == id && status.cluster.as_ref() == cluster);
        let status = answer.map(|(_, status)| status.clone()).ok_or_else(|| self.silence(&client_urls));
        Member {
            id,
            name: member["name"].as_str().unwrap_or_default().to_owned(),
            peer_urls: urls(member, "peerURLs"),
            client_urls,
            learner: member["isLearner"] == true,
            status,
        }
    }

    /// Why a member with these client URLs says nothing.
    fn silence(&self, client_urls: &[String]) -> Problem {
        if client_urls.is_empty() {
            return "it was never started".to_owned();
        }
        let found = self.problems.iter().find(|(endpoint, _)| client_urls.contains(endpoint));
        found.map_or_else(
            || format!("at {} another member answers", client_urls.join(", ")),
            |(endpoint, problem)| format!("{endpoint}: {problem}"),
        )
    }
}

impl Status {
    fn of(json: &Json, endpoint: &str) -> Status {
        Status {
            endpoint: endpoint.to_owned(),
            leader: id(json, "leader"),
            term: number(json, "raftTerm"),
            applied: number(json, "raftAppliedIndex"),
            db_size: number(json, "dbSize"),
            cluster: id(&json["header"], "cluster_id"),
        }
    }
}

fn members(list: &Json) -> impl Iterator<Item = &Json> {
    list["members"].as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

fn urls(member: &Json, name: &str) -> Vec<String> {
    let urls = member[name].as_array().map(Vec::as_slice).unwrap_or_default();
    urls.iter().filter_map(Json::as_str).map(|url| url.trim_end_matches('/').to_owned()).collect()
}

fn unanswered(problems: &[(String, Problem)]) -> Error {
    let problems: Vec<String> = problems.iter().map(|(endpoint, problem)| format!("{endpoint}: {problem}")).collect();
    Error::new(Kind::Failed, "etcd.unanswered", "no endpoint of etcd tells its members")
        .because(problems.join("\n"))
        .hint("look at `journalctl -u etcd` on the members")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What etcdctl says of three voters, of which `m1` leads, `m3` does not answer, and `m2` is said what is given here.
    fn heard(of_second: &str) -> Cluster {
        let list = r#"{"header":{"cluster_id":7},"members":[{"ID":10,"name":"m1","peerURLs":["https://a:2380"],"clientURLs":["https://a:2379"]},{"ID":11,"name":"m2","peerURLs":["https://b:2380"],"clientURLs":["https://b:2379"]},{"ID":12,"name":"m3","peerURLs":["https://c:2380"],"clientURLs":["https://c:2379"]},{"ID":13,"peerURLs":["https://d:2380"],"isLearner":true}]}"#;
        let first = r#"[{"Endpoint":"https://a:2379","Status":{"header":{"cluster_id":7,"member_id":10},"leader":10,"raftTerm":3,"raftAppliedIndex":40}}]"#;
        let records = [
            ["0", "members", "", "0", list],
            ["0", "status", "", "0", first],
            ["1", "members", "", "1", ""],
            ["1", "status", "", "0", of_second],
            ["2", "members", "Error: refused", "1", ""],
            ["2", "status", "Error: refused", "1", ""],
        ];
        let records: String = records.iter().map(|fields| fields.join("\x1f") + "\x1e").collect();
        let answers = Answers::parse(&format!("etcdctl\x1e{records}")).unwrap();
        let mut heard = Heard::default();
        heard.hear(&answers, &["https://a:2379", "https://b:2379", "https://c:2379"].map(str::to_owned));
        heard.cluster()
    }

    fn status(cluster: u64, member: u64, leader: u64, term: u64) -> String {
        format!(
            r#"[{{"Status":{{"header":{{"cluster_id":{cluster},"member_id":{member}}},"leader":{leader},"raftTerm":{term},"raftAppliedIndex":39}}}}]"#
        )
    }

    fn live(cluster: &Cluster) -> Vec<&str> {
        cluster.members.iter().filter(|member| cluster.is_live(member)).map(Member::called).collect()
    }

    #[test]
    fn a_member_is_live_when_it_knows_the_leader_that_the_others_know() {
        assert_eq!(live(&heard(&status(7, 11, 10, 3))), ["m1", "m2"]);
        // Of another cluster; another member at that address; without a leader; one that leads itself, long ago.
        for other in [status(8, 11, 10, 3), status(7, 14, 10, 3), status(7, 11, 0, 3), status(7, 11, 11, 2)] {
            assert_eq!(live(&heard(&other)), ["m1"], "{other}");
        }
        // Who leads by a later election is the leader, and the former one does not count.
        assert_eq!(live(&heard(&status(7, 11, 11, 4))), ["m2"]);
    }

    #[test]
    fn a_refusal_has_the_numbers_and_why_members_are_silent() {
        let cluster = heard(&status(7, 11, 10, 3));
        let error = cluster.permit(Change::AddLearner, None).unwrap_err();
        assert_eq!((error.code(), error.message()), ("etcd.quorum", "2 of 3 voters answer: `m3` does not"));
        let silent = "m3: https://c:2379: refused\nhttps://d:2380: it was never started";
        assert_eq!(error.causes(), [silent]);
        assert!(cluster.permit(Change::Remove("c"), None).is_ok());
        assert!(heard("[]").permit(Change::Remove("c"), None).unwrap_err().message().starts_with("nothing can"));
    }

    #[test]
    fn a_member_is_found_by_name_id_and_peer_url() {
        let cluster = heard(&status(7, 11, 10, 3));
        for word in ["m2", "b", "https://b:2380", "https://b:2380/"] {
            assert_eq!(cluster.get(word).unwrap().id, "b", "{word}");
        }
        assert_eq!(cluster.get("https://d:2380").unwrap().id, "d");
        assert!(cluster.find("").unwrap().is_none());
        let error = cluster.get("m9").unwrap_err();
        let message = "etcd has no member `m9`: it has `m1`, `m2`, `m3`, `https://d:2380`";
        assert_eq!((error.code(), error.message()), ("etcd.unknown_member", message));
    }

    #[test]
    fn a_change_is_told_to_the_leader_unless_it_goes() {
        let cluster = heard(&status(7, 11, 10, 3));
        assert_eq!(cluster.teller(Change::Remove("c")).unwrap().endpoint, "https://a:2379");
        assert_eq!(cluster.teller(Change::Remove("a")).unwrap().endpoint, "https://b:2379");
    }
}
