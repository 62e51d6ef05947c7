//! The names of hosts and groups.

use super::node::Entry;
use super::source::{Source, quoted};
use crate::error::Result;

/// The group of all hosts; it always exists.
pub(super) const ALL: &str = "all";

/// Checks the name of `what` ("a host").
///
/// # Errors
/// When it cannot be typed safely in a recipe, a command line or a file's name, or is the built-in group's.
pub(super) fn check(source: &Source, entry: &Entry, what: &str) -> Result<()> {
    let name = &entry.key;
    let spot = source.spot(entry.mark);
    if name == ALL {
        return Err(spot
            .error("inventory.reserved", &format!("{what} may not be called `{ALL}`"))
            .hint(format!("choose another name; `{ALL}` is the built-in group of all hosts")));
    }
    if is_good(name) {
        return Ok(());
    }
    Err(spot
        .error("inventory.name", &format!("{} is not a name for {what}", quoted(name)))
        .hint("use letters, digits, `-`, `_` and `.` only, with a letter or digit first, at most 253"))
}

fn is_good(name: &str) -> bool {
    name.len() <= 253
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}
