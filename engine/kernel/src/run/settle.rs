//! What an undo has to come back for: a service that ran before is restarted once its files are back.
//!
//! That happens right after the last of the files, before anything else is taken back: what the service depends on came
//! before it in the run, and goes after it. One host follows the other, each ready before the next.

use std::collections::BTreeMap;
use std::time::Instant;

use futures::future::join_all;

use crate::error::Result;
use crate::journal::{ChangeState, Entry};
use crate::run::undo::{UndoPlan, Undoing, is_same, subject};
use crate::run::{Mode, Run};
use crate::steady::{steadily, steady};
use crate::uses::Uses;

impl Run {
    /// Settles what has nothing to wait for any more, one host after the other. Where one does not settle, its kind is
    /// left alone on the other hosts too: a second API server is not restarted while the first is not back.
    ///
    /// # Errors
    /// The first failure; what it concerns is stuck then.
    pub(super) async fn settle_due(&self, undoing: &Undoing<'_>) -> Result<()> {
        for change in due(undoing)? {
            let Err(error) = self.settle_one(undoing, change).await else { continue };
            for alike in undoing.plan.changes().filter(|other| same_kind(change, other)) {
                undoing.stuck.stays_with(alike, Uses::Everything);
            }
            return Err(error);
        }
        Ok(())
    }

    /// Finishes what had to wait until everything on its host was back, oldest change first on each host. A host
    /// on which something could not be taken back is not settled.
    pub(super) async fn settle(&self, undoing: &Undoing<'_>) -> Result<()> {
        let (stuck, mut hosts) = (undoing.stuck.hosts(), BTreeMap::<&str, Vec<&ChangeState>>::new());
        for change in undoing.plan.changes().filter(|change| !stuck.contains(&change.key.host)) {
            hosts.entry(&change.key.host).or_default().push(change);
        }
        let settled = join_all(hosts.into_values().map(async |mut changes| {
            changes.sort_by_key(|change| change.change);
            for change in changes {
                self.settle_one(undoing, change).await?;
            }
            Ok(())
        }));
        settled.await.into_iter().collect()
    }

    async fn settle_one(&self, undoing: &Undoing<'_>, change: &ChangeState) -> Result<()> {
        let Undoing { registry, journal, plan, .. } = *undoing;
        let (verb, since) = (registry.get(&change.key.op)?, Instant::now());
        if !verb.settles() || plan.progress.is_settled(change) {
            return Ok(());
        }
        self.interrupted()?;
        if plan.earlier.contains_key(&change.change) {
            journal.append(vec![Entry::Settled { change: change.change, remains: Vec::new() }]).await?;
            plan.progress.settled(change.change);
            return Ok(());
        }
        let host = self.hosts.get(&change.key.host)?;
        let result = async {
            if let Mode::Apply { holder, .. } = &self.mode {
                self.enter(&host, holder).await?;
            }
            let first = first_of(plan, change);
            steady(verb.name(), verb.settle(&host, first, change, &change.keep(&self.id))).await
        };
        match result.await {
            Ok(remains) => {
                self.remain(&change.key.host, &remains);
                journal.append(vec![Entry::Settled { change: change.change, remains }]).await?;
                plan.progress.settled(change.change);
                Ok(())
            }
            Err(error) => self.fail(&change.key, error, since),
        }
    }
}

/// The run's first change of the same thing: what it saw was there before the run.
fn first_of<'a>(plan: &'a UndoPlan, change: &'a ChangeState) -> &'a ChangeState {
    plan.first.get(&subject(change)).unwrap_or(change)
}

fn same_kind(a: &ChangeState, b: &ChangeState) -> bool {
    (&a.key.op, &a.key.target) == (&b.key.op, &b.key.target)
}

/// What is taken back but for its end, and awaits nothing that is not; by host, the oldest first.
fn due<'a>(undoing: &Undoing<'a>) -> Result<Vec<&'a ChangeState>> {
    let (plan, stuck) = (undoing.plan, undoing.stuck.whole_hosts());
    let mut due = Vec::new();
    for change in plan.changes().filter(|change| !stuck.contains(&change.key.host)) {
        let verb = undoing.registry.get(&change.key.op)?;
        if !verb.settles() || !plan.progress.is_taken(change) || plan.progress.is_settled(change) {
            continue;
        }
        let awaited = steadily(verb.name(), || verb.awaits(first_of(plan, change), change))?;
        let is_awaited = |target: &str| awaited.iter().any(|path| is_same(path, target));
        let mut left =
            plan.changes().filter(|other| other.key.host == change.key.host && !plan.progress.is_taken(other));
        if !awaited.is_empty() && !left.any(|other| is_awaited(&other.key.target)) {
            due.push(change);
        }
    }
    due.sort_by_key(|change| (&change.key.host, change.change));
    Ok(due)
}
