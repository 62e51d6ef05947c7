//! The files that lines import, read anew when they have changed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use rhai::{AST, Expr, Position, Stmt};

use crate::fault::Fault;
use crate::library::Library;
use crate::load::imports;
use crate::session::NAME;
use crate::snapshot::Files;
use crate::sources::{Source, Sources};

/// What became of the imported files since the line before.
pub enum Reloaded {
    /// These have changed, and the next line works with them.
    Files(Vec<String>),
    /// They cannot be loaded as they are now: the next line works with the last good ones.
    Broken(Box<Fault>),
}

/// What was imported so far.
#[derive(Default)]
pub(super) struct Imports {
    /// Paths by the names under which lines import them; a later line does not say it again.
    named: BTreeMap<String, String>,
    pub files: Files,
    /// Names of files by the paths that lines give.
    pub names: BTreeMap<String, String>,
    /// What was last said to be broken, so that it is said once.
    broken: Option<String>,
}

impl Imports {
    /// The imports of earlier lines, in one line.
    pub fn again(&self) -> String {
        self.named.iter().map(|(name, path)| format!("import {path:?} as {name}; ")).collect()
    }

    /// Loads what a new line imports.
    ///
    /// # Errors
    /// When a file cannot be found or read.
    pub fn add(&mut self, library: &Library, sources: &Sources, source: &Source, ast: &AST) -> Result<(), Fault> {
        let found: Vec<_> = imports(ast).into_iter().filter(|(path, _)| !self.names.contains_key(path)).collect();
        let (files, names) = library.read_imports(sources, source, &found, &self.files)?;
        for (label, file) in files {
            self.files.entry(label).or_insert(file);
        }
        self.names.extend(names);
        self.named.extend(ast.statements().iter().filter_map(named));
        Ok(())
    }

    /// Reads all of them again; none where nothing has changed since it was last asked.
    pub fn reload(&mut self, library: &Library, sources: &Sources) -> Option<Reloaded> {
        let source = Source { label: NAME.to_owned(), path: Some(path()), text: Arc::from("") };
        let found: Vec<_> = self.names.keys().map(|path| (path.clone(), Position::NONE)).collect();
        match library.read_imports(sources, &source, &found, &self.files) {
            Ok((files, names)) => {
                let was_broken = self.broken.take().is_some();
                let is_new = |label: &String| self.files.get(label).is_none_or(|file| file.text != files[label].text);
                let changed: Vec<String> = files.keys().filter(|label| is_new(label)).cloned().collect();
                let same = changed.is_empty() && names == self.names;
                (self.files, self.names) = (files, names);
                (!same || was_broken).then_some(Reloaded::Files(changed))
            }
            Err(fault) => {
                let drawn = fault.draw(false);
                let is_news = self.broken.as_ref() != Some(&drawn);
                self.broken = Some(drawn);
                is_news.then(|| Reloaded::Broken(Box::new(fault)))
            }
        }
    }
}

/// Where the lines would be on disk: local paths begin in the folder in which haengine was started.
pub(super) fn path() -> PathBuf {
    PathBuf::from("repl.rhai")
}

/// The name and the path of a statement that imports.
fn named(statement: &Stmt) -> Option<(String, String)> {
    let Stmt::Import(import, _) = statement else { return None };
    let Expr::StringConstant(path, _) = &import.0 else { return None };
    (!import.1.name.is_empty()).then(|| (import.1.name.to_string(), path.to_string()))
}
