//! `each` and `rolling`: a closure on several hosts, or for several names.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::value::Unknown;
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext};

use crate::bridge::{Over, gather};
use crate::closure::{call_in, detached};
use crate::frame::Frame;
use crate::host::host_names;
use crate::limits::STACK;
use crate::raise::{placed, raise};
use crate::unknown::looked_at;
use crate::value::type_name;

type RhaiResult<T> = Result<T, Box<EvalAltResult>>;

/// `each(hosts, |h| …)`, `each(names, |name| …)`: all at once, up to `--forks`; a map of the results by host or by name.
pub(crate) fn each(context: NativeCallContext, items: Dynamic, body: FnPtr) -> RhaiResult<Dynamic> {
    if let Some(unknown) = unknown(&items) {
        return Err(placed(raise(looked_at(&unknown)), &context));
    }
    let (items, over) = match names(&items) {
        Some(names) => (distinct(names)?, Over::Names),
        None => (host_array("each", items)?, Over::Hosts),
    };
    gather(&context, ("each", over), run_all(&context, &items, &body)?, false)
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
    gather(&context, ("rolling", Over::Hosts), results, false)
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

/// What is known only when run, of what the closure is for.
fn unknown(items: &Dynamic) -> Option<Unknown> {
    let items = items.flatten_clone();
    let alone = items.clone().try_cast::<Unknown>();
    alone.or_else(|| items.into_array().ok()?.into_iter().find_map(|item| item.flatten_clone().try_cast::<Unknown>()))
}

/// An array of strings, and of one at least: of none nobody knows what they would be.
fn names(items: &Dynamic) -> Option<Array> {
    let items = items.flatten_clone().into_array().ok()?;
    (!items.is_empty() && items.iter().all(Dynamic::is_string)).then_some(items)
}

/// Results go by name, so no name may be there twice.
fn distinct(names: Array) -> RhaiResult<Array> {
    let mut seen = BTreeSet::new();
    match names.iter().map(name_of).find(|name| !seen.insert(name.clone())) {
        None => Ok(names),
        Some(twice) => {
            let message = format!("argument 1 of `each` names `{twice}` twice");
            Err(raise(Error::new(Kind::Usage, "call.type", message).hint("name it once")))
        }
    }
}

/// By which its result goes: a host's name, or the name itself.
fn name_of(item: &Dynamic) -> String {
    match item.flatten_clone().into_string() {
        Ok(name) => name,
        Err(_) => host_names(item).and_then(|names| names.into_iter().next()).unwrap_or_default(),
    }
}

fn host_array(function: &str, hosts: Dynamic) -> RhaiResult<Array> {
    let or_names = if function == "each" { " or of strings" } else { "" };
    let mut kinds: Vec<&str> = hosts.flatten_clone().into_array().unwrap_or_default().iter().map(type_name).collect();
    kinds.dedup();
    let given =
        if kinds.is_empty() { type_name(&hosts).to_owned() } else { format!("an array of {}", kinds.join(" and ")) };
    let message = format!("argument 1 of `{function}` must be an array of hosts{or_names}, not {given}");
    let hint = if function == "each" {
        "write `group(\"NAME\")`, or an array of strings alone"
    } else {
        "write `group(\"NAME\")`"
    };
    let wrong = || raise(Error::new(Kind::Usage, "call.type", message.clone()).hint(hint));
    host_names(&hosts).ok_or_else(wrong)?;
    let hosts = hosts.flatten_clone();
    if hosts.is_array() { hosts.into_array().map_err(|_| wrong()) } else { Ok(vec![hosts]) }
}

/// One thread an item, at most `forks` at once. The order of results is that of the items.
fn run_all(
    context: &NativeCallContext,
    items: &[Dynamic],
    body: &FnPtr,
) -> RhaiResult<Vec<(String, RhaiResult<Dynamic>)>> {
    let frame = Frame::of(context)?;
    let common = frame.common(context)?;
    // Names share a host, and what a plan makes of one depends on those before it.
    let forks = if frame.pretends() && items.iter().any(Dynamic::is_string) { 1 } else { common.forks };
    let done = Mutex::new(Vec::new());
    beside(forks, items, |index, item| {
        // They are places of their own: a resumed run finds what each has done, whichever came first.
        let frame = if item.is_string() { frame.step(&name_of(item)) } else { (*frame).clone() };
        let result = call_in(context, &detached(body), frame, vec![item.clone()]);
        done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
    });
    let mut results = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    Ok(results.into_iter().map(|(index, result)| (name_of(&items[index]), result)).collect())
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
            // Where the machine has no thread left, those that there are do the work.
            let spawned = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, thread);
            if spawned.is_err() {
                thread();
            }
        }
    });
}
