//! Equal results of several hosts, held for a moment so that they can share a line.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use haengine_kernel::event::{Change, Status};

/// How long a result waits for the same result of other hosts.
const SHORT: Duration = Duration::from_millis(100);

/// How long it waits when another host is still at the same change.
const LONG: Duration = Duration::from_secs(2);

/// Results that read alike.
#[derive(Debug)]
pub struct Group {
    /// The first of them; the others differ in host and seconds.
    pub change: Change,
    /// Their hosts, in the order of their names.
    pub hosts: Vec<String>,
    /// The longest of their times.
    pub seconds: f64,
    since: Instant,
}

/// Groups that still wait, and what is under way.
#[derive(Default)]
pub struct Groups {
    waiting: VecDeque<Group>,
    /// How many hosts are at each op and target.
    running: HashMap<(String, String), usize>,
}

impl Groups {
    /// A host is at a change.
    pub fn start(&mut self, op: &str, target: &str) {
        *self.running.entry((op.to_owned(), target.to_owned())).or_default() += 1;
    }

    /// A host is done with a change.
    pub fn end(&mut self, change: &Change) {
        let key = (change.op.clone(), change.target.clone());
        if let Some(count) = self.running.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.running.remove(&key);
            }
        }
    }

    /// Takes a result.
    pub fn add(&mut self, change: Change, now: Instant) {
        match self.waiting.iter_mut().find(|group| group.is_like(&change)) {
            Some(group) => {
                group.seconds = group.seconds.max(change.seconds);
                group.hosts.push(change.host);
            }
            None => {
                let (hosts, seconds) = (vec![change.host.clone()], change.seconds);
                self.waiting.push_back(Group { change, hosts, seconds, since: now });
            }
        }
    }

    /// The groups that have waited long enough, oldest first.
    pub fn ripe(&mut self, now: Instant) -> Vec<Group> {
        let count = self.waiting.iter().take_while(|group| self.ripens(group) <= now).count();
        self.waiting.drain(..count).map(Group::sorted).collect()
    }

    /// All groups, oldest first.
    pub fn all(&mut self) -> Vec<Group> {
        self.waiting.drain(..).map(Group::sorted).collect()
    }

    /// When the next group will have waited long enough.
    pub fn due(&self) -> Option<Instant> {
        self.waiting.front().map(|group| self.ripens(group))
    }

    fn ripens(&self, group: &Group) -> Instant {
        let others = self.running.contains_key(&(group.change.op.clone(), group.change.target.clone()));
        group.since + if others { LONG } else { SHORT }
    }
}

impl Group {
    /// Which host was first is chance; readers look for names.
    fn sorted(mut self) -> Group {
        self.hosts.sort_by_cached_key(|host| natural(host));
        self
    }

    fn is_like(&self, other: &Change) -> bool {
        let one = &self.change;
        // A failure of each host is told by itself: its causes and its host belong together.
        let failed = matches!(one.status, Status::Failed | Status::Unreachable);
        !failed
            && one.status == other.status
            && one.op == other.op
            && one.target == other.target
            && one.step == other.step
            && one.summary == other.summary
            && one.diff == other.diff
            && !self.hosts.contains(&other.host)
    }
}

/// Words and numbers of a name in turn, so that `m2` comes before `m10`.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts: Vec<(String, u64)> = vec![Default::default()];
    let mut in_number = false;
    for letter in name.chars() {
        let digit = letter.to_digit(10);
        if in_number && digit.is_none() {
            parts.push(Default::default());
        }
        in_number = digit.is_some();
        if let Some((word, number)) = parts.last_mut() {
            match digit {
                Some(digit) => *number = number.saturating_mul(10).saturating_add(digit.into()),
                None => word.push(letter),
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(host: &str, status: Status) -> Change {
        Change {
            host: host.into(),
            op: "file.put".into(),
            target: "/etc/x".into(),
            status,
            step: String::new(),
            summary: String::new(),
            diff: None,
            seconds: 0.1,
            error: None,
        }
    }

    #[test]
    fn equal_results_share_a_group_and_others_do_not() {
        let (mut groups, now) = (Groups::default(), Instant::now());
        for host in ["m1", "m2"] {
            groups.add(change(host, Status::Changed), now);
            groups.add(change(host, Status::Failed), now);
        }
        // The same host again is another change that reads alike.
        groups.add(change("m1", Status::Changed), now);
        let hosts: Vec<Vec<String>> = groups.all().into_iter().map(|group| group.hosts).collect();
        assert_eq!(hosts, [vec!["m1", "m2"], vec!["m1"], vec!["m2"], vec!["m1"]]);
    }

    #[test]
    fn hosts_are_in_the_order_of_their_names() {
        let (mut groups, now) = (Groups::default(), Instant::now());
        for host in ["worker1", "master10", "master2", "a"] {
            groups.add(change(host, Status::Changed), now);
        }
        assert_eq!(groups.all()[0].hosts, ["a", "master2", "master10", "worker1"]);
    }

    #[test]
    fn a_result_waits_for_hosts_that_are_at_the_same_change() {
        let (mut groups, now) = (Groups::default(), Instant::now());
        groups.start("file.put", "/etc/x");
        groups.add(change("m1", Status::Changed), now);
        assert_eq!(groups.due(), Some(now + LONG));
        assert!(groups.ripe(now + SHORT).is_empty());
        groups.end(&change("m2", Status::Changed));
        groups.add(change("m2", Status::Changed), now);
        assert_eq!(groups.ripe(now + SHORT)[0].hosts, ["m1", "m2"]);
        assert_eq!(groups.due(), None);
    }
}
