//! Where a text ends, and where it names the last value.

use std::collections::BTreeSet;

/// True when a text can be evaluated as it stands; false when a bracket, a string or a comment is open, or when it ends
/// with what needs a right side.
pub fn is_whole(text: &str) -> bool {
    let scan = Scan::of(text);
    match scan.open.last() {
        // It ends with its line: the parser says so.
        Some((Open::Quote('"'), _)) => true,
        Some(_) => false,
        None => !scan.waits,
    }
}

/// Lines and columns, from 1, at which `_` stands for the last value: everywhere but before `=>`.
pub(super) fn last_values(text: &str) -> BTreeSet<(usize, usize)> {
    Scan::of(text).underscores
}

/// What is open at a place.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Open {
    /// A `(`, `[` or `{`.
    Bracket(char),
    /// A `${` in a text of backticks.
    Interpolation,
    /// A string that ends with this quote.
    Quote(char),
    /// A raw string; so many `#` close it.
    Raw(usize),
    /// A comment of several lines.
    Comment,
}

/// A walk through a text, a character at a time: neither Rhai's parser nor its tokens tell what is open where.
pub(super) struct Scan {
    /// What is open at the end, outermost first, with its place in bytes.
    pub open: Vec<(Open, usize)>,
    /// The last token asks for more.
    waits: bool,
    underscores: BTreeSet<(usize, usize)>,
}

/// Operators after which an expression must follow.
const WAITING: [char; 12] = ['+', '-', '*', '/', '%', '=', '<', '>', '&', '|', '.', ','];

impl Scan {
    pub fn of(text: &str) -> Scan {
        let mut scan = Scan { open: Vec::new(), waits: false, underscores: BTreeSet::new() };
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let at = text.len() - rest.len();
            let length = scan.step(text, at, rest, first);
            rest = &rest[length..];
        }
        scan
    }

    /// Takes what stands at `at` into account; how many bytes it is long.
    fn step(&mut self, text: &str, at: usize, rest: &str, first: char) -> usize {
        match self.open.last().map(|(open, _)| *open) {
            Some(Open::Comment) => self.inside_comment(at, rest, first),
            Some(Open::Raw(hashes)) => {
                let end = format!("\"{}", "#".repeat(hashes));
                self.inside(rest.starts_with(&end), end.len(), first)
            }
            Some(Open::Quote('`')) if rest.starts_with("${") => self.push(Open::Interpolation, at, 2),
            Some(Open::Quote(quote)) if first == '\\' && quote != '`' => {
                1 + rest[1..].chars().next().map_or(0, char::len_utf8)
            }
            Some(Open::Quote('"')) if first == '\n' => self.inside(true, 1, first),
            Some(Open::Quote(quote)) => self.inside(first == quote, 1, first),
            _ => self.code(text, at, rest, first),
        }
    }

    fn code(&mut self, text: &str, at: usize, rest: &str, first: char) -> usize {
        if rest.starts_with("//") {
            return rest.find('\n').unwrap_or(rest.len());
        }
        if rest.starts_with("/*") {
            return self.push(Open::Comment, at, 2);
        }
        if let Some(hashes) = raw(rest) {
            return self.push(Open::Raw(hashes), at, hashes + 1);
        }
        if first.is_whitespace() {
            return first.len_utf8();
        }
        // `||` may be a closure without arguments, which wants its body as much.
        self.waits = WAITING.contains(&first) && !rest.starts_with("++") && !rest.starts_with("--");
        match first {
            '"' | '`' => self.push(Open::Quote(first), at, 1),
            '\'' => character(rest),
            '(' | '[' | '{' => self.push(Open::Bracket(first), at, 1),
            ')' | ']' | '}' => {
                self.open.pop();
                1
            }
            _ if is_word(first) => self.word(text, at, rest),
            _ => first.len_utf8(),
        }
    }

    fn word(&mut self, text: &str, at: usize, rest: &str) -> usize {
        let length = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        if &rest[..length] == "_" && !rest[1..].trim_start().starts_with("=>") {
            let line = text[..at].matches('\n').count() + 1;
            let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
            self.underscores.insert((line, text[start..at].chars().count() + 1));
        }
        length
    }

    fn push(&mut self, open: Open, at: usize, length: usize) -> usize {
        self.open.push((open, at));
        length
    }

    fn inside(&mut self, ends: bool, length: usize, first: char) -> usize {
        if ends {
            self.open.pop();
            return length;
        }
        first.len_utf8()
    }

    fn inside_comment(&mut self, at: usize, rest: &str, first: char) -> usize {
        if rest.starts_with("/*") {
            return self.push(Open::Comment, at, 2);
        }
        self.inside(rest.starts_with("*/"), 2, first)
    }
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// How many `#` begin a raw string; none where it is none.
fn raw(rest: &str) -> Option<usize> {
    let hashes = rest.bytes().take_while(|byte| *byte == b'#').count();
    (hashes > 0 && rest[hashes..].starts_with('"')).then_some(hashes)
}

/// The length of a character in quotes; of a lone quote, one.
fn character(rest: &str) -> usize {
    let inner = rest[1..].chars().next().map_or(0, char::len_utf8);
    let escaped = rest[1..].starts_with('\\');
    let from = 1 + inner + usize::from(escaped);
    match rest.get(from..).and_then(|end| end.find('\'')) {
        Some(0) => from + 1,
        Some(more) if escaped && more < 10 => from + more + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_whole_when_nothing_is_open() {
        let whole = [
            "1 + 1",
            "let x = #{ a: [1, 2] };",
            "\"(\"",
            "`${ [1].len() } (`",
            "// (",
            "/* { */ 1",
            "#\"a\"(\"#",
            "'('",
            "a()\n",
            "fn f() { 1 }",
            "\"open string",
            "x)",
            "'\\u0041'",
        ];
        for text in whole {
            assert!(is_whole(text), "{text}");
        }
        let open =
            ["f(", "#{ a: 1", "`a\nb", "`${ 1", "/* a", "/* /* */", "#\"a\"", "1 +", "a.", "fn f() {", "x =", "||"];
        for text in open {
            assert!(!is_whole(text), "{text}");
        }
    }

    #[test]
    fn the_last_value_is_told_from_the_default_of_a_switch() {
        let places = |text| last_values(text).into_iter().collect::<Vec<_>>();
        assert_eq!(places("_ + `_ ${_}` + \"_\" + a_ + _b // _"), [(1, 1), (1, 10)]);
        assert_eq!(places("switch _ { 1 => _,\n _ => 2 }"), [(1, 8), (1, 17)]);
        assert_eq!(places("ä = _"), [(1, 5)]);
    }
}
