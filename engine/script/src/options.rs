//! Options of the language's own functions.

use haengine_kernel::error::{Error, Kind};
use rhai::{Dynamic, EvalAltResult, Map};

use crate::raise::raise;

/// Whether the one option that a function has is `true`.
///
/// # Errors
/// When it is neither `true` nor `false`, and when there is another one.
pub(crate) fn marked(function: &str, option: &str, options: &Map) -> Result<bool, Box<EvalAltResult>> {
    if let Some(unknown) = options.keys().find(|key| *key != option) {
        let message = format!("`{function}` has no option `{unknown}`");
        return Err(raise(Error::new(Kind::Usage, "call.unknown_option", message).hint(format!("write `{option}`"))));
    }
    options.get(option).map_or(Ok(false), Dynamic::as_bool).map_err(|_| {
        let message = format!("option `{option}` of `{function}` must be `true` or `false`");
        raise(Error::new(Kind::Usage, "call.type", message))
    })
}
