//! Undo: the journal backwards, each change verified.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use futures::future::join_all;

use crate::error::{Error, Kind, Result};
use crate::event::{Change as Told, Level, Status};
use crate::identity::Identity;
use crate::journal::{ChangeState, Entry, Guarded, Journal, Phase, RunFolder, State, Store};
use crate::registry::Registry;
use crate::run::machines::REPLACED;
use crate::run::progress::Progress;
use crate::run::stuck::Stuck;
use crate::run::{Mode, Run};
use crate::steady::{steadily, steady};
use crate::uses::{Uses, is_within};
use crate::verb::{Kin, Undone};

/// What an undo has to take back, newest first.
#[derive(Clone, Debug, Default)]
pub struct UndoPlan {
    /// Changes by call, newest call first; those of one call are on different hosts or targets.
    pub calls: Vec<Vec<ChangeState>>,
    /// Changes that are taken back, but for what had to wait for the end; an undo that broke off leaves them.
    pub unsettled: Vec<ChangeState>,
    /// How far it is.
    pub(super) progress: Progress,
    /// What others are kept away from meanwhile.
    pub guards: Vec<Guarded>,
    is_held: bool,
    /// Changes that nothing takes back; of one that was made again, the last.
    pub irreversible: Vec<ChangeState>,
    /// Where something was kept, also by what is taken back already; not on machines that are no more.
    hosts: BTreeSet<String>,
    /// Who the hosts were.
    machines: BTreeMap<String, Identity>,
    /// By change, the next one of the same call in a later attempt.
    again: BTreeMap<u64, ChangeState>,
    /// The other way round: what was before the run, only the first of its kind knows.
    pub(super) earlier: BTreeMap<u64, ChangeState>,
    /// By op, host and target, the run's first change of it.
    pub(super) first: BTreeMap<Subject, ChangeState>,
}

/// Op, host and target: what changes have in common that two calls make of one thing.
pub(super) type Subject = (String, String, String);

pub(super) fn subject(change: &ChangeState) -> Subject {
    (change.key.op.clone(), change.key.host.clone(), change.key.target.clone())
}

impl UndoPlan {
    /// What is left to take back of a run.
    pub fn of(state: &State) -> UndoPlan {
        let again = state.made_again();
        let reversible = state.changes.values().filter(|change| change.reversible);
        let is_there = |host: &String| !state.given_up.contains(host);
        let hosts = reversible.map(|change| change.key.host.clone()).filter(is_there).collect();
        let guards = state.guards.iter().filter(|guarded| is_there(&guarded.host)).cloned().collect();
        let died = !state.undoing && state.attempts.last().is_some_and(|attempt| attempt.outcome.is_none());
        let machines = state.hosts.clone();
        let mut plan = UndoPlan { guards, hosts, machines, ..UndoPlan::default() };
        plan.is_held = died && !plan.guards.is_empty();
        let mut calls: BTreeMap<u64, Vec<ChangeState>> = BTreeMap::new();
        for change in state.changes.values() {
            plan.first.entry(subject(change)).or_insert_with(|| change.clone());
        }
        for change in state.changes.values().rev().filter(|change| !change.phase.is_over()) {
            if change.phase == Phase::Unsettled {
                plan.unsettled.push(change.clone());
            } else if change.reversible {
                calls.entry(change.call).or_default().push(change.clone());
            } else if !again.contains_key(&change.change) {
                plan.irreversible.push(change.clone());
            }
        }
        plan.calls = calls.into_values().rev().collect();
        let earlier = again.iter().map(|(change, later)| (later.change, state.changes[change].clone()));
        plan.earlier = earlier.collect();
        plan.again = again.into_iter().map(|(change, later)| (change, later.clone())).collect();
        plan
    }

    /// True when nothing is left to take back.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.unsettled.is_empty()
    }

    /// True when the run died with its guards: what says that it has them is still there.
    pub fn is_held(&self) -> bool {
        self.is_held
    }

    /// How many changes are left to take back.
    pub fn len(&self) -> usize {
        self.calls.iter().map(Vec::len).sum()
    }

    /// All that is left, in no order.
    pub(super) fn changes(&self) -> impl Iterator<Item = &ChangeState> {
        self.calls.iter().flatten().chain(&self.unsettled)
    }

    /// Refuses while a later run builds on what this one changed: the same target, or one below it, on the same host.
    ///
    /// # Errors
    /// `undo.built_upon`, naming the later run.
    pub fn refuse_if_built_upon(&self, store: &Store, run: &str) -> Result<()> {
        for later in store.later_than(run)? {
            let folder = store.look(&later)?;
            let state = folder.state().map_err(|error| unreadable(run, &folder, error))?;
            let standing = state.changes.values().filter(|change| !change.phase.is_over() && change.reversible);
            for change in standing {
                if self.changes().any(|ours| touches_same(ours, change)) {
                    let (target, host) = (&change.key.target, &change.key.host);
                    let message = format!("run {later} changed `{target}` on `{host}` after run {run}");
                    let hint = match state.forgotten {
                        None => format!("undo the later run first: `haengine undo {later}`"),
                        Some(_) => {
                            format!("change it back by hand: run {later} was forgotten; then `haengine forget {run}`")
                        }
                    };
                    return Err(Error::new(Kind::Refused, "undo.built_upon", message).hint(hint));
                }
            }
        }
        Ok(())
    }
}

