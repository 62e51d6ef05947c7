//! State ops: observe, plan, journal, apply. Nothing else calls [`Op::apply`].

use std::sync::Arc;
use std::time::Instant;

use futures::future::{join, join_all, try_join_all};

use crate::diff::Diff;
use crate::error::{Error, Kind, Result};
use crate::event::{Change as Told, Event, Level, Status};
use crate::host::Host;
use crate::journal::{Entry, Journal, Key};
use crate::op::{Change, Op, Plan};
use crate::overlay::Effect;
use crate::patience::answered;
use crate::run::turn::Turn;
use crate::run::{Call, Mode, Place, Results, Run};
use crate::steady::{steadily, steady};
use crate::value::Value;
use crate::verb::encode;

impl Run {
    /// Makes the ops true on all hosts, which work in parallel; on one host the ops of a call are observed together
    /// and applied in order. Every host finishes or fails by itself. Calls beside each other that are about the same
    /// thing on the same host wait for each other.
    pub async fn ensure<O: Op>(&self, place: &Place, hosts: &[Arc<Host>], ops: &[O]) -> Results {
        let _targets = self.targets.lock(hosts, ops).await;
        let (call, turn) = (self.next_call(place), Turn::of(hosts));
        join_all(hosts.iter().map(async |host| {
            let _fork = self.hosts.fork().await;
            let result = self.ensure_on(place, &call, &turn, host, ops).await;
            turn.over(host);
            (host.clone(), result.map(|changed| Value::map([("changed", Value::Boolean(changed))])))
        }))
        .await
    }

    async fn ensure_on<O: Op>(
        &self,
        place: &Place,
        call: &Call,
        turn: &Turn,
        host: &Arc<Host>,
        ops: &[O],
    ) -> Result<bool> {
        self.interrupted()?;
        let keys: Vec<Key> = ops.iter().map(|op| self.key(place, O::NAME, host.name(), &op.target())).collect();
        let Some(first) = keys.first() else { return Ok(false) };
        let since = Instant::now();
        if let (Err(error), ()) = join(self.lock(turn, host), reach_peers(host, ops)).await {
            return self.fail(first, error, since);
        }
        let observed = try_join_all(ops.iter().map(|op| observe(host, op))).await;
        let states = match observed {
            Ok(states) => states,
            Err(error) => return self.fail(first, error, since),
        };
        let mut changed = false;
        for ((op, key), state) in ops.iter().zip(&keys).zip(states) {
            changed |= self.ensure_one(call, key, host, op, state).await?;
        }
        Ok(changed)
    }

    async fn lock(&self, turn: &Turn, host: &Host) -> Result<()> {
        match &self.mode {
            Mode::Apply { holder, .. } => turn.lock(self, host, holder).await,
            Mode::Plan => Ok(()),
        }
    }

    async fn ensure_one<O: Op>(&self, call: &Call, key: &Key, host: &Host, op: &O, state: O::State) -> Result<bool> {
        match self.ensure_once(call, key, host, op, state).await {
            // Somebody else changed it in between: theirs is what is changed now.
            Err(Halted::Overtaken(error)) => {
                let message = format!("{}; it is looked at again", error.message());
                self.events.log(Level::Warning, Some(host.name()), message);
                let since = Instant::now();
                let state = match observe(host, op).await {
                    Ok(state) => state,
                    Err(error) => return self.fail(key, error, since),
                };
                match self.ensure_once(call, key, host, op, state).await {
                    Err(Halted::Overtaken(error)) => self.fail(key, error, since),
                    result => result.map_err(Halted::into_error),
                }
            }
            result => result.map_err(Halted::into_error),
        }
    }

