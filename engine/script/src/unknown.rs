//! Values that only a run can know: they may be held and passed on, and nothing else.

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::value::Unknown;
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, NativeCallContext};

use crate::raise::{placed, raise};

/// Stands in a text for an unknown that was printed into it: Rhai passes over errors of `to_string`, so the text is
/// refused where it is used. A character of the private use area, which no recipe writes.
const MARK: char = '\u{F8FF}';

/// Traps every operation that would silently give a wrong answer: comparing, adding, reading a property, printing.
pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Unknown>("Unknown");
    for operator in ["==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "in"] {
        engine.register_fn(operator, |context: NativeCallContext, left: Unknown, _: Dynamic| stop(&context, &left));
        engine.register_fn(operator, |context: NativeCallContext, _: Dynamic, right: Unknown| stop(&context, &right));
        engine.register_fn(operator, |context: NativeCallContext, left: Unknown, _: Unknown| stop(&context, &left));
    }
    // Rhai's own functions on (string, anything) are tried before ours on (anything, unknown).
    engine.register_fn("+", |context: NativeCallContext, _: ImmutableString, right: Unknown| stop(&context, &right));
    engine.register_fn("+", |context: NativeCallContext, left: Unknown, _: ImmutableString| stop(&context, &left));
    engine.register_fn("+=", |context: NativeCallContext, _: &mut ImmutableString, right: Unknown| {
        stop(&context, &right)
    });
    engine.register_fn("!", |context: NativeCallContext, value: Unknown| stop(&context, &value));
    engine.register_fn("to_string", |value: &mut Unknown| marked(value));
    engine.register_fn("to_debug", |value: &mut Unknown| marked(value));
    engine.register_indexer_get(|context: NativeCallContext, value: &mut Unknown, _: Dynamic| stop(&context, value));
}

fn stop(context: &NativeCallContext, unknown: &Unknown) -> Result<Dynamic, Box<EvalAltResult>> {
    Err(placed(raise(looked_at(unknown)), context))
}

/// How the message begins: in a check the plan goes on.
pub(crate) const THE_PLAN_ENDS: &str = "the plan ends here: ";

/// Looking at this is refused.
pub(crate) fn looked_at(unknown: &Unknown) -> Error {
    if let Some(error) = unknown.forgotten("the run ends here: the recipe looks at") {
        return error;
    }
    let message = format!("{THE_PLAN_ENDS}the recipe looks at {}, known only when run", unknown.origin);
    Error::new(Kind::Unknown, "plan.unknown", message)
        .hint("run the recipe, or let it decide on a read that no planned change bears on")
}

fn marked(unknown: &Unknown) -> String {
    format!("{MARK}{}{MARK}", unknown.origin)
}

/// Refuses a text into which an unknown was printed.
///
/// # Errors
/// Of kind `Unknown`, naming where it comes from.
pub(crate) fn refuse_marked(text: &str) -> Result<(), Error> {
    match text.split(MARK).nth(1) {
        Some(origin) => Err(looked_at(&Unknown { origin: origin.to_owned() })),
        None => Ok(()),
    }
}
