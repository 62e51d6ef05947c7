//! A run that has not come to its end: how the next `run` finds it and goes on with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::event::Level;
use haengine_kernel::harmless::one_line;
use haengine_kernel::journal::{Entry, RunFolder, State, Store, VERSION};
use haengine_kernel::run::{Decide, Decision, Past, UndoPlan, Unfinished};
use haengine_kernel::secret::REDACTED;
use haengine_script::Fault;
use haengine_script::session;
use haengine_script::snapshot::Snapshot;

use crate::cmd::repair;
use crate::cmd::run::{Attempt, Call, Prepared, RunArgs, perform};
use crate::context::Context;
use crate::exit::Exit;
use crate::report::lines::changes;
use crate::session::Session;
use crate::terminal::Terminal;
use crate::wiring::{self, keep};

/// An unfinished run.
pub struct Found {
    id: String,
    state: State,
    outcome: String,
}

/// The newest run of this recipe, with these parameters and this inventory, if it is one to go on with.
///
/// # Errors
/// When the state folder cannot be read.
pub(super) fn find(store: &Store, prepared: &Prepared, call: &Call) -> Result<Option<Found>> {
    for id in store.ids()? {
        let folder = store.look(&id)?;
        if !is_same(&folder, prepared, call) {
            continue;
        }
        // A journal that cannot be read is told by `runs`; it is none to go on with.
        let Ok(state) = folder.state() else { continue };
        if !state.changes.is_empty() && !state.is_undone() {
            let outcome = store.summary(&id)?.outcome;
            return Ok(Some(Found { id, state, outcome }).filter(|found| found.is_open(store)));
        }
    }
    Ok(None)
}

fn is_same(folder: &RunFolder, prepared: &Prepared, call: &Call) -> bool {
    let Some(Entry::Run { parameters, .. }) = folder.head() else { return false };
    let asked = keep::located(&call.parameters, &parameters);
    parameters == prepared.bound.redacted()
        && keep::kept_parameters(folder).is_ok_and(|given| secrets(&parameters, &given) == secrets(&parameters, &asked))
        && keep::kept_inventory(folder).is_ok_and(|inventory| inventory == *prepared.inventory)
        && is_same_recipe(folder, prepared.recipe.snapshot())
}

/// Where the given secrets are found: redacted, all are alike.
fn secrets<'a>(parameters: &serde_json::Value, given: &'a [(String, String)]) -> BTreeMap<&'a str, &'a str> {
    let secret = |name: &str| parameters.get(name).is_some_and(|value| value == REDACTED);
    given.iter().map(|(name, text)| (name.as_str(), text.as_str())).filter(|(name, _)| secret(name)).collect()
}

fn is_same_recipe(folder: &RunFolder, snapshot: &Snapshot) -> bool {
    let Ok((main, kept)) = keep::kept_recipe(folder) else { return false };
    let same = |name: &String, text: &str| snapshot.files.get(name).is_some_and(|file| *file.text == *text);
    main == snapshot.main
        && kept.len() == snapshot.files.len()
        && kept.iter().all(|(name, file)| same(name, &file.text))
}

impl Found {
    fn is_open(&self, store: &Store) -> bool {
        let ended = matches!(self.outcome.as_str(), "failed" | "interrupted" | "died");
        // What a later run has built upon cannot be gone on with below it.
        ended && UndoPlan::of(&self.state).refuse_if_built_upon(store, &self.id).is_ok()
    }

    /// Asks whether to go on with it; where nobody can be asked, that is what happens.
    ///
    /// # Errors
    /// When nothing can be gone on with, or the answer cannot be read.
    pub fn agree(&self, session: &Session) -> Result<bool> {
        refuse_old(&self.id, &self.state)?;
        if !session.terminal.asks() {
            return Ok(true);
        }
        let changes = changes(self.state.changes.len());
        let question =
            format!("run {} of this has {} after {changes}: go on with it? (no: a new run)", self.id, self.ended());
        session.terminal.confirm(&question)
    }

    fn ended(&self) -> String {
        if self.outcome == "interrupted" { "was interrupted".to_owned() } else { self.outcome.clone() }
    }

    /// Goes on with it.
    ///
    /// # Errors
    /// When another process does, or its journal cannot be written.
    pub(super) async fn go_on(
        self,
        context: &Context,
        session: &Session,
        store: &Store,
        prepared: Prepared,
        args: &RunArgs,
    ) -> Result<Exit, Fault> {
        let folder = store.enter(self.id.clone())?;
        // Another process may have gone on with it meanwhile.
        let state = folder.state()?;
        refuse(&folder.id, &state, store)?;
        session.begin(&folder.id, "resume", &args.call.recipe);
        let how = if session.terminal.asks() { "" } else { "; `--anew` begins a new run instead" };
        session.events.log(Level::Info, None, format!("this run {} before: going on with it{how}", self.ended()));
        let attempt = begin(context, session, store, &folder, &state, &prepared, None).await?;
        if repair::is_wanted(context, session, args.on_error) {
            let site = repair::Site { context, session, store, folder: &folder, args, agreed: false.into() };
            return site.perform(prepared, attempt).await;
        }
        Ok(perform(context, session, prepared, attempt).await.0)
    }
}

