//! What could follow the text before the cursor.

use std::collections::BTreeSet;

use rhai::{Dynamic, Map};

use crate::docs::{self, Entry, Field};
use crate::host::HostRef;
use crate::session::repl::Repl;
use crate::session::text::{Open, Scan, is_word};

/// What could stand in the place of a word.
#[derive(Debug, PartialEq)]
pub struct Completion {
    /// Where the word begins, in bytes; it ends at the cursor.
    pub start: usize,
    /// What could stand there, sorted.
    pub suggestions: Vec<Suggestion>,
}

/// One thing that could follow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suggestion {
    /// What is written.
    pub text: String,
    /// What it is: a signature and the first line of its page, or what an option takes.
    pub about: String,
}

impl Suggestion {
    fn new(text: impl Into<String>, about: impl Into<String>) -> Suggestion {
        Suggestion { text: text.into(), about: about.into() }
    }
}

impl Repl {
    /// What could stand before the cursor, which is at the end of `text`.
    pub fn complete(&self, text: &str) -> Completion {
        let scan = Scan::of(text);
        if let Some((Open::Quote('"' | '`'), at)) = scan.open.last() {
            return self.names(text, *at);
        }
        let start = text.len() - text.chars().rev().take_while(|c| is_word(*c)).map(char::len_utf8).sum::<usize>();
        let (before, word) = text.split_at(start);
        let mut suggestions = self.candidates(before.trim_end(), &scan);
        suggestions.retain(|suggestion| suggestion.text.starts_with(word));
        suggestions.sort();
        suggestions.dedup_by(|a, b| a.text == b.text);
        Completion { start, suggestions }
    }

    fn candidates(&self, before: &str, scan: &Scan) -> Vec<Suggestion> {
        if let Some(module) = before.strip_suffix("::") {
            return self.members(last_word(module));
        }
        if let Some(value) = before.strip_suffix('.') {
            return self.methods(value);
        }
        match self.options(before, scan) {
            Some(options) => options,
            None => self.beginnings(),
        }
    }

    /// Hosts and groups inside of `host("` and `group("`.
    fn names(&self, text: &str, quote: usize) -> Completion {
        let (before, word) = (text[..quote].trim_end(), &text[quote + 1..]);
        let function = before.strip_suffix('(').map(last_word).unwrap_or_default();
        let inventory = self.common.run.hosts().inventory();
        let names: Vec<(String, String)> = match function {
            "host" => inventory.hosts.iter().map(|host| (host.name.clone(), host.address.clone())).collect(),
            "group" => {
                let groups = inventory.groups.iter().map(|(name, hosts)| (name.clone(), hosts.join(", ")));
                groups.chain([("all".to_owned(), "every host".to_owned())]).collect()
            }
            _ => Vec::new(),
        };
        let fitting = names.into_iter().filter(|(name, _)| name.starts_with(word));
        let mut suggestions: Vec<Suggestion> = fitting.map(|(name, about)| Suggestion::new(name, about)).collect();
        suggestions.sort();
        Completion { start: quote + 1, suggestions }
    }

    /// What a line can begin with: variables, modules, functions of the language and of the session.
    fn beginnings(&self) -> Vec<Suggestion> {
        let variables = self.scope.iter_raw().map(|(name, _, value)| Suggestion::new(name, kind(value)));
        let modules = self.library.modules().iter();
        let modules = modules.map(|module| Suggestion::new(format!("{}::", module.name), first_line(module.about)));
        let language = docs::all(&self.library).into_iter();
        // Phases are none until a recipe defines them.
        let language =
            language.filter(|entry| entry.sort != docs::EntrySort::Phase && !entry.name.contains([':', '.']));
        let own = self.functions().map(|function| {
            Suggestion::new(function.name, format!("{}({})", function.name, function.params.join(", ")))
        });
        let language = language.map(|entry| Suggestion::new(entry.name.clone(), about(&entry)));
        variables.chain(modules).chain(language).chain(own).collect()
    }

