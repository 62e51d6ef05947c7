//! A check of a preflight: it looks, and collects what it finds.

use std::sync::Arc;
use std::time::Instant;

use haengine_kernel::error::Kind;
use haengine_kernel::event::{Check as Told, CheckFinding, CheckStatus};
use haengine_kernel::journal::Key;
use haengine_kernel::value::{Unknown, Value};
use rhai::{Dynamic, Engine, EvalAltResult, FnPtr};

use crate::bridge::wait;
use crate::closure::Origin;
use crate::findings::Findings;
use crate::frame::Frame;
use crate::from_rhai::{Known, error_of, fault_in};
use crate::raise::raise;
use crate::spot::Spot;
use crate::unknown::{looked_at, refuse_marked};
use crate::value::to_kernel;

type RhaiResult<T> = Result<T, Box<EvalAltResult>>;

/// A check as a recipe holds it: done only when a preflight gets it.
#[derive(Clone)]
pub(crate) struct Check {
    /// None until a list of checks gives it one.
    pub group: Option<String>,
    pub name: String,
    /// With its captured values copied in: checks run beside each other.
    pub body: FnPtr,
    /// It is not done again once something was changed: it would refuse what the run itself has done.
    pub before_first_change: bool,
    pub origin: Origin,
    /// The file in which it stands.
    pub file: String,
}

/// What a check is known by in the journal, and its answer there.
pub(crate) type Recorded = Option<(Key, Option<Told>)>;

/// What became of a check, with the place of each finding.
pub(crate) struct Outcome {
    pub told: Told,
    pub spots: Vec<Option<Spot>>,
}

impl Check {
    /// What it is recorded as, and what was, if it is recorded at all.
    pub fn recorded(&self, frame: &Frame) -> Recorded {
        let common = frame.common.as_ref().filter(|_| self.before_first_change)?;
        Some(common.run.recorded(&frame.place, self.group.as_deref().unwrap_or_default(), &self.name))
    }

    /// Looks, or tells again what was seen before the first change.
    ///
    /// # Errors
    /// What must end the preflight: an interrupt, and what no check may do.
    pub fn perform(&self, engine: &Engine, frame: &Frame, recorded: &Recorded) -> RhaiResult<Outcome> {
        if let Some((_, Some(told))) = recorded {
            return Ok(Outcome { told: told.clone(), spots: vec![None; told.findings.len()] });
        }
        let outcome = self.look(engine, frame)?;
        // Who is refused begins anew, and is asked anew.
        if let (Some((key, None)), Some(common)) = (recorded, &frame.common)
            && outcome.told.status != CheckStatus::Refused
        {
            wait(common, common.run.record(key.clone(), &outcome.told)).map_err(raise)?;
        }
        Ok(outcome)
    }

    fn look(&self, engine: &Engine, frame: &Frame) -> RhaiResult<Outcome> {
        let (since, findings) = (Instant::now(), Arc::new(Findings::default()));
        let inner = Frame { check: Some(findings.clone()), ..frame.clone() };
        let detail = match self.origin.clone().call(engine, &self.body, inner, Vec::new()) {
            Ok(answer) => judge(&answer, &findings),
            Err(error) => {
                blame(error, engine, frame, &self.file, &findings)?;
                String::new()
            }
        };
        let (found, spots): (Vec<_>, Vec<_>) = findings.take().into_iter().unzip();
        let told = Told {
            group: self.group.clone().unwrap_or_default(),
            check: self.name.clone(),
            status: found.iter().map(|finding: &CheckFinding| finding.status).max().unwrap_or(CheckStatus::Passed),
            detail,
            findings: found,
            recorded: false,
            seconds: since.elapsed().as_secs_f64(),
        };
        Ok(Outcome { told, spots })
    }
}

/// What a check gives: a text says what it saw, `false` refuses. What only a run can know is no answer.
fn judge(answer: &Dynamic, findings: &Findings) -> String {
    if let Some(unknown) = to_kernel(answer).ok().as_ref().and_then(unknown_in) {
        findings.unseen(&looked_at(unknown), None);
    } else if answer.as_bool() == Ok(false) {
        findings.add(CheckStatus::Refused, "it does not hold".to_owned(), "", None);
    } else if answer.is_string() || answer.is_int() || answer.is_float() {
        let text = answer.to_string();
        match refuse_marked(&text) {
            Ok(()) => return text,
            Err(error) => findings.unseen(&error, None),
        }
    }
    String::new()
}

/// The unknown that is or hides in a value.
fn unknown_in(value: &Value) -> Option<&Unknown> {
    match value {
        Value::Unknown(unknown) => Some(unknown),
        Value::List(values) => values.iter().find_map(unknown_in),
        Value::Map(values) => values.values().find_map(unknown_in),
        _ => None,
    }
}

/// What ended a check early. `fail` refuses. A check that does what no check may ends the preflight, as an interrupt
/// does. After any other error the check could not see what it was to look at.
fn blame(error: Box<EvalAltResult>, engine: &Engine, frame: &Frame, file: &str, findings: &Findings) -> RhaiResult<()> {
    let known = Known { engine, snapshot: &frame.snapshot };
    let cause = error_of(&error, None, known);
    if cause.kind() == Kind::Cancelled || cause.code().starts_with("preflight.") {
        return Err(error);
    }
    let spot = fault_in(file, *error, engine, &frame.snapshot).stack().first().cloned();
    match cause.code() {
        "recipe.fail" => {
            findings.add(CheckStatus::Refused, cause.to_string(), cause.advice().unwrap_or_default(), spot);
        }
        _ => findings.unseen(&cause, spot),
    }
    Ok(())
}
