//! A value of a flag or a variable, with what it means.

use super::naming::Meaning;
use super::rewrite::Use;
use super::traced::Letter;

/// A value, what it means, and what is to be changed of it.
pub(super) struct Meant<'a> {
    /// The letters of the value.
    pub(super) value: &'a [Letter],
    /// What it means; none where nobody knows.
    pub(super) meaning: Option<Meaning>,
    /// The word, and its changes.
    pub(super) used: Use<'a>,
}
