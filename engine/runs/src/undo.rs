//! Every host as it was before a run.

use std::collections::BTreeSet;
use std::sync::Arc;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::event::Level;
use haengine_kernel::harmless::one_line;
use haengine_kernel::host::Hosts;
use haengine_kernel::journal::{Entry, RunFolder, State};
use haengine_kernel::run::{Run, UndoPlan};
use haengine_kernel::steady::steady;
use haengine_script::Fault;

use crate::count::changes;
use crate::end::{End, finish, nothing};
use crate::person::Person;
use crate::prepare::Refusal;
use crate::runs::Runs;

/// The code of the refusal of a person who was asked.
pub const DECLINED: &str = "undo.declined";

/// How a run is taken back.
#[derive(Default)]
pub(crate) struct How<'a> {
    /// Whether somebody is asked first.
    pub ask: bool,
    /// The hosts whose machines are no more.
    pub replaced: &'a [String],
}

impl Runs<'_> {
    /// Takes a run back, but for what was on the machines of `replaced`, which are no more.
    ///
    /// # Errors
    /// When nothing was begun: what is begun and fails is told, and the end says so.
    pub async fn undo(&self, run: &str, replaced: &[String]) -> Result<End, Refusal> {
        let folder = self.store.enter(run.to_owned())?;
        self.go_back(&folder, || self.hosts_of(&folder), How { ask: true, replaced }).await
    }

    /// Takes the run of this folder back, which is alive in this process.
    ///
    /// # Errors
    /// As [`undo`](Runs::undo).
    pub(crate) async fn go_back(
        &self,
        folder: &RunFolder,
        hosts: impl FnOnce() -> Result<Arc<Hosts>>,
        how: How<'_>,
    ) -> Result<End, Refusal> {
        let (person, id, state) = (self.workshop.person.as_ref(), folder.id.as_str(), folder.state()?);
        if let Some(when) = state.forgotten {
            return Err(forgotten(id, when).into());
        }
        let (state, lost) = without(id, state, how.replaced)?;
        let plan = UndoPlan::of(&state);
        plan.refuse_if_built_upon(&self.store, id)?;
        person.begin(id, "undo", state.recipe());
        tell_irreversible(person, &plan);
        if plan.is_empty() && !plan.is_held() && lost == 0 {
            return Ok(nothing(person, id, NOTHING));
        }
        if how.ask && (!plan.is_empty() || lost > 0) {
            agree(person, &plan, lost, how.replaced)?;
        }
        let journal = self.journal(folder)?;
        if lost > 0 {
            journal.append(given_up(how.replaced, &self.workshop.operator)).await?;
            let message = format!("gave up {} on {}", changes(lost), how.replaced.join(", "));
            person.events().log(Level::Warning, None, message);
        }
        if plan.is_empty() && !plan.is_held() {
            return Ok(nothing(person, id, NOTHING));
        }
        let mode = self.apply(folder, journal);
        let run = Run::new(id.to_owned(), mode, hosts()?, person.events().clone(), person.cancel().clone());
        self.execute_undo(&run, &plan).await
    }

    async fn execute_undo(&self, run: &Run, plan: &UndoPlan) -> Result<End, Refusal> {
        let (person, registry) = (self.workshop.person.as_ref(), self.workshop.registry());
        if plan.is_empty() {
            run.let_go(&registry, plan).await?;
            person.events().log(Level::Info, None, "the locks that the run died with are let go");
            return Ok(nothing(person, run.id(), NOTHING));
        }
        let result = steady("undo", run.undo(&registry, plan)).await.map_err(Fault::from);
        Ok(finish(person, run, result).await.0)
    }
}

const NOTHING: &str = "nothing to undo";

/// The run without what was on machines that are no more, and how many changes that was.
fn without(id: &str, mut state: State, replaced: &[String]) -> Result<(State, usize)> {
    refuse_unchanged(id, &state, replaced)?;
    let left = |state: &State| state.changes.values().filter(|change| !change.phase.is_over()).count();
    let before = left(&state);
    replaced.iter().for_each(|host| state.give_up(host.clone()));
    let lost = before - left(&state);
    Ok((state, lost))
}

/// Refuses to give up hosts that the run did not change: one of the names is wrong then.
///
/// # Errors
/// `undo.replaced`, with the hosts that it changed.
pub(crate) fn refuse_unchanged(id: &str, state: &State, replaced: &[String]) -> Result<()> {
    let changed: BTreeSet<&str> = state.changes.values().map(|change| change.key.host.as_str()).collect();
    let Some(wrong) = replaced.iter().find(|host| !changed.contains(host.as_str())) else { return Ok(()) };
    let hosts = changed.into_iter().collect::<Vec<_>>().join(", ");
    Err(Error::new(Kind::Usage, "undo.replaced", format!("run {id} changed nothing on `{wrong}`"))
        .hint(format!("name a host that it changed: {hosts}")))
}

/// The lines of the journal that give up what was changed on these hosts.
fn given_up(hosts: &[String], operator: &str) -> Vec<Entry> {
    hosts.iter().map(|host| Entry::GivenUp { host: host.clone(), operator: operator.to_owned() }).collect()
}

fn forgotten(id: &str, when: jiff::Timestamp) -> Error {
    let message = format!("run {id} was forgotten at {when:.0}: what the hosts had kept for its undo is gone");
    Error::new(Kind::Refused, "undo.forgotten", message)
        .hint(format!("see with `haengine show {id}` what it changed, and change it back by hand or with a recipe"))
}

fn tell_irreversible(person: &dyn Person, plan: &UndoPlan) {
    for change in &plan.irreversible {
        let (step, target) = (change.key.step.join(" / "), one_line(&change.key.target));
        let place = if step.is_empty() { String::new() } else { format!(" of step `{step}`") };
        let message = format!("`{} {target}`{place} has no inverse and stays", change.key.op);
        person.events().log(Level::Warning, Some(&change.key.host), message);
    }
}

fn agree(person: &dyn Person, plan: &UndoPlan, lost: usize, replaced: &[String]) -> Result<()> {
    let mut hosts: Vec<&str> =
        plan.calls.iter().flatten().chain(&plan.unsettled).map(|change| change.key.host.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let mut parts = Vec::new();
    if !plan.is_empty() {
        parts.push(format!("take back {} on {}", changes(plan.len() + plan.unsettled.len()), hosts.join(", ")));
    }
    if lost > 0 {
        parts.push(format!("give up {} on {}", changes(lost), replaced.join(", ")));
    }
    let question = format!("{}?", parts.join(", and "));
    if person.confirm(&question)? {
        return Ok(());
    }
    Err(Error::new(Kind::Refused, DECLINED, "you said no; nothing was touched"))
}
