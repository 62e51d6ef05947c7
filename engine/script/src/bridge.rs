//! From a call in a recipe to a verb of the kernel, and back. Nothing else waits for a future.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::Arc;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind};
use haengine_kernel::host::Host;
use haengine_kernel::run::Results;
use haengine_kernel::steady::steady;
use haengine_kernel::verb::{Sort, Verb};
use rhai::{Array, Dynamic, EvalAltResult, FuncRegistration, Map, NativeCallContext, RhaiFunc};

use crate::frame::{Common, Frame};
use crate::from_rhai::{Known, error_of};
use crate::host::host_names;
use crate::raise::{is_final, placed, raise, raise_with};
use crate::value::{to_kernel, to_rhai, type_name};
use haengine_kernel::module::Module;

type RhaiResult<T> = Result<T, Box<EvalAltResult>>;

/// How many arguments more than a verb takes still reach our own, clearer error.
const SPARE_ARGUMENTS: usize = 3;

/// The Rhai module of a module of verbs.
pub(crate) fn rhai_module(module: &Module) -> rhai::Module {
    let mut rhai_module = rhai::Module::new();
    rhai_module.set_id(module.name).set_doc(module.about);
    for verb in &module.verbs {
        register(&mut rhai_module, verb);
    }
    rhai_module
}

/// Every number of arguments is taken, so that a wrong one is told by us and not by "function not found".
fn register(module: &mut rhai::Module, verb: &Arc<dyn Verb>) {
    let name = verb.name().rsplit('.').next().unwrap_or_default();
    for count in 0..=verb.signature().positional.len() + SPARE_ARGUMENTS {
        let verb = verb.clone();
        let function = RhaiFunc::Pure {
            func: Arc::new(move |context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]| {
                let Some(context) = context else { return Ok(Dynamic::UNIT) };
                let arguments: Vec<Dynamic> = arguments.iter_mut().map(|argument| std::mem::take(*argument)).collect();
                call(&verb, &context, arguments).map_err(|error| placed(error, &context))
            }),
            has_context: true,
            is_pure: false,
            is_volatile: true,
        };
        FuncRegistration::new(name).set_into_module_raw(module, vec![TypeId::of::<Dynamic>(); count], function);
    }
}

fn call(verb: &Arc<dyn Verb>, context: &NativeCallContext, mut given: Vec<Dynamic>) -> RhaiResult<Dynamic> {
    let frame = Frame::of(context)?;
    let common = frame.common(context)?;
    let signature = verb.signature();
    let function = verb.name().replace('.', "::");
    frame.may_read(&function)?;
    if verb.sort() != Sort::Read {
        frame.only_reads(&function)?;
    }
    let mut options = take_options(&mut given, signature.positional.len())?;
    let on_error = take_on_error(&function, &mut options)?;
    let subject = signature.subject().and_then(|index| given.get(index).map(|value| (index, value.clone())));
    let positional = given.iter().map(to_kernel).collect::<Result<_, _>>().map_err(raise)?;
    let mut arguments = Arguments::check(&function, &signature, positional, options).map_err(raise)?;
    arguments = arguments.within(common.reach.clone());
    if let Some(folder) = frame.snapshot.folder_of(&frame.place.recipe) {
        arguments = arguments.with_base(folder).with_texts(frame.snapshot.templates.clone());
    }
    let (hosts, alone) = match subject {
        Some((index, value)) => hosts(&function, index, &value, common)?,
        None => return Err(raise(Error::new(Kind::Usage, "call.arity", format!("`{function}` needs hosts")))),
    };
    let called = steady(verb.name(), verb.call(&common.run, &frame.place, &hosts, &arguments));
    let results = wait(common, called).map_err(raise)?;
    if alone { bare(results) } else { by_host(context, &function, results, on_error) }
}

/// Waits for a future of the kernel on the run's own runtime.
pub(crate) fn wait<T>(common: &Common, future: impl Future<Output = T>) -> T {
    common.runtime.block_on(future)
}

/// The options map is the one argument after the positional ones.
fn take_options(
    given: &mut Vec<Dynamic>,
    positional: usize,
) -> RhaiResult<Option<BTreeMap<String, haengine_kernel::value::Value>>> {
    if given.len() != positional + 1 || !given.last().is_some_and(Dynamic::is_map) {
        return Ok(None);
    }
    let map = given.pop().and_then(Dynamic::try_cast::<Map>).unwrap_or_default();
    let options = map.iter().map(|(name, value)| Ok((name.to_string(), to_kernel(value)?)));
    options.collect::<Result<_, Error>>().map(Some).map_err(raise)
}

#[derive(Clone, Copy, PartialEq)]
enum OnError {
    Raise,
    Continue,
}

/// `on_error` belongs to every call on several hosts, not to a verb.
fn take_on_error(
    function: &str,
    options: &mut Option<BTreeMap<String, haengine_kernel::value::Value>>,
) -> RhaiResult<OnError> {
    use haengine_kernel::value::Value;
    match options.as_mut().and_then(|options| options.remove("on_error")) {
        None => Ok(OnError::Raise),
        Some(Value::String(word)) if word == "raise" => Ok(OnError::Raise),
        Some(Value::String(word)) if word == "continue" => Ok(OnError::Continue),
        Some(_) => Err(raise(
            Error::new(
                Kind::Usage,
                "call.type",
                format!("option `on_error` of `{function}` must be one of `raise`, `continue`"),
            )
            .hint("write `on_error: \"continue\"` to get the results of the other hosts"),
        )),
    }
}

