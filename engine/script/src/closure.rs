//! Calling a recipe's closure from a native function.

use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext};

use crate::frame::Frame;

/// Where a closure was made. An imported file's closure finds that file's functions only from there.
#[expect(deprecated, reason = "Rhai marks its internals so; no other way gives a closure another call tag")]
#[derive(Clone)]
pub(crate) struct Origin(rhai::NativeCallContextStore);

impl Origin {
    /// Here.
    #[expect(deprecated, reason = "Rhai marks its internals so")]
    pub fn of(context: &NativeCallContext) -> Origin {
        Origin(context.store_data())
    }

    /// Calls `body` with `frame` as its call tag.
    #[expect(deprecated, reason = "Rhai marks its internals so")]
    pub fn call(
        mut self,
        engine: &Engine,
        body: &FnPtr,
        frame: Frame,
        arguments: Vec<Dynamic>,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        self.0.global.tag = frame.tag();
        body.call_raw(&self.0.create_context(engine), None, arguments)
    }
}

/// Calls `body` from here with `frame` as its call tag.
pub(crate) fn call_in(
    context: &NativeCallContext,
    body: &FnPtr,
    frame: Frame,
    arguments: Vec<Dynamic>,
) -> Result<Dynamic, Box<EvalAltResult>> {
    Origin::of(context).call(context.engine(), body, frame, arguments)
}

/// The closure with its captured values copied in, so that two threads never share one.
pub(crate) fn detached(body: &FnPtr) -> FnPtr {
    let mut own = body.clone();
    let copies: Vec<Dynamic> = body.iter_curry().map(Dynamic::flatten_clone).collect();
    own.set_curry(copies);
    own
}
