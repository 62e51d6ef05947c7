//! `haengine doc`: everything that recipes call, from the code itself.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use haengine_kernel::error::{Error, Kind};
use haengine_kernel::module::Module;
use haengine_kernel::signature::nearest;
use haengine_script::Library;
use haengine_script::docs::{self, Entry, EntrySort, Field, Meaning};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::exit::Exit;
use crate::report::Paint;
use crate::wiring;

/// Explain what recipes call, and what `check` finds
///
/// Without a name, lists all of them.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine doc                everything, a line each
  haengine doc file           one module
  haengine doc file::put      one verb, with its options and examples
  haengine doc step           a function of the language
  haengine doc check.type     what a finding of `haengine check` means
  haengine doc --definitions .rhai    for editors that speak with Rhai's language server")]
pub struct DocArgs {
    /// A module, a verb or a function, as recipes write it; or the code of a finding
    #[arg(value_name = "NAME")]
    name: Option<String>,

    /// Write definitions of everything, NAME.d.rhai, into a folder, which is made
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    definitions: Option<PathBuf>,
}

/// Explains what recipes call.
pub fn doc(context: &Context, args: &DocArgs) -> Exit {
    let library = wiring::library(CancellationToken::new());
    let paint = context.paint;
    if let Some(folder) = &args.definitions {
        return define(context, &library, folder);
    }
    let Some(name) = &args.name else {
        let all = docs::all(&library);
        context.tell("doc", &all, || overview(&library, &all, paint));
        return Exit::Done;
    };
    if let Some(module) = library.modules().iter().find(|module| module.name == name) {
        let entries = entries(module);
        context.tell("doc", &entries, || module_page(module, &entries, paint));
        return Exit::Done;
    }
    if name.starts_with("check.") {
        return finding(context, name);
    }
    match docs::find(&library, name) {
        Ok(entry) => {
            context.tell("doc", std::slice::from_ref(&entry), || page(&entry, paint));
            Exit::Done
        }
        Err(error) => context.refuse(&or_module(&library, name, error)),
    }
}

/// The page of a name as text; of no name, the list of all.
///
/// # Errors
/// When there is nothing of this name; the hint names the nearest.
pub fn explain(library: &Library, name: &str, paint: Paint) -> haengine_kernel::error::Result<String> {
    if name.is_empty() {
        return Ok(overview(library, &docs::all(library), paint));
    }
    if let Some(module) = library.modules().iter().find(|module| module.name == name) {
        return Ok(module_page(module, &entries(module), paint));
    }
    if name.starts_with("check.") {
        return docs::meaning(name).map(|meaning| meaning_page(&meaning, paint));
    }
    docs::find(library, name).map(|entry| page(&entry, paint)).map_err(|error| or_module(library, name, error))
}

/// What a finding means.
fn finding(context: &Context, code: &str) -> Exit {
    match docs::meaning(code) {
        Ok(meaning) => {
            context.tell("doc", std::slice::from_ref(&meaning), || meaning_page(&meaning, context.paint));
            Exit::Done
        }
        Err(error) => context.refuse(&error),
    }
}

fn meaning_page(meaning: &Meaning, paint: Paint) -> String {
    format!("{}\n\n{}\n", paint.bold(&meaning.code), meaning.about)
}

/// A file that was written.
#[derive(Serialize)]
struct Defined {
    path: PathBuf,
}

/// Definitions are made anew: what is in the folder by these names is replaced.
fn define(context: &Context, library: &Library, folder: &Path) -> Exit {
    let write = || {
        std::fs::create_dir_all(folder)?;
        let files = docs::definitions(library).into_iter().map(|(name, text)| {
            let path = folder.join(name);
            std::fs::write(&path, text).map(|()| Defined { path })
        });
        files.collect::<std::io::Result<Vec<Defined>>>()
    };
    match write() {
        Ok(files) => {
            let lines = || files.iter().map(|file| format!("{}\n", file.path.display())).collect();
            context.tell("defined", &files, lines);
            Exit::Done
        }
        Err(error) => {
            let message = format!("cannot write definitions into {}", folder.display());
            context.refuse(&Error::new(Kind::Local, "doc.unwritable", message).because(error))
        }
    }
}

/// The hint names a module where that is nearer than every verb and function.
fn or_module(library: &Library, name: &str, error: Error) -> Error {
    let modules: Vec<&str> = library.modules().iter().map(|module| module.name).collect();
    let entries = docs::all(library);
    let last = |entry: &Entry| entry.name.rsplit([':', '.']).next().unwrap_or_default().to_owned();
    let words: Vec<String> = entries.iter().map(last).collect();
    match nearest(name, modules.iter().copied().chain(words.iter().map(String::as_str))) {
        Some(near) if modules.contains(&near) => error.hint(format!("look up `{near}`")),
        _ => error,
    }
}

