//! A text in YAML or JSON as a tree whose values know where they stand.
//!
//! Anchors, aliases and merge keys are understood as Kubernetes' own parser understands them. Refused are: a key that
//! a map has twice (programs differ in which one they take), tags that are no plain types, keys that are no scalars, and an
//! alias inside of what it names. Nothing is ever copied out for an alias, so that no text grows.

use std::collections::BTreeSet;
use std::ops::Range;

use haengine_kernel::error::{Error, Kind, Result};
use zeroize::Zeroize;

use super::entry::{Content, Entry, refused};
use super::reading::Reading;
use super::scalar::{self, Style};

/// A file larger than this is no configuration.
const LARGEST: usize = 4 << 20;

/// A parsed text. There may be secrets in it: it has no `Debug`, and it is wiped when it is dropped.
///
/// ```
/// use haengine_stdlib::node::document::Document;
/// let document = Document::parse("/etc/a.yaml", "server: 'https://10.0.0.1:6443' # ours\n").unwrap();
/// let server = document.root().unwrap().get("server").unwrap();
/// assert_eq!((server.text(), server.line()), (Some("https://10.0.0.1:6443"), 1));
/// ```
pub struct Document {
    file: String,
    text: String,
    entries: Vec<Entry>,
    roots: Vec<usize>,
    is_json: bool,
}

/// A value within a document. An alias is what it names, but for its place, which is its own.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    document: &'a Document,
    id: usize,
}

impl Document {
    /// The documents of a text; `file` is how errors name it.
    ///
    /// # Errors
    /// `node.yaml` with file and line.
    pub fn parse(file: &str, text: &str) -> Result<Document> {
        if text.len() > LARGEST {
            return Err(Error::new(Kind::Refused, "node.yaml", format!("`{file}` is larger than 4 MiB")));
        }
        let bare = text.strip_prefix(scalar::MARK).unwrap_or(text);
        if let Some(at) = bare.find(scalar::DOUBTFUL) {
            let line = bare[..at].matches('\n').count() + 1;
            return Err(refused(file, line, "a sign stands here of which programs make different things")
                .hint("look for signs that are not shown: line separators, byte order marks"));
        }
        let (entries, roots) = Reading::of(file, text)?.finish();
        let is_json =
            bare.trim_start().starts_with(['{', '[']) && entries.iter().all(|entry| entry.content.is_of_json());
        Ok(Document { file: file.to_owned(), text: text.to_owned(), entries, roots, is_json })
    }

