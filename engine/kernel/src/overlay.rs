//! The planned state of a host: what later observations of a plan must see.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::text::Text;

/// Everything that a plan would have changed on one host so far.
#[derive(Clone, Default)]
pub struct Overlay {
    files: BTreeMap<String, PlannedFile>,
    facts: BTreeMap<TypeId, BTreeMap<String, Arc<dyn Fact>>>,
    opaque: Option<String>,
}

/// A path as planned changes leave it.
#[derive(Clone, PartialEq)]
pub enum PlannedFile {
    /// A regular file with this content.
    File(Text),
    /// A directory.
    Directory,
    /// A symbolic link to this target.
    Link(String),
    /// Nothing.
    Absent,
    /// A regular file whose content only the run will know; the text says from where it comes.
    Placed(String),
}

/// One planned change, as it bears on later observations.
#[derive(Clone)]
pub enum Effect {
    /// A path.
    File(String, PlannedFile),
    /// A named thing of another kind (a unit, a package), and what it will be: see [`Effect::fact`].
    Fact(String, Arc<dyn Fact>),
    /// Anything may be different; the text says why: "the package `chrony`", "`ssh::run`".
    Opaque(String),
    /// The same on another host, by its name: what a change on one host makes of what another one sees.
    On(String, Box<Effect>),
}

/// What a module plans of a named thing. It is a type of that module, by which its own verbs and others ask for it.
pub trait Fact: Any + Send + Sync {}

impl<T: Any + Send + Sync> Fact for T {}

impl Effect {
    /// What a named thing will be.
    pub fn fact(name: impl Into<String>, fact: impl Fact) -> Effect {
        Effect::Fact(name.into(), Arc::new(fact))
    }
}

impl Overlay {
    /// Takes a planned change into account.
    pub fn record(&mut self, effect: Effect) {
        match effect {
            Effect::File(path, file) => self.record_file(path, file),
            Effect::Fact(name, fact) => {
                let kind = (&*fact as &dyn Any).type_id();
                self.facts.entry(kind).or_default().insert(name, fact);
            }
            Effect::Opaque(origin) => {
                self.opaque.get_or_insert(origin);
            }
            // Whoever has the hosts at hand takes it to the right one.
            Effect::On(_, effect) => self.record(*effect),
        }
    }

    /// A path that goes, or stops being a directory, takes what was planned below it along.
    fn record_file(&mut self, path: String, file: PlannedFile) {
        if file != PlannedFile::Directory {
            let below = format!("{}/", path.trim_end_matches('/'));
            let gone: Vec<String> = self.starting_with(&below).map(|(known, _)| known.clone()).collect();
            for known in gone {
                self.files.remove(&known);
            }
        }
        self.files.insert(path, file);
    }

    /// True when nothing is planned on this host.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.facts.is_empty() && self.opaque.is_none()
    }

    /// The path as planned changes leave it: itself planned, or below a path that is planned absent.
    pub fn file(&self, path: &str) -> Option<&PlannedFile> {
        if let Some(file) = self.files.get(path) {
            return Some(file);
        }
        let mut parent = path;
        while let Some(end) = parent.rfind('/').filter(|end| *end > 0) {
            parent = &parent[..end];
            match self.files.get(parent) {
                Some(absent @ PlannedFile::Absent) => return Some(absent),
                Some(_) => return None,
                None => {}
            }
        }
        None
    }

    /// The planned paths below a directory, with what they will be.
    pub fn below<'a>(&'a self, directory: &str) -> impl Iterator<Item = (&'a str, &'a PlannedFile)> + use<'a> {
        let prefix = format!("{}/", directory.trim_end_matches('/'));
        let found: Vec<_> = self.starting_with(&prefix).collect();
        found.into_iter().map(|(path, file)| (path.as_str(), file))
    }

    /// A copied tree plans thousands of paths, so only the neighbourhood is walked.
    fn starting_with(&self, prefix: &str) -> impl Iterator<Item = (&String, &PlannedFile)> {
        self.files.range(prefix.to_owned()..).take_while(move |(path, _)| path.starts_with(prefix))
    }

    /// What a named thing will be.
    pub fn fact<F: Fact>(&self, name: &str) -> Option<&F> {
        let fact: &dyn Any = &**self.facts.get(&TypeId::of::<F>())?.get(name)?;
        fact.downcast_ref()
    }

    /// True when something of this kind is planned.
    pub fn any_fact<F: Fact>(&self) -> bool {
        self.facts.contains_key(&TypeId::of::<F>())
    }

    /// Why anything on the host may be different, if so.
    pub fn opaque(&self) -> Option<&str> {
        self.opaque.as_deref()
    }
}
