//! One map of the inventory, read key by key.

use std::path::PathBuf;
use std::time::Duration;

use super::duration;
use super::node::{Entry, Node, Tree};
use super::path;
use super::secret_ref::SecretRef;
use super::source::{Mark, Source, Spot, quoted};
use super::suggest;
use crate::error::{Error, Result};

/// A map whose keys are all known.
pub(super) struct Table<'a, 'n> {
    pub source: &'a Source,
    entries: &'n [Entry],
}

/// The entries of a map with free names; nothing at all is an empty map.
pub(super) fn entries<'n>(source: &Source, node: &'n Node, what: &str) -> Result<&'n [Entry]> {
    match &node.tree {
        Tree::Map(entries) => Ok(entries),
        Tree::Null => Ok(&[]),
        _ => Err(wrong_type(source.spot(node.mark), what, "a map", node.kind())
            .hint(format!("write {what} as `name: value` pairs"))),
    }
}

impl<'a, 'n> Table<'a, 'n> {
    /// The map in `node`, which is `what` to the reader (with its article).
    ///
    /// # Errors
    /// When it is no map, or has a key that is not in `known`. `elsewhere` says where a key belongs that is known in other places.
    pub fn open(
        source: &'a Source,
        node: &'n Node,
        what: &str,
        known: &[&str],
        elsewhere: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let entries = entries(source, node, what)?;
        if let Some(entry) = entries.iter().find(|entry| !known.contains(&entry.key.as_str())) {
            let advice = elsewhere(&entry.key)
                .or_else(|| suggest::nearest(&entry.key, known.iter().copied()).map(|near| format!("write `{near}`")))
                .unwrap_or_else(|| format!("use one of: {}", known.join(", ")));
            return Err(source
                .spot(entry.mark)
                .error_at_key("inventory.unknown_key", &format!("{} is not a key of {what}", quoted(&entry.key)))
                .hint(advice));
        }
        Ok(Table { source, entries })
    }