    /// The first document, where it is the only one; none where the text is empty.
    ///
    /// # Errors
    /// Where there is something in a later one: programs take the first and say nothing of the others.
    pub fn only(&self) -> Result<Option<Node<'_>>> {
        match self.documents().skip(1).find(|node| !node.is_null()) {
            Some(second) => Err(second.refused("a second document begins here")),
            None => Ok(self.root().filter(|root| !root.is_null())),
        }
    }

    /// The first document.
    pub fn root(&self) -> Option<Node<'_>> {
        self.documents().next()
    }

    /// All documents, separated by `---`.
    pub fn documents(&self) -> impl Iterator<Item = Node<'_>> {
        self.roots.iter().map(|&id| Node { document: self, id })
    }

    /// All values that are no lists and no maps, without keys, in the text's order; an alias of one stands where it is.
    pub fn scalars(&self) -> impl Iterator<Item = Node<'_>> {
        let keys: BTreeSet<usize> = self.entries.iter().flat_map(|entry| entry.content.keys()).collect();
        let all = (0..self.entries.len()).map(|id| Node { document: self, id });
        all.filter(move |node| !keys.contains(&node.id) && node.raw().is_some())
    }

    /// The text with blanks for all values, and for keys: what is left are remarks and signs.
    pub fn remarks(&self) -> String {
        let mut bytes = self.text.clone().into_bytes();
        let is_scalar = |entry: &&Entry| matches!(entry.content, Content::Scalar { .. } | Content::Alias(_));
        for entry in self.entries.iter().filter(is_scalar) {
            for byte in bytes[entry.range.clone()].iter_mut().filter(|byte| **byte != b'\n') {
                *byte = b' ';
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The file, as errors name it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The text, as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True for JSON: texts are in double quotes, and nothing else is.
    pub fn is_json(&self) -> bool {
        self.is_json
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Content::Scalar { value, .. } = &mut self.content {
            value.zeroize();
        }
    }
}

impl Content {
    fn is_of_json(&self) -> bool {
        match self {
            Content::Scalar { value, style: Style::Plain } => serde_json::from_str::<serde_json::Value>(value).is_ok(),
            Content::Scalar { style, .. } => *style == Style::Double,
            Content::Alias(_) => false,
            Content::List(_) | Content::Map(_) => true,
        }
    }

    fn keys(&self) -> Vec<usize> {
        match self {
            Content::Map(pairs) => pairs.iter().map(|(key, _)| *key).collect(),
            _ => Vec::new(),
        }
    }
}

impl<'a> Node<'a> {
    /// The value under a key of a map, also of one that is merged into it.
    pub fn get(&self, key: &str) -> Option<Node<'a>> {
        let found = self.entries().into_iter().find(|(name, _)| *name == key);
        found.map(|(_, value)| value)
    }

    /// The value at the end of a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<Node<'a>> {
        path.iter().try_fold(*self, |node, key| node.get(key))
    }

    /// The keys and values of a map, merged ones last; a key of its own wins over a merged one.
    pub fn entries(&self) -> Vec<(&'a str, Node<'a>)> {
        let (mut found, mut seen, mut maps) = (Vec::new(), BTreeSet::new(), vec![self.target()]);
        let mut names = BTreeSet::new();
        while let Some(map) = maps.pop() {
            // A map that is merged twice gives nothing new: so much work at most as there are maps.
            if !seen.insert(map.id) {
                continue;
            }
            for (key, value) in map.pairs() {
                if key.is_merge() {
                    let merged = value.items_or_self();
                    maps.extend(merged.into_iter().rev().map(|node| node.target()));
                } else if let Some(name) = key.raw().filter(|name| names.insert(*name)) {
                    found.push((name, value));
                }
            }
        }
        found
    }

    /// The values of a list.
    pub fn items(&self) -> Vec<Node<'a>> {
        match &self.target().entry().content {
            Content::List(items) => items.iter().map(|&id| self.sibling(id)).collect(),
            _ => Vec::new(),
        }
    }

    /// The text of a scalar, also of a number; none for null, lists and maps.
    pub fn text(&self) -> Option<&'a str> {
        if self.is_null() { None } else { self.raw() }
    }

    /// True for nothing at all, `~` and `null`.
    pub fn is_null(&self) -> bool {
        match &self.target().entry().content {
            Content::Scalar { value, style } => *style == Style::Plain && scalar::is_null(value),
            _ => false,
        }
    }

    /// True for a map.
    pub fn is_map(&self) -> bool {
        matches!(self.target().entry().content, Content::Map(_))
    }

    /// True for a list.
    pub fn is_list(&self) -> bool {
        matches!(self.target().entry().content, Content::List(_))
    }

    /// The line where it begins, from 1.
    pub fn line(&self) -> usize {
        self.entry().line
    }

    /// Where it stands in the text, in bytes, with its quotes.
    pub fn range(&self) -> Range<usize> {
        self.entry().range.clone()
    }

    /// The keys that lead to it, outermost first; lists add nothing.
    pub fn path(&self) -> Vec<&'a str> {
        let (mut path, mut next) = (Vec::new(), Some(*self));
        while let Some(node) = next {
            path.extend(node.entry().key.and_then(|key| self.sibling(key).raw()));
            next = node.parent();
        }
        path.reverse();
        path
    }

    /// The document that it is in.
    pub fn top(&self) -> Node<'a> {
        let mut node = *self;
        while let Some(parent) = node.parent() {
            node = parent;
        }
        node
    }

    /// The list or the map that it is in.
    pub fn parent(&self) -> Option<Node<'a>> {
        self.entry().parent.map(|id| self.sibling(id))
    }

    /// The error `node.yaml` for what stands here.
    pub fn refused(&self, why: &str) -> Error {
        refused(&self.document.file, self.line(), why)
    }

    /// The item before this one in its list.
    pub(super) fn before(&self) -> Option<Node<'a>> {
        match &self.parent()?.entry().content {
            // Their numbers grow.
            Content::List(items) => {
                items.binary_search(&self.id).ok()?.checked_sub(1).map(|at| self.sibling(items[at]))
            }
            _ => None,
        }
    }

    pub(super) fn id(&self) -> usize {
        self.id
    }

    fn sibling(&self, id: usize) -> Node<'a> {
        Node { document: self.document, id }
    }

    fn entry(&self) -> &'a Entry {
        &self.document.entries[self.id]
    }

    fn target(&self) -> Node<'a> {
        match self.entry().content {
            Content::Alias(target) => self.sibling(target),
            _ => *self,
        }
    }

    fn raw(&self) -> Option<&'a str> {
        match &self.target().entry().content {
            Content::Scalar { value, .. } => Some(value),
            _ => None,
        }
    }

    fn pairs(&self) -> Vec<(Node<'a>, Node<'a>)> {
        match &self.entry().content {
            Content::Map(pairs) => pairs.iter().map(|&(key, value)| (self.sibling(key), self.sibling(value))).collect(),
            _ => Vec::new(),
        }
    }

    fn items_or_self(&self) -> Vec<Node<'a>> {
        if self.is_list() { self.items() } else { vec![*self] }
    }

    fn is_merge(&self) -> bool {
        let Content::Scalar { value, style } = &self.entry().content else { return false };
        value == "<<" && *style == Style::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, path: &[&str]) -> Option<String> {
        let document = Document::parse("/f", text).unwrap();
        document.root()?.at(path)?.text().map(str::to_owned)
    }

    fn why(text: &str) -> String {
        Document::parse("/f", text).err().unwrap().message().to_owned()
    }

    #[test]
    fn values_are_found_however_they_are_written() {
        for text in [
            "a:\n  b: c\n",
            "a:\r\n  b: c\r\n",
            "a: {b: c}",
            "{\"a\": {\"b\": \"c\"}}",
            "{\n\t\"a\": {\n\t\t\"b\":\t\"c\"\n\t}\n}\n",
            "\u{feff}a:\n  b: 'c' # d\n",
            "---\n# é\na:\n    b:   c\t# d\n...\n",
            "x: &x {b: c}\na: *x\n",
            "x: &x {b: c}\na:\n  <<: *x\n  d: e\n",
            "x: &x {b: z}\na: {b: c, <<: *x}\n",
            "a: !!map\n  b: !!str c\n",
            "a:\n  b: >-\n    c\n",
        ] {
            assert_eq!(at(text, &["a", "b"]).as_deref(), Some("c"), "{text}");
        }
        assert_eq!(at("a:\n", &["a"]), None);
        assert_eq!(at("a: 'null'\n", &["a"]).as_deref(), Some("null"));
    }

    #[test]
    fn places_are_bytes_of_the_text() {
        let text = "\u{feff}# ключ — 键\r\nä: 'é' # ü\r\nb: [ \"x\" , y ]\r\nc: z  \r\n";
        let document = Document::parse("/f", text).unwrap();
        let found: Vec<(&str, usize)> = document.scalars().map(|node| (&text[node.range()], node.line())).collect();
        assert_eq!(found, [("'é'", 2), ("\"x\"", 3), ("y", 3), ("z", 4)]);
        let last = document.scalars().nth(2).unwrap();
        assert_eq!(last.path(), ["b"]);
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_line() {
        assert!(why("a: 1\nb: 2\na: 3\n").contains("line 3: this key stands in line 1"));
        assert!(why("a:\n  b: !secret c\n").contains("line 2: this value has a tag"));
        assert!(why("a: !!binary YQ==\n").contains("has a tag") && why("a: !!str\n").contains("has a tag"));
        assert!(why("a: &a\n  b: *a\n").contains("line 2: this alias stands inside"));
        assert!(why("a: b\n\u{feff}c: d\n").contains("line 2: a sign stands here"));
        assert!(why("a: {?b: c}\n").contains("line 1: a `?`"));
        assert!(why("a:\n  ? [b]\n  : c\n").contains("line 2: this key"));
        assert!(why("a: 'b\nc: d\n").contains("cannot be read as YAML"));
        assert!(!why("token: very-secret: x\n").contains("very"));
        assert!(Document::parse("/f", "a: 1\n---\nb: 1\n").unwrap().only().is_err());
        assert!(Document::parse("/f", "# a\n---\nb: 1\n---\n").unwrap().only().unwrap().is_some());
    }

    #[test]
    fn aliases_do_not_grow() {
        let mut text = "a0: &a0 {x: y}\n".to_owned();
        for number in 1..200 {
            let before = format!("*a{}", number - 1);
            text += &format!("a{number}: &a{number} {{<<: [{before}, {before}, {before}]}}\n");
        }
        assert_eq!(at(&text, &["a199", "x"]).as_deref(), Some("y"));
        assert_eq!(at(&text, &["a199", "z"]), None);
        assert!(Document::parse("/f", &"[".repeat(100_000)).is_err());
    }
}