/// The hosts of a call, and whether it named just one, which gets the bare result.
fn hosts(function: &str, index: usize, value: &Dynamic, common: &Common) -> RhaiResult<(Vec<Arc<Host>>, bool)> {
    let names = host_names(value).ok_or_else(|| {
        let message = format!(
            "argument {} of `{function}` must be a host or an array of hosts, not {}",
            index + 1,
            type_name(value)
        );
        raise(Error::new(Kind::Usage, "call.type", message).hint("write `host(\"NAME\")` or `group(\"NAME\")`"))
    })?;
    let alone = !value.is_array();
    let hosts = names.iter().map(|name| common.run.hosts().get(name)).collect::<Result<_, _>>().map_err(raise)?;
    Ok((hosts, alone))
}

fn bare(results: Results) -> RhaiResult<Dynamic> {
    match results.into_iter().next() {
        Some((_, result)) => result.map(to_rhai).map_err(raise),
        None => Ok(Dynamic::UNIT),
    }
}

fn by_host(context: &NativeCallContext, function: &str, results: Results, on_error: OnError) -> RhaiResult<Dynamic> {
    let results = results
        .into_iter()
        .map(|(host, result)| (host.name().to_owned(), result.map(to_rhai).map_err(raise)))
        .collect();
    gather(context, (function, Over::Hosts), results, on_error == OnError::Continue)
}

/// What several results are of.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Over {
    Hosts,
    Names,
}

/// Several results as one map; failures become one error that carries `failed` and `results`, or, when
/// the recipe goes on, a map of both.
pub(crate) fn gather(
    context: &NativeCallContext,
    what: (&str, Over),
    results: Vec<(String, RhaiResult<Dynamic>)>,
    go_on: bool,
) -> RhaiResult<Dynamic> {
    let count = results.len();
    let (mut good, mut failed) = (Map::new(), Vec::new());
    for (name, result) in results {
        match result {
            Ok(value) => _ = good.insert(name.into(), value),
            // What a recipe may not catch is not gathered either.
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => failed.push((name, error)),
        }
    }
    if failed.is_empty() && !go_on {
        return Ok(good.into());
    }
    let names: Array = failed.iter().map(|(name, _)| name.clone().into()).collect();
    let more = Map::from([("failed".into(), names.into()), ("results".into(), good.into())]);
    if go_on {
        return Ok(more.into());
    }
    let frame = Frame::of(context)?;
    let error = summary(what, count, &failed, Known { engine: context.engine(), snapshot: &frame.snapshot });
    // The place and the calls are those of the first failure: that is where the reader must look.
    let (_, first) = failed.swap_remove(0);
    Err(with_innermost(first, raise_with(error, more)))
}

#[expect(clippy::boxed_local, reason = "Rhai hands its errors on in boxes")]
fn with_innermost(outer: Box<EvalAltResult>, mut inner: Box<EvalAltResult>) -> Box<EvalAltResult> {
    match *outer {
        EvalAltResult::ErrorInFunctionCall(name, source, cause, position) => {
            Box::new(EvalAltResult::ErrorInFunctionCall(name, source, with_innermost(cause, inner), position))
        }
        EvalAltResult::ErrorInModule(name, cause, position) => {
            Box::new(EvalAltResult::ErrorInModule(name, with_innermost(cause, inner), position))
        }
        other => {
            inner.set_position(other.position());
            inner
        }
    }
}

/// One failure is told as it is; several are counted, and each is listed.
fn summary((what, over): (&str, Over), count: usize, failed: &[(String, Box<EvalAltResult>)], known: Known) -> Error {
    let of_hosts = over == Over::Hosts;
    let errors: Vec<Arc<Error>> =
        failed.iter().map(|(name, error)| error_of(error, of_hosts.then_some(name.as_str()), known)).collect();
    let first = &errors[0];
    let (message, causes) = if errors.len() == 1 {
        let of_name = (!of_hosts).then(|| format!("for `{}`", failed[0].0));
        (first.message().to_owned(), of_name.into_iter().chain(first.causes()).collect())
    } else {
        let line = |((name, _), error): (&(String, _), &Arc<Error>)| match over {
            Over::Hosts => with_causes(error),
            Over::Names => format!("{name}: {}", with_causes(error)),
        };
        let lines: Vec<String> = failed.iter().zip(&errors).map(line).collect();
        let of = match over {
            Over::Hosts => format!("on {} of {count} hosts", errors.len()),
            Over::Names => format!("for {} of {count} names", errors.len()),
        };
        (format!("`{what}` failed {of}"), lines)
    };
    let mut error = Error::new(first.kind(), first.code(), message);
    if let Some(hint) = first.advice() {
        error = error.hint(hint);
    }
    if !causes.is_empty() {
        error = error.because(causes.join("\n"));
    }
    match first.host() {
        Some(host) if errors.len() == 1 => error.on(host),
        _ => error,
    }
}

fn with_causes(error: &Error) -> String {
    let causes = error.causes().join("; ");
    if causes.is_empty() { error.to_string() } else { format!("{error}: {causes}") }
}