    /// The verbs of a module.
    fn members(&self, module: &str) -> Vec<Suggestion> {
        let prefix = format!("{module}::");
        let entries = docs::all(&self.library);
        let members = entries
            .iter()
            .filter_map(|entry| entry.name.strip_prefix(&prefix).map(|member| Suggestion::new(member, about(entry))));
        members.collect()
    }

    /// What can be asked of the value that a variable holds, by its type.
    fn methods(&self, value: &str) -> Vec<Suggestion> {
        let name = last_word(value);
        let Some(value) = self.scope.get(name).filter(|_| !name.is_empty()) else { return Vec::new() };
        let value = value.flatten_clone();
        if let Some(map) = value.read_lock::<Map>() {
            return map.iter().map(|(key, value)| Suggestion::new(key.as_str(), kind(value))).collect();
        }
        if value.is::<HostRef>() {
            return self.properties();
        }
        self.functions_of(&value)
    }

    fn properties(&self) -> Vec<Suggestion> {
        let entries = docs::all(&self.library);
        let known = entries.iter().filter_map(|entry| Some((entry, entry.name.strip_prefix("Host.")?)));
        known.map(|(entry, name)| Suggestion::new(name, entry.summary())).collect()
    }

    /// Rhai's own functions that take such a value first, and give one where there is something to give.
    fn functions_of(&self, value: &Dynamic) -> Vec<Suggestion> {
        let kind = value.type_id();
        let known = self.library.engine.collect_fn_metadata(
            None,
            |function| {
                let metadata = function.metadata;
                let name = metadata.name.as_str();
                let fits = function.namespace.is_empty() && metadata.param_types.first() == Some(&kind);
                let is_method = name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.contains('$');
                (fits && is_method).then(|| name.to_owned())
            },
            true,
        );
        known.into_iter().map(|name| Suggestion::new(name, "")).collect()
    }

    /// The keys that the options map of the call around the cursor takes; none outside of one.
    fn options(&self, before: &str, scan: &Scan) -> Option<Vec<Suggestion>> {
        let [.., (Open::Bracket('('), call), (Open::Bracket('{'), map)] = scan.open.as_slice() else { return None };
        let (map, written) = (*map, before.get(*map + 1..).unwrap_or_default());
        if !before.get(..map)?.ends_with('#') || !(written.is_empty() || written.ends_with(',')) {
            return None;
        }
        let function = qualified(before.get(..*call)?);
        let entry = docs::all(&self.library).into_iter().find(|entry| entry.name == function)?;
        let given: BTreeSet<&str> =
            written.split(',').filter_map(|pair| Some(pair.split_once(':')?.0.trim())).collect();
        let free = entry.options.iter().filter(|option| !given.contains(option.name.as_str()));
        Some(free.map(|option| Suggestion::new(format!("{}: ", option.name), option_about(option))).collect())
    }
}

/// Signature and first line.
fn about(entry: &Entry) -> String {
    format!("{}  {}", first_line(&entry.shape), entry.summary())
}

fn option_about(option: &Field) -> String {
    let takes = format!("Takes {}.", option.takes);
    if option.about.is_empty() { takes } else { format!("{} {takes}", option.about) }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn kind(value: &Dynamic) -> &'static str {
    crate::value::type_name(value)
}

/// The word at the end of a text; nothing where it ends with something else.
fn last_word(text: &str) -> &str {
    let start =
        text.rfind(|c: char| !is_word(c)).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    &text[start..]
}

/// The same with the module before it.
fn qualified(text: &str) -> &str {
    let text = text.trim_end();
    let name = last_word(text);
    match text[..text.len() - name.len()].strip_suffix("::") {
        Some(module) => &text[text.len() - name.len() - 2 - last_word(module).len()..],
        None => name,
    }
}
