//! How deep, large and long things may become in a recipe: it comes from elsewhere, and must not end haengine.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use haengine_kernel::cancel::Cancel;
use haengine_kernel::error::{Error, Kind};
use haengine_kernel::steady::words;
use rhai::{Dynamic, Engine, EvalAltResult};

use crate::raise::raise;

/// The stack of a thread that plays a recipe. As deep as the limits allow, it needs a part of that; what is not used is
/// not taken from the machine.
pub(crate) const STACK: usize = 256 * 1024 * 1024;

/// How deep functions may call each other.
const CALLS: usize = 64;
/// How many values a list or a map may have, those within it included: so deep may it be, too.
const VALUES: usize = 100_000;

/// How long `params()` and what stands outside of functions may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many operations they may make.
const OPERATIONS: u64 = 1_000_000;
/// How large their values may be.
const DECLARED: usize = 10_000;

/// What holds for all that a recipe does. Debug builds have smaller defaults; a recipe must not depend on how haengine was
/// built.
pub(crate) fn limit(engine: &mut Engine, cancel: Cancel) {
    engine.set_max_call_levels(CALLS);
    engine.set_max_expr_depths(256, 128);
    engine.set_max_operations(0);
    engine.set_max_array_size(VALUES);
    engine.set_max_map_size(VALUES);
    engine.on_progress(move |_| cancel.is_cancelled().then(interrupted));
}

/// What holds while a recipe is only asked what it takes: for a list of recipes, or because somebody has pressed TAB.
pub(crate) fn limit_declarations(engine: &mut Engine, cancel: Cancel) {
    engine.set_max_operations(OPERATIONS);
    engine.set_max_array_size(DECLARED);
    engine.set_max_map_size(DECLARED);
    engine.set_max_string_size(DECLARED * 100);
    let begun: Mutex<HashMap<ThreadId, Instant>> = Mutex::default();
    engine.on_progress(move |count| {
        if cancel.is_cancelled() {
            return Some(interrupted());
        }
        // The clock is looked at now and then; each call counts from the beginning.
        if count % 256 != 1 {
            return None;
        }
        let mut begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
        let since = begun.entry(std::thread::current().id()).or_insert_with(Instant::now);
        if count == 1 {
            *since = Instant::now();
        }
        (since.elapsed() > PATIENCE).then(endless)
    });
}

/// Does the work on a thread of its own, whose stack is deep enough for all that a recipe may do.
///
/// # Errors
/// What it said as it broke off, or why there is no such thread.
pub(crate) fn on_a_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("recipe".to_owned()).stack_size(STACK);
        match thread.spawn_scoped(scope, work).map(|thread| thread.join()) {
            Ok(joined) => joined.map_err(|panic| words(&*panic)),
            Err(error) => Err(error.to_string()),
        }
    })
}

/// What ends a recipe that is interrupted between two calls.
fn interrupted() -> Dynamic {
    match *raise(Error::cancelled()) {
        EvalAltResult::ErrorTerminated(value, _) => value,
        _ => Dynamic::UNIT,
    }
}

fn endless() -> Dynamic {
    let message = format!("`params()` takes longer than {} s", PATIENCE.as_secs());
    let error = Error::new(Kind::Usage, "recipe.too_long", message).hint("look for a loop that does not end");
    match *raise(error) {
        EvalAltResult::ErrorTerminated(value, _) | EvalAltResult::ErrorRuntime(value, _) => value,
        _ => Dynamic::UNIT,
    }
}