fn entries(module: &Module) -> Vec<Entry> {
    module.verbs.iter().map(|verb| docs::verb(verb.as_ref())).collect()
}

fn overview(library: &Library, all: &[Entry], paint: Paint) -> String {
    let mut text = String::new();
    for module in library.modules() {
        let about = module.about.lines().next().unwrap_or_default();
        text.push_str(&list(module.name, about, &entries(module), paint));
    }
    let parts = [
        (EntrySort::Function, "language", "Functions that every recipe has."),
        (EntrySort::Phase, "phases", "What a recipe may have instead of a `main`."),
        (EntrySort::Parameter, "params", "What a recipe's `params()` is made of."),
        (EntrySort::Property, "hosts", "What a host knows of itself."),
    ];
    for (sort, name, about) in parts {
        let part: Vec<Entry> = all.iter().filter(|entry| entry.sort == sort).cloned().collect();
        text.push_str(&list(name, about, &part, paint));
    }
    text.push_str(&codes(paint));
    text
}

fn codes(paint: Paint) -> String {
    let meanings = docs::meanings();
    let width = meanings.iter().map(|meaning| meaning.code.len()).max().unwrap_or_default();
    let line =
        |meaning: &Meaning| format!("  {}  {}\n", paint.cyan(&format!("{:width$}", meaning.code)), meaning.summary());
    let lines: String = meanings.iter().map(line).collect();
    format!("{}  What `haengine check` finds.\n{lines}\n", paint.bold("findings"))
}

fn list(name: &str, about: &str, entries: &[Entry], paint: Paint) -> String {
    let mut text = format!("{}  {about}\n", paint.bold(name));
    let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or_default();
    for entry in entries {
        let name = paint.cyan(&format!("{:width$}", entry.name));
        let _ = writeln!(text, "  {name}  {}", entry.summary());
    }
    text.push('\n');
    text
}

fn module_page(module: &Module, entries: &[Entry], paint: Paint) -> String {
    let (first, rest) = module.about.split_once('\n').unwrap_or((module.about, ""));
    let mut text = list(module.name, first, entries, paint);
    if !rest.trim().is_empty() {
        let _ = writeln!(text, "{}\n", rest.trim());
    }
    let _ =
        writeln!(text, "{}", paint.dim(&format!("see `haengine doc {}::VERB` for options and examples", module.name)));
    text
}

fn page(entry: &Entry, paint: Paint) -> String {
    let mut text = format!("{}\n", paint.bold(&entry.shape));
    let _ = writeln!(text, "{}\n\n{}", paint.dim(sort(entry.sort)), entry.about);
    fields(&mut text, "Arguments", &entry.arguments, paint);
    fields(&mut text, "Options", &entry.options, paint);
    if !entry.examples.is_empty() {
        let _ = writeln!(text, "\n{}", paint.bold("Examples"));
    }
    for sample in &entry.examples {
        if !sample.about.is_empty() {
            let _ = writeln!(text, "  {}", paint.dim(&format!("// {}", sample.about)));
        }
        sample.code.lines().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    text
}

fn fields(text: &mut String, title: &str, fields: &[Field], paint: Paint) {
    if fields.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}", paint.bold(title));
    let width = fields.iter().map(|field| field.name.len()).max().unwrap_or_default();
    for field in fields {
        let name = paint.cyan(&format!("{:width$}", field.name));
        let about = if field.about.is_empty() { String::new() } else { format!("{} ", field.about) };
        let default = field.default.as_ref().map(|default| format!(" Default: {default}.")).unwrap_or_default();
        let _ = writeln!(text, "  {name}  {about}Takes {}.{default}", field.takes);
    }
}

fn sort(sort: EntrySort) -> &'static str {
    match sort {
        EntrySort::State => "describes how something shall be; undo puts it back",
        EntrySort::Action => "does something once",
        EntrySort::Read => "only looks",
        EntrySort::Guard => "keeps others away as long as the run lasts; a plan takes none",
        EntrySort::Function => "a function of the language",
        EntrySort::Phase => "a phase: a recipe defines it, and the engine plays it",
        EntrySort::Parameter => "a type of parameter, for `params()`",
        EntrySort::Property => "what a host knows of itself",
    }
}