/// Refuses what nothing can be gone on with.
///
/// # Errors
/// Each with its reason and the next step.
pub(super) fn refuse(id: &str, state: &State, store: &Store) -> Result<()> {
    let refused = |code, message: String, hint: &str| Err(Error::new(Kind::Refused, code, message).hint(hint));
    if let Some(when) = state.forgotten {
        let message = format!("run {id} was forgotten at {when:.0}");
        return refused("resume.forgotten", message, "run the recipe anew");
    }
    if state.recipe() == session::NAME {
        let message = format!("run {id} is a session: nobody knows what its next line would be");
        return refused("resume.session", message, "begin a new session, or take this one back with `haengine undo`");
    }
    if state.undoing {
        let message = format!("run {id} was taken back, or its undo has begun");
        return refused("resume.undone", message, "end the undo with `haengine undo`, then run the recipe anew");
    }
    refuse_old(id, state)?;
    UndoPlan::of(state).refuse_if_built_upon(store, id)
}

/// The last haengine that writes journals of version 1.
const OLD: &str = "0.1.0";

/// Refuses to go on with the run of an earlier haengine: its hosts hold no records of what it made, and a run that has some
/// for the one half of its changes and not for the other could prove neither.
fn refuse_old(id: &str, state: &State) -> Result<()> {
    if state.version() == VERSION {
        return Ok(());
    }
    let message = format!("run {id} was begun by haengine {OLD}, which kept no proof of what it made");
    Err(Error::new(Kind::Refused, "journal.old", message).hint(format!(
        "go on with it with haengine {OLD}; or take it back with `haengine undo {id}`, or begin a new one with `haengine run --anew`"
    )))
}

/// Executes the recipe once more, as a further attempt of the run.
///
/// # Errors
/// When its journal cannot be written; nothing was touched then.
pub(super) async fn execute(
    context: &Context,
    session: &Session,
    store: &Store,
    folder: &RunFolder,
    state: &State,
    prepared: Prepared,
    answer: Option<Decision>,
) -> Result<Exit, Fault> {
    let attempt = begin(context, session, store, folder, state, &prepared, answer).await?;
    Ok(perform(context, session, prepared, attempt).await.0)
}

/// A further attempt of the run, written down.
///
/// # Errors
/// As [`execute`].
pub(super) async fn begin<'a>(
    context: &Context,
    session: &Session,
    store: &Store,
    folder: &'a RunFolder,
    state: &State,
    prepared: &Prepared,
    answer: Option<Decision>,
) -> Result<Attempt<'a>, Error> {
    refuse_old(&folder.id, state)?;
    let journal = context.journal(folder)?;
    let inventory = context.global.inventory.iter().map(|file| file.display().to_string()).collect();
    let operator = context.environment.operator.clone();
    journal.append(vec![Entry::Resumed { operator, inventory }]).await?;
    // The undo needs the way to the hosts that was right in the end, and all hosts that were changed.
    if state.changes.values().all(|change| prepared.inventory.host(&change.key.host).is_ok()) {
        keep::inventory(folder, &prepared.inventory)?;
    }
    let mode = wiring::apply(context, store, folder, journal)?;
    let decide = Arc::new(Ask { terminal: session.terminal.clone(), answer });
    Ok(Attempt { id: &folder.id, mode, past: Past::of(state, decide) })
}

/// Who decides about actions whose end is not known: `--unknown`, else the person at the terminal.
struct Ask {
    terminal: Arc<Terminal>,
    answer: Option<Decision>,
}

impl Decide for Ask {
    /// `--yes` answers questions about what is shown; what a host has done nobody sees here.
    fn decide(&self, unfinished: &Unfinished<'_>) -> Result<Decision> {
        if let Some(answer) = self.answer {
            return Ok(answer);
        }
        if !self.terminal.asks() {
            return Err(unfinished.undecided());
        }
        let (host, action) = (&unfinished.key.host, one_line(&unfinished.action()));
        let question = format!("{host}: {action} was begun and nobody knows whether it was done: do it again?");
        if self.terminal.confirm(&question)? {
            return Ok(Decision::Repeat);
        }
        match self.terminal.confirm(&format!("{host}: take {action} as done, and go on?"))? {
            true => Ok(Decision::Done),
            false => Err(unfinished.undecided()),
        }
    }
}