fn unreadable(run: &str, later: &RunFolder, error: Error) -> Error {
    let message = format!("run {} came after run {run} and may build on it: its journal cannot be read", later.id);
    let hint = format!("mend it, or move {} away if you know that it does not", later.path.display());
    Error::new(Kind::Refused, "undo.unreadable", message).hint(hint).because(error)
}

fn touches_same(a: &ChangeState, b: &ChangeState) -> bool {
    a.key.host == b.key.host && is_same(&a.key.target, &b.key.target)
}

/// True where two targets are the same, or one is a path below the other.
pub(super) fn is_same(ours: &str, theirs: &str) -> bool {
    ours == theirs || (ours.starts_with('/') && (is_within(ours, theirs) || is_within(theirs, ours)))
}

/// What all parts of one undo share.
pub(super) struct Undoing<'a> {
    pub(super) registry: &'a Registry,
    pub(super) journal: &'a Journal,
    pub(super) plan: &'a UndoPlan,
    pub(super) stuck: &'a Stuck,
    /// Why hosts could not be looked at, until somebody is told.
    unreached: &'a Mutex<HashMap<String, Error>>,
}

impl Run {
    /// Takes back what `plan` lists. What could not be taken back is left as it was found, and what came before it and is
    /// used by it stays too, since it may be needed; everything else goes on. The next undo tries it again.
    ///
    /// # Errors
    /// `host.replaced` when a host is another machine by now, before anything is touched; else the first failure, after all
    /// hosts have come as far as they can.
    pub async fn undo(&self, registry: &Registry, plan: &UndoPlan) -> Result<()> {
        let Mode::Apply { journal, .. } = &self.mode else { return Ok(()) };
        let unreached = Mutex::new(self.look_at_all(plan).await?);
        self.guard_again(registry, plan).await?;
        let stuck = Stuck::new(plan);
        let undoing = Undoing { registry, journal, plan, stuck: &stuck, unreached: &unreached };
        let mut first = self.settle_due(&undoing).await.err();
        for call in &plan.calls {
            self.interrupted()?;
            self.guards.lost()?;
            let results = join_all(by_host(call).into_iter().map(|changes| self.undo_host(&undoing, changes)));
            for error in results.await.into_iter().filter_map(Result::err) {
                first.get_or_insert(error);
            }
            if let Err(error) = self.settle_due(&undoing).await {
                first.get_or_insert(error);
            }
        }
        for (host, text) in stuck.passed() {
            self.events.log(Level::Warning, Some(&host), text);
        }
        let settled = self.settle(&undoing).await;
        match first {
            Some(error) => Err(error),
            None => {
                settled?;
                self.release(plan).await
            }
        }
    }

    /// Lets go what the run died with, where there is nothing to take back. The run stays what it is, and can be resumed.
    ///
    /// # Errors
    /// When a guard cannot be reached. One that another run has by now is not ours to let go.
    pub async fn let_go(&self, registry: &Registry, plan: &UndoPlan) -> Result<()> {
        self.look_at_all(plan).await?;
        let mut reached = Ok(());
        for guarded in &plan.guards {
            let host = self.hosts.get(&guarded.host)?;
            match registry.get(&guarded.op)?.guard(self, &host, &guarded.arguments).await {
                Err(error) if error.kind() != Kind::Locked => reached = Err(error),
                _ => {}
            }
        }
        self.guards.release().await;
        self.hosts.close().await;
        reached
    }

    /// All that is reached is still what it was.
    async fn look_at_all(&self, plan: &UndoPlan) -> Result<HashMap<String, Error>> {
        self.machines.learn(&plan.machines);
        let names = plan.hosts.iter().chain(plan.guards.iter().map(|guarded| &guarded.host));
        let names: BTreeSet<&str> = names.map(String::as_str).collect();
        self.look_at(names.into_iter()).await
    }

