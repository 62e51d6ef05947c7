//! How a document's tree grows from the events of the parser.

use std::collections::BTreeMap;
use std::ops::Range;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StructureStyle, Tag};
use haengine_kernel::error::{Error, Result};

use super::entry::{Content, Entry, refused};
use super::scalar::{self, Style};

/// The tree while it grows.
pub struct Reading<'a> {
    file: &'a str,
    text: &'a str,
    entries: Vec<Entry>,
    roots: Vec<usize>,
    /// Lists and maps that have not ended; for a map, the key that waits for its value.
    open: Vec<(usize, Option<usize>)>,
    /// Values by the parser's numbers of their anchors.
    anchors: BTreeMap<usize, usize>,
}

impl<'a> Reading<'a> {
    /// Reads a text to its end.
    ///
    /// # Errors
    /// `node.yaml`.
    pub fn of(file: &'a str, text: &'a str) -> Result<Reading<'a>> {
        let (entries, roots, open, anchors) = Default::default();
        let mut reading = Reading { file, text, entries, roots, open, anchors };
        for event in Parser::new_from_str_with_options(text, options()) {
            let (event, span) = event.map_err(|error| {
                // The parser's own words may quote the text.
                refused(file, error.marker().line(), "this cannot be read as YAML")
                    .hint("look at this line and the ones next to it")
            })?;
            reading.take(event, span)?;
        }
        Ok(reading)
    }

    /// All values, and which of them are documents.
    pub fn finish(self) -> (Vec<Entry>, Vec<usize>) {
        (self.entries, self.roots)
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<()> {
        let in_flow = match &event {
            Event::SequenceStart(style, ..) | Event::MappingStart(style, ..) => *style == StructureStyle::Flow,
            _ => self.open.last().is_some_and(|(id, _)| self.entries[*id].in_flow),
        };
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let content = Content::Scalar { value: value.into_owned(), style: style_of(style) };
                self.known(tag.as_deref(), &content, &span)?;
                self.agreed(&content, &span, in_flow)?;
                self.add(content, &span, in_flow, anchor).map(drop)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.begin(Content::List(Vec::new()), &span, in_flow, anchor, tag.as_deref())
            }
            Event::MappingStart(_, anchor, tag) => {
                self.begin(Content::Map(Vec::new()), &span, in_flow, anchor, tag.as_deref())
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&span),
            Event::Alias(anchor) => self.alias(anchor, &span, in_flow),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, content: Content, span: &Span, in_flow: bool, anchor: usize, tag: Option<&Tag>) -> Result<()> {
        self.known(tag, &content, span)?;
        let id = self.add(content, span, in_flow, anchor)?;
        self.open.push((id, None));
        Ok(())
    }

    fn end(&mut self, span: &Span) -> Result<()> {
        let Some((id, _)) = self.open.pop() else { return Ok(()) };
        self.entries[id].range.end = self.bytes(span).end.max(self.entries[id].range.start);
        self.unique(id)
    }

    fn alias(&mut self, anchor: usize, span: &Span, in_flow: bool) -> Result<()> {
        let Some(&target) = self.anchors.get(&anchor) else { return Err(self.wrong(span, "this alias names nothing")) };
        if self.open.iter().any(|(id, _)| *id == target) {
            return Err(self.wrong(span, "this alias stands inside of what it names"));
        }
        self.add(Content::Alias(target), span, in_flow, 0).map(drop)
    }

    /// Adds a value and gives it to the list or map that is open.
    fn add(&mut self, content: Content, span: &Span, in_flow: bool, anchor: usize) -> Result<usize> {
        let (id, line, range) = (self.entries.len(), span.start.line(), self.bytes(span));
        let parent = self.open.last().map(|(id, _)| *id);
        let may_be_key = match &content {
            Content::Scalar { value, style } => *style != Style::Plain || !scalar::is_null(value),
            _ => false,
        };
        let key = self.open.last().and_then(|(_, key)| *key);
        self.entries.push(Entry { content, range, line, in_flow, is_anchored: anchor != 0, parent, key });
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        let Some((open, key)) = self.open.last_mut() else {
            self.roots.push(id);
            return Ok(id);
        };
        match (&mut self.entries[*open].content, key.take()) {
            (Content::List(items), _) => items.push(id),
            (Content::Map(pairs), Some(key)) => pairs.push((key, id)),
            (Content::Map(_), None) if may_be_key => *key = Some(id),
            _ => return Err(self.wrong(span, "this key is no plain text")),
        }
        Ok(id)
    }

    /// A map must not have a key twice.
    fn unique(&self, id: usize) -> Result<()> {
        let Content::Map(pairs) = &self.entries[id].content else { return Ok(()) };
        let mut seen = BTreeMap::new();
        for (key, _) in pairs {
            let Content::Scalar { value, .. } = &self.entries[*key].content else { continue };
            let line = self.entries[*key].line;
            if let Some(first) = seen.insert(value, line) {
                let why = format!("this key stands in line {first} already");
                return Err(
                    refused(self.file, line, &why).hint("leave one of them: programs differ in which one they take")
                );
            }
        }
        Ok(())
    }

    /// Tags may say what a value is anyway. Those that make another value of it are not understood.
    fn known(&self, tag: Option<&Tag>, content: &Content, span: &Span) -> Result<()> {
        let says = tag.map(|tag| tag.core_suffix());
        let is_known = match content {
            Content::Scalar { value, .. } => says.is_none_or(|says| says == Some("str") && !scalar::is_null(value)),
            Content::List(_) => says.is_none_or(|says| says == Some("seq")),
            _ => says.is_none_or(|says| says == Some("map")),
        };
        if is_known { Ok(()) } else { Err(self.wrong(span, "this value has a tag that is not understood")) }
    }

    /// In `{?a: b}` the sign is a part of the key for some programs, and for others not.
    fn agreed(&self, content: &Content, span: &Span, in_flow: bool) -> Result<()> {
        match content {
            Content::Scalar { value, style: Style::Plain } if in_flow && value.starts_with('?') => {
                Err(self.wrong(span, "a `?` stands here, of which programs make different things"))
            }
            _ => Ok(()),
        }
    }

    fn bytes(&self, span: &Span) -> Range<usize> {
        span.byte_range().unwrap_or(self.text.len()..self.text.len())
    }

    fn wrong(&self, span: &Span, why: &str) -> Error {
        refused(self.file, span.start.line(), why)
    }
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    }
}

fn options() -> Options {
    // JSON may have long keys; remarks are told from values by their place.
    granit_parser::options! { emit_comments: false, simple_key_max_lookahead: 65536 }
}
