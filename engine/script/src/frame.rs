//! Where a call stands: travels as Rhai's call tag, also into closures and imported recipes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::inventory::{Inventory, SecretSource};
use haengine_kernel::reach::Reach;
use haengine_kernel::run::{Place, Run};
use rhai::{Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext};
use tokio::runtime::Handle;

use crate::fault::Fault;
use crate::findings::Findings;
use crate::phases::{Form, LOOK, May, Phase};
use crate::prompt::Prompt;
use crate::raise::{is_final, raise};
use crate::remedy::Remedy;
use crate::snapshot::Snapshot;

/// What a run of a recipe needs besides its parameters.
pub struct Surroundings {
    /// The run, or plan.
    pub run: Arc<Run>,
    /// How the operator is asked.
    pub prompt: Arc<dyn Prompt>,
    /// Where secrets are found.
    pub secrets: Arc<dyn SecretSource>,
    /// How many hosts `each` works on at once.
    pub forks: usize,
}

/// What all calls of one run share.
#[derive(Clone)]
pub(crate) struct Common {
    pub run: Arc<Run>,
    pub runtime: Handle,
    pub prompt: Arc<dyn Prompt>,
    pub secrets: Arc<dyn SecretSource>,
    /// How many hosts `each` works on at once.
    pub forks: usize,
    /// Who is asked about steps that fail, if anybody.
    pub mender: Option<Arc<dyn Mender>>,
    /// What the recipe may read on the operator's machine; everything where nothing is said.
    pub reach: Option<Arc<Reach>>,
    /// What was warned of: a phase that is played again says only what is new.
    pub warned: Arc<Mutex<BTreeSet<String>>>,
}

impl Common {
    /// What is shared where nobody is asked about steps.
    pub fn new(surroundings: Surroundings) -> Common {
        let Surroundings { run, prompt, secrets, forks } = surroundings;
        Common {
            run,
            runtime: Handle::current(),
            prompt,
            secrets,
            forks: forks.max(1),
            mender: None,
            reach: None,
            warned: Arc::default(),
        }
    }

    /// True for a warning that nobody has read before.
    pub fn is_news(&self, warning: &str) -> bool {
        self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(warning.to_owned())
    }

    /// Asks about a step that has failed.
    ///
    /// # Errors
    /// What ends the recipe: the error itself where nobody can be asked.
    pub fn remedy(&self, context: &NativeCallContext, step: Broken<'_>) -> Result<Remedy, Box<EvalAltResult>> {
        match &self.mender {
            Some(mender) if !is_final(&step.error) && !step.frame.is_tried => mender.remedy(context, step),
            _ => Err(step.error),
        }
    }
}

/// Who is asked about the steps of an attempt.
pub(crate) trait Mender: Send + Sync {
    /// What shall be done about a step that has failed.
    ///
    /// # Errors
    /// What ends the recipe.
    fn remedy(&self, context: &NativeCallContext, step: Broken<'_>) -> Result<Remedy, Box<EvalAltResult>>;

    /// Why the recipe ended at a step, where it did.
    fn take_left(&self) -> Option<Fault>;
}

/// A step that has failed.
pub(crate) struct Broken<'a> {
    /// Where it stands.
    pub frame: &'a Frame,
    /// Its closure.
    pub body: &'a FnPtr,
    pub error: Box<EvalAltResult>,
}

/// The parameters of a recipe, as its `main` or a phase was given them.
pub(crate) struct Given {
    /// What it calls them.
    pub name: String,
    pub parameters: Map,
}

/// Where a call stands: in which version of which recipe, in which step, of which run.
#[derive(Clone)]
pub(crate) struct Frame {
    pub snapshot: Arc<Snapshot>,
    /// None while a recipe is loaded or its `params()` are asked: nothing may touch a host then.
    pub common: Option<Arc<Common>>,
    pub place: Place,
    /// Where the check in which the call stands collects what it finds; none outside of checks.
    pub check: Option<Arc<Findings>>,
    /// The phase in which the call stands; none in a `main`.
    pub phase: Option<&'static Phase>,
    /// The phase was played before, and says nothing but what is new.
    pub is_quiet: bool,
    /// The parameters of the `main` or of the phase around the call; none outside of one.
    pub given: Option<Arc<Given>>,
    /// What fails here is tried again by the recipe itself.
    pub is_tried: bool,
}

