//! Reading a recipe and all that it imports into one snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use haengine_kernel::error::{Error, Kind};
use rhai::{AST, ASTNode, Engine, Expr, ParseError, Position, Stmt};

use crate::fault::Fault;
use crate::import::parameters_of;
use crate::library::Library;
use crate::recipe::Recipe;
use crate::snapshot::{Files, KeptFile, Snapshot, SnapshotFile};
use crate::sources::{Source, Sources};
use crate::spot::Spot;
use crate::{syntax, templates};

impl Library {
    /// Loads the recipe of this name or path, and what it imports.
    ///
    /// # Errors
    /// When a file cannot be found, read or parsed, files import each other, or `params()` does not give parameters; with place and caret.
    pub fn load(&self, sources: &Sources, recipe: &str) -> Result<Recipe, Fault> {
        let (main, files) = self.read(sources, recipe, &Files::new())?;
        self.recipe(self.next_number(), main, files)
    }

    /// The name of the main file, and all files; those whose text is known are not compiled again.
    pub(crate) fn read(&self, sources: &Sources, recipe: &str, known: &Files) -> Result<(String, Files), Fault> {
        let source = sources.find(recipe)?;
        let main = source.label.clone();
        let mut loader = Loader { engine: &self.engine, sources, known, files: Files::new(), open: Vec::new() };
        loader.add(source)?;
        Ok((main, loader.files))
    }

    /// The files that `source` imports at these places, and their names by the paths that lead there.
    pub(crate) fn read_imports(
        &self,
        sources: &Sources,
        source: &Source,
        found: &[(String, Position)],
        known: &Files,
    ) -> Result<(Files, BTreeMap<String, String>), Fault> {
        let mut loader = Loader { engine: &self.engine, sources, known, files: Files::new(), open: Vec::new() };
        let mut names = BTreeMap::new();
        for (path, position) in found {
            names.insert(path.clone(), loader.import(source, path, *position)?);
        }
        Ok((loader.files, names))
    }

    /// The recipe whose main file and imports were kept under these names: nothing is looked for on disk.
    ///
    /// # Errors
    /// As [`load`](Library::load), and `recipe.kept` when the main file is not among them.
    pub fn restore(&self, main: String, kept: BTreeMap<String, KeptFile>) -> Result<Recipe, Fault> {
        if !kept.contains_key(&main) {
            return Err(Error::new(Kind::Local, "recipe.kept", format!("the kept recipe has no file `{main}`")).into());
        }
        let files = kept.into_iter().map(|(label, KeptFile { path, text, imports })| {
            let source = Source { label: label.clone(), path, text };
            let ast = Arc::new(compile(&self.engine, &source)?);
            let Source { path, text, .. } = source;
            Ok((label.clone(), SnapshotFile { label, path, text, ast, imports }))
        });
        self.recipe(self.next_number(), main, files.collect::<Result<_, Fault>>()?)
    }

    fn next_number(&self) -> u64 {
        self.loads.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn recipe(&self, number: u64, main: String, files: Files) -> Result<Recipe, Fault> {
        let templates = templates::read(&files);
        let snapshot = Arc::new(Snapshot { number, main, files, templates });
        let parameters = parameters_of(&self.declarations, snapshot.main_file(), &snapshot)
            .map_err(|error| crate::from_rhai::fault(*error, &self.engine, &snapshot))?;
        Ok(Recipe::new(self.clone(), snapshot, parameters))
    }
}

struct Loader<'a> {
    engine: &'a Engine,
    sources: &'a Sources,
    /// Files that were compiled before.
    known: &'a Files,
    files: Files,
    /// The files that lead to the one that is read, that one last.
    open: Vec<String>,
}

impl Loader<'_> {
    /// Adds a file and what it imports.
    fn add(&mut self, source: Source) -> Result<(), Fault> {
        let label = source.label.clone();
        let known = self.known.get(&label).filter(|file| file.text == source.text);
        let ast = match known {
            Some(file) => file.ast.clone(),
            None => Arc::new(compile(self.engine, &source)?),
        };
        let found = imports(&ast);
        let (path, text, imports) = (source.path.clone(), source.text.clone(), BTreeMap::new());
        self.files.insert(label.clone(), SnapshotFile { label: label.clone(), path, text, ast, imports });
        self.open.push(label.clone());
        for (path, position) in found {
            let name = self.import(&source, &path, position)?;
            if let Some(file) = self.files.get_mut(&label) {
                file.imports.insert(path, name);
            }
        }
        self.open.pop();
        Ok(())
    }

    /// Adds what `source` imports by this path; its name.
    fn import(&mut self, source: &Source, path: &str, position: Position) -> Result<String, Fault> {
        let imported =
            self.sources.import(source.path.as_deref(), path).map_err(|error| at(error, source, position))?;
        let name = imported.label.clone();
        if let Some(start) = self.open.iter().position(|open| *open == name) {
            return Err(at(circle(&self.open[start..]), source, position));
        }
        if !self.files.contains_key(&name) {
            self.add(imported)?;
        }
        Ok(name)
    }
}

/// Files that import each other: to import one would have no end.
fn circle(files: &[String]) -> Error {
    let (message, hint) = match files {
        [file] => (format!("`{file}` imports itself"), "leave that import out, or give one of the files another name"),
        files => {
            let way: Vec<String> = files[1..].iter().map(|file| format!("`{file}`")).collect();
            (
                format!("`{}` imports itself, by way of {}", files[0], way.join(", ")),
                "move what both need to a file of its own, and import that",
            )
        }
    };
    Error::new(Kind::Usage, "recipe.circle", message).hint(hint)
}

fn compile(engine: &Engine, source: &Source) -> Result<AST, Fault> {
    if source.text.contains('\0') {
        return Err(at(Error::new(Kind::Usage, "recipe.binary", "the file is not a text"), source, Position::NONE));
    }
    let mut ast = engine.compile(&*source.text).map_err(|error| unparsed(&error, source, engine))?;
    ast.set_source(source.label.as_str());
    Ok(ast)
}

/// What the parser says of a source.
pub(crate) fn unparsed(error: &ParseError, source: &Source, engine: &Engine) -> Fault {
    let position = error.position();
    at(syntax::told(error.err_type(), &source.text, position, engine), source, position)
}

/// The paths that a file imports, where they are written as plain strings; others are a finding of `check`.
pub(crate) fn imports(ast: &AST) -> Vec<(String, Position)> {
    let mut found = Vec::new();
    ast.walk(&mut |nodes: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, position))) = nodes.last()
            && let Expr::StringConstant(path, _) = &import.0
        {
            found.push((path.to_string(), *position));
        }
        true
    });
    found
}

fn at(error: Error, source: &Source, position: Position) -> Fault {
    let texts = BTreeMap::from([(source.label.clone(), source.text.to_string())]);
    Fault::new(Arc::new(error), spot(&source.label, position), texts)
}

fn spot(file: &str, position: Position) -> Vec<Spot> {
    let Some(line) = position.line() else { return Vec::new() };
    let column = position.position().unwrap_or(1);
    vec![Spot { file: file.to_owned(), line, column, function: None }]
}
