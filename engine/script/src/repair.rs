//! What can be done about a step that fails: a person looks, and the run goes on where it stands.

use std::sync::{Arc, Mutex, PoisonError};

use haengine_kernel::error::Error;
use rhai::{EvalAltResult, FnPtr, Map, NativeCallContext};

use crate::bridge::is_final;
use crate::fault::Fault;
use crate::frame::Frame;
use crate::from_rhai::fault_in;
use crate::raise::{raise, spot_of};
use crate::session::Repl;
use crate::snapshot::Snapshot;
use crate::sources::Sources;

type RhaiResult<T> = Result<T, Box<EvalAltResult>>;

/// Who is asked about a step that has failed.
pub trait Repair: Send + Sync {
    /// What shall be done about it. The run waits for the answer.
    fn remedy(&self, failed: Failed) -> Remedy;

    /// Where the lines of the session find what they import.
    fn sources(&self) -> Sources;
}

/// A step that has failed.
pub struct Failed {
    /// Names from the outermost step, joined with ` / `.
    pub step: String,
    /// Why, and where.
    pub fault: Fault,
    /// A session as part of the run, with the parameters and what the step's closure has captured in scope.
    pub repl: Repl,
}

/// What is done about a step that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// It is called again.
    Retry,
    /// It is taken as done; it gives nothing.
    Skip,
    /// The recipe ends here, whatever it would catch.
    Leave,
}

/// What all steps of an attempt share: one is asked about at a time, and after the end none.
#[derive(Default)]
pub(crate) struct Bench {
    turn: Mutex<()>,
    left: Mutex<Option<Fault>>,
}

impl Bench {
    /// Why the recipe ended at a step, where it did.
    pub fn take(&self) -> Option<Fault> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn has_left(&self) -> bool {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// The parameters of a recipe, as its `main` was given them.
pub(crate) struct Given {
    /// What `main` calls them.
    pub name: String,
    pub parameters: Map,
}

/// Asks about a step that has failed with `error`.
///
/// # Errors
/// What ends the recipe: the error itself where nobody can be asked.
pub(crate) fn remedy(
    context: &NativeCallContext,
    frame: &Frame,
    body: &FnPtr,
    error: Box<EvalAltResult>,
) -> RhaiResult<Remedy> {
    let session = frame.session(context)?.clone();
    let Some(repair) = session.repair.clone().filter(|_| !is_final(&error) && !frame.is_tried) else {
        return Err(error);
    };
    let _turn = session.bench.turn.lock().unwrap_or_else(PoisonError::into_inner);
    if session.bench.has_left() {
        return Err(ended());
    }
    let label = spot_of(context).map_or_else(|| frame.snapshot.main.clone(), |spot| spot.file);
    let fault = fault_in(&label, *error, context.engine(), &frame.snapshot);
    let mut place = frame.place.clone();
    crate::session::NAME.clone_into(&mut place.recipe);
    let mut repl = Repl::within(&session.library, repair.sources(), (*session).clone(), place);
    captured(&mut repl, frame, body);
    let step = frame.place.step_path();
    let kept = fault.clone();
    match repair.remedy(Failed { step, fault, repl }) {
        Remedy::Leave => {
            *session.bench.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
            Err(ended())
        }
        remedy => Ok(remedy),
    }
}

/// Hosts, parameters, and what the closure has captured, each under its name; the last wins.
fn captured(repl: &mut Repl, frame: &Frame, body: &FnPtr) {
    repl.name_hosts();
    if let Some(given) = &frame.given {
        repl.name(&given.name, given.parameters.clone().into());
    }
    for (name, value) in names_of(&frame.snapshot, body.fn_name()).iter().zip(body.iter_curry()) {
        // What is assigned here is seen by the closure too: it is the same variable.
        repl.name(name, value.clone());
    }
}

/// The parameters of a closure begin with what it has captured.
fn names_of(snapshot: &Arc<Snapshot>, closure: &str) -> Vec<String> {
    let functions = snapshot.files.values().flat_map(|file| file.ast.iter_functions());
    let found = functions
        .filter(|function| function.name == closure)
        .map(|function| function.params.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>());
    found.into_iter().next().unwrap_or_default()
}

/// What no recipe catches.
fn ended() -> Box<EvalAltResult> {
    raise(Error::cancelled())
}
