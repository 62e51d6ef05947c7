//! Texts in quotes.

/// The length of the text in quotes that begins `text`, both quotes included; none where they are not closed. A backslash takes
/// the meaning of the character behind it.
///
/// ```
/// use haengine_kernel::quote::quoted_length;
/// assert_eq!(quoted_length(r#""a\"b" c"#, '"'), Some(6));
/// assert_eq!(quoted_length("'a", '\''), None);
/// ```
pub fn quoted_length(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (index, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return Some(index + quote.len_utf8()),
            _ => {}
        }
    }
    None
}