    pub fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Where a key's value is.
    pub fn spot(&self, key: &str) -> Option<Spot<'a>> {
        self.entry(key).map(|entry| self.source.spot(entry.node.mark))
    }

    /// A text; numbers and booleans must be quoted, since YAML changes them (`1.20` is `1.2`).
    pub fn text(&self, key: &str) -> Result<Option<&'n str>> {
        let Some(entry) = self.entry(key) else { return Ok(None) };
        match &entry.node.tree {
            Tree::Text(text) if text.trim().is_empty() => {
                Err(self.spot_of(entry).error("inventory.type", &format!("`{key}` is empty")))
                    .map_err(|error| error.hint(format!("remove `{key}`, or give it a value")))
            }
            Tree::Text(text) => Ok(Some(text)),
            _ => Err(self.mistyped(entry, "a string")),
        }
    }

    pub fn boolean(&self, key: &str) -> Result<Option<bool>> {
        let Some(entry) = self.entry(key) else { return Ok(None) };
        match entry.node.tree {
            Tree::Boolean(value) => Ok(Some(value)),
            _ => Err(self.mistyped(entry, "true or false")),
        }
    }

    pub fn port(&self, key: &str) -> Result<Option<u16>> {
        let Some(entry) = self.entry(key) else { return Ok(None) };
        let Tree::Number(number) = &entry.node.tree else { return Err(self.mistyped(entry, "a whole number")) };
        match number.as_u64().and_then(|number| u16::try_from(number).ok()) {
            Some(port) if port > 0 => Ok(Some(port)),
            _ => Err(self
                .spot_of(entry)
                .error("inventory.port", &format!("`{key}` {number} is not a port"))
                .hint("write a whole number from 1 to 65535")),
        }
    }

    pub fn duration(&self, key: &str) -> Result<Option<Duration>> {
        let Some(entry) = self.entry(key) else { return Ok(None) };
        let Tree::Text(text) = &entry.node.tree else { return Err(self.mistyped(entry, "a duration")) };
        duration::parse(text).map(Some).map_err(|reason| {
            self.spot_of(entry)
                .error("inventory.duration", &format!("{} {reason}", quoted(text)))
                .hint("write a number and its unit, such as `10s`, `500ms` or `2m`")
        })
    }

    /// The word among `choices` that is written.
    pub fn choice(&self, key: &str, choices: &[&str]) -> Result<Option<&'n str>> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        if choices.contains(&text) {
            return Ok(Some(text));
        }
        let spot = self.spot(key).unwrap_or(self.source.spot(Mark::default()));
        Err(spot.error("inventory.choice", &format!("{} is not a value of `{key}`", quoted(text))).hint(suggest::hint(
            text,
            choices.iter().copied(),
            "",
        )))
    }

    pub fn path(&self, key: &str) -> Result<Option<PathBuf>> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let Some(entry) = self.entry(key) else { return Ok(None) };
        self.expand(text, &entry.node, key).map(Some)
    }

    /// One path or several.
    pub fn paths(&self, key: &str) -> Result<Option<Vec<PathBuf>>> {
        let Some(entry) = self.entry(key) else { return Ok(None) };
        let Tree::List(nodes) = &entry.node.tree else { return Ok(self.path(key)?.map(|path| vec![path])) };
        let paths = nodes.iter().map(|node| match &node.tree {
            Tree::Text(text) if !text.trim().is_empty() => self.expand(text, node, key),
            _ => Err(wrong_type(self.source.spot(node.mark), &format!("a path of `{key}`"), "a string", node.kind())
                .hint("write a path, such as `~/.ssh/id_ed25519`")),
        });
        paths.collect::<Result<_>>().map(Some)
    }

    /// Where a secret is found. `whose` completes "`passphrase` …".
    ///
    /// The error points at the key: the value may not be shown, and may be on another line.
    pub fn secret(&self, key: &str, whose: &str) -> Result<Option<SecretRef>> {
        let Some(entry) = self.entry(key) else { return Ok(None) };
        let what = format!("`{key}` {whose}");
        if matches!(entry.node.tree, Tree::Null) {
            let spot = self.source.spot(entry.mark);
            return Err(spot
                .error("inventory.type", &format!("{what} has no value"))
                .hint(format!("remove `{key}`, or say where it is found")));
        }
        let text = match &entry.node.tree {
            Tree::Text(text) => text.as_str(),
            // Whatever it is, it says not where the secret is found.
            _ => "",
        };
        SecretRef::parse(text, self.source.base(), self.source.home(), &what).map(Some).map_err(|error| {
            let drawn = self.source.spot(entry.mark).error_at_key("inventory.secret", error.message());
            drawn.hint(error.advice().unwrap_or_default())
        })
    }

    fn expand(&self, text: &str, node: &Node, key: &str) -> Result<PathBuf> {
        path::expand(text, self.source.base(), self.source.home()).map_err(|refusal| {
            let spot = self.source.spot(node.mark);
            spot.error("inventory.path", &format!("`{key}` {}", refusal.reason)).hint(refusal.advice)
        })
    }

    fn spot_of(&self, entry: &Entry) -> Spot<'a> {
        self.source.spot(entry.node.mark)
    }

    fn mistyped(&self, entry: &Entry, wanted: &str) -> Error {
        let error = wrong_type(self.spot_of(entry), &format!("`{}`", entry.key), wanted, entry.node.kind());
        error.hint(match (&entry.node.tree, wanted) {
            (Tree::Null, _) => format!("remove `{}`, or give it a value", entry.key),
            (Tree::Number(_) | Tree::Boolean(_), "a string") => "put the value in quotes".to_owned(),
            (_, "true or false") => "write `true` or `false`, without quotes".to_owned(),
            (_, "a whole number") => "write a number without quotes, such as `22`".to_owned(),
            (_, "a duration") => "write a number and its unit, such as `10s`, `500ms` or `2m`".to_owned(),
            _ => format!("write {wanted}"),
        })
    }
}

/// An error for a value of the wrong type; the caller adds the hint.
pub(super) fn wrong_type(spot: Spot<'_>, what: &str, wanted: &str, found: &str) -> Error {
    spot.error("inventory.type", &format!("{what} must be {wanted}, not {found}"))
}
