//! Looking an entry up by its name.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::signature::{nearest, quoted};

use crate::docs::core::FUNCTIONS;
use crate::docs::entry::{Entry, core, properties, verb};
use crate::docs::phases::phases;
use crate::library::Library;

/// Everything that a recipe can call: verbs in the order of the book, functions of the language, phases, what a host knows.
pub fn all(library: &Library) -> Vec<Entry> {
    let verbs = library.modules().iter().flat_map(|module| &module.verbs).map(|one| verb(one.as_ref()));
    verbs.chain(FUNCTIONS.iter().map(core)).chain(phases()).chain(properties(&library.engine)).collect()
}

/// The entry of this name: `file::put`, `file.put`, `step`, `Host.vars`; or its last word, where only one has it.
///
/// # Errors
/// `doc.unknown`, with the nearest name.
pub fn find(library: &Library, name: &str) -> Result<Entry> {
    let entries = all(library);
    let wanted = name.replace("::", ".");
    let dotted = |entry: &Entry| entry.name.replace("::", ".");
    if let Some(entry) = entries.iter().find(|entry| dotted(entry).trim_start_matches('.') == wanted) {
        return Ok(entry.clone());
    }
    let short: Vec<&Entry> = entries.iter().filter(|entry| dotted(entry).rsplit('.').next() == Some(&wanted)).collect();
    match short.as_slice() {
        [entry] => Ok((*entry).clone()),
        [] => Err(unknown(&entries, name)),
        several => {
            let names: Vec<&str> = several.iter().map(|entry| entry.name.as_str()).collect();
            Err(nothing(name).hint(format!("name one of {}", quoted(&names))))
        }
    }
}

fn nothing(name: &str) -> Error {
    Error::new(Kind::Usage, "doc.unknown", format!("there is no function or verb `{name}`"))
}

fn unknown(entries: &[Entry], name: &str) -> Error {
    let last = |entry: &Entry| entry.name.rsplit([':', '.']).next().unwrap_or_default().to_owned();
    let words: Vec<(String, &str)> = entries
        .iter()
        .flat_map(|entry| [(entry.name.clone(), entry.name.as_str()), (last(entry), entry.name.as_str())])
        .collect();
    let near = nearest(name, words.iter().map(|(word, _)| word.as_str()));
    match near.and_then(|near| words.iter().find(|(word, _)| word == near)) {
        Some((_, near)) => nothing(name).hint(format!("look up `{near}`")),
        None => nothing(name).hint("list all of them with `haengine doc`"),
    }
}
