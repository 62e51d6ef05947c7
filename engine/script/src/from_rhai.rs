//! Rhai's errors as ours: a kernel error, its place, and the calls around it.

use std::sync::Arc;

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::signature::quoted;
use rhai::{ASTNode, Dynamic, Engine, EvalAltResult, Expr, Position};

use crate::docs;
use crate::fault::Fault;
use crate::lint::Names;
use crate::raise::{carried, carried_place};
use crate::snapshot::Snapshot;
use crate::spot::Spot;
use crate::value::type_name;

/// Where a name that a recipe got wrong is looked up.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub engine: &'a Engine,
    pub snapshot: &'a Snapshot,
}

/// An error that came out of a recipe, with its place.
pub(crate) fn fault(error: EvalAltResult, engine: &Engine, snapshot: &Snapshot) -> Fault {
    fault_in(&snapshot.main_file().label, error, engine, snapshot)
}

/// The same for an error of the file that calls itself `label`.
pub(crate) fn fault_in(label: &str, error: EvalAltResult, engine: &Engine, snapshot: &Snapshot) -> Fault {
    let mut stack = Vec::new();
    let mut file = label.to_owned();
    let mut function = None;
    let mut inner = error;
    loop {
        match inner {
            // Rhai keeps the callee's source beside the caller's position.
            EvalAltResult::ErrorInFunctionCall(name, source, cause, position) => {
                push(&mut stack, &file, &function, position);
                function = Some(readable(&name));
                if !source.is_empty() {
                    file = source;
                }
                inner = *cause;
            }
            EvalAltResult::ErrorInModule(_, cause, position) => {
                push(&mut stack, &file, &function, position);
                inner = *cause;
            }
            innermost => {
                let carried = carried_place(&innermost);
                // Rhai has moved the position of an uncatchable error; that of another one is a call around its place.
                if carried.is_none() || matches!(innermost, EvalAltResult::ErrorRuntime(..)) {
                    push(&mut stack, &file, &function, innermost.position());
                }
                stack.extend(carried);
                stack.reverse();
                stack.dedup_by(|later, earlier| (&later.file, later.line) == (&earlier.file, earlier.line));
                let error = error_of(&innermost, None, Known { engine, snapshot });
                return Fault::new(error, stack, snapshot.texts());
            }
        }
    }
}

fn push(stack: &mut Vec<Spot>, file: &str, function: &Option<String>, position: Position) {
    if let Some(line) = position.line() {
        let column = position.position().unwrap_or(1);
        stack.push(Spot { file: file.to_owned(), line, column, function: function.clone() });
    }
}

fn readable(name: &str) -> String {
    if name.starts_with("anon$") { "a closure".to_owned() } else { name.to_owned() }
}

/// The kernel's error inside one of Rhai's, or one that says the same in our words.
pub(crate) fn error_of(error: &EvalAltResult, host: Option<&str>, known: Known) -> Arc<Error> {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, cause, _) | EvalAltResult::ErrorInModule(_, cause, _) => {
            error_of(cause, host, known)
        }
        EvalAltResult::ErrorRuntime(value, _) | EvalAltResult::ErrorTerminated(value, _) => {
            carried(value).unwrap_or_else(|| Arc::new(thrown(value, host)))
        }
        other => Arc::new(at(in_our_words(other, known), host)),
    }
}

fn at(error: Error, host: Option<&str>) -> Error {
    match host {
        Some(host) => error.on(host),
        None => error,
    }
}

/// `throw "text"` of a recipe.
fn thrown(value: &Dynamic, host: Option<&str>) -> Error {
    let text = if value.is_string() { value.to_string() } else { format!("the recipe threw {}", type_name(value)) };
    at(Error::new(Kind::Failed, "recipe.thrown", text), host)
}

fn in_our_words(error: &EvalAltResult, known: Known) -> Error {
    use EvalAltResult as Rhai;
    match error {
        Rhai::ErrorParsing(parse, _) => usage("recipe.syntax", lowercase(&parse.to_string())),
        Rhai::ErrorVariableNotFound(name, _) => {
            usage("recipe.unknown_variable", format!("there is no variable `{name}`")).hint(
                "pass it as an argument: a function does not see the variables around it, a closure in its place does",
            )
        }
        Rhai::ErrorPropertyNotFound(name, _) => unknown_property(name, "this value", known),
        Rhai::ErrorDotExpr(text, _) if getter(text).is_some() => {
            let (name, kind) = getter(text).unwrap_or_default();
            unknown_property(name, &with_article(kind), known)
        }
        Rhai::ErrorFunctionNotFound(signature, _) => unknown_function(signature, known),
        Rhai::ErrorModuleNotFound(name, _) => unknown_module(name, known),
        Rhai::ErrorMismatchDataType(wanted, given, _) if !wanted.is_empty() => {
            usage("recipe.type", format!("{wanted} is needed here, not {given}"))
        }
        Rhai::ErrorTooManyOperations(_) => usage("recipe.too_long", "the recipe makes too many operations".to_owned())
            .hint("look for a loop that does not end"),
        other => {
            let mut bare = other.to_string();
            if let Some(end) = bare.rfind(" (line ") {
                bare.truncate(end);
            }
            usage("recipe.error", lowercase(&bare))
        }
    }
}

