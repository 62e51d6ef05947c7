//! What the hosts keep for the undo of a run is given up.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::journal::State;
use haengine_kernel::run::{Run, UndoPlan};
use haengine_kernel::steady::steady;
use haengine_script::Fault;

use crate::count::changes;
use crate::end::{End, finish};
use crate::person::Person;
use crate::prepare::Refusal;
use crate::runs::Runs;
use crate::undo::refuse_unchanged;

impl Runs<'_> {
    /// Gives up what the hosts keep for the undo of a run; `replaced` are hosts whose machines are no more.
    ///
    /// # Errors
    /// When nothing was begun: what is begun and fails is told, and the end says so.
    pub async fn forget(&self, id: &str, replaced: &[String]) -> Result<End, Refusal> {
        let person = self.workshop.person.as_ref();
        let folder = self.store.enter(id.to_owned())?;
        let state = folder.state()?;
        refuse(id, &state)?;
        refuse_unchanged(id, &state, replaced)?;
        person.begin(id, "forget", state.recipe());
        agree(person, &state, &self.store.summary(id)?.outcome)?;
        let hosts = self.hosts_of(&folder)?;
        let mode = self.apply(&folder, self.journal(&folder)?);
        let run = Run::new(id.to_owned(), mode, hosts, person.events().clone(), person.cancel().clone());
        let forgotten = run.forget(&state, &self.workshop.operator, replaced);
        let result = steady("forget", forgotten).await.map_err(Fault::from);
        Ok(finish(person, &run, result).await.0)
    }
}

/// An undo that has begun needs what is kept to come to its end.
fn refuse(id: &str, state: &State) -> Result<()> {
    let begun = state.undoing && !state.is_undone();
    if begun && state.forgotten.is_none() {
        let message = format!("the undo of run {id} has begun: without its kept files the hosts would stay in between");
        return Err(Error::new(Kind::Refused, "forget.undoing", message)
            .hint(format!("end it with `haengine undo {id}`, which gives them up too")));
    }
    Ok(())
}

fn agree(person: &dyn Person, state: &State, outcome: &str) -> Result<()> {
    let left = UndoPlan::of(state).len();
    let state = match outcome {
        "undone" | "forgotten" | "succeeded" => String::new(),
        "interrupted" => "it was interrupted; ".to_owned(),
        other => format!("it has {other}; "),
    };
    let question = format!("{state}{} could not be taken back any more: give up what is kept for that?", changes(left));
    if person.confirm(&question)? {
        return Ok(());
    }
    Err(Error::new(Kind::Refused, "forget.declined", "you said no; nothing was touched"))
}