impl Frame {
    /// A frame outside of steps and checks.
    pub fn new(snapshot: Arc<Snapshot>, common: Option<Arc<Common>>, place: Place) -> Frame {
        Frame { snapshot, common, place, check: None, phase: None, is_quiet: false, given: None, is_tried: false }
    }

    /// The frame as a call tag.
    pub fn tag(self) -> Dynamic {
        Dynamic::from(Arc::new(self))
    }

    /// The frame of a call.
    pub fn of(context: &NativeCallContext) -> Result<Arc<Frame>, Box<EvalAltResult>> {
        context
            .tag()
            .and_then(|tag| tag.read_lock::<Arc<Frame>>().map(|frame| frame.clone()))
            .ok_or_else(|| raise(outside(context.fn_name(), Form::Library)))
    }

    /// What all calls of the run share; an error while the recipe is only loaded.
    pub fn common(&self, context: &NativeCallContext) -> Result<&Arc<Common>, Box<EvalAltResult>> {
        let form = || Form::of(&self.snapshot.main_file().ast);
        self.common.as_ref().ok_or_else(|| raise(outside(context.fn_name(), form())))
    }

    /// True where what takes time or asks is passed over: in a plan, but not in its checks, whose reads are real.
    pub fn pretends(&self) -> bool {
        self.check.is_none() && self.common.as_ref().is_some_and(|common| common.run.is_plan())
    }

    /// Refuses what has no place where a recipe only reads: in a check, and in `look` and `checks`.
    pub fn only_reads(&self, function: &str) -> Result<(), Box<EvalAltResult>> {
        let (place, hint) = match self.phase {
            _ if self.check.is_some() => {
                ("a check".to_owned(), "let the check only read, and say what it found with `refuse` or `warn`")
            }
            Some(phase) if phase.may != May::Change => {
                (format!("`{}`", phase.name), "move the call into `act`, which is played once all checks are done")
            }
            _ => return Ok(()),
        };
        let message = format!("`{function}` is called inside of {place}");
        Err(raise(Error::new(Kind::Usage, "preflight.inside", message).hint(hint)))
    }

    /// The same for a step, which is a heading in `look`.
    pub fn may_step(&self) -> Result<(), Box<EvalAltResult>> {
        match self.phase {
            Some(phase) if *phase == LOOK && self.check.is_none() => Ok(()),
            _ => self.only_reads("step"),
        }
    }

    /// Refuses a read where a recipe only reckons.
    pub fn may_read(&self, function: &str) -> Result<(), Box<EvalAltResult>> {
        match self.phase {
            Some(phase) if phase.may == May::Reckon => {
                let message = format!("`{function}` is called inside of `{}`", phase.name);
                let error = Error::new(Kind::Usage, "phases.reckon", message);
                Err(raise(error.hint(phase.instead_of_a_read())))
            }
            _ => Ok(()),
        }
    }

    /// The run's inventory.
    pub fn inventory(&self, context: &NativeCallContext) -> Result<&Inventory, Box<EvalAltResult>> {
        Ok(self.common(context)?.run.hosts().inventory())
    }

    /// The same place, one step deeper.
    pub fn step(&self, name: &str) -> Frame {
        let mut frame = self.clone();
        frame.place.step.push(name.to_owned());
        frame
    }

    /// The same place, whose hosts need each other; of two such steps the outer one counts.
    pub fn together(mut self) -> Frame {
        if self.place.together == 0 {
            self.place.together = self.place.step.len();
        }
        self
    }
}

/// What needs a run, and is called while a recipe of this form is only loaded.
pub(crate) fn outside(function: &str, form: Form) -> Error {
    let (place, home) = match form {
        Form::Phases | Form::Parts => ("the phases", "a phase"),
        Form::Main | Form::Library => ("`main`", "`main`"),
    };
    let message = format!("`{function}` is called outside of {place}");
    let why = "loading a recipe and asking its parameters must not touch a host";
    Error::new(Kind::Usage, "recipe.outside_main", message).hint(format!("move the call into {home}; {why}"))
}
