//! Rows under headings, without lines.

use comfy_table::{ContentArrangement, Table, presets};

/// The rows below their headings, as many as there are; texts of several lines go on below their first.
pub fn columns(headings: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings);
    table.add_rows(rows);
    table.lines().map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(&line).trim_end())).collect()
}

/// The rows below their headings, as wide as they are: other programs cut columns, not words.
pub fn table<const N: usize>(headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings);
    table.add_rows(rows);
    table.lines().map(|line| format!("{}\n", line.trim())).collect()
}
