//! `haengine doc`: the modules and verbs that recipes call, from the code itself.

use std::fmt::Write;

use clap::Args;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::signature::{Param, nearest};
use haengine_kernel::verb::{Sort, Verb};
use haengine_script::Module;
use serde::Serialize;

use crate::context::Context;
use crate::exit::Exit;
use crate::report::Paint;

/// Explain the modules and verbs that recipes call
///
/// Without a name, lists all of them.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine doc                every module and its verbs
  haengine doc file           one module
  haengine doc file::put      one verb, with its options and examples")]
pub struct DocArgs {
    /// A module, or a verb as recipes write it
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// Explains modules and verbs.
pub fn doc(context: &Context, args: &DocArgs) -> Exit {
    let modules = haengine_stdlib::modules();
    let paint = context.paint;
    let Some(name) = &args.name else {
        let all: Vec<_> =
            modules.iter().flat_map(|module| &module.verbs).map(|verb| Described::of(verb.as_ref())).collect();
        context.tell("verb", &all, || modules.iter().map(|module| overview(module, paint)).collect());
        return Exit::Done;
    };
    match find(&modules, name) {
        Ok(Found::Module(module)) => {
            let verbs: Vec<_> = module.verbs.iter().map(|verb| Described::of(verb.as_ref())).collect();
            context.tell("verb", &verbs, || module_page(module, paint));
            Exit::Done
        }
        Ok(Found::Verb(verb)) => {
            context.tell("verb", &[Described::of(verb)], || verb_page(verb, paint));
            Exit::Done
        }
        Err(error) => context.refuse(&error),
    }
}

enum Found<'a> {
    Module(&'a Module),
    Verb(&'a dyn Verb),
}

/// `file`, `file::put`, `file.put`, and `put` where only one module has it.
fn find<'a>(modules: &'a [Module], name: &str) -> Result<Found<'a>> {
    let wanted = name.replace("::", ".");
    if let Some(module) = modules.iter().find(|module| module.name == wanted) {
        return Ok(Found::Module(module));
    }
    let verbs: Vec<&dyn Verb> = modules.iter().flat_map(|module| &module.verbs).map(AsRef::as_ref).collect();
    if let Some(verb) = verbs.iter().find(|verb| verb.name() == wanted) {
        return Ok(Found::Verb(*verb));
    }
    let short: Vec<&&dyn Verb> = verbs.iter().filter(|verb| last(verb.name()) == wanted).collect();
    if let [verb] = short.as_slice() {
        return Ok(Found::Verb(**verb));
    }
    Err(unknown(modules, &verbs, name, &wanted))
}

fn unknown(modules: &[Module], verbs: &[&dyn Verb], name: &str, wanted: &str) -> Error {
    let error = Error::new(Kind::Usage, "doc.unknown", format!("there is no module or verb `{name}`"));
    let same: Vec<String> = verbs
        .iter()
        .filter(|verb| last(verb.name()) == wanted)
        .map(|verb| format!("`{}`", script_name(*verb)))
        .collect();
    if !same.is_empty() {
        return error.hint(format!("name one of {}", same.join(", ")));
    }
    let words = modules.iter().map(|module| module.name);
    let words = words.chain(verbs.iter().flat_map(|verb| [verb.name(), last(verb.name())]));
    match nearest(wanted, words) {
        Some(near) => error.hint(format!("try `haengine doc {}`", near.replace('.', "::"))),
        None => error.hint("list all of them with `haengine doc`"),
    }
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn script_name(verb: &dyn Verb) -> String {
    verb.name().replace('.', "::")
}

fn first_line(about: &str) -> &str {
    about.lines().next().unwrap_or_default()
}

fn overview(module: &Module, paint: Paint) -> String {
    let mut text = format!("{}  {}\n", paint.bold(module.name), first_line(module.about));
    let width = module.verbs.iter().map(|verb| verb.name().len() + 1).max().unwrap_or_default();
    for verb in &module.verbs {
        let name = format!("{:width$}", script_name(verb.as_ref()));
        let _ = writeln!(text, "  {}  {}", paint.cyan(&name), first_line(verb.about()));
    }
    text.push('\n');
    text
}

fn module_page(module: &Module, paint: Paint) -> String {
    let rest = module.about.split_once('\n').map(|(_, rest)| rest.trim()).unwrap_or_default();
    let mut text = overview(module, paint);
    if !rest.is_empty() {
        let _ = writeln!(text, "{rest}\n");
    }
    let _ =
        writeln!(text, "{}", paint.dim(&format!("see `haengine doc {}::VERB` for options and examples", module.name)));
    text
}

fn verb_page(verb: &dyn Verb, paint: Paint) -> String {
    let signature = verb.signature();
    let mut text = format!("{}{}\n", paint.bold(&script_name(verb)), signature.shape());
    let _ = writeln!(text, "{}\n\n{}", paint.dim(sort(verb.sort())), verb.about().trim());
    parameters(&mut text, "Arguments", signature.positional, paint);
    parameters(&mut text, "Options", signature.options, paint);
    if !verb.examples().is_empty() {
        let _ = writeln!(text, "\n{}", paint.bold("Examples"));
    }
    for example in verb.examples() {
        let _ = writeln!(text, "  {}", paint.dim(&format!("// {}", example.about)));
        example.code.lines().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    text
}

fn parameters(text: &mut String, title: &str, parameters: &[Param], paint: Paint) {
    if parameters.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}", paint.bold(title));
    let width = parameters.iter().map(|parameter| parameter.name.len()).max().unwrap_or_default();
    for parameter in parameters {
        let name = format!("{:width$}", parameter.name);
        let default = parameter.default.map(|default| format!(" Default: {default}.")).unwrap_or_default();
        let _ =
            writeln!(text, "  {}  {} Takes {}.{default}", paint.cyan(&name), parameter.about, parameter.kind.takes());
    }
}

fn sort(sort: Sort) -> &'static str {
    match sort {
        Sort::State => "describes how something shall be; undo puts it back",
        Sort::Action => "does something once",
        Sort::Read => "only looks",
    }
}

/// A verb for a program.
#[derive(Serialize)]
struct Described {
    name: String,
    sort: &'static str,
    about: &'static str,
    arguments: Vec<DescribedParam>,
    options: Vec<DescribedParam>,
    examples: Vec<&'static str>,
}

#[derive(Serialize)]
struct DescribedParam {
    name: &'static str,
    takes: String,
    about: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<&'static str>,
}

impl Described {
    fn of(verb: &dyn Verb) -> Described {
        let signature = verb.signature();
        let sort = match verb.sort() {
            Sort::State => "state",
            Sort::Action => "action",
            Sort::Read => "read",
        };
        Described {
            name: script_name(verb),
            sort,
            about: verb.about(),
            arguments: signature.positional.iter().map(DescribedParam::of).collect(),
            options: signature.options.iter().map(DescribedParam::of).collect(),
            examples: verb.examples().iter().map(|example| example.code).collect(),
        }
    }
}

impl DescribedParam {
    fn of(parameter: &Param) -> DescribedParam {
        let Param { name, kind, about, default } = *parameter;
        DescribedParam { name, takes: kind.takes(), about, default }
    }
}
