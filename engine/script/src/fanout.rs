//! `each` and `rolling`: a closure on several hosts.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use haengine_kernel::error::{Error, Kind};
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext};

use crate::bridge::{gather, host_names};
use crate::closure::{call_in, detached};
use crate::frame::Frame;
use crate::raise::raise;
use crate::value::type_name;

type RhaiResult<T> = Result<T, Box<EvalAltResult>>;

/// `each(hosts, |h| …)`: all hosts at once, up to `--forks`; a map of the results by host.
pub(crate) fn each(context: NativeCallContext, hosts: Dynamic, body: FnPtr) -> RhaiResult<Dynamic> {
    let hosts = host_array("each", hosts)?;
    gather(&context, "each", run_all(&context, &hosts, &body)?, false)
}

/// `rolling(hosts, #{ batch: 1 }, |h| …)`: a batch after the other; a batch in which a host fails is the last.
pub(crate) fn rolling(context: NativeCallContext, hosts: Dynamic, options: Map, body: FnPtr) -> RhaiResult<Dynamic> {
    let hosts = host_array("rolling", hosts)?;
    let batch = batch_size(&options, hosts.len())?;
    let mut results = Vec::new();
    for batch in hosts.chunks(batch) {
        results.extend(run_all(&context, batch, &body)?);
        if results.iter().any(|(_, result)| result.is_err()) {
            break;
        }
    }
    gather(&context, "rolling", results, false)
}

fn batch_size(options: &Map, hosts: usize) -> RhaiResult<usize> {
    if let Some(unknown) = options.keys().find(|key| *key != "batch") {
        let message = format!("`rolling` has no option `{unknown}`");
        return Err(raise(Error::new(Kind::Usage, "call.unknown_option", message).hint("write `batch`")));
    }
    let batch = options.get("batch").map_or(Ok(1), Dynamic::as_int).ok().and_then(|size| usize::try_from(size).ok());
    match batch {
        Some(size) if size > 0 => Ok(size.min(hosts.max(1))),
        _ => Err(raise(Error::new(Kind::Usage, "call.type", "option `batch` of `rolling` must be an integer above 0"))),
    }
}

fn host_array(function: &str, hosts: Dynamic) -> RhaiResult<Array> {
    let message = format!("argument 1 of `{function}` must be an array of hosts, not {}", type_name(&hosts));
    let wrong = || raise(Error::new(Kind::Usage, "call.type", message.clone()).hint("write `group(\"NAME\")`"));
    host_names(&hosts).ok_or_else(wrong)?;
    let hosts = hosts.flatten_clone();
    if hosts.is_array() { hosts.into_array().map_err(|_| wrong()) } else { Ok(vec![hosts]) }
}

/// One thread a host, at most `forks` at once. The order of results is that of the hosts.
fn run_all(
    context: &NativeCallContext,
    hosts: &[Dynamic],
    body: &FnPtr,
) -> RhaiResult<Vec<(String, RhaiResult<Dynamic>)>> {
    let frame = Frame::of(context)?;
    let session = frame.session(context)?;
    let done = Mutex::new(Vec::new());
    beside(session.forks, hosts, |_, host| {
        let index_name = host_names(host).and_then(|names| names.into_iter().next()).unwrap_or_default();
        let result = call_in(context, &detached(body), (*frame).clone(), vec![host.clone()]);
        done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index_name, result));
    });
    let mut results = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let order: Vec<String> = hosts.iter().filter_map(|host| host_names(host)?.into_iter().next()).collect();
    results.sort_by_key(|(name, _)| order.iter().position(|host| host == name));
    Ok(results)
}

/// Does the work for each item, up to `forks` beside each other, in the order of the items as they begin.
pub(crate) fn beside<T: Sync>(forks: usize, items: &[T], work: impl Fn(usize, &T) + Sync) {
    let next = AtomicUsize::new(0);
    let thread = || loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(item) = items.get(index) else { break };
        work(index, item);
    };
    std::thread::scope(|scope| {
        for _ in 0..forks.min(items.len()) {
            scope.spawn(thread);
        }
    });
}
