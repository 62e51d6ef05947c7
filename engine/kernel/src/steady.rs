//! A verb that breaks off ends its own change, and not the run: the journal is told, and the other hosts go on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::FutureExt;

use crate::error::{Error, Kind, Result};
use crate::redact::redact;

/// The code of what broke off with a panic.
pub const PANIC: &str = "engine.panic";

/// Does the work of a verb, or of something larger that has a name.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use haengine_kernel::steady::{PANIC, steady};
/// let error = steady::<()>("file.put", async { panic!("no host") }).await.unwrap_err();
/// assert_eq!((error.code(), error.message()), (PANIC, "`file.put` broke off: haengine itself failed in it"));
/// # });
/// ```
///
/// # Errors
/// Those of `work`, and [`PANIC`] where it panics.
pub async fn steady<T>(verb: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| Err(broke_off(verb, &*panic)))
}

/// The same for what waits for nothing.
///
/// # Errors
/// Those of `work`, and [`PANIC`] where it panics.
pub(crate) fn steadily<T>(verb: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(broke_off(verb, &*panic)))
}

/// What a panic said.
pub fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it broke off without a word").to_owned()
}

/// It may have what a host said in it.
fn broke_off(verb: &str, panic: &(dyn Any + Send)) -> Error {
    Error::new(Kind::Failed, PANIC, format!("`{verb}` broke off: haengine itself failed in it"))
        .hint("report this, with what the run was about to do")
        .because(redact(&words(panic)))
}
