//! A value changed where it is written, and nowhere else.
//!
//! A value that comes through a variable is changed in the variable, if everybody who uses that part of it wants the
//! same; else it is written in the place of `${NAME}`; where that cannot be either, it is refused.

use std::ops::Range;

use haengine_kernel::error::{Error, Result};

use super::traced::{Edit, Files, Letter, Place};

/// Other text for some letters of a word.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which letters of the word.
    pub range: Range<usize>,
    /// What they become.
    pub text: String,
}

impl Part {
    /// The same of a word in which the value begins with this letter.
    #[must_use]
    pub fn behind(self, from: usize) -> Part {
        Part { range: self.range.start + from..self.range.end + from, ..self }
    }
}

/// A word, and what shall become of it. A word without parts shall stay as it is.
#[derive(Clone, Debug)]
pub struct Use<'a> {
    /// All letters of the word.
    pub letters: &'a [Letter],
    /// What shall change.
    pub parts: Vec<Part>,
}

/// The edits that give all uses what they want.
///
/// # Errors
/// `node.value` for a text that would need quotes, `node.edit` where a change would change something else, too.
pub(super) fn edits(files: &Files, uses: &[Use<'_>]) -> Result<Vec<Edit>> {
    let mut edits = Vec::new();
    for one in uses {
        for part in &one.parts {
            edits.push(edit(files, uses, one, part)?);
        }
    }
    Ok(edits)
}

fn edit(files: &Files, uses: &[Use<'_>], one: &Use<'_>, part: &Part) -> Result<Edit> {
    let letters = &one.letters[part.range.clone()];
    let around = one.letters.get(part.range.start.saturating_sub(1)).map(|letter| letter.at);
    if let Some(strange) = part.text.chars().find(|char| !is_plain(*char)) {
        let place = letters.first().map(|letter| letter.at).or(around).unwrap_or(NOWHERE);
        let message = format!("`{}` would need quotes here, for its `{strange}`", part.text);
        return Err(files.refused("node.value", place, &message));
    }
    let Some(first) = letters.first() else { return behind(files, uses, one, part) };
    let direct = span(letters.iter().map(|letter| letter.at));
    if let Some(place) = direct.filter(|place| agreed(uses, *place, &part.text)) {
        return Ok(Edit { place, text: part.text.clone() });
    }
    in_place_of_variables(uses, one, part).ok_or_else(|| entangled(files, first))
}

const NOWHERE: Place = Place { file: 0, start: 0, end: 0 };

/// An empty value gets its text behind the letter before it.
fn behind(files: &Files, uses: &[Use<'_>], one: &Use<'_>, part: &Part) -> Result<Edit> {
    let Some(before) = part.range.start.checked_sub(1).and_then(|at| one.letters.get(at)) else {
        return Err(files.refused("node.edit", NOWHERE, "an empty word has no place"));
    };
    let others = uses.iter().filter(|other| !std::ptr::eq(other.letters, one.letters));
    let shared = others.flat_map(|other| other.letters).any(|letter| letter.at == before.at);
    if shared || before.through.is_some_and(|reference| !reference.splits) {
        return Err(entangled(files, before));
    }
    Ok(Edit { place: Place { start: before.at.end, ..before.at }, text: part.text.clone() })
}

/// The bytes from the first place to the last, if there is nothing in between.
fn span(places: impl Iterator<Item = Place>) -> Option<Place> {
    let mut whole: Option<Place> = None;
    for place in places {
        whole = match whole {
            None => Some(place),
            // Letters of one specifier or one variable share their place.
            Some(before) if before.touches(place) || before.end == place.end && before.overlaps(place) => {
                Some(before.to(place))
            }
            Some(_) => return None,
        };
    }
    whole
}

/// Whether all letters that are written there shall become this text.
fn agreed(uses: &[Use<'_>], place: Place, text: &str) -> bool {
    let wants = |one: &Use<'_>, at: usize| {
        one.parts.iter().any(|part| {
            let letters = one.letters[part.range.clone()].iter();
            part.range.contains(&at) && part.text == text && span(letters.map(|letter| letter.at)) == Some(place)
        })
    };
    uses.iter().all(|one| {
        let there = one.letters.iter().enumerate().filter(|(_, letter)| letter.at.overlaps(place));
        there.into_iter().all(|(at, _)| wants(one, at))
    })
}

/// The value itself for the variables that it came through.
fn in_place_of_variables(uses: &[Use<'_>], one: &Use<'_>, part: &Part) -> Option<Edit> {
    let range = widened(one.letters, part.range.clone());
    let letters = &one.letters[range.clone()];
    let has_variable = letters.iter().any(|letter| letter.through.is_some());
    if !has_variable || letters.iter().any(|letter| letter.through.is_some_and(|reference| reference.splits)) {
        return None;
    }
    let place = span(letters.iter().map(Letter::on_line))?;
    let kept = |range: Range<usize>| one.letters[range].iter().map(|letter| letter.char).collect::<String>();
    let (before, after) = (kept(range.start..part.range.start), kept(part.range.end..range.end));
    let text = format!("{before}{}{after}", part.text);
    // A drop-in may belong to several units.
    let others = uses.iter().filter(|other| !std::ptr::eq(other.letters, one.letters));
    let shared = others.flat_map(|other| other.letters).any(|letter| letter.on_line().overlaps(place));
    (!shared && text.chars().all(is_plain)).then_some(Edit { place, text })
}

/// The range with the rest of the variables in which it begins and ends.
fn widened(letters: &[Letter], range: Range<usize>) -> Range<usize> {
    let same =
        |one: usize, other: usize| letters[one].through.is_some() && letters[one].through == letters[other].through;
    let (mut start, mut end) = (range.start, range.end);
    while start > 0 && same(start, start - 1) {
        start -= 1;
    }
    while end < letters.len() && same(end - 1, end) {
        end += 1;
    }
    start..end
}

/// Whether a character means itself wherever it stands.
fn is_plain(char: char) -> bool {
    char.is_ascii_alphanumeric() || "._:/,@=+-[]~".contains(char)
}

fn entangled(files: &Files, letter: &Letter) -> Error {
    let message = match letter.through {
        Some(reference) => {
            let named = files.named(reference.place);
            format!("this cannot change for `{named}` alone: somebody else uses it, and wants it as it is")
        }
        None => "this cannot change alone: it is written in pieces, or somebody else wants it as it is".to_owned(),
    };
    files.refused("node.edit", letter.at, &message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(reference: Place, splits: bool, letters: Vec<Letter>) -> Vec<Letter> {
        use crate::node::traced::Reference;
        let through = Some(Reference { place: reference, splits });
        letters.into_iter().map(|letter| Letter { through, ..letter }).collect()
    }

    /// What becomes of `IP=old` and a command line with `${IP}`, where one use wants it new, and another one may not.
    fn changed(splits: bool, wanted_by_all: bool) -> Result<Vec<(String, String)>> {
        let mut files = Files::default();
        let (value, line) = (files.add("/v", "old"), files.add("/u", "${IP} ${IP}"));
        let reference = |start| Place { file: line, start, end: start + 5 };
        let first = of(reference(0), splits, files.letters(value));
        let second = of(reference(6), splits, files.letters(value));
        let part = Part { range: 0..3, text: "new".to_owned() };
        let parts = if wanted_by_all { vec![part.clone()] } else { Vec::new() };
        let uses = [Use { letters: &first, parts: vec![part] }, Use { letters: &second, parts }];
        files.edited(&edits(&files, &uses)?)
    }

    #[test]
    fn a_variable_changes_if_all_want_it_and_else_gives_way() {
        assert_eq!(changed(false, true).unwrap(), [("/v".to_owned(), "new".to_owned())]);
        assert_eq!(changed(false, false).unwrap(), [("/u".to_owned(), "new ${IP}".to_owned())]);
        assert_eq!(changed(true, false).unwrap_err().code(), "node.edit");
    }
}
