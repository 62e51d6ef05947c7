//! What a recipe says and asks: `log`, `warn`, `fail`, `confirm`.

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::event::{CheckStatus, Level};
use rhai::{Dynamic, EvalAltResult, NativeCallContext};

use crate::frame::Frame;
use crate::raise::{placed, raise, spot_of};
use crate::value::to_kernel;

type RhaiResult<T> = Result<T, Box<EvalAltResult>>;

/// `log(value)`: a line for the reader.
pub(crate) fn log(context: NativeCallContext, value: Dynamic) -> RhaiResult<()> {
    say(&context, Level::Info, &value)
}

/// `warn(value)`: a line that stands out; in a check, a finding.
pub(crate) fn warn(context: NativeCallContext, value: Dynamic) -> RhaiResult<()> {
    warn_with(context, value, "")
}

/// `warn(value, hint)`: the same with the next step.
pub(crate) fn warn_with(context: NativeCallContext, value: Dynamic, hint: &str) -> RhaiResult<()> {
    if let Some(findings) = &Frame::of(&context)?.check {
        let text = shown(&value).map_err(|error| placed(error, &context))?;
        findings.add(CheckStatus::Warning, text, hint, spot_of(&context));
        return Ok(());
    }
    match hint {
        "" => say(&context, Level::Warning, &value),
        hint => {
            let text = shown(&value).map_err(|error| placed(error, &context))?;
            say(&context, Level::Warning, &format!("{text}\nhint: {hint}").into())
        }
    }
}

fn say(context: &NativeCallContext, level: Level, value: &Dynamic) -> RhaiResult<()> {
    let text = shown(value).map_err(|error| placed(error, context))?;
    let frame = Frame::of(context)?;
    let common = frame.common(context)?;
    let is_news = level == Level::Warning && common.is_news(&text);
    if is_news || !frame.is_quiet {
        common.run.events().log(level, None, text);
    }
    Ok(())
}

/// Secrets and unknowns are shown as words, structures as JSON.
fn shown(value: &Dynamic) -> RhaiResult<String> {
    let json = to_kernel(value).map_err(raise)?.redacted();
    Ok(match json {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    })
}

/// `fail(message)`: ends the run. Before the first change it is a refusal.
pub(crate) fn fail(context: NativeCallContext, message: &str) -> RhaiResult<Dynamic> {
    fail_with(context, message, "")
}

/// `fail(message, hint)`: the same with the next step.
pub(crate) fn fail_with(context: NativeCallContext, message: &str, hint: &str) -> RhaiResult<Dynamic> {
    let touched = Frame::of(&context)?.common(&context)?.run.has_touched();
    let kind = if touched { Kind::Failed } else { Kind::Refused };
    let error = Error::new(kind, "recipe.fail", message);
    Err(raise(if hint.is_empty() { error } else { error.hint(hint) }))
}

/// `exit()` is refused: a reader of the summary would take the rest of the recipe for done.
pub(crate) fn exit() -> RhaiResult<Dynamic> {
    let error = Error::new(Kind::Usage, "recipe.exit", "a recipe cannot end in the middle as if it were done");
    Err(raise(error.hint("put the rest under `if`, or end the run with `fail(message)`")))
}

/// `confirm(question)`: ends the run when the operator says no. A plan does not ask.
pub(crate) fn confirm(context: NativeCallContext, question: &str) -> RhaiResult<()> {
    let frame = Frame::of(&context)?;
    frame.only_reads("confirm")?;
    let common = frame.common(&context)?;
    if common.run.is_plan() || common.prompt.confirm(question).map_err(raise)? {
        return Ok(());
    }
    Err(raise(Error::new(Kind::Refused, "recipe.declined", format!("you said no to: {question}"))))
}
