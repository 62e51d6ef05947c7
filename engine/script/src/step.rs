//! `step` and `verify`: the parts of a recipe that a person follows.

use std::time::Instant;

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::event::Event;
use rhai::{Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext};

use crate::closure::call_in;
use crate::frame::{Broken, Frame};
use crate::options::marked;
use crate::raise::raise;
use crate::remedy::Remedy;

type RhaiResult<T> = Result<T, Box<EvalAltResult>>;

/// `step(name, closure)`: the closure's value.
pub(crate) fn step(context: NativeCallContext, name: &str, body: FnPtr) -> RhaiResult<Dynamic> {
    step_with(context, name, Map::new(), body)
}

/// `step(name, options, closure)`: the same; `together` marks hosts that need each other.
pub(crate) fn step_with(context: NativeCallContext, name: &str, options: Map, body: FnPtr) -> RhaiResult<Dynamic> {
    let frame = Frame::of(&context)?;
    frame.may_step()?;
    let events = frame.common(&context)?.run.events().clone();
    let say = |event: Event| {
        if !frame.is_quiet {
            events.send(event)
        }
    };
    let inner = if marked("step", "together", &options)? { frame.step(name).together() } else { frame.step(name) };
    loop {
        let (step, started) = (inner.place.step_path(), Instant::now());
        say(Event::StepStarted { step: step.clone() });
        let result = call_in(&context, &body, inner.clone(), Vec::new());
        say(Event::StepFinished { step, seconds: started.elapsed().as_secs_f64(), failed: result.is_err() });
        let remedy = match result {
            Err(error) => {
                let step = Broken { frame: &inner, body: &body, error };
                inner.common(&context)?.remedy(&context, step)?
            }
            done => return done,
        };
        if remedy == Remedy::Skip {
            return Ok(Dynamic::UNIT);
        }
    }
}

/// `verify(name, closure)`: an error unless the closure gives `true` or nothing. A plan only names it.
pub(crate) fn verify(context: NativeCallContext, name: &str, body: FnPtr) -> RhaiResult<()> {
    let frame = Frame::of(&context)?;
    frame.only_reads("verify")?;
    let common = frame.common(&context)?.clone();
    let (started, events) = (Instant::now(), common.run.events());
    let told = |outcome: &str| {
        let (name, seconds) = (name.to_owned(), started.elapsed().as_secs_f64());
        events.send(Event::Verified { name, outcome: outcome.to_owned(), seconds });
    };
    if common.run.is_plan() {
        told("would verify");
        return Ok(());
    }
    let result = call_in(&context, &body, frame.step(name), Vec::new()).and_then(|value| judge(name, &value));
    told(if result.is_ok() { "passed" } else { "failed" });
    result
}

fn judge(name: &str, value: &Dynamic) -> RhaiResult<()> {
    if value.is_unit() || value.as_bool() == Ok(true) {
        return Ok(());
    }
    if value.is_bool() {
        let error = Error::new(Kind::Failed, "verify.failed", format!("verification `{name}` did not hold"));
        return Err(raise(
            error.hint("look at the hosts; nothing is rolled back by itself: `haengine undo` does that"),
        ));
    }
    let message = format!("verification `{name}` must give true or false, not {}", crate::value::type_name(value));
    Err(raise(Error::new(Kind::Usage, "verify.type", message)))
}
