//! A message drawn for the author of a recipe: what, where with a caret, how it came to that, the next step.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use haengine_kernel::harmless::harmless;
use haengine_kernel::quote::quoted_length;

use crate::spot::Spot;

/// What is drawn.
pub(crate) struct Picture<'a> {
    pub level: Level<'static>,
    pub code: &'a str,
    pub message: &'a str,
    /// The place, and the text of its file.
    pub place: Option<(&'a Spot, &'a str)>,
    pub notes: Vec<String>,
    pub hint: Option<&'a str>,
}

impl Picture<'_> {
    /// Text of several lines, with colours or without. What hosts and recipes say is made harmless first, since among
    /// colours nobody could tell theirs from ours.
    pub fn draw(self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let message = harmless(self.message);
        let mut group = Group::with_title(self.level.primary_title(message.as_ref()).id(self.code));
        let text = self.place.map(|(_, text)| text.replace("\r\n", "\n")).unwrap_or_default();
        let text = harmless(&text);
        if let Some((spot, _)) = self.place {
            let snippet = Snippet::source(text.as_ref()).path(harmless(&spot.file)).fold(true);
            group = group.element(snippet.annotation(AnnotationKind::Primary.span(span(&text, spot))));
        }
        for note in self.notes {
            group = group.element(Level::NOTE.message(harmless(&note).into_owned()));
        }
        if let Some(hint) = self.hint {
            group = group.element(Level::HELP.with_name("hint").message(harmless(hint).into_owned()));
        }
        renderer.render(&[group])
    }
}

/// The word at a place: a name with its module, a string, or one character.
fn span(text: &str, spot: &Spot) -> std::ops::Range<usize> {
    let start_of_line: usize = text.split_inclusive('\n').take(spot.line.saturating_sub(1)).map(str::len).sum();
    let line = text[start_of_line..].split(['\n', '\r']).next().unwrap_or_default();
    let offset: usize = line.chars().take(spot.column.saturating_sub(1)).map(char::len_utf8).sum();
    let rest = &line[offset..];
    let first = rest.chars().next();
    let length = match first {
        Some(quote @ ('"' | '`')) => string(rest, quote),
        _ => word(rest).len(),
    };
    let length = length.max(first.map_or(0, char::len_utf8));
    start_of_line + offset..start_of_line + offset + length
}

/// A name, with its module if it has one.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(text.len());
    text[..end].trim_end_matches(':')
}

/// The length of the string that begins `text`, up to the end of the line at most.
fn string(text: &str, quote: char) -> usize {
    quoted_length(text, quote).unwrap_or(text.trim_end().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, line: usize, column: usize) -> &str {
        &text[span(text, &Spot { file: String::new(), line, column, function: None })]
    }

    #[test]
    fn the_word_at_the_place_is_marked() {
        assert_eq!(marked("#{ mode: 1 }", 1, 4), "mode");
        let text = "let ä = 1;\nfile::put(h, \"a \\\" b\", `c`, -1);\r\n";
        assert_eq!(marked(text, 1, 5), "ä");
        assert_eq!(marked(text, 2, 1), "file::put");
        assert_eq!(marked(text, 2, 14), "\"a \\\" b\"");
        assert_eq!(marked(text, 2, 24), "`c`");
        assert_eq!(marked(text, 2, 29), "-");
        assert_eq!(marked("let a = \"open\n", 1, 9), "\"open");
        assert_eq!(marked("short", 7, 90), "");
    }
}
