//! Text from elsewhere, before a person sees it.

use std::borrow::Cow;

/// Text as a host or a file gave it, without what would move a terminal's cursor or end the line early.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(odd) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if odd(c) { '\u{fffd}' } else { c }).collect())
}

/// The same, in one line.
pub fn one_line(text: &str) -> String {
    harmless(text).trim().replace('\n', " ⏎ ").replace('\t', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_a_host_do_not_reach_the_terminal() {
        assert_eq!(harmless("a\u{1b}[31mb\r\n"), "a\u{fffd}[31mb\u{fffd}\n");
        assert_eq!(one_line("a\nb\n"), "a ⏎ b");
    }
}