    async fn ensure_once<O: Op>(
        &self,
        call: &Call,
        key: &Key,
        host: &Host,
        op: &O,
        state: O::State,
    ) -> Result<bool, Halted> {
        let since = Instant::now();
        let planned = steadily(O::NAME, || {
            let state = if self.is_plan() { op.assume(state, &host.overlay()) } else { state };
            op.plan(&state)
        });
        let change = match planned {
            Ok(Plan::Change(change)) => change,
            Ok(Plan::Unchanged) => {
                self.tell(Told { seconds: since.elapsed().as_secs_f64(), ..self.told(key, Status::Unchanged) });
                return Ok(false);
            }
            Err(error) => return self.fail(key, error, since).map_err(Halted::Told),
        };
        match &self.mode {
            Mode::Plan => self.show(key, host, change),
            Mode::Apply { journal, .. } => match self.apply(journal, call, key, host, op, change, since).await {
                Err(error) if error.kind() == Kind::Drift => return Err(Halted::Overtaken(error.on(host.name()))),
                Err(error) => return self.fail(key, error, since).map_err(Halted::Told),
                Ok(()) => {}
            },
        }
        Ok(true)
    }

    fn show<B>(&self, key: &Key, host: &Host, change: Change<B>) {
        for effect in change.effects {
            match effect {
                // Which hosts there are was looked at with the call.
                Effect::On(name, effect) => drop(host.peer(&name).map(|peer| peer.overlay().record(*effect))),
                effect => host.overlay().record(effect),
            }
        }
        self.tell(Told { summary: change.summary, diff: change.diff, ..self.told(key, Status::Planned) });
    }

    #[expect(clippy::too_many_arguments, reason = "the one place where all that a change is made of comes together")]
    async fn apply<O: Op>(
        &self,
        journal: &Journal,
        call: &Call,
        key: &Key,
        host: &Host,
        op: &O,
        planned: Change<O::Before>,
        since: Instant,
    ) -> Result<()> {
        self.interrupted()?;
        self.guards.check().await?;
        let (change, keep) = self.next_keep();
        let started = Entry::Started {
            change,
            call: call.number,
            key: key.clone(),
            arguments: encode(O::NAME, op)?,
            before: encode(O::NAME, &planned.before)?,
            reversible: op.is_reversible(),
            together: call.together.clone(),
            nonce: keep.nonce.clone(),
            summary: planned.summary.clone(),
            diff: planned.diff.as_ref().map(Diff::journalled),
        };
        journal.append(self.machines.introduce(&key.host).into_iter().chain([started]).collect()).await?;
        self.touch();
        if self.past.made(key) {
            let message = format!("`{}` is no longer as this run left it, and is made so again", key.target);
            self.events.log(Level::Warning, Some(&key.host), message);
        }
        let (host_name, op_name, target) = (key.host.clone(), key.op.clone(), key.target.clone());
        self.events.send(Event::ChangeStarted { host: host_name, op: op_name, target });
        let applied = steady(O::NAME, op.apply(host, &planned.before, &keep)).await;
        let seconds = since.elapsed().as_secs_f64();
        match applied {
            Ok(()) => {
                journal.note(vec![Entry::Succeeded { change, result: serde_json::Value::Null, seconds }]);
                let told = self.told(key, Status::Changed);
                self.tell(Told { summary: planned.summary, diff: planned.diff, seconds, ..told });
                Ok(())
            }
            Err(error) => {
                journal.append(vec![Entry::Failed { change, error: (&error).into() }]).await?;
                Err(error)
            }
        }
    }
}

async fn observe<O: Op>(host: &Host, op: &O) -> Result<O::State> {
    answered(host, O::NAME, Some(op.patience()), steady(O::NAME, op.observe(host))).await
}

/// Why an op came to no end.
enum Halted {
    /// Somebody else was faster; nothing of it was changed, and nobody was told.
    Overtaken(Error),
    /// It failed, and that was told.
    Told(Error),
}

impl Halted {
    fn into_error(self) -> Error {
        match self {
            Halted::Overtaken(error) | Halted::Told(error) => error,
        }
    }
}

/// Connects the other hosts that the ops will ask while the lock is taken. One that cannot be reached is told by
/// whoever asks it.
async fn reach_peers<O: Op>(host: &Host, ops: &[O]) {
    let peers = ops.iter().flat_map(Op::peers).filter_map(|name| host.peer(&name).ok());
    join_all(peers.map(async |peer| peer.reach().await)).await;
}
