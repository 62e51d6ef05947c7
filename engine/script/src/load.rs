//! Reading a recipe and all that it imports into one snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use haengine_kernel::error::{Error, Kind};
use rhai::{AST, ASTNode, Engine, Expr, Position, Stmt};

use crate::fault::{Fault, Spot};
use crate::import::parameters_of;
use crate::library::Library;
use crate::recipe::Recipe;
use crate::snapshot::{KeptFile, Snapshot, SnapshotFile};
use crate::sources::{Source, Sources};
use crate::syntax;

impl Library {
    /// Loads the recipe of this name or path, and what it imports.
    ///
    /// # Errors
    /// When a file cannot be found, read or parsed, or `params()` does not give parameters; with place and caret.
    pub fn load(&self, sources: &Sources, recipe: &str) -> Result<Recipe, Fault> {
        let source = sources.find(recipe)?;
        let main = source.label.clone();
        let mut loader = Loader { engine: &self.engine, sources, files: BTreeMap::new() };
        loader.add(source)?;
        self.recipe(main, loader.files)
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
        self.recipe(main, files.collect::<Result<_, Fault>>()?)
    }

    fn recipe(&self, main: String, files: BTreeMap<String, SnapshotFile>) -> Result<Recipe, Fault> {
        let number = self.loads.fetch_add(1, Ordering::Relaxed);
        let snapshot = Arc::new(Snapshot { number, main, files });
        let parameters = parameters_of(&self.engine, snapshot.main_file(), &snapshot)
            .map_err(|error| crate::from_rhai::fault(*error, &self.engine, &snapshot))?;
        Ok(Recipe::new(self.clone(), snapshot, parameters))
    }
}

struct Loader<'a> {
    engine: &'a Engine,
    sources: &'a Sources,
    files: BTreeMap<String, SnapshotFile>,
}

impl Loader<'_> {
    /// Adds a file and, first of all, itself: two files may import each other.
    fn add(&mut self, source: Source) -> Result<(), Fault> {
        let label = source.label.clone();
        let ast = compile(self.engine, &source)?;
        let found = imports(&ast);
        let file = SnapshotFile {
            label: label.clone(),
            path: source.path.clone(),
            text: source.text.clone(),
            ast: Arc::new(ast),
            imports: BTreeMap::new(),
        };
        self.files.insert(label.clone(), file);
        for (path, position) in found {
            let imported =
                self.sources.import(source.path.as_deref(), &path).map_err(|error| at(error, &source, position))?;
            let name = imported.label.clone();
            if !self.files.contains_key(&name) {
                self.add(imported)?;
            }
            if let Some(file) = self.files.get_mut(&label) {
                file.imports.insert(path, name);
            }
        }
        Ok(())
    }
}

fn compile(engine: &Engine, source: &Source) -> Result<AST, Fault> {
    if source.text.contains('\0') {
        return Err(at(Error::new(Kind::Usage, "recipe.binary", "the file is not a text"), source, Position::NONE));
    }
    let mut ast = engine.compile(&*source.text).map_err(|error| {
        let position = error.position();
        let told = syntax::told(error.err_type(), &source.text, position, engine);
        let spot = spot(&source.label, position);
        Fault::new(Arc::new(told), spot, BTreeMap::from([(source.label.clone(), source.text.to_string())]))
    })?;
    ast.set_source(source.label.as_str());
    Ok(ast)
}

/// The paths that a file imports, where they are written as plain strings; others are a finding of `check`.
fn imports(ast: &AST) -> Vec<(String, Position)> {
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