fn usage(code: &'static str, message: String) -> Error {
    Error::new(Kind::Usage, code, message)
}

/// Rhai says `pt (Host, string)`; the types are those that were given.
fn unknown_function(signature: &str, known: Known) -> Error {
    let (name, types) = signature.split_once(" (").unwrap_or((signature, ""));
    let types = type_list(types.strip_suffix(')').unwrap_or(types));
    let names = Names::of(known.engine);
    let own = own_functions(known.snapshot);
    let (exists, near) = match name.rsplit_once("::") {
        Some((module, word)) if names.member(module, word).is_some() => (true, None),
        Some((module, word)) => (false, names.near_member(module, word)),
        None if names.function(name).is_some() || own.contains(&name) => (true, names.in_a_module(name)),
        None => (false, names.near_function(name, own)),
    };
    let message = match (exists, types.as_str()) {
        (true, "") => format!("`{name}` needs arguments"),
        (true, types) => format!("`{name}` does not take ({types})"),
        (false, "") => format!("there is no function `{name}` without arguments"),
        (false, types) => format!("there is no function `{name}` that takes ({types})"),
    };
    let calls = docs::named(name).map(|core| core.calls().join("` or `"));
    match calls.or(near) {
        Some(call) => usage("recipe.unknown_function", message).hint(format!("write `{call}`")),
        None => usage("recipe.unknown_function", message),
    }
}

fn own_functions(snapshot: &Snapshot) -> Vec<&str> {
    let functions = snapshot.files.values().flat_map(|file| file.ast.iter_functions());
    functions.map(|function| function.name).filter(|name| !name.starts_with("anon$")).collect()
}

fn unknown_module(name: &str, known: Known) -> Error {
    let error = usage("recipe.unknown_module", format!("there is no module `{name}`"));
    let names = Names::of(known.engine);
    match names.near_module(name, None) {
        Some(near) => error.hint(format!("write `{near}`")),
        None => error.hint(format!("use one of {}, or import a recipe", quoted(&names.modules()))),
    }
}

/// The nearest of what hosts know, and of the keys that the recipe itself writes.
fn unknown_property(name: &str, value: &str, known: Known) -> Error {
    let error = usage("recipe.unknown_key", format!("there is no `{name}` in {value}"));
    let names = Names::of(known.engine);
    let keys = written_keys(known.snapshot);
    match names.near_property(name, keys.iter().map(String::as_str).filter(|key| *key != name)) {
        Some(near) => error.hint(format!("write `{near}`")),
        None => error,
    }
}

fn written_keys(snapshot: &Snapshot) -> Vec<String> {
    let mut keys = Vec::new();
    for file in snapshot.files.values() {
        file.ast.walk(&mut |nodes: &[ASTNode]| {
            if let Some(ASTNode::Expr(Expr::Map(map, _))) = nodes.last() {
                keys.extend(map.0.iter().map(|(key, _)| key.name.to_string()));
            }
            true
        });
    }
    keys
}

/// Rhai says `Unknown property 'foo' - a getter is not registered for type 'Host'`.
fn getter(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("Unknown property '")?;
    let (name, rest) = rest.split_once('\'')?;
    let kind = rest.split_once("type '")?.1.trim_end_matches('\'');
    Some((name, kind))
}

fn with_article(kind: &str) -> String {
    let word = plain_type(kind);
    match word {
        "nothing" => word.to_owned(),
        word if word.starts_with(['a', 'e', 'i', 'o']) => format!("an {word}"),
        word => format!("a {word}"),
    }
}

/// Rhai's names of types are those of its own code: `&str | ImmutableString | String`.
fn plain_type(kind: &str) -> &str {
    match kind {
        "&str | ImmutableString | String" | "&str" | "ImmutableString" | "String" => "string",
        "i64" => "integer",
        "f64" => "float",
        "bool" => "boolean",
        "char" => "character",
        "Fn" => "closure",
        "Host" => "host",
        "()" => "nothing",
        other => other,
    }
}

fn type_list(types: &str) -> String {
    types.split(", ").map(plain_type).collect::<Vec<_>>().join(", ")
}

fn lowercase(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
