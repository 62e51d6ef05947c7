//! The versions of a recipe. The last good one is served, whatever its files say meanwhile.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::fault::Fault;
use crate::library::Library;
use crate::lint::{Finding, Severity};
use crate::recipe::Recipe;
use crate::snapshot::{Files, SnapshotFile};
use crate::sources::Sources;
use crate::templates;

/// A recipe whose files are edited while it is used. Whoever takes a version keeps it: versions never change.
pub struct Versions {
    library: Library,
    sources: Sources,
    name: String,
    held: Mutex<Held>,
}

struct Held {
    recipe: Recipe,
    /// What is wrong with the files as they are now, as it was told.
    broken: Option<String>,
}

impl Held {
    /// What is wrong is told once.
    fn told(&mut self, drawn: String) -> Option<Reload> {
        let before = self.broken.replace(drawn);
        (before == self.broken).then_some(Reload::Same)
    }
}

/// What became of the files since they were last read.
pub enum Reload {
    /// They say the same.
    Same,
    /// They are another version, or a good one again; it is the one that is served.
    Good(Recipe),
    /// They cannot be loaded: the last good version is still served.
    Broken(Box<Fault>),
    /// They can be loaded, but something in them would fail: the last good version is still served.
    Wrong(Vec<Finding>),
}

impl Versions {
    /// The recipe of this name or path.
    ///
    /// # Errors
    /// When it cannot be loaded: there is no good version yet.
    pub fn open(library: Library, sources: Sources, recipe: &str) -> Result<Versions, Fault> {
        let first = library.load(&sources, recipe)?;
        Ok(Versions::of(library, sources, recipe, first))
    }

    /// The versions that follow this one.
    pub fn of(library: Library, sources: Sources, name: &str, recipe: Recipe) -> Versions {
        Versions { library, sources, name: name.to_owned(), held: Mutex::new(Held { recipe, broken: None }) }
    }

    /// The last good version.
    pub fn current(&self) -> Recipe {
        self.held().recipe.clone()
    }

    /// True when the files as they were last read are no good version.
    pub fn is_broken(&self) -> bool {
        self.held().broken.is_some()
    }

    /// Reads the files again. Content counts, not times: what says the same is the same version.
    pub fn reload(&self) -> Reload {
        let mut held = self.held();
        let known = held.recipe.snapshot().clone();
        let read = self.library.read(&self.sources, &self.name, &known.files);
        let is_same = |main: &str, files: &Files| {
            main == known.main && same(files, &known.files) && templates::read(files) == known.templates
        };
        let loaded = match read {
            Ok((main, files)) if is_same(&main, &files) => {
                let was_broken = held.broken.take().is_some();
                return if was_broken { Reload::Good(held.recipe.clone()) } else { Reload::Same };
            }
            Ok((main, files)) => self.library.recipe(known.number + 1, main, files),
            Err(fault) => Err(fault),
        };
        match loaded.map(|recipe| (errors(&recipe), recipe)) {
            Ok((wrong, recipe)) if wrong.is_empty() => {
                *held = Held { recipe: recipe.clone(), broken: None };
                Reload::Good(recipe)
            }
            Ok((wrong, _)) => {
                let drawn = wrong.iter().map(|finding| finding.draw(false)).collect();
                held.told(drawn).unwrap_or(Reload::Wrong(wrong))
            }
            Err(fault) => held.told(fault.draw(false)).unwrap_or(Reload::Broken(Box::new(fault))),
        }
    }

    /// Where a change could make another version: the files of this one, its templates, and where the site could place a
    /// file that wins over one of them.
    pub fn places(&self) -> BTreeSet<PathBuf> {
        let snapshot = self.current().snapshot().clone();
        let files = snapshot.files.values().filter_map(|file| file.path.clone());
        let mut places: BTreeSet<PathBuf> = files.collect();
        places.extend(snapshot.templates.keys().cloned());
        places.extend(templates::places(&snapshot.files));
        places.extend(snapshot.files.values().flat_map(wanted));
        places.extend(self.sources.folders.iter().map(|folder| folder.join(&self.name)));
        places.insert(PathBuf::from(&self.name));
        places
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What would fail at some line. A file that is read while it is written often has nothing worse.
fn errors(recipe: &Recipe) -> Vec<Finding> {
    let findings = recipe.check(None).into_iter();
    findings.filter(|finding| finding.severity == Severity::Error).collect()
}

/// What a file imports as it is now, broken or not: where what it lacks would appear.
fn wanted(file: &SnapshotFile) -> Vec<PathBuf> {
    let (Some(path), Some(folder)) = (&file.path, file.folder()) else { return Vec::new() };
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let paths = text.split("import").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    paths.map(|path| folder.join(path).with_extension("rhai")).collect()
}

fn same(files: &Files, known: &Files) -> bool {
    let is_known = |(name, file): (&String, &SnapshotFile)| {
        known.get(name).is_some_and(|other| Arc::ptr_eq(&other.ast, &file.ast) && other.imports == file.imports)
    };
    files.len() == known.len() && files.iter().all(is_known)
}
