//! Where a call stands: travels as Rhai's call tag, also into closures and imported recipes.

use std::sync::Arc;

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::inventory::{Inventory, SecretSource};
use haengine_kernel::run::{Place, Run};
use rhai::{Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext};
use tokio::runtime::Handle;

use crate::fault::Fault;
use crate::findings::Findings;
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
pub(crate) struct Session {
    pub run: Arc<Run>,
    pub runtime: Handle,
    pub prompt: Arc<dyn Prompt>,
    pub secrets: Arc<dyn SecretSource>,
    /// How many hosts `each` works on at once.
    pub forks: usize,
    /// Who is asked about steps that fail, if anybody.
    pub mender: Option<Arc<dyn Mender>>,
}

impl Session {
    /// A session in which nobody is asked about steps.
    pub fn new(surroundings: Surroundings) -> Session {
        let Surroundings { run, prompt, secrets, forks } = surroundings;
        Session { run, runtime: Handle::current(), prompt, secrets, forks: forks.max(1), mender: None }
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

/// The parameters of a recipe, as its `main` was given them.
pub(crate) struct Given {
    /// What `main` calls them.
    pub name: String,
    pub parameters: Map,
}

/// Where a call stands: in which version of which recipe, in which step, of which run.
#[derive(Clone)]
pub(crate) struct Frame {
    pub snapshot: Arc<Snapshot>,
    /// None while a recipe is loaded or its `params()` are asked: nothing may touch a host then.
    pub session: Option<Arc<Session>>,
    pub place: Place,
    /// Where the check in which the call stands collects what it finds; none outside of checks.
    pub check: Option<Arc<Findings>>,
    /// The parameters of the `main` around the call; none outside of one.
    pub given: Option<Arc<Given>>,
    /// What fails here is tried again by the recipe itself.
    pub is_tried: bool,
}

impl Frame {
    /// A frame outside of steps and checks.
    pub fn new(snapshot: Arc<Snapshot>, session: Option<Arc<Session>>, place: Place) -> Frame {
        Frame { snapshot, session, place, check: None, given: None, is_tried: false }
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
            .ok_or_else(|| outside(context.fn_name()))
    }

    /// The run's session; an error while the recipe is only loaded.
    pub fn session(&self, context: &NativeCallContext) -> Result<&Arc<Session>, Box<EvalAltResult>> {
        self.session.as_ref().ok_or_else(|| outside(context.fn_name()))
    }

    /// True where what takes time or asks is passed over: in a plan, but not in its checks, whose reads are real.
    pub fn pretends(&self) -> bool {
        self.check.is_none() && self.session.as_ref().is_some_and(|session| session.run.is_plan())
    }

    /// Refuses what has no place in a check.
    pub fn no_check(&self, function: &str) -> Result<(), Box<EvalAltResult>> {
        if self.check.is_none() {
            return Ok(());
        }
        let error = Error::new(Kind::Usage, "preflight.inside", format!("`{function}` is called inside of a check"));
        Err(raise(error.hint("let the check only read, and say what it found with `refuse` or `warn`")))
    }

    /// The run's inventory.
    pub fn inventory(&self, context: &NativeCallContext) -> Result<&Inventory, Box<EvalAltResult>> {
        Ok(self.session(context)?.run.hosts().inventory())
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

fn outside(function: &str) -> Box<EvalAltResult> {
    raise(
        Error::new(Kind::Usage, "recipe.outside_main", format!("`{function}` is called outside of `main`"))
            .hint("move the call into `main`; loading a recipe and asking its parameters must not touch a host"),
    )
}
