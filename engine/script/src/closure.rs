//! Calling a recipe's closure from a native function.

use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};

use crate::frame::Frame;

/// Calls `body` with `frame` as its call tag.
#[expect(deprecated, reason = "Rhai marks its internals so; no other way gives a closure another call tag")]
pub(crate) fn call_in(
    context: &NativeCallContext,
    body: &FnPtr,
    frame: Frame,
    arguments: Vec<Dynamic>,
) -> Result<Dynamic, Box<EvalAltResult>> {
    let mut store = context.store_data();
    store.global.tag = frame.tag();
    let inner = store.create_context(context.engine());
    body.call_raw(&inner, None, arguments)
}

/// The closure with its captured values copied in, so that two threads never share one.
pub(crate) fn detached(body: &FnPtr) -> FnPtr {
    let mut own = body.clone();
    let copies: Vec<Dynamic> = body.iter_curry().map(Dynamic::flatten_clone).collect();
    own.set_curry(copies);
    own
}
