//! All verbs by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, Kind, Result};
use crate::verb::Verb;

/// The verbs of this haengine.
#[derive(Clone, Default)]
pub struct Registry {
    verbs: BTreeMap<&'static str, Arc<dyn Verb>>,
}

impl Registry {
    /// Adds a verb.
    pub fn add(&mut self, verb: Arc<dyn Verb>) {
        self.verbs.insert(verb.name(), verb);
    }

    /// All verbs, by name.
    pub fn verbs(&self) -> impl Iterator<Item = &Arc<dyn Verb>> {
        self.verbs.values()
    }

    /// The verb of a journal's record.
    ///
    /// # Errors
    /// `registry.unknown` when this haengine does not have it.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Verb>> {
        self.verbs.get(name).ok_or_else(|| {
            Error::new(Kind::Local, "registry.unknown", format!("this haengine has no op `{name}`"))
                .hint("use the haengine that wrote the journal")
        })
    }
}
