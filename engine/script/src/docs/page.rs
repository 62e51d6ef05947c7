//! The book's reference, in Markdown.

use std::fmt::Write;

use crate::docs::core::FUNCTIONS;
use crate::docs::entry::{Entry, EntrySort, Field, core, properties, verb};
use crate::docs::phases::phases;
use crate::library::Library;
use haengine_kernel::module::Module;

/// The page of a module: what it is about, then a section for each verb.
pub fn page(module: &Module) -> String {
    let entries: Vec<Entry> = module.verbs.iter().map(|one| verb(one.as_ref())).collect();
    let mut text = format!("# {}\n\n{}\n", module.name, module.about.trim());
    text.push_str(&contents(&entries));
    entries.iter().for_each(|entry| text.push_str(&section(entry)));
    text
}

/// The page of the language's own functions.
pub fn language(library: &Library) -> String {
    let mut text = "# The language\n\nRecipes are written in [Rhai](https://rhai.rs/book/). These functions come with \
                    haengine; what works on hosts is in the modules.\n"
        .to_owned();
    let (parameters, functions): (Vec<Entry>, Vec<Entry>) =
        FUNCTIONS.iter().map(core).partition(|entry| entry.sort == EntrySort::Parameter);
    for (title, entries) in [
        ("Functions", functions),
        ("Phases of a recipe", phases()),
        ("Parameters of a recipe", parameters),
        ("What a host knows of itself", properties(&library.engine)),
    ] {
        let _ = write!(text, "\n# {title}\n{}", contents(&entries));
        entries.iter().for_each(|entry| text.push_str(&section(entry)));
    }
    text
}

fn contents(entries: &[Entry]) -> String {
    let mut text = "\n| | |\n|---|---|\n".to_owned();
    for entry in entries {
        let _ = writeln!(text, "| [`{}`](#{}) | {} |", entry.name, anchor(&entry.name), cell(entry.summary()));
    }
    text
}

fn section(entry: &Entry) -> String {
    let mut text = format!("\n## {}\n\n", entry.name);
    let _ = write!(text, "```rhai,ignore\n{}\n```\n\n", entry.shape);
    let verb = matches!(entry.sort, EntrySort::State | EntrySort::Action | EntrySort::Read | EntrySort::Guard);
    let sort = if verb { format!("*{}.* ", entry.sort.title()) } else { String::new() };
    let _ = writeln!(text, "{sort}{}", entry.about);
    text.push_str(&table("argument", &entry.arguments));
    text.push_str(&table("option", &entry.options));
    for sample in &entry.examples {
        let about = if sample.about.is_empty() { String::new() } else { format!("\n{}\n", sample.about) };
        let _ = write!(text, "{about}\n```rhai\n{}\n```\n", sample.code);
    }
    text
}

/// Columns that would be empty in all rows are left out.
fn table(title: &str, fields: &[Field]) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let (defaults, abouts) =
        (fields.iter().any(|field| field.default.is_some()), fields.iter().any(|f| !f.about.is_empty()));
    let row = |name: &str, takes: &str, default: &str, about: &str| {
        let default = if defaults { format!(" {default} |") } else { String::new() };
        let about = if abouts { format!(" {about} |") } else { String::new() };
        format!("| {name} | {takes} |{default}{about}\n")
    };
    let mut text = format!("\n{}{}", row(title, "takes", "default", "what"), row("---", "---", "---", "---"));
    for field in fields {
        let default = field.default.as_ref().map(|default| format!("`{}`", cell(default))).unwrap_or_default();
        text.push_str(&row(&format!("`{}`", field.name), &cell(&field.takes), &default, &cell(&field.about)));
    }
    text
}

/// A text that breaks no table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// How mdBook names a heading: letters, digits, `_` and `-` stay, in lower case.
fn anchor(name: &str) -> String {
    name.to_lowercase().chars().filter(|c| c.is_alphanumeric() || "_-".contains(*c)).collect()
}
