//! Errors on their way through Rhai: out of the kernel into a recipe, which may catch them, and back.

use std::sync::Arc;

use haengine_kernel::error::{Error, Kind};
use rhai::{Dynamic, EvalAltResult, Map, NativeCallContext, Position};

use crate::spot::Spot;

/// A kernel error inside a Rhai value, so that nothing of it is lost when a recipe throws it again.
#[derive(Clone)]
pub(crate) struct Carried(pub Arc<Error>);

/// The key under which a thrown map carries the kernel's error.
const CARRIED: &str = "error";

/// The key under which an error carries its place, where Rhai knows another one.
const PLACE: &str = "place";

/// A kernel error as a Rhai error. A recipe catches it as a map with `kind`, `code`, `message`, `host` and `hint`;
/// interruptions and values known only when run cannot be caught.
pub(crate) fn raise(error: Error) -> Box<EvalAltResult> {
    raise_with(error, Map::new())
}

/// The same with more keys in the map.
pub(crate) fn raise_with(error: Error, more: Map) -> Box<EvalAltResult> {
    let uncatchable = matches!(error.kind(), Kind::Cancelled | Kind::Unknown);
    let map = describe(Arc::new(error), more);
    Box::new(if uncatchable {
        EvalAltResult::ErrorTerminated(map.into(), Position::NONE)
    } else {
        EvalAltResult::ErrorRuntime(map.into(), Position::NONE)
    })
}

/// The same for an error that happened at another place than the call that ends with it.
pub(crate) fn raise_at(error: Error, spot: Option<Spot>) -> Box<EvalAltResult> {
    raise_with(error, spot.into_iter().map(|spot| (PLACE.into(), Dynamic::from(spot))).collect())
}

fn describe(error: Arc<Error>, mut map: Map) -> Map {
    let kind = serde_json::to_value(error.kind()).ok().and_then(|kind| kind.as_str().map(str::to_owned));
    let text = |text: Option<&str>| text.map_or(Dynamic::UNIT, |text| text.to_owned().into());
    map.insert("kind".into(), text(kind.as_deref()));
    map.insert("code".into(), text(Some(error.code())));
    map.insert("message".into(), text(Some(error.message())));
    map.insert("host".into(), text(error.host()));
    map.insert("hint".into(), text(error.advice()));
    map.insert(CARRIED.into(), Dynamic::from(Carried(error)));
    map
}

/// The error with the place of the call, unless it has one. Rhai gives none to an error of a function with a module
/// before its name, and moves that of an uncatchable error out to the outermost call; those carry it in their value.
pub(crate) fn placed(mut error: Box<EvalAltResult>, context: &NativeCallContext) -> Box<EvalAltResult> {
    let position = context.call_position();
    if let EvalAltResult::ErrorTerminated(value, _) = &mut *error
        && let (Some(mut map), Some(spot)) = (value.write_lock::<Map>(), spot_of(context))
    {
        map.entry(PLACE.into()).or_insert_with(|| Dynamic::from(spot));
    }
    if error.position().is_none() {
        error.set_position(position);
    }
    error
}

/// The place of the call.
pub(crate) fn spot_of(context: &NativeCallContext) -> Option<Spot> {
    let position = context.call_position();
    let (line, column) = (position.line()?, position.position().unwrap_or(1));
    Some(Spot { file: file_of(context), line, column, function: None })
}

#[expect(deprecated, reason = "Rhai marks its internals so; nothing else tells the file of a call")]
fn file_of(context: &NativeCallContext) -> String {
    context.store_data().global.source().unwrap_or_default().to_owned()
}

/// The place that an error carries.
pub(crate) fn carried_place(error: &EvalAltResult) -> Option<Spot> {
    let (EvalAltResult::ErrorTerminated(value, _) | EvalAltResult::ErrorRuntime(value, _)) = error else { return None };
    let map = value.read_lock::<Map>()?;
    map.get(PLACE)?.read_lock::<Spot>().map(|spot| spot.clone())
}

/// True for what no `catch` may see, however deep it happened.
pub(crate) fn is_final(error: &EvalAltResult) -> bool {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, cause, _) | EvalAltResult::ErrorInModule(_, cause, _) => {
            is_final(cause)
        }
        EvalAltResult::ErrorTerminated(..) => true,
        _ => false,
    }
}

/// The kernel's error inside a thrown value, if there is one.
pub(crate) fn carried(value: &Dynamic) -> Option<Arc<Error>> {
    let map = value.read_lock::<Map>()?;
    let carried = map.get(CARRIED)?.read_lock::<Carried>()?;
    Some(carried.0.clone())
}
