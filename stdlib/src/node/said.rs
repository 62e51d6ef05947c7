//! What a host says of itself: parts, each behind a line `@NAME`.

use std::collections::BTreeMap;

/// The parts of an answer.
pub(super) struct Said<'a>(BTreeMap<&'a str, Vec<&'a str>>);

impl<'a> Said<'a> {
    /// What a script printed.
    pub fn new(text: &'a str) -> Said<'a> {
        let mut parts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut part = "";
        for line in text.lines() {
            match line.strip_prefix('@') {
                Some(name) => {
                    part = name;
                    parts.entry(part).or_default();
                }
                None => parts.entry(part).or_default().push(line),
            }
        }
        Said(parts)
    }

    /// The lines of a part; none where it is missing.
    pub fn lines(&self, part: &str) -> &[&'a str] {
        self.0.get(part).map_or(&[], Vec::as_slice)
    }

    /// The parts `@process NUMBER`, by their numbers.
    pub fn processes(&self) -> impl Iterator<Item = (i64, &[&'a str])> {
        self.0.iter().filter_map(|(name, lines)| {
            let number = name.strip_prefix("process ")?.parse().ok()?;
            Some((number, lines.as_slice()))
        })
    }
}

/// What follows `NAME` and `separator` in the first line that begins so.
pub(super) fn value<'a>(lines: &[&'a str], name: &str, separator: char) -> Option<&'a str> {
    lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(separator))
}
