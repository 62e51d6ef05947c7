//! Recipes and the library in their language are read aloud: short lines, short functions.

use std::path::PathBuf;

use crate::{files, none, text};

const WIDEST: usize = 110;
const LONGEST: usize = 40;

#[test]
fn recipes_have_short_lines_and_short_functions() {
    let offences = recipes().into_iter().filter_map(|path| {
        let text = text(&path);
        let found: Vec<String> = wide(&text).into_iter().chain(long(&text)).collect();
        (!found.is_empty()).then(|| format!("{}: {}", path.display(), found.join(", ")))
    });
    none("A recipe has lines of at most 110 columns, and functions of at most 40 lines.", offences.collect());
}

fn recipes() -> Vec<PathBuf> {
    let product = |path: &PathBuf| path.starts_with("scripts") || path.starts_with("stdlib/rhai");
    files(".rhai").into_iter().filter(product).collect()
}

fn wide(text: &str) -> Vec<String> {
    let lines = text.lines().enumerate().filter(|(_, line)| line.chars().count() > WIDEST);
    lines.map(|(number, _)| format!("line {}", number + 1)).collect()
}

/// A function begins in the first column, and ends with a brace there or on its one line.
fn long(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| line.starts_with("fn ") && !line.ends_with('}'));
    let length = |start: usize| lines[start..].iter().position(|line| *line == "}").map_or(lines.len(), |end| end + 1);
    let functions = starts.map(|(start, line)| (line.split('(').next().unwrap_or_default(), length(start)));
    functions.filter(|(_, lines)| *lines > LONGEST).map(|(name, lines)| format!("{name} has {lines} lines")).collect()
}

#[test]
fn lines_and_functions_are_measured() {
    let (short, long_line) = ("fn short() { 1 }\n", "x".repeat(111) + "\n");
    let body = |lines: usize| format!("fn f(p) {{\n{}}}\n", "    1;\n".repeat(lines));
    assert!(long(&(short.to_owned() + &body(38))).is_empty());
    assert_eq!(long(&(short.to_owned() + &body(39))), ["fn f has 41 lines"]);
    assert_eq!(wide(&("é".repeat(110) + "\n" + &long_line)), ["line 2"]);
}
