//! The guard: which changes of a cluster's membership may be sent, by what answers now.
//!
//! Nothing here asks anybody. Whatever is permitted leaves at least as many live voters as the new quorum needs; a test
//! goes through all states of one to seven members.

/// A member, as far as a quorum is concerned.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) id: String,
    /// As messages name it.
    pub(super) name: String,
    pub(super) role: Role,
    /// Whether it answers now, as part of the same cluster, and knows the leader that the others know.
    pub(super) live: bool,
}

/// Whether a member counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Voter,
    Learner {
        /// Whether it has what the leader had when it was asked.
        in_sync: bool,
    },
}

/// A change; members by their ids.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    AddLearner,
    Promote(&'a str),
    Remove(&'a str),
    /// Not of the membership: a member is held up for a while.
    Pause(&'a str),
}

/// Why a change is not sent, and what to do first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) why: String,
    pub(super) hint: &'static str,
}

/// How many of so many voters must agree.
pub(super) fn quorum(voters: usize) -> usize {
    voters / 2 + 1
}

/// Whether a change may be sent.
pub(super) fn permit(members: &[Member], change: Change<'_>) -> Result<(), Refusal> {
    let now = Count::of(members);
    if now.live < quorum(now.voters) {
        return refused(now.short_of("nothing can be changed"), FIRST_ANSWER);
    }
    match change {
        Change::AddLearner => all_answer(members, &now).and_then(|()| no_learner(members))?,
        Change::Promote(id) => all_answer(members, &now).and_then(|()| is_ready(members, id))?,
        Change::Remove(id) => may_leave(members, &now, id)?,
        Change::Pause(id) => may_pause(members, &now, id)?,
    }
    let then = Count::of(&after(members, change));
    match then.live >= quorum(then.voters) {
        true => Ok(()),
        false => refused(then.short_of("after it"), FIRST_ANSWER),
    }
}

const FIRST_ANSWER: &str = "bring the members that do not answer back first";
const DEAD_FIRST: &str = "bring it back first, or remove it with `etcd::remove_member`";

/// Voters, and those of them that answer.
struct Count {
    voters: usize,
    live: usize,
}

impl Count {
    fn of(members: &[Member]) -> Count {
        let voters = members.iter().filter(|member| member.role == Role::Voter);
        Count { voters: voters.clone().count(), live: voters.filter(|member| member.live).count() }
    }

    fn short_of(&self, when: &str) -> String {
        let Count { voters, live } = self;
        format!("{when}: {live} of {voters} voters {}, and a quorum needs {}", answer(*live), quorum(*voters))
    }
}

fn answer(count: usize) -> &'static str {
    if count == 1 { "answers" } else { "answer" }
}

/// The members once a change is made. Nobody knows yet whether a new one answers.
fn after(members: &[Member], change: Change<'_>) -> Vec<Member> {
    let mut members = members.to_vec();
    match change {
        Change::AddLearner | Change::Pause(_) => {}
        Change::Remove(id) => members.retain(|member| member.id != id),
        Change::Promote(id) => {
            members.iter_mut().filter(|member| member.id == id).for_each(|member| member.role = Role::Voter);
        }
    }
    members
}

/// While a voter does not answer, the cluster gets no larger.
fn all_answer(members: &[Member], now: &Count) -> Result<(), Refusal> {
    let Some(silent) = silent(members) else { return Ok(()) };
    let Count { voters, live } = now;
    refused(format!("{live} of {voters} voters {}: `{}` does not", answer(*live), silent.name), DEAD_FIRST)
}

fn silent(members: &[Member]) -> Option<&Member> {
    members.iter().find(|member| member.role == Role::Voter && !member.live)
}

/// etcd itself takes one learner at a time.
fn no_learner(members: &[Member]) -> Result<(), Refusal> {
    match members.iter().find(|member| member.role != Role::Voter) {
        None => Ok(()),
        Some(learner) => refused(
            format!("`{}` is a learner already, and one at a time is enough", learner.name),
            "promote it with `etcd::promote`, or remove it with `etcd::remove_member`",
        ),
    }
}

