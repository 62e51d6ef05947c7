//! Definitions for editors, in the syntax that Rhai's language server reads: `NAME.d.rhai`.

use std::fmt::Write;

use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind};
use haengine_kernel::verb::Verb;
use rhai::Engine;

use crate::docs::core::{Argument, Core, FUNCTIONS, Takes};
use crate::docs::entry::properties;
use crate::library::Library;
use haengine_kernel::module::Module;

/// The files, by name: one for each module, one for the language, and those of Rhai itself.
pub fn definitions(library: &Library) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> =
        library.modules().iter().map(|one| (format!("{}.d.rhai", one.name), module(one))).collect();
    let parameters = format!("module param;\n\n{}", of_language(|name| name.starts_with("param::")));
    files.push(("param.d.rhai".to_owned(), parameters));
    let language = format!("module static;\n\n{}{}", of_language(|name| !name.contains("::")), of_hosts(library));
    files.push(("haengine.d.rhai".to_owned(), language));
    files.extend(Engine::new().definitions().iter_files().filter(|(name, _)| name.starts_with("__")));
    files
}

fn module(module: &Module) -> String {
    let mut text = format!("module {};\n", module.name);
    for verb in &module.verbs {
        text.push('\n');
        text.push_str(&of_verb(verb.as_ref()));
    }
    text
}

/// A verb, without its options and with them.
fn of_verb(verb: &dyn Verb) -> String {
    let (signature, name) = (verb.signature(), verb.name().rsplit('.').next().unwrap_or_default());
    let positional: Vec<String> =
        signature.positional.iter().map(|param| format!("{}: {}", param.name, type_of(param.kind))).collect();
    let fields: String = signature.positional.iter().map(field).collect();
    let options: String = signature.options.iter().map(option).collect();
    let gives = shape(&verb.gives());
    let mut text = comment(&format!("{}\n\n{fields}", verb.about().trim()));
    let _ = writeln!(text, "fn {name}({}) -> {gives};", positional.join(", "));
    if !signature.options.is_empty() {
        text.push('\n');
        text.push_str(&comment(&format!("{}\n\n{fields}\nOptions:\n{options}", verb.about().trim())));
        let _ = writeln!(text, "fn {name}({}, options: Map) -> {gives};", positional.join(", "));
    }
    text
}

fn field(param: &Param) -> String {
    format!("- `{}`: {}. {}\n", param.name, param.kind.takes(), param.about)
}

fn option(param: &Param) -> String {
    let default = match param.absent {
        Absent::Refused => " Must be given.".to_owned(),
        absent => format!(" Default: `{absent}`."),
    };
    format!("{}{default}\n", field(param).trim_end())
}

fn of_language(wanted: impl Fn(&str) -> bool) -> String {
    let functions = FUNCTIONS.iter().filter(|function| wanted(function.name));
    functions.map(of_function).collect::<Vec<_>>().join("\n")
}

/// A function of the language, once for each way to call it. A method's first argument is what it is called on.
fn of_function(function: &Core) -> String {
    let name = function.name.rsplit("::").next().unwrap_or_default();
    let (name, this) = match name.strip_prefix('.') {
        Some(method) => (method, vec!["parameter: ?".to_owned()]),
        None => (name, Vec::new()),
    };
    let options: String = function.options.iter().map(option).collect();
    let about = if options.is_empty() {
        function.about.to_owned()
    } else {
        format!("{}\n\nOptions:\n{options}", function.about)
    };
    let one = |shape: &&[Argument]| {
        let arguments: Vec<String> = this.iter().cloned().chain(shape.iter().map(argument)).collect();
        let gives = if name == "host" { "Host" } else { "?" };
        format!("{}fn {name}({}) -> {gives};\n", comment(&about), arguments.join(", "))
    };
    function.shapes.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn argument(argument: &Argument) -> String {
    let takes = match argument.takes {
        Takes::Value(param) => type_of(param.kind),
        Takes::Options => "Map",
        Takes::Closure => "FnPtr",
    };
    format!("{}: {takes}", argument.name)
}

fn of_hosts(library: &Library) -> String {
    let one = |name: &str, about: &str| format!("\n{}fn get {name}(host: Host) -> ?;\n", comment(about));
    let all = properties(&library.engine);
    all.iter().map(|entry| one(entry.name.trim_start_matches("Host."), &entry.about)).collect()
}

fn comment(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { "///\n".to_owned() } else { format!("/// {line}\n") };
    text.trim_end().lines().map(line).collect()
}

fn type_of(kind: ParamKind) -> &'static str {
    match kind {
        ParamKind::Path | ParamKind::LocalPath | ParamKind::LocalPlace | ParamKind::String | ParamKind::Choice(_) => {
            "String"
        }
        ParamKind::Integer | ParamKind::Mode => "int",
        ParamKind::Boolean => "bool",
        ParamKind::Map => "Map",
        ParamKind::Host => "Host",
        ParamKind::Hosts
        | ParamKind::Paths
        | ParamKind::Strings
        | ParamKind::LocalPaths
        | ParamKind::LocalText
        | ParamKind::Command
        | ParamKind::Text
        | ParamKind::Integers
        | ParamKind::Duration
        | ParamKind::Any => "?",
    }
}

fn shape(shape: &Shape) -> &'static str {
    match shape {
        Shape::Anything => "?",
        Shape::Boolean => "bool",
        Shape::Integer => "int",
        Shape::Float => "float",
        Shape::String | Shape::Text => "String",
        Shape::List(_) => "Array",
        Shape::Map(_) | Shape::Named(_) => "Map",
    }
}
