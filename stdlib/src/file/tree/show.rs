//! A change of a tree for people, and for what a plan asks later.

use std::collections::BTreeSet;

use haengine_kernel::diff::Diff;
use haengine_kernel::overlay::{Effect, PlannedFile};
use haengine_kernel::signature::quoted;

use super::comparison::{How, Placement};
use super::entry::{Entry, Shape};
use super::size::bytes;

pub use super::size::bytes as size;

/// More lines than these say less.
const LINES: usize = 200;

/// How many paths are named.
const NAMES: usize = 5;

/// `12 new, 3 differ, 380.0 MiB`, and whose capabilities do not come along.
pub fn summary(placements: &[Placement], capable: &BTreeSet<String>) -> String {
    let count = |how: How, directory: bool| {
        let directories = |placement: &&Placement| (placement.becomes.shape == Shape::Directory) == directory;
        placements.iter().filter(|placement| placement.how == how).filter(directories).count()
    };
    let counted = [
        (count(How::New, false), "new"),
        (count(How::New, true), "new directories"),
        (count(How::Replaced, false), "differ"),
        (count(How::Rights, false) + count(How::Rights, true), "with other rights"),
    ];
    let mut words: Vec<String> =
        counted.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if placements.iter().any(Placement::is_sent) {
        words.push(bytes(to_send(placements)));
    }
    let bare = placements.iter().filter(|placement| placement.is_sent() && capable.contains(&placement.path));
    let bare: Vec<&str> = bare.map(|placement| placement.path.as_str()).collect();
    if !bare.is_empty() {
        let more = if bare.len() > NAMES { format!(" and {} more", bare.len() - NAMES) } else { String::new() };
        words.push(format!("without the capabilities of {}{more}", quoted(&bare[..bare.len().min(NAMES)])));
    }
    words.join(", ")
}

/// Bytes of content that travel. What is linked together travels once.
pub fn to_send(placements: &[Placement]) -> u64 {
    let mut seen = std::collections::HashSet::new();
    let sent = placements.iter().filter(|placement| placement.is_sent() && placement.becomes.shape == Shape::File);
    let first = sent.filter(|placement| placement.becomes.inode == (0, 0) || seen.insert(placement.becomes.inode));
    first.map(|placement| placement.becomes.size).sum()
}

/// One line for each path before and after, up to a bound.
pub fn diff(placements: &[Placement]) -> Option<Diff> {
    let (mut before, mut after) = (String::new(), String::new());
    for placement in placements.iter().take(LINES) {
        // Size and rights may be the same: the line must still differ.
        let other = if placement.how == How::Replaced { ", other content" } else { "" };
        if let Some(was) = &placement.was {
            before.push_str(&line(&placement.path, was, ""));
        }
        after.push_str(&line(&placement.path, &placement.becomes, other));
    }
    if placements.len() > LINES {
        after.push_str(&format!("and {} more\n", placements.len() - LINES));
    }
    Diff::between(&before, &after)
}

/// The path stands last: a diff hides what follows a word such as `token`.
fn line(path: &str, entry: &Entry, other: &str) -> String {
    let path = if path.is_empty() { "." } else { path };
    let shown = path.replace('\n', "\\n");
    if entry.origin.is_some() && entry.sha256.is_none() {
        return format!("known only when run  {shown}\n");
    }
    let rights = entry.rights();
    match entry.shape {
        Shape::Directory => format!("{rights} {shown}/\n"),
        Shape::Link => format!("{rights} {shown} -> {}\n", entry.link.as_deref().unwrap_or_default()),
        _ => format!("{rights} {}{other}  {shown}\n", bytes(entry.size)),
    }
}

/// What later observations of a plan see of the copy.
pub fn effects(placements: &[Placement], source: &str, from: &str, to: &str) -> Vec<Effect> {
    let below = |root: &str, path: &str| {
        if path.is_empty() { root.to_owned() } else { format!("{}/{path}", root.trim_end_matches('/')) }
    };
    let effect = |placement: &Placement| {
        let file = match placement.becomes.shape {
            Shape::Directory => PlannedFile::Directory,
            Shape::Link => PlannedFile::Link(placement.becomes.link.clone().unwrap_or_default()),
            _ => PlannedFile::Placed(origin(source, &below(from, &placement.path))),
        };
        Effect::File(below(to, &placement.path), file)
    };
    placements.iter().filter(|placement| placement.is_sent()).map(effect).collect()
}

/// Where a copied file comes from, for whoever asks a plan what is in it.
pub fn origin(source: &str, path: &str) -> String {
    format!("`{path}` of `{source}`")
}