    /// What the run kept others away from, its undo does too. Where that is broken by now, the undo goes on without.
    async fn guard_again(&self, registry: &Registry, plan: &UndoPlan) -> Result<()> {
        for guarded in &plan.guards {
            let host = self.hosts.get(&guarded.host)?;
            match registry.get(&guarded.op)?.guard(self, &host, &guarded.arguments).await {
                Err(error) if matches!(error.kind(), Kind::Locked | Kind::Cancelled) => return Err(error),
                Err(error) => {
                    let message = format!("goes on without `{}`: {}", guarded.op.replace('.', "::"), error.message());
                    self.events.log(Level::Warning, Some(host.name()), message);
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// The changes of one call on one host. All of them are tried; the first error is the host's.
    async fn undo_host(&self, undoing: &Undoing<'_>, changes: Vec<&ChangeState>) -> Result<()> {
        let mut first = Ok(());
        for change in changes {
            let verb = undoing.registry.get(&change.key.op)?;
            let uses = steadily(verb.name(), || Ok(verb.uses(change))).unwrap_or(Uses::Everything);
            if undoing.stuck.passes_by(change, &uses) {
                continue;
            }
            if let Err(error) = self.undo_one(undoing, change).await {
                // A host that cannot be reached, or is somebody else's now, is not asked again for each of its changes.
                undoing.stuck.stays_with(change, if is_of_host(&error) { Uses::Everything } else { uses });
                if error.kind() == Kind::Cancelled {
                    return Err(error);
                }
                first = first.and(Err(error));
            }
        }
        first
    }

    async fn undo_one(&self, undoing: &Undoing<'_>, change: &ChangeState) -> Result<()> {
        let Undoing { registry, journal, .. } = undoing;
        let (number, since) = (change.change, Instant::now());
        let result = self.take_back(undoing, change).await;
        match result {
            Ok(Undone { restored, remains }) => {
                let unsettled = registry.get(&change.key.op)?.settles();
                journal.append(vec![Entry::Undone { change: number, unsettled, remains: remains.clone() }]).await?;
                undoing.plan.progress.took(number);
                let status = if restored { Status::Changed } else { Status::Unchanged };
                let summary = if restored { "restored" } else { "was as before" }.to_owned();
                self.remain(&change.key.host, &remains);
                self.tell(Told { summary, seconds: since.elapsed().as_secs_f64(), ..self.told(&change.key, status) });
                Ok(())
            }
            Err(error) if error.kind() == Kind::Cancelled => Err(error),
            Err(error) => {
                if !is_of_host(&error) {
                    // Something of the run stays that should not: that is no refusal.
                    self.touch();
                }
                let error = error.on(&change.key.host);
                journal
                    .append(vec![
                        Entry::UndoStarted { change: number },
                        Entry::UndoFailed { change: number, error: (&error).into() },
                    ])
                    .await?;
                self.fail(&change.key, error, since)
            }
        }
    }

    async fn take_back(&self, undoing: &Undoing<'_>, change: &ChangeState) -> Result<Undone> {
        let Undoing { registry, journal, plan, .. } = undoing;
        let verb = registry.get(&change.key.op)?;
        let unreached = undoing.unreached.lock().unwrap_or_else(PoisonError::into_inner).remove(&change.key.host);
        if let Some(error) = unreached {
            return Err(error);
        }
        let host = self.hosts.get(&change.key.host)?;
        if let Mode::Apply { holder, .. } = &self.mode {
            self.enter(&host, holder).await?;
        }
        journal.append(vec![Entry::UndoStarted { change: change.change }]).await?;
        let kin = Kin { earlier: plan.earlier.get(&change.change), later: plan.again.get(&change.change) };
        let undone = steady(verb.name(), verb.undo(&host, change, kin, &change.keep(&self.id))).await?;
        if undone.restored {
            self.touch();
        }
        Ok(undone)
    }

    /// Nothing is left to take back, so nothing that was kept for it is needed. What was moved aside waits for `forget`.
    async fn release(&self, plan: &UndoPlan) -> Result<()> {
        let command = self.releasing();
        let released = plan.hosts.iter().map(async |name| {
            let host = self.hosts.get(name)?;
            self.recognise(&host).await?;
            host.ok(&command).await
        });
        let released = join_all(released).await;
        for error in released.into_iter().filter_map(Result::err) {
            self.events.log(Level::Warning, error.host(), format!("kept files are still there: {}", error.message()));
        }
        Ok(())
    }
}

/// True for what is wrong with a host, and not with one change on it.
fn is_of_host(error: &Error) -> bool {
    let kinds = [Kind::Unreachable, Kind::Locked, Kind::Cancelled, Kind::Local];
    kinds.contains(&error.kind()) || error.code() == REPLACED
}

/// Changes of one call, by host, newest first on each.
fn by_host(call: &[ChangeState]) -> Vec<Vec<&ChangeState>> {
    let mut hosts: BTreeMap<&str, Vec<&ChangeState>> = BTreeMap::new();
    for change in call {
        hosts.entry(&change.key.host).or_default().push(change);
    }
    hosts.into_values().collect()
}