fn is_ready(members: &[Member], id: &str) -> Result<(), Refusal> {
    let Some(member) = members.iter().find(|member| member.id == id) else { return unknown(id) };
    match member.role {
        Role::Learner { in_sync: true } if member.live => Ok(()),
        Role::Learner { .. } if !member.live => refused(format!("`{}` does not answer", member.name), "start it"),
        Role::Learner { .. } => refused(format!("`{}` is not in sync", member.name), "wait until it is"),
        Role::Voter => refused(format!("`{}` votes already", member.name), "leave it as it is"),
    }
}

fn may_leave(members: &[Member], now: &Count, id: &str) -> Result<(), Refusal> {
    let Some(member) = members.iter().find(|member| member.id == id) else { return unknown(id) };
    if member.role != Role::Voter {
        return Ok(());
    }
    if now.voters == 1 {
        let why = format!("`{}` is the last voter: without it there is no cluster", member.name);
        return refused(why, "stop it, if the cluster shall end");
    }
    if member.live { all_answer(members, now) } else { Ok(()) }
}

/// Where one or two vote, each pause is one of the whole cluster, and somebody who asks for it knows.
fn may_pause(members: &[Member], now: &Count, id: &str) -> Result<(), Refusal> {
    let Some(member) = members.iter().find(|member| member.id == id) else { return unknown(id) };
    let counts = usize::from(member.role == Role::Voter && member.live);
    if silent(members).is_none() || now.live - counts >= quorum(now.voters) {
        return Ok(());
    }
    let (left, voters, name) = (now.live - counts, now.voters, &member.name);
    let why = format!(
        "while `{name}` is held up, {left} of {voters} voters {}, and a quorum needs {}",
        answer(left),
        quorum(voters)
    );
    refused(why, FIRST_ANSWER)
}

fn unknown(id: &str) -> Result<(), Refusal> {
    refused(format!("`{id}` is no member"), "look at the members with `etcd::members`")
}

