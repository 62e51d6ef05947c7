//! Rhai's errors as ours: a kernel error, its place, and the calls around it.

use std::sync::Arc;

use haengine_kernel::error::{Error, Kind};
use rhai::{Dynamic, EvalAltResult, Position};

use crate::fault::{Fault, Spot};
use crate::raise::{carried, carried_place};
use crate::snapshot::Snapshot;
use crate::value::type_name;

/// An error that came out of a recipe, with its place.
pub(crate) fn fault(error: Box<EvalAltResult>, snapshot: &Snapshot) -> Fault {
    let mut stack = Vec::new();
    let mut file = snapshot.main_file().label.clone();
    let mut function = None;
    let mut inner = *error;
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
                match carried_place(&innermost) {
                    Some(spot) => stack.push(spot),
                    None => push(&mut stack, &file, &function, innermost.position()),
                }
                stack.reverse();
                stack.dedup_by(|later, earlier| (&later.file, later.line) == (&earlier.file, earlier.line));
                return Fault::new(error_of(&innermost, None), stack, snapshot.texts());
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
pub(crate) fn error_of(error: &EvalAltResult, host: Option<&str>) -> Arc<Error> {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, cause, _) | EvalAltResult::ErrorInModule(_, cause, _) => {
            error_of(cause, host)
        }
        EvalAltResult::ErrorRuntime(value, _) | EvalAltResult::ErrorTerminated(value, _) => {
            carried(value).unwrap_or_else(|| Arc::new(thrown(value, host)))
        }
        other => Arc::new(at(in_our_words(other), host)),
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

fn in_our_words(error: &EvalAltResult) -> Error {
    use EvalAltResult as Rhai;
    let usage = |code, message: String| Error::new(Kind::Usage, code, message);
    match error {
        Rhai::ErrorParsing(parse, _) => usage("recipe.syntax", lowercase(&parse.to_string())),
        Rhai::ErrorVariableNotFound(name, _) => {
            usage("recipe.unknown_variable", format!("there is no variable `{name}`")).hint(
                "pass it as an argument: a function does not see the variables around it, a closure in its place does",
            )
        }
        Rhai::ErrorPropertyNotFound(name, _) => {
            usage("recipe.unknown_key", format!("there is no `{name}` in this value"))
        }
        Rhai::ErrorFunctionNotFound(signature, _) => usage("recipe.unknown_function", unknown_function(signature)),
        Rhai::ErrorModuleNotFound(name, _) => usage("recipe.unknown_module", format!("there is no module `{name}`")),
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

/// Rhai says `pt (Host, string)`; the types are those that were given.
fn unknown_function(signature: &str) -> String {
    let (name, types) = signature.split_once(" (").unwrap_or((signature, ""));
    let types = types.trim_end_matches(')');
    if types.is_empty() {
        format!("there is no function `{name}` without arguments")
    } else {
        format!("there is no function `{name}` that takes ({types})")
    }
}

fn lowercase(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
