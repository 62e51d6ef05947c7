//! Values that only a run can know: they may be held and passed on, and nothing else.

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::value::Unknown;
use rhai::{Dynamic, Engine, EvalAltResult};

use crate::raise::raise;

/// Traps every operation that would silently give a wrong answer: comparing, adding, reading a property, printing.
pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Unknown>("Unknown");
    for operator in ["==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "in"] {
        engine.register_fn(operator, |left: Unknown, _: Dynamic| stop(&left));
        engine.register_fn(operator, |_: Dynamic, right: Unknown| stop(&right));
        engine.register_fn(operator, |left: Unknown, _: Unknown| stop(&left));
    }
    engine.register_fn("!", |value: Unknown| stop(&value));
    engine.register_fn("to_string", |value: &mut Unknown| stop(value));
    engine.register_fn("to_debug", |value: &mut Unknown| stop(value));
    engine.register_indexer_get(|value: &mut Unknown, _: Dynamic| stop(value));
}

fn stop(unknown: &Unknown) -> Result<Dynamic, Box<EvalAltResult>> {
    let message = format!("the plan ends here: the recipe looks at {}, known only when run", unknown.origin);
    Err(raise(
        Error::new(Kind::Unknown, "plan.unknown", message)
            .hint("run the recipe, or let it decide on a read that no planned change bears on"),
    ))
}
