//! How one value is written.

/// The notation of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In `'…'`.
    Single,
    /// In `"…"`.
    Double,
    /// As a block of lines, after `|` or `>`.
    Block,
}

/// Words that are no texts where they stand without quotes, in any of YAML's versions.
const WORDS: [&str; 11] = ["", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// What some editors write before the first character of a text.
pub const MARK: char = '\u{feff}';

/// Signs of which programs make different things: where older parsers end a line and newer ones do not, and marks in the middle.
pub const DOUBTFUL: [char; 4] = [MARK, '\u{85}', '\u{2028}', '\u{2029}'];

/// True for what stands for nothing where it has no quotes.
pub fn is_null(plain: &str) -> bool {
    matches!(plain, "" | "~" | "null" | "Null" | "NULL")
}

/// A text as a scalar that reads back as that text; in quotes where it was, or where it has to be. None for what cannot
/// stand on one line.
///
/// ```
/// use haengine_stdlib::node::scalar::{Style, written};
/// assert_eq!(written("it's", Style::Single, false).as_deref(), Some("'it''s'"));
/// assert_eq!(written("123", Style::Plain, false).as_deref(), Some("\"123\""));
/// ```
pub fn written(value: &str, was: Style, in_flow: bool) -> Option<String> {
    if value.chars().any(|sign| sign.is_control() || DOUBTFUL.contains(&sign)) {
        return None;
    }
    match was {
        Style::Plain if is_plain(value, in_flow) => Some(value.to_owned()),
        Style::Single => Some(format!("'{}'", value.replace('\'', "''"))),
        Style::Plain | Style::Double => Some(format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))),
        Style::Block => None,
    }
}

/// Whether a text stays a text without quotes. It says no too often rather than too seldom.
fn is_plain(value: &str, in_flow: bool) -> bool {
    let is_harmless = |character: char| {
        character.is_ascii_alphanumeric() || "._/:@%+=-".contains(character) || (!in_flow && "[],".contains(character))
    };
    let after_signs = value.trim_start_matches('-');
    let is_flag = (1..=2).contains(&(value.len() - after_signs.len())) && after_signs.starts_with(char::is_alphabetic);
    (is_flag || value.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '/'))
        && value.chars().all(is_harmless)
        && !value.ends_with(':')
        && !WORDS.contains(&value.to_ascii_lowercase().as_str())
        && !is_like_a_number(value)
}

/// Numbers, dates and times: digits with what may stand between them, in any base. An address is none of them.
fn is_like_a_number(value: &str) -> bool {
    let is_of_a_number = |byte: u8| byte.is_ascii_hexdigit() || b"xXoO_.,:+-".contains(&byte);
    value.starts_with(|first: char| first.is_ascii_digit())
        && value.bytes().all(is_of_a_number)
        && value.matches('.').count() < 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_set_where_they_are_needed() {
        for plain in [
            "10.0.0.1",
            "https://10.0.0.1:6443",
            "10.0.0.1:10249",
            "node-1",
            "/etc/k.conf",
            "10.0.0.0/24",
            "--a=b",
            "-name=x",
        ] {
            assert_eq!(written(plain, Style::Plain, true).as_deref(), Some(plain));
        }
        for quoted in [
            "123",
            "1e3",
            "0x1f",
            "yes",
            "No",
            "::1",
            "fd00::",
            "1:2:3:4:5:6:7:8",
            "2026-01-01",
            "-1",
            "---",
            "",
            "a b",
            "[::1]",
        ] {
            assert_eq!(written(quoted, Style::Plain, false), Some(format!("\"{quoted}\"")));
        }
        let url = "https://[fd00::1]:6443";
        assert_eq!(written(url, Style::Plain, false).as_deref(), Some(url));
        assert_eq!(written(url, Style::Plain, true), Some(format!("\"{url}\"")));
    }

    #[test]
    fn quotes_stay_as_they_were() {
        assert_eq!(written("a", Style::Single, false).as_deref(), Some("'a'"));
        assert_eq!(written("a\"b\\", Style::Double, false).as_deref(), Some("\"a\\\"b\\\\\""));
        assert_eq!(written("a\nb", Style::Double, false), None);
        assert_eq!(written("a\u{2028}b", Style::Double, false), None);
        assert_eq!(written("a", Style::Block, false), None);
    }
}
