//! `preflight`, `audit`, `check_group`, `check` and `refuse`: what must hold, with all findings at once.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::event::{Check as Told, CheckFinding, CheckStatus, Event, Events};
use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, Map, NativeCallContext};

use crate::check::{Check, Outcome, Recorded};
use crate::closure::{Origin, detached};
use crate::fanout::beside;
use crate::frame::Frame;
use crate::options::marked;
use crate::raise::{placed, raise, raise_at, spot_of};
use crate::spot::Spot;
use crate::unknown::refuse_marked;
use crate::value::type_name;

type RhaiResult<T> = Result<T, Box<EvalAltResult>>;

/// What checks are done for.
#[derive(Clone, Copy, PartialEq)]
enum Purpose {
    /// Something begins behind them.
    Preflight,
    /// To look, and nothing else: what could not be looked at is a finding, too.
    Audit,
}

impl Purpose {
    /// The function, and the group of checks that have no name for it.
    fn name(self) -> &'static str {
        match self {
            Purpose::Preflight => "preflight",
            Purpose::Audit => "audit",
        }
    }

    /// True for a finding with which the run may not go on.
    fn ends(self, finding: &CheckFinding) -> bool {
        finding.status == CheckStatus::Refused || self == Purpose::Audit && finding.status == CheckStatus::NotChecked
    }

    fn error(self, message: String) -> Error {
        match self {
            Purpose::Preflight => Error::new(Kind::Refused, "preflight.refused", message),
            Purpose::Audit => Error::new(Kind::Refused, "audit.found", message),
        }
    }

    fn counted(self, findings: usize) -> String {
        match self {
            Purpose::Preflight => format!("the preflight found {findings} reasons not to begin"),
            Purpose::Audit => format!("the audit found {findings} things that are not as they should be"),
        }
    }
}

/// The function that gives checks the name of what they are about.
pub(crate) const GROUPED: &str = "check_group";

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Check>("Check");
    engine.register_fn("check", check);
    engine.register_fn("check", check_with);
    engine.register_fn(GROUPED, check_group);
    for purpose in [Purpose::Preflight, Purpose::Audit] {
        let name = purpose.name();
        engine.register_fn(name, move |context: NativeCallContext, list: Array| run(&context, list, name, purpose));
        engine.register_fn(name, move |context: NativeCallContext, group: &str, list: Array| {
            run(&context, list, group, purpose)
        });
    }
    engine.register_fn("refuse", refuse);
}

/// `check(name, closure)`: for the list of a `preflight`.
fn check(context: NativeCallContext, name: &str, body: FnPtr) -> RhaiResult<Check> {
    check_with(context, name, Map::new(), body)
}

/// `check(name, options, closure)`: the same; `before_first_change` marks one that is not done again after it.
fn check_with(context: NativeCallContext, name: &str, options: Map, body: FnPtr) -> RhaiResult<Check> {
    Frame::of(&context)?.common(&context)?;
    let file = spot_of(&context).map(|spot| spot.file).unwrap_or_default();
    let before_first_change = marked("check", "before_first_change", &options)?;
    let (name, body, origin) = (name.to_owned(), detached(&body), Origin::of(&context));
    Ok(Check { group: None, name, body, before_first_change, origin, file })
}

/// `check_group(group, list)`: the same checks under a name, which those keep that have one.
fn check_group(context: NativeCallContext, group: &str, list: Array) -> RhaiResult<Array> {
    Frame::of(&context)?.common(&context)?;
    Ok(flat(GROUPED, list, group)?.into_iter().map(Dynamic::from).collect())
}

/// `refuse(message, hint)`: a finding of the check around it, which goes on. The run ends when all checks are done.
fn refuse(context: NativeCallContext, message: &str, hint: &str) -> RhaiResult<()> {
    let frame = Frame::of(&context)?;
    frame.common(&context)?;
    let Some(findings) = &frame.check else {
        let error = Error::new(Kind::Usage, "preflight.outside", "`refuse` is called outside of a check");
        return Err(raise(error.hint("write `fail(message, hint)`, or move it into a `check` of a `preflight`")));
    };
    refuse_marked(message).and_then(|()| refuse_marked(hint)).map_err(|error| placed(raise(error), &context))?;
    findings.add(CheckStatus::Refused, message.to_owned(), hint, spot_of(&context));
    Ok(())
}

/// `preflight(checks)`, `preflight(group, checks)`, and the same of `audit`.
fn run(context: &NativeCallContext, list: Array, group: &str, purpose: Purpose) -> RhaiResult<()> {
    let frame = Frame::of(context)?;
    frame.common(context)?;
    frame.only_reads(purpose.name())?;
    let all =
        flat(purpose.name(), list, group)?.into_iter().map(|check| Asked { check, frame: frame.clone() }).collect();
    ask(context.engine(), all, purpose, &[]).map(|_| ())
}

/// A check that is done next, and where.
pub(crate) struct Asked {
    pub check: Check,
    pub frame: Arc<Frame>,
}

