//! Actions: ask whether they are done, journal, do once.

use std::sync::Arc;
use std::time::Instant;

use futures::future::join_all;

use crate::action::Action;
use crate::error::Result;
use crate::event::{Change as Told, Event, Status};
use crate::host::Host;
use crate::journal::{ChangeState, Entry, Journal, Key};
use crate::overlay::Effect;
use crate::patience::answered;
use crate::run::past::{self, Decision, Earlier, Unfinished};
use crate::run::turn::Turn;
use crate::run::{Call, Mode, Place, Results, Run};
use crate::steady::steady;
use crate::value::{Unknown, Value};
use crate::verb::encode;

impl Run {
    /// Does an action once on each host, all in parallel. Every host finishes or fails by itself.
    pub async fn act<A: Action>(&self, place: &Place, hosts: &[Arc<Host>], action: &A) -> Results {
        let (call, turn) = (self.next_call(place), Turn::of(hosts));
        join_all(hosts.iter().map(async |host| {
            let _fork = self.hosts.fork().await;
            let result = self.act_on(place, &call, &turn, host, action).await;
            turn.over(host);
            (host.clone(), result)
        }))
        .await
    }

    async fn act_on<A: Action>(
        &self,
        place: &Place,
        call: &Call,
        turn: &Turn,
        host: &Arc<Host>,
        action: &A,
    ) -> Result<Value> {
        self.interrupted()?;
        let since = Instant::now();
        let key = self.key(place, A::NAME, host.name(), &action.target());
        let result = match &self.mode {
            Mode::Plan => self.plan_action(&key, host, action, since).await,
            Mode::Apply { journal, holder } => match self.past.action(&key) {
                Earlier::Done(change) => Ok(self.recall(&key, change, since)),
                _ => match turn.lock(self, host, holder).await {
                    Ok(()) => self.do_once(journal, call, &key, host, action, since).await,
                    Err(error) => Err(error),
                },
            },
        };
        result.or_else(|error| self.fail(&key, error, since))
    }

    /// A plan asks `unless` too, unless something planned on the host could change the answer.
    async fn plan_action<A: Action>(&self, key: &Key, host: &Host, action: &A, since: Instant) -> Result<Value> {
        let untouched = host.overlay().is_empty();
        if untouched && is_done(host, action).await? == Some(true) {
            return Ok(self.skip(key, since));
        }
        host.overlay().record(Effect::Opaque(format!("`{}`", A::NAME.replace('.', "::"))));
        self.tell(self.told(key, Status::Planned));
        let origin = format!("the result of `{}` on `{}`", A::NAME.replace('.', "::"), host.name());
        Ok(Value::Unknown(Unknown { origin }))
    }

    async fn do_once<A: Action>(
        &self,
        journal: &Journal,
        call: &Call,
        key: &Key,
        host: &Host,
        action: &A,
        since: Instant,
    ) -> Result<Value> {
        let done = is_done(host, action).await?;
        if done == Some(true) {
            return Ok(self.skip(key, since));
        }
        self.interrupted()?;
        self.guards.check().await?;
        // A repeated one is taken back to what was there before its first attempt.
        let before = match self.past.action(key) {
            Earlier::Unknown(change) => change.before.clone(),
            _ => look_before(host, action).await?,
        };
        let change = self.next_change();
        let started = Entry::Started {
            change,
            call: call.number,
            key: key.clone(),
            arguments: encode(A::NAME, action)?,
            before,
            reversible: action.inverse().is_some(),
            together: call.together.clone(),
            nonce: String::new(),
            summary: String::new(),
            diff: None,
        };
        let introduced = self.machines.introduce(&key.host);
        if done.is_none() && !action.repeatable() && self.decide(key)? == Decision::Done {
            let taken = Entry::Succeeded { change, result: serde_json::Value::Null, seconds: 0.0 };
            journal.append(introduced.into_iter().chain([started, taken]).collect()).await?;
            return Ok(self.skip(key, since));
        }
        journal.append(introduced.into_iter().chain([started]).collect()).await?;
        self.touch();
        let (host_name, op, target) = (key.host.clone(), key.op.clone(), key.target.clone());
        self.events.send(Event::ChangeStarted { host: host_name, op, target });
        self.finished(journal, change, key, steady(A::NAME, action.perform(host)).await, since).await
    }

    async fn finished(
        &self,
        journal: &Journal,
        change: u64,
        key: &Key,
        result: Result<Value>,
        since: Instant,
    ) -> Result<Value> {
        let seconds = since.elapsed().as_secs_f64();
        match result {
            Ok(value) => {
                // The end of an action is waited for: without it the next attempt could not know that it is done.
                journal.append(vec![Entry::Succeeded { change, result: value.journalled(), seconds }]).await?;
                self.tell(Told { seconds, ..self.told(key, Status::Changed) });
                Ok(value)
            }
            Err(error) => {
                journal.append(vec![Entry::Failed { change, error: (&error).into() }]).await?;
                Err(error)
            }
        }
    }

    /// An action is done again after an attempt whose end is not known only where somebody says so.
    fn decide(&self, key: &Key) -> Result<Decision> {
        let Earlier::Unknown(change) = self.past.action(key) else { return Ok(Decision::Repeat) };
        self.past.decide.decide(&Unfinished { run: &self.id, key, begun: change.started })
    }

    /// What an earlier attempt did stays done, and gives what it gave then.
    fn recall(&self, key: &Key, change: &ChangeState, since: Instant) -> Value {
        self.skip(key, since);
        past::recalled(change)
    }

    fn skip(&self, key: &Key, since: Instant) -> Value {
        self.tell(Told { seconds: since.elapsed().as_secs_f64(), ..self.told(key, Status::Skipped) });
        Value::Null
    }
}

/// A host that hangs does not hold the run.
async fn is_done<A: Action>(host: &Host, action: &A) -> Result<Option<bool>> {
    let question = format!("{} (whether it is done)", A::NAME);
    answered(host, &question, action.patience(), steady(A::NAME, action.done(host))).await
}

async fn look_before<A: Action>(host: &Host, action: &A) -> Result<serde_json::Value> {
    let question = format!("{} (how it was before)", A::NAME);
    answered(host, &question, action.patience(), steady(A::NAME, action.before(host))).await
}
