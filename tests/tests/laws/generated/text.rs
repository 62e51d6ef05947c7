//! Words, lines and how `sh` and a recipe write them.

use proptest::prelude::*;
use proptest::sample::select;

/// The corner of a host in which one call works.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its number, also that of its unit.
    pub number: usize,
    /// The name of what the call works on.
    pub name: String,
}

/// Names that somebody may find on a host one day.
const NAMES: [&str; 12] =
    ["x", "a b", "it's", "$(id)", "-n", "ü", "new\nline", "back\\slash", "*", "\"q\"", ".hidden", "x%s"];

/// A corner with a name.
pub fn place(number: usize) -> impl Strategy<Value = Place> {
    select(&NAMES[..]).prop_map(move |name| Place { number, name: name.to_owned() })
}

impl Place {
    /// The folder that is the corner.
    pub fn folder(&self) -> String {
        format!("/srv/g/{}", self.number)
    }

    /// What the call works on.
    pub fn path(&self) -> String {
        format!("{}/{}", self.folder(), self.name)
    }

    pub fn unit(&self) -> String {
        format!("g{}", self.number)
    }
}

/// Lines that patterns of the calls find, and some that nobody expects.
const LINES: [&str; 12] =
    ["a", "b=1", "b=2", "[x]", "", "# c", "  a", "ü ß", "a b a", "\\1 $1 &", "'\"`", "token: abc"];

/// A text of such lines: empty, with and without an end of the last line, with those of Windows, and long.
pub fn lines() -> impl Strategy<Value = String> {
    let some = proptest::collection::vec(select(&LINES[..]), 0..6);
    (some, select(&["\n", "\n", "\n", "\r\n"][..]), any::<bool>(), proptest::bool::weighted(0.1)).prop_map(
        |(lines, end, ended, long)| {
            let text = lines.join(end);
            let text = if ended && !text.is_empty() { text + end } else { text };
            // Longer than what goes through a shell that others use too.
            if long { text.repeat(20_000 / text.len().max(1) + 1) } else { text }
        },
    )
}

/// One line without its end.
pub fn line() -> impl Strategy<Value = String> {
    select(&LINES[..]).prop_map(str::to_owned)
}

/// As a recipe writes it.
pub fn rhai(text: &str) -> String {
    let mut written = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            other => written.push(other),
        }
    }
    written + "\""
}

/// As `sh` reads it.
pub fn sh(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
