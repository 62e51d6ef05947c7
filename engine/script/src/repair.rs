//! What can be done about a step that fails: a person looks, and the run goes on where it stands.

use std::sync::{Arc, Mutex, PoisonError};

use haengine_kernel::error::Error;
use rhai::{EvalAltResult, FnPtr, NativeCallContext};

use crate::fault::Fault;
use crate::frame::{Broken, Frame, Mender};
use crate::from_rhai::fault_in;
use crate::library::Library;
use crate::raise::{raise, spot_of};
use crate::recipe::Recipe;
use crate::session::Repl;
use crate::snapshot::Snapshot;
use crate::sources::Sources;

pub use crate::remedy::Remedy;

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

/// Asks about the steps of an attempt: about one at a time, and after the end about none.
struct Bench {
    repair: Arc<dyn Repair>,
    /// The language, for a session within the run.
    library: Library,
    turn: Mutex<()>,
    left: Mutex<Option<Fault>>,
}

impl Recipe {
    /// The same, with somebody who is asked about steps that fail.
    #[must_use]
    pub fn repaired_by(self, repair: Arc<dyn Repair>) -> Recipe {
        let library = self.library().clone();
        let bench = Bench { repair, library, turn: Mutex::default(), left: Mutex::default() };
        self.mended_by(Arc::new(bench))
    }
}

impl Mender for Bench {
    fn remedy(&self, context: &NativeCallContext, step: Broken<'_>) -> RhaiResult<Remedy> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has_left() {
            return Err(ended());
        }
        let Broken { frame, body, error } = step;
        let label = spot_of(context).map_or_else(|| frame.snapshot.main.clone(), |spot| spot.file);
        let fault = fault_in(&label, *error, context.engine(), &frame.snapshot);
        let repl = self.session(context, frame, body)?;
        let step = frame.place.step_path();
        let kept = fault.clone();
        match self.repair.remedy(Failed { step, fault, repl }) {
            Remedy::Leave => {
                *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
                Err(ended())
            }
            remedy => Ok(remedy),
        }
    }

    fn take_left(&self) -> Option<Fault> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Bench {
    fn has_left(&self) -> bool {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// A session where the step stands.
    fn session(&self, context: &NativeCallContext, frame: &Frame, body: &FnPtr) -> RhaiResult<Repl> {
        let mut place = frame.place.clone();
        crate::session::NAME.clone_into(&mut place.recipe);
        let common = (**frame.common(context)?).clone();
        let mut repl = Repl::within(&self.library, self.repair.sources(), common, place);
        captured(&mut repl, frame, body);
        Ok(repl)
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
