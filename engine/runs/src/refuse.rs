//! Runs with which nothing can be gone on.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::journal::{State, Store, VERSION};
use haengine_kernel::run::UndoPlan;
use haengine_script::session;

/// Refuses what nothing can be gone on with.
///
/// # Errors
/// Each with its reason and the next step.
pub(crate) fn refuse(id: &str, state: &State, store: &Store) -> Result<()> {
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
pub(crate) fn refuse_old(id: &str, state: &State) -> Result<()> {
    if state.version() == VERSION {
        return Ok(());
    }
    let message = format!("run {id} was begun by haengine {OLD}, which kept no proof of what it made");
    Err(Error::new(Kind::Refused, "journal.old", message).hint(format!(
        "go on with it with haengine {OLD}; or take it back with `haengine undo {id}`, or begin a new one with `haengine run --anew`"
    )))
}
