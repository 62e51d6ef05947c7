//! The session as a recipe.

use std::fmt::Write;

use crate::session::repl::{Done, Repl};
use crate::session::text::{is_word, last_values};

impl Repl {
    /// The lines that were executed to their end, as a recipe that does the same.
    pub fn recipe(&self, about: &str) -> String {
        let begins = |line: &&Done, word: &str| line.text.starts_with(word);
        let (functions, lines): (Vec<_>, Vec<_>) = self.done.iter().partition(|line| begins(line, "fn "));
        let is_import = |line: &&Done| begins(line, "import ") && line.statements == 1;
        let (imports, lines): (Vec<_>, Vec<_>) = lines.into_iter().partition(is_import);
        let mut text = format!("//! {about}\n\n");
        for import in imports {
            let _ = writeln!(text, "{};\n", import.text.trim_end_matches(';'));
        }
        for function in functions {
            let _ = writeln!(text, "{}\n", function.text);
        }
        text.push_str("fn main(p) {\n");
        self.bound(&lines).iter().chain(&named(&lines)).for_each(|line| text.push_str(&indented(line)));
        text + "}\n"
    }

    /// The hosts and groups that these lines name as variables.
    fn bound(&self, lines: &[&Done]) -> Vec<String> {
        let inventory = self.common.run.hosts().inventory();
        let is_named = |name: &&str| lines.iter().any(|line| has_word(&line.text, name));
        let hosts = inventory.hosts.iter().map(|host| host.name.as_str()).filter(is_named);
        let groups = inventory.groups.iter().map(|(name, _)| name.as_str()).chain(["all"]).filter(is_named);
        let hosts = hosts.map(|name| format!("let {name} = host({name:?});"));
        hosts.chain(groups.map(|name| format!("let {name} = group({name:?});"))).collect()
    }
}

/// The lines as statements. A recipe has no last value: where a line asks for it, the line that gave it gets a name.
fn named(lines: &[&Done]) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut last: Option<usize> = None;
    for line in lines {
        let mut text = line.text.trim_end_matches(';').to_owned();
        if let Some(index) = last.filter(|_| !last_values(&line.text).is_empty()) {
            let name = format!("value{}", index + 1);
            if !texts[index].starts_with(&format!("let {name} = ")) {
                texts[index] = value_of(&name, &texts[index], lines[index].statements);
            }
            text = replaced(&text, &name);
        }
        if line.gave {
            last = Some(texts.len());
        }
        texts.push(text);
    }
    texts.into_iter().map(|text| text + ";").collect()
}

fn value_of(name: &str, text: &str, statements: usize) -> String {
    if statements == 1 { format!("let {name} = {text}") } else { format!("let {name} = {{ {text} }}") }
}

/// The text with `name` wherever it says `_`.
fn replaced(text: &str, name: &str) -> String {
    let places = last_values(text);
    let lines = text.split('\n').enumerate().map(|(line, words)| {
        let is_last = |column: usize| places.contains(&(line + 1, column + 1));
        let parts = words.chars().enumerate();
        parts.map(|(at, c)| if is_last(at) { name.to_owned() } else { c.to_string() }).collect::<String>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c| !is_word(c)).any(|part| part == word)
}

/// A text in backticks keeps its lines as they are.
fn indented(line: &str) -> String {
    let deep = if line.contains('`') { line.to_owned() } else { line.replace('\n', "\n    ") };
    format!("    {deep}\n")
}