/// What must hold before something begins; what all checks have told. What was told before is not told again.
///
/// # Errors
/// When a check refuses, and as a check ends the preflight.
pub(crate) fn hold(engine: &Engine, all: Vec<Asked>, before: &[Told]) -> RhaiResult<Vec<Told>> {
    ask(engine, all, Purpose::Preflight, before)
}

/// All checks beside each other, told in the order of the list; then one error with all that refuses.
fn ask(engine: &Engine, all: Vec<Asked>, purpose: Purpose, before: &[Told]) -> RhaiResult<Vec<Told>> {
    let Some(common) = all.first().and_then(|asked| asked.frame.common.clone()) else { return Ok(Vec::new()) };
    let row = Row::of(all.len(), common.run.events(), before);
    let recorded: Vec<Recorded> = all.iter().map(|asked| asked.check.recorded(&asked.frame)).collect();
    beside(common.forks, &all, |index, Asked { check, frame }| {
        row.end(index, check.perform(engine, frame, &recorded[index]));
    });
    let outcomes = row.outcomes()?;
    match refusal(&outcomes, purpose) {
        Some((error, spot)) => Err(raise_at(error, spot)),
        None => Ok(outcomes.into_iter().map(|outcome| outcome.told).collect()),
    }
}

/// The checks of a list, also those of lists in it; those without a group get this one.
pub(crate) fn flat(function: &str, list: Array, group: &str) -> RhaiResult<Vec<Check>> {
    let mut checks = Vec::new();
    for item in list {
        let kind = type_name(&item);
        if item.is_array() {
            checks.extend(flat(function, item.into_array().unwrap_or_default(), group)?);
        } else if let Some(mut check) = item.flatten().try_cast::<Check>() {
            check.group.get_or_insert_with(|| group.to_owned());
            checks.push(check);
        } else {
            let message = format!("`{function}` takes an array of checks, and there is {kind} in it");
            let error = Error::new(Kind::Usage, "call.type", message);
            return Err(raise(error.hint("write `[check(\"its name\", || { … }), …]`")));
        }
    }
    Ok(checks)
}

/// The checks of a preflight, each told as soon as all before it are.
struct Row<'a> {
    events: &'a Events,
    /// What was told when the same checks were done before.
    before: &'a [Told],
    line: Mutex<Line>,
}

struct Line {
    told: usize,
    ended: Vec<Option<RhaiResult<Outcome>>>,
}

impl Row<'_> {
    fn of<'a>(count: usize, events: &'a Events, before: &'a [Told]) -> Row<'a> {
        Row { events, before, line: Mutex::new(Line { told: 0, ended: (0..count).map(|_| None).collect() }) }
    }

    fn end(&self, index: usize, outcome: RhaiResult<Outcome>) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.ended[index] = Some(outcome);
        while let Some(Some(next)) = line.ended.get(line.told) {
            if let Ok(outcome) = next
                && self.is_news(&outcome.told)
            {
                self.events.send(Event::Check(outcome.told.clone()));
            }
            line.told += 1;
        }
    }

    /// False for what was told before.
    fn is_news(&self, told: &Told) -> bool {
        let same =
            |known: &Told| (&known.group, &known.check, &known.findings) == (&told.group, &told.check, &told.findings);
        told.status == CheckStatus::Refused
            || self.before.is_empty()
            || !(told.findings.is_empty() || self.before.iter().any(same))
    }

    fn outcomes(self) -> RhaiResult<Vec<Outcome>> {
        self.line.into_inner().unwrap_or_else(PoisonError::into_inner).ended.into_iter().flatten().collect()
    }
}

/// One error of all that refuses, and the place of the first.
fn refusal(outcomes: &[Outcome], purpose: Purpose) -> Option<(Error, Option<Spot>)> {
    let all = outcomes.iter().flat_map(|Outcome { told, spots }| {
        told.findings.iter().zip(spots).map(move |(finding, spot)| (told, finding, spot))
    });
    let refused: Vec<_> = all.filter(|(_, finding, _)| purpose.ends(finding)).collect();
    let (_, first, spot) = refused.first()?;
    let message = match refused.len() {
        1 => first.message.clone(),
        count => purpose.counted(count),
    };
    let lines = match refused.as_slice() {
        [(check, ..)] => format!("{}: {}", check.group, check.check),
        several => several.iter().map(|(check, finding, _)| listed(check, finding)).collect::<Vec<_>>().join("\n"),
    };
    let hint = match (&first.hint, refused.len()) {
        (Some(hint), 1) => hint,
        (None, 1) => "correct it, and run the recipe again",
        _ => "correct each of them, and run the recipe again",
    };
    Some((purpose.error(message).because(lines).hint(hint), (*spot).clone()))
}

/// `the target: its ports are free: port 6443 is taken (add_master.rhai:12:9)`, and its hint below.
fn listed(check: &Told, finding: &CheckFinding) -> String {
    let mut line = format!("{}: {}: {}", check.group, check.check, finding.message);
    if let Some(place) = &finding.place {
        let _ = write!(line, " ({place})");
    }
    if let Some(hint) = &finding.hint {
        let _ = write!(line, "\n  {hint}");
    }
    line
}
