//! YAML as a tree in which each value and each key knows its place.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value as Json};
use serde_saphyr::{DuplicateKeyPolicy, Error as YamlError, Location, MessageFormatter, Spanned, UserMessageFormatter};

use super::source::{Mark, Source, Spot, quoted};
use crate::error::{Error, Result};

/// A value and where it is.
#[derive(Debug)]
pub(super) struct Node {
    pub mark: Mark,
    pub tree: Tree,
}

/// A value.
#[derive(Debug)]
pub(super) enum Tree {
    Null,
    Boolean(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map and its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub key: String,
    pub mark: Mark,
    pub node: Node,
}

impl Node {
    /// Reads the text of one file.
    ///
    /// # Errors
    /// When it is not YAML, with its place.
    pub fn read(source: &Source) -> Result<Node> {
        let options = serde_saphyr::options! {
            // The message's snippet is ours: it hides secrets.
            with_snippet: false,
            strict_booleans: true,
            duplicate_keys: DuplicateKeyPolicy::Error,
        };
        let node: Node =
            serde_saphyr::from_str_with_options(source.text(), options).map_err(|error| malformed(source, &error))?;
        node.refuse_twins(source)?;
        Ok(node)
    }

    /// `1` and `"1"` are two keys to YAML and one name to us.
    fn refuse_twins(&self, source: &Source) -> Result<()> {
        let entries = match &self.tree {
            Tree::List(nodes) => return nodes.iter().try_for_each(|node| node.refuse_twins(source)),
            Tree::Map(entries) => entries,
            _ => return Ok(()),
        };
        let mut seen = BTreeSet::new();
        for entry in entries {
            if !seen.insert(&entry.key) {
                return Err(given_twice(&quoted(&entry.key), source.spot(entry.mark)));
            }
            entry.node.refuse_twins(source)?;
        }
        Ok(())
    }

    /// What kind of value this is, with its article.
    pub fn kind(&self) -> &'static str {
        match &self.tree {
            Tree::Null => "nothing",
            Tree::Boolean(_) => "a boolean",
            Tree::Number(_) => "a number",
            Tree::Text(_) => "a string",
            Tree::List(_) => "a list",
            Tree::Map(_) => "a map",
        }
    }

    /// The value without its places.
    pub fn to_json(&self) -> Json {
        match &self.tree {
            Tree::Null => Json::Null,
            Tree::Boolean(value) => Json::Bool(*value),
            Tree::Number(value) => Json::Number(value.clone()),
            Tree::Text(value) => Json::String(value.clone()),
            Tree::List(nodes) => Json::Array(nodes.iter().map(Node::to_json).collect()),
            Tree::Map(entries) => {
                Json::Object(entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect())
            }
        }
    }
}

fn malformed(source: &Source, error: &YamlError) -> Error {
    let error = error.without_snippet();
    let spot = source.spot(error.location().map(mark).unwrap_or(Mark { line: 1, column: 1, length: 1 }));
    if let YamlError::DuplicateMappingKey { key, .. } = error {
        let key = key.as_deref().map(quoted).unwrap_or_else(|| "a key".to_owned());
        return given_twice(&key, spot);
    }
    let reason = source.without_secrets(&UserMessageFormatter.format_message(error));
    spot.error("inventory.yaml", &format!("the file is not valid YAML: {reason}")).hint(advice(error))
}

fn given_twice(key: &str, spot: Spot<'_>) -> Error {
    spot.error_at_key("inventory.duplicate_key", &format!("{key} is given twice")).hint("keep one of the two")
}

fn advice(error: &YamlError) -> &'static str {
    match error {
        YamlError::MultipleDocuments { .. } => "keep one document a file; give several files with several `-i`",
        YamlError::NonFiniteFloat { .. } => "quote the value to make it a string",
        _ => "correct the line; check its indentation, brackets and quotes",
    }
}

fn mark(location: Location) -> Mark {
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Mark { line: count(location.line()), column: count(location.column()), length: location.span().len() as usize }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Tree>::deserialize(deserializer)?;
        Ok(Node { mark: mark(spanned.referenced), tree: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_i128<E: serde::de::Error>(self, _: i128) -> Result<Tree, E> {
        Err(E::custom("a number is too large"))
    }

    fn visit_u128<E: serde::de::Error>(self, _: u128) -> Result<Tree, E> {
        Err(E::custom("a number is too large"))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Tree, E> {
        Number::from_f64(value).map(Tree::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = access.next_element()? {
            nodes.push(node);
        }
        Ok(Tree::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(key) = access.next_key::<Spanned<String>>()? {
            let node = access.next_value()?;
            entries.push(Entry { mark: mark(key.referenced), key: key.value, node });
        }
        Ok(Tree::Map(entries))
    }
}
