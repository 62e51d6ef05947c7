//! What could follow, as the editor's menu shows it.

use std::sync::{Arc, Mutex, PoisonError};

use haengine_kernel::harmless::{harmless, one_line};
use haengine_script::Repl;
use reedline::{Completer, Span, Suggestion};

use crate::cmd::repl::command::{COMMANDS, QUIT};

/// Asks the session; commands are known here.
pub struct Menu(pub Arc<Mutex<Repl>>);

impl Completer for Menu {
    fn complete(&mut self, line: &str, position: usize) -> Vec<Suggestion> {
        let text = line.get(..position).unwrap_or(line);
        if text.starts_with(':') && !text.contains(' ') {
            return commands(text);
        }
        // What stands before an expression is none of it.
        let from = text.strip_prefix(":time ").map_or(0, |_| ":time ".len());
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).complete(&text[from..]);
        let span = Span::new(from + found.start, position);
        let suggestions = found.suggestions.into_iter();
        suggestions.map(|one| suggestion(one.text, &one.about, span)).collect()
    }
}

fn commands(text: &str) -> Vec<Suggestion> {
    let all = COMMANDS.iter().chain([&QUIT]);
    let known = all.filter(|(shape, _)| shape.starts_with(text));
    let word = |shape: &str| shape.split_whitespace().next().unwrap_or_default().to_owned();
    let mut found: Vec<Suggestion> =
        known.map(|(shape, about)| suggestion(word(shape), about, Span::new(0, text.len()))).collect();
    found.dedup_by(|a, b| a.value == b.value);
    found
}

/// Names of fields come from hosts too, and the editor draws them.
fn suggestion(value: String, about: &str, span: Span) -> Suggestion {
    let (value, about) = (one_line(&value), harmless(about));
    let description = Some(about.into_owned()).filter(|about| !about.is_empty());
    Suggestion { value, description, span, ..Suggestion::default() }
}
