//! What a document's tree is made of.

use std::ops::Range;

use haengine_kernel::error::{Error, Kind};

use super::scalar::Style;

/// One value, key or alias. Its number is its place in the text's order.
pub(super) struct Entry {
    pub content: Content,
    pub range: Range<usize>,
    pub line: usize,
    pub in_flow: bool,
    pub is_anchored: bool,
    pub parent: Option<usize>,
    /// The key under which it stands, where that is in a map.
    pub key: Option<usize>,
}

/// What a value is; lists and maps hold the numbers of others.
pub(super) enum Content {
    Scalar { value: String, style: Style },
    List(Vec<usize>),
    Map(Vec<(usize, usize)>),
    Alias(usize),
}

/// The error `node.yaml`.
pub(super) fn refused(file: &str, line: usize, why: &str) -> Error {
    Error::new(Kind::Refused, "node.yaml", format!("`{file}`, line {line}: {why}"))
}
