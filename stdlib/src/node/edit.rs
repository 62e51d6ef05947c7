//! Values of a document written anew, and all other bytes as they were.

use std::collections::BTreeMap;

use haengine_kernel::error::{Error, Kind, Result};

use super::document::{Document, Node};
use super::entry::{Content, Entry};
use super::scalar::{Style, written};

/// New values for places of a document.
///
/// ```
/// use haengine_stdlib::node::{document::Document, edit::Edit};
/// let document = Document::parse("/f", "a: 'x'  # said\nb: x\n").unwrap();
/// let mut edit = Edit::of(&document);
/// edit.set(document.root().unwrap().get("a").unwrap(), "y").unwrap();
/// assert_eq!(edit.finish().unwrap(), "a: 'y'  # said\nb: x\n");
/// ```
pub struct Edit<'a> {
    document: &'a Document,
    /// By the number of the value, which is the text's order.
    values: BTreeMap<usize, String>,
}

impl<'a> Edit<'a> {
    /// No changes yet.
    pub fn of(document: &'a Document) -> Edit<'a> {
        Edit { document, values: BTreeMap::new() }
    }

    /// Writes a text in place of a scalar or of an alias.
    ///
    /// # Errors
    /// `node.edit`, where no single value stands there, or another one has been set for it already: an alias may lead to
    /// one place from two sides.
    pub fn set(&mut self, node: Node<'_>, value: &str) -> Result<()> {
        let entry = &self.document.entries()[node.id()];
        if node.text() == Some(value) && !self.values.contains_key(&node.id()) {
            // However it is written, it says that already.
            return Ok(());
        }
        if matches!(entry.content, Content::List(_) | Content::Map(_)) || entry.range.is_empty() {
            return Err(self.refused(entry, "no value stands here that could be replaced"));
        }
        if matches!(entry.content, Content::Scalar { style: Style::Block, .. }) {
            return Err(self.refused(entry, "this value is a block of lines").hint("write it on one line"));
        }
        if value.chars().any(char::is_control) {
            return Err(self.refused(entry, "the new value has more than one line"));
        }
        match self.values.insert(node.id(), value.to_owned()) {
            Some(other) if other != value => Err(self.refused(entry, "this value stands for two different ones")),
            _ => Ok(()),
        }
    }

    /// True when nothing was set.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The new text. It was read again, and differs in what was set and in nothing else.
    ///
    /// # Errors
    /// `node.edit`, where an alias elsewhere would change with it, or the new text would read otherwise.
    pub fn finish(self) -> Result<String> {
        let entries = self.document.entries();
        let uses = self.uses();
        for &id in self.values.keys() {
            self.check_shared(id, &uses)?;
        }
        let (before, mut text, mut done) = (self.document.text(), String::new(), 0);
        for (&id, value) in &self.values {
            let entry = &entries[id];
            text += &before[done..entry.range.start];
            text += &self.written(entry, value)?;
            done = entry.range.end;
        }
        text += &before[done..];
        let after = Document::parse(self.document.file(), &text)
            .map_err(|error| self.unclear("the new text could not be read").because(error))?;
        if !self.is_as_set(&after) {
            return Err(self.unclear("a change would change something else, too"));
        }
        Ok(text)
    }

    fn written(&self, entry: &Entry, value: &str) -> Result<String> {
        let was = match &entry.content {
            // A text in JSON has quotes, also in place of a number.
            Content::Scalar { style, .. } if !(self.document.is_json() && *style == Style::Plain) => *style,
            _ if self.document.is_json() => Style::Double,
            _ => Style::Plain,
        };
        written(value, was, entry.in_flow).ok_or_else(|| self.refused(entry, "the new value cannot be written here"))
    }

    /// What aliases name, with the line of one that stays.
    fn uses(&self) -> BTreeMap<usize, usize> {
        let entries = self.document.entries().iter().enumerate();
        let stay = entries.filter(|(id, _)| !self.values.contains_key(id));
        stay.filter_map(|(_, entry)| match entry.content {
            Content::Alias(target) => Some((target, entry.line)),
            _ => None,
        })
        .collect()
    }

    /// What an alias names must not be changed behind its back, unless the alias is replaced as well.
    fn check_shared(&self, id: usize, uses: &BTreeMap<usize, usize>) -> Result<()> {
        let entries = self.document.entries();
        let mut next = Some(id);
        while let Some(at) = next {
            if let Some(line) = uses.get(&at) {
                let why = format!("this value is used in line {line}, too, by an alias");
                return Err(self.refused(&entries[id], &why).hint("write it out in both places"));
            }
            next = entries[at].parent;
        }
        Ok(())
    }

    fn is_as_set(&self, after: &Document) -> bool {
        let (before, after) = (self.document.entries(), after.entries());
        before.len() == after.len()
            && before.iter().zip(after).enumerate().all(|(id, (old, new))| match self.values.get(&id) {
                Some(value) => matches!(&new.content, Content::Scalar { value: is, .. } if is == value),
                None => is_same(&old.content, &new.content) && old.is_anchored == new.is_anchored,
            })
    }

    fn refused(&self, entry: &Entry, why: &str) -> Error {
        let message = format!("`{}`, line {}: {why}", self.document.file(), entry.line);
        Error::new(Kind::Refused, "node.edit", message)
    }

    /// Where no line can be named.
    fn unclear(&self, why: &str) -> Error {
        Error::new(Kind::Refused, "node.edit", format!("`{}`: {why}", self.document.file()))
            .hint("change this file by hand")
    }
}

fn is_same(old: &Content, new: &Content) -> bool {
    match (old, new) {
        (Content::Scalar { value, style }, Content::Scalar { value: other, style: as_well }) => {
            value == other && style == as_well
        }
        (Content::List(items), Content::List(others)) => items == others,
        (Content::Map(pairs), Content::Map(others)) => pairs == others,
        (Content::Alias(target), Content::Alias(other)) => target == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, path: &[&str], value: &str) -> Result<String> {
        let document = Document::parse("/f", text)?;
        let mut edit = Edit::of(&document);
        edit.set(document.root().unwrap().at(path).unwrap(), value)?;
        edit.finish()
    }

    #[test]
    fn only_the_value_changes() {
        for (text, value, expected) in [
            ("a: x\n", "new", "a: new\n"),
            ("a:   x\t# é x\r\nb: x\r\n", "new", "a:   new\t# é x\r\nb: x\r\n"),
            ("\u{feff}ä: é\na: 'x'", "it's", "\u{feff}ä: é\na: 'it''s'"),
            ("{\n\t\"a\":\t\"x\"\n}", "y", "{\n\t\"a\":\t\"y\"\n}"),
            ("{\"a\": 12}", "13", "{\"a\": \"13\"}"),
            ("a: &k x # said\n", "::1", "a: &k \"::1\" # said\n"),
            ("b: &k x\na: *k\n", "new", "b: &k x\na: new\n"),
            ("a: !!str x\n", "12", "a: !!str \"12\"\n"),
            ("a: x\n y\n", "new", "a: new\n"),
            ("a: \"\\x78\" # x\n", "x", "a: \"\\x78\" # x\n"),
            ("{a: x, b: c}", "h[0]", "{a: \"h[0]\", b: c}"),
        ] {
            assert_eq!(edited(text, &["a"], value).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_would_change_more_is_refused() {
        for (text, path, why) in [
            ("a: &k x\nb: *k\n", &["a"][..], "line 2, too"),
            ("a: &k {c: x}\nb: *k\n", &["b", "c"], "line 2, too"),
            ("a: &k {c: x}\nb: {<<: *k}\n", &["b", "c"], "line 2, too"),
            ("a:\nb: c\n", &["a"], "no value stands here"),
            ("a: |\n  x\n", &["a"], "a block of lines"),
            ("a: {b: c}\n", &["a"], "no value stands here"),
        ] {
            let error = edited(text, path, "y").unwrap_err();
            assert!(error.code() == "node.edit" && error.message().contains(why), "{text}: {error}");
        }
    }
}
