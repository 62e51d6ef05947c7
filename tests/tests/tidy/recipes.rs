//! Recipes and the library in their language are read aloud: short lines, short functions.

use std::path::{Path, PathBuf};

use crate::{files, none, text};

const WIDEST: usize = 110;
const LONGEST: usize = 40;

/// Files that do not keep to it yet: how many lines are too wide, how many functions too long. The numbers only fall.
const NOT_YET: [(&str, usize, usize); 1] = [("scripts/audit.rhai", 58, 1)];

#[test]
fn recipes_have_short_lines_and_short_functions() {
    let offences = recipes().into_iter().filter_map(|path| {
        let allowed = NOT_YET.iter().find(|(file, ..)| Path::new(file) == path);
        offence(&path, allowed.map_or((0, 0), |(_, wide, long)| (*wide, *long)))
    });
    none("A recipe has lines of at most 110 columns, and functions of at most 40 lines.", offences.collect());
}

#[test]
fn files_that_are_listed_as_not_tidy_yet_are_there() {
    let recipes = recipes();
    let gone = NOT_YET.iter().filter(|(file, ..)| !recipes.contains(&PathBuf::from(file)));
    none("Strike these from NOT_YET.", gone.map(|(file, ..)| (*file).to_owned()).collect());
}

fn recipes() -> Vec<PathBuf> {
    let product = |path: &PathBuf| path.starts_with("scripts") || path.starts_with("stdlib/rhai");
    files(".rhai").into_iter().filter(product).collect()
}

/// What is wrong with a file that may have so many lines and functions too much.
fn offence(path: &Path, allowed: (usize, usize)) -> Option<String> {
    let text = text(path);
    let (wide, long) = (wide(&text), long(&text));
    let found = (wide.len(), long.len());
    let (path, listed) = (path.display(), wide.into_iter().chain(long).collect::<Vec<_>>().join(", "));
    match found {
        found if found == allowed => None,
        (wide, long) if wide > allowed.0 || long > allowed.1 => Some(format!("{path}: {listed}")),
        (wide, long) => Some(format!("{path}: lower the numbers in NOT_YET to {wide} and {long}")),
    }
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
