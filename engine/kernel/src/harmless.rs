//! Text from elsewhere, before a person sees it.

use std::borrow::Cow;

/// Whether a character does something to a terminal, or to the order in which a person reads: control characters of both
/// blocks, what turns the direction of writing, and what is seen nowhere. Line ends and tabs are meant.
pub fn is_harmful(c: char) -> bool {
    let unseen = matches!(c,
        // Marks, embeddings, overrides and isolates of direction.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        // Line ends that no program counts, and characters that are only instructions.
        | '\u{2028}' | '\u{2029}' | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}');
    unseen || (c.is_control() && c != '\n' && c != '\t')
}

/// Text as a host or a file gave it, without what would move a terminal's cursor, turn its lines round or end them early.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_harmful(c) { '\u{fffd}' } else { c }).collect())
}

/// The same, in one line.
pub fn one_line(text: &str) -> String {
    harmless(text).trim().replace('\n', " ⏎ ").replace('\t', " ")
}

/// JSON that says the same and has every such character escaped: in JSON they stand within strings only.
pub fn harmless_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_harmful) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_harmful(c) {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}")));
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_a_host_do_not_reach_the_terminal() {
        assert_eq!(harmless("a\u{1b}[31mb\r\n"), "a\u{fffd}[31mb\u{fffd}\n");
        assert_eq!(harmless("a\u{9b}31mb\u{202e}c\u{2066}d\u{7f}"), "a\u{fffd}31mb\u{fffd}c\u{fffd}d\u{fffd}");
        assert_eq!(harmless("Grüße, 你好, שלום\n"), "Grüße, 你好, שלום\n");
        assert_eq!(one_line("a\nb\n"), "a ⏎ b");
    }

    #[test]
    fn json_says_the_same_without_them() {
        let text = "a\u{9b}b\u{202e}c\u{7f}\u{e0041}";
        let json = serde_json::to_string(text).unwrap();
        let shown = harmless_json(&json);
        assert!(!shown.contains(is_harmful));
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }
}
