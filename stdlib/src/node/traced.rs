//! Text that knows where each of its characters is written.
//!
//! The value of a flag may lie in a unit, in a drop-in, or in a variable of a file that three units read. Whoever
//! decodes quotes, escapes and variables hands on letters with their places, so that a change of the value is a change
//! of just those bytes, wherever they are.

use haengine_kernel::error::{Error, Kind, Result};

/// Some bytes of one of the [`Files`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Which file, as a number that its `Files` gave.
    pub file: usize,
    /// The first byte.
    pub start: usize,
    /// The byte behind the last one.
    pub end: usize,
}

impl Place {
    /// From the beginning of this place to the end of the other, which is in the same file.
    pub fn to(self, end: Place) -> Place {
        Place { end: end.end.max(self.end), ..self }
    }

    /// Whether the two share a byte, or one is empty and within the other.
    pub fn overlaps(self, other: Place) -> bool {
        self.file == other.file && (self == other || (self.start < other.end && other.start < self.end))
    }

    /// Whether nothing lies between the end of this place and the beginning of the next.
    pub fn touches(self, next: Place) -> bool {
        self.file == next.file && self.end == next.start
    }
}

/// The variable that a letter came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where the variable is named: the bytes of `${NAME}` or `$NAME`.
    pub place: Place,
    /// Whether its value is split into words there, as that of `$NAME` is.
    pub splits: bool,
}

/// A character of a decoded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The character that a program gets to see.
    pub char: char,
    /// The bytes that stand for it; more than one where it is escaped.
    pub at: Place,
    /// The variable whose value it is part of.
    pub through: Option<Reference>,
}

impl Letter {
    /// Where the letter is on the command line itself: in the reference to the variable, if it came through one.
    pub fn on_line(&self) -> Place {
        self.through.map_or(self.at, |reference| reference.place)
    }
}

/// The characters of these letters.
pub fn text(letters: &[Letter]) -> String {
    letters.iter().map(|letter| letter.char).collect()
}

/// Other bytes for those at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub place: Place,
    /// What comes instead.
    pub text: String,
}

/// The texts of files by their paths, as a host has them.
///
/// ```
/// use haengine_stdlib::node::traced::{Edit, Files, Place};
/// let mut files = Files::default();
/// let file = files.add("/etc/default/kubelet", "NODE_IP=192.0.2.1\n");
/// let edit = Edit { place: Place { file, start: 8, end: 17 }, text: "192.0.2.2".to_owned() };
/// let edited = files.edited(&[edit]).unwrap();
/// assert_eq!(edited, [("/etc/default/kubelet".to_owned(), "NODE_IP=192.0.2.2\n".to_owned())]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Files {
    files: Vec<(String, String)>,
}

impl Files {
    /// Takes a file in; one that is there already gets the new text.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> usize {
        let (path, text) = (path.into(), text.into());
        if let Some(file) = self.number(&path) {
            self.files[file].1 = text;
            return file;
        }
        self.files.push((path, text));
        self.files.len() - 1
    }

    /// The number of the file at this path, if it is there.
    pub fn number(&self, path: &str) -> Option<usize> {
        self.files.iter().position(|(known, _)| known == path)
    }

    /// The path of a file.
    pub fn path(&self, file: usize) -> &str {
        &self.files[file].0
    }

    /// The text of a file.
    pub fn text(&self, file: usize) -> &str {
        &self.files[file].1
    }

    /// The text of the file at this path; empty where it is not there.
    pub(super) fn text_at(&self, path: &str) -> &str {
        self.number(path).map_or("", |file| self.text(file))
    }

    /// All paths, in the order in which they were added.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(path, _)| path.as_str())
    }

    /// The number of the line at which a place begins.
    pub fn line(&self, place: Place) -> usize {
        1 + self.text(place.file)[..place.start].matches('\n').count()
    }

    /// `PATH:LINE`, as errors name a place.
    pub fn named(&self, place: Place) -> String {
        format!("{}:{}", self.path(place.file), self.line(place))
    }

    /// The letters of a file, none of them decoded.
    pub fn letters(&self, file: usize) -> Vec<Letter> {
        let letter = |(start, char): (usize, char)| {
            let at = Place { file, start, end: start + char.len_utf8() };
            Letter { char, at, through: None }
        };
        self.text(file).char_indices().map(letter).collect()
    }

    /// The letters of a file that is read as a unit or as one of variables. Nobody writes a large one, and what is in
    /// one may be put in for each of the words of another.
    ///
    /// # Errors
    /// `node.large`.
    pub(super) fn read(&self, file: usize) -> Result<Vec<Letter>> {
        const LARGEST: usize = 64 * 1024;
        if self.text(file).len() > LARGEST {
            let message = format!("`{}` is larger than 64 KiB", self.path(file));
            return Err(Error::new(Kind::Refused, "node.large", message).hint("look at it on the host"));
        }
        Ok(self.letters(file))
    }

    /// The files that these edits change, with their new texts. The same edit may be asked for more than once.
    ///
    /// # Errors
    /// `node.edit` when two edits want different things of the same bytes.
    pub fn edited(&self, edits: &[Edit]) -> Result<Vec<(String, String)>> {
        let mut edits = edits.to_vec();
        edits.sort_by_key(|edit| edit.place);
        edits.dedup();
        if let Some(pair) = edits.windows(2).find(|pair| pair[0].place.overlaps(pair[1].place)) {
            let message = format!("`{}` and `{}` are wanted for the same bytes", pair[0].text, pair[1].text);
            return Err(self.refused("node.edit", pair[1].place, &message));
        }
        let changed = (0..self.files.len()).filter_map(|file| {
            let text = self.with(file, edits.iter().filter(|edit| edit.place.file == file));
            (text != self.text(file)).then(|| (self.path(file).to_owned(), text))
        });
        Ok(changed.collect())
    }

    fn with<'a>(&self, file: usize, edits: impl Iterator<Item = &'a Edit>) -> String {
        let (before, mut text, mut done) = (self.text(file), String::new(), 0);
        for edit in edits {
            text.push_str(&before[done..edit.place.start]);
            text.push_str(&edit.text);
            done = edit.place.end;
        }
        text + &before[done..]
    }

    /// A refusal that names file and line.
    pub(super) fn refused(&self, code: &'static str, place: Place, message: &str) -> Error {
        Error::new(Kind::Refused, code, format!("{}: {message}", self.named(place)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_refused() {
        let mut files = Files::default();
        let (small, large) = (files.add("/a", "x".repeat(64 << 10)), files.add("/b", "x".repeat((64 << 10) + 1)));
        assert!(files.read(small).is_ok());
        assert_eq!(files.read(large).unwrap_err().code(), "node.large");
    }

    #[test]
    fn the_same_edit_twice_is_one_and_two_different_ones_are_refused() {
        let mut files = Files::default();
        let file = files.add("/a", "one\ntwo\n");
        let edit = |text: &str| Edit { place: Place { file, start: 4, end: 7 }, text: text.to_owned() };
        assert_eq!(files.edited(&[edit("2"), edit("2")]).unwrap()[0].1, "one\n2\n");
        let refused = files.edited(&[edit("2"), edit("3")]).unwrap_err();
        assert_eq!(refused.message(), "/a:2: `2` and `3` are wanted for the same bytes");
        assert!(files.edited(&[edit("two")]).unwrap().is_empty());
    }
}