fn refused(why: String, hint: &'static str) -> Result<(), Refusal> {
    Err(Refusal { why, hint })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [(Role, bool); 5] = [
        (Role::Voter, true),
        (Role::Voter, false),
        (Role::Learner { in_sync: true }, true),
        (Role::Learner { in_sync: false }, true),
        (Role::Learner { in_sync: false }, false),
    ];

    fn member(number: usize, (role, live): (Role, bool)) -> Member {
        Member { id: number.to_string(), name: format!("m{number}"), role, live }
    }

    fn cluster(kinds: &[usize]) -> Vec<Member> {
        kinds.iter().enumerate().map(|(number, kind)| member(number, KINDS[*kind])).collect()
    }

    /// The state of this number: its digits are the members' kinds.
    fn state(size: u32, number: usize) -> Vec<Member> {
        let digits: Vec<usize> = (0..size).map(|place| number / 5usize.pow(place) % 5).collect();
        cluster(&digits)
    }

    /// Counted apart from the code above: live voters and all voters after a change, by hand.
    fn counted(members: &[Member], without: Option<&str>, promoted: Option<&str>) -> (usize, usize) {
        let (mut live, mut voters) = (0, 0);
        for member in members.iter().filter(|member| Some(member.id.as_str()) != without) {
            if member.role == Role::Voter || Some(member.id.as_str()) == promoted {
                voters += 1;
                live += usize::from(member.live);
            }
        }
        (live, voters)
    }

    fn holds(members: &[Member], change: Change<'_>) {
        let (without, promoted) = match change {
            Change::Remove(id) => (Some(id), None),
            Change::Promote(id) => (None, Some(id)),
            _ => (None, None),
        };
        let (now, then) = (counted(members, None, None), counted(members, without, promoted));
        let is_alive = |(live, voters): (usize, usize)| voters > 0 && 2 * live > voters;
        assert!(is_alive(now), "it cannot be committed: {change:?} of {members:?}");
        assert!(is_alive(then), "{change:?} of {members:?} leaves {then:?}");
        let dead_goes = members.iter().any(|m| Some(m.id.as_str()) == without && (m.role != Role::Voter || !m.live));
        assert!(now.0 == now.1 || dead_goes || matches!(change, Change::Pause(_)), "{change:?} of {members:?}");
        if let Change::Promote(id) = change {
            let learner = Role::Learner { in_sync: true };
            assert!(members.iter().any(|m| m.id == id && m.live && m.role == learner), "{change:?} of {members:?}");
        }
    }

    /// All states of one to seven members, each change, each member.
    #[test]
    fn no_permitted_change_leaves_fewer_live_voters_than_the_quorum() {
        let mut permitted = [0; 4];
        for size in 1..=7 {
            for number in 0..5usize.pow(size) {
                let members = state(size, number);
                let ids = || members.iter().map(|member| member.id.as_str());
                let changes = std::iter::once(Change::AddLearner)
                    .chain(ids().map(Change::Promote))
                    .chain(ids().map(Change::Remove))
                    .chain(ids().map(Change::Pause));
                for change in changes.filter(|change| permit(&members, *change).is_ok()) {
                    holds(&members, change);
                    let sort = match change {
                        Change::AddLearner => 0,
                        Change::Promote(_) => 1,
                        Change::Remove(_) => 2,
                        Change::Pause(_) => 3,
                    };
                    permitted[sort] += 1;
                }
            }
        }
        // A guard that permits nothing would hold, too. All voters of one to seven live: one state each.
        assert_eq!(permitted[0], 7);
        assert!(permitted[1..].iter().all(|count| *count > 100), "{permitted:?}");
    }

    #[test]
    fn with_one_of_three_down_it_alone_may_go_and_the_rest_is_refused_with_numbers() {
        let members = cluster(&[0, 0, 1]);
        assert_eq!(permit(&members, Change::Remove("2")), Ok(()));
        let refusal = |change| permit(&members, change).unwrap_err().why;
        assert_eq!(refusal(Change::AddLearner), "2 of 3 voters answer: `m2` does not");
        assert_eq!(refusal(Change::Remove("0")), "2 of 3 voters answer: `m2` does not");
        let paused = "while `m0` is held up, 1 of 3 voters answers, and a quorum needs 2";
        assert_eq!(refusal(Change::Pause("0")), paused);
        let members = cluster(&[0, 1, 1]);
        assert_eq!(
            permit(&members, Change::Remove("2")).unwrap_err().why,
            "nothing can be changed: 1 of 3 voters answers, and a quorum needs 2"
        );
    }

    #[test]
    fn a_learner_may_always_go_and_the_last_voter_never() {
        for kind in [2, 3, 4] {
            assert_eq!(permit(&cluster(&[0, kind]), Change::Remove("1")), Ok(()));
            assert_eq!(permit(&cluster(&[0, 0, 1, kind]), Change::Remove("3")), Ok(()));
            assert!(permit(&cluster(&[0, kind]), Change::AddLearner).unwrap_err().why.contains("learner already"));
        }
        let refusal = permit(&cluster(&[0, 2]), Change::Remove("0")).unwrap_err();
        assert_eq!(refusal.why, "`m0` is the last voter: without it there is no cluster");
        assert_eq!(permit(&cluster(&[0, 0]), Change::Remove("0")), Ok(()));
        assert_eq!(permit(&cluster(&[0]), Change::Remove("9")).unwrap_err().why, "`9` is no member");
    }

    #[test]
    fn only_a_learner_in_sync_is_promoted() {
        assert_eq!(permit(&cluster(&[0, 2]), Change::Promote("1")), Ok(()));
        let refusal = |kinds: &[usize]| permit(&cluster(kinds), Change::Promote("1")).unwrap_err().why;
        assert_eq!(refusal(&[0, 3]), "`m1` is not in sync");
        assert_eq!(refusal(&[0, 4]), "`m1` does not answer");
        assert_eq!(refusal(&[0, 0]), "`m1` votes already");
        assert_eq!(refusal(&[0, 2, 0, 1]), "2 of 3 voters answer: `m3` does not");
    }

    #[test]
    fn a_cluster_of_one_or_two_may_be_held_up() {
        assert_eq!(permit(&cluster(&[0]), Change::Pause("0")), Ok(()));
        assert_eq!(permit(&cluster(&[0, 0]), Change::Pause("1")), Ok(()));
        assert_eq!(permit(&cluster(&[0, 0, 0, 0, 1]), Change::Pause("1")), Ok(()));
    }
}
