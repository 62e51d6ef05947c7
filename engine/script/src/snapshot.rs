//! All files of a recipe as they were when it was loaded. A run never sees two versions of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use haengine_kernel::arguments::LocalTexts;
use haengine_kernel::reach::Reach;
use rhai::{AST, ASTNode, Expr, Position, Stmt};

/// A recipe's files, compiled; immutable.
pub struct Snapshot {
    /// Counts loads: a changed file makes the next number.
    pub number: u64,
    /// The name of the recipe that was asked for.
    pub main: String,
    /// The main file and all that it imports, by name.
    pub files: BTreeMap<String, SnapshotFile>,
    /// The templates that they name, where they are on disk.
    pub templates: LocalTexts,
}

/// Files by name.
pub(crate) type Files = BTreeMap<String, SnapshotFile>;

/// One file of a snapshot.
#[derive(Clone)]
pub struct SnapshotFile {
    /// What errors and the journal call it: a path, or `NAME.rhai` for an embedded recipe.
    pub label: String,
    /// Where it is on disk; none for an embedded recipe.
    pub path: Option<PathBuf>,
    /// Its text.
    pub text: Arc<str>,
    /// Compiled, with `label` as its source.
    pub(crate) ast: Arc<AST>,
    /// Names of files by the path that an `import` in this file gives.
    pub imports: BTreeMap<String, String>,
}

impl SnapshotFile {
    /// What an import mostly calls it: its name without folders and ending.
    pub(crate) fn stem(&self) -> &str {
        let name = self.label.rsplit('/').next().unwrap_or(&self.label);
        name.strip_suffix(".rhai").unwrap_or(name)
    }

    /// The names under which it imports others, with the paths that it writes.
    pub(crate) fn import_paths(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.ast.walk(&mut |nodes: &[ASTNode]| {
            if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = nodes.last()
                && let Expr::StringConstant(path, _) = &import.0
            {
                found.push((import.1.name.to_string(), path.to_string()));
            }
            true
        });
        found
    }

    /// Where a function is defined; Rhai does not tell, so the text does.
    pub(crate) fn definition(&self, function: &str) -> Option<Position> {
        let wanted = format!("fn {function}");
        self.text.lines().enumerate().find_map(|(index, line)| {
            let code = line.trim_start().trim_start_matches("private ");
            let rest = code.strip_prefix(&wanted).map(str::trim_start);
            rest.filter(|rest| rest.starts_with('('))?;
            let column = line.chars().count() - code.chars().count() + "fn ".len() + 1;
            let place = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
            Some(Position::new(place(index + 1), place(column)))
        })
    }

    /// Its folder, if it is on disk: where its local paths begin.
    pub(crate) fn folder(&self) -> Option<&Path> {
        let folder = self.path.as_deref()?.parent()?;
        Some(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
    }
}

/// What these files may read on the operator's machine: the folders that they are in, and the site's own where one is in its
/// `scripts`.
pub(crate) fn reach_of(files: &Files) -> Option<Reach> {
    let folders: Vec<&Path> = files.values().filter_map(SnapshotFile::folder).collect();
    let is_scripts = |folder: &&Path| *folder == Path::new("scripts") || *folder == Path::new("./scripts");
    let site = folders.iter().any(is_scripts).then(|| PathBuf::from("."));
    (!folders.is_empty()).then(|| Reach::of(folders.into_iter().map(Path::to_owned).chain(site)))
}

/// A file of a snapshot that was kept.
pub struct KeptFile {
    /// Where it was on disk; none for an embedded recipe.
    pub path: Option<PathBuf>,
    /// Its text.
    pub text: Arc<str>,
    /// Names of files by the path that an `import` in this file gives.
    pub imports: BTreeMap<String, String>,
}

impl Snapshot {
    pub(crate) fn main_file(&self) -> &SnapshotFile {
        // The loader puts the main file in before anything else.
        &self.files[&self.main]
    }

    /// The file that calls itself `label`.
    pub(crate) fn labelled(&self, label: &str) -> Option<&SnapshotFile> {
        self.files.values().find(|file| file.label == label)
    }

    /// The folder of the file that calls itself `label`, if it is on disk: where its local paths begin.
    pub(crate) fn folder_of(&self, label: &str) -> Option<&Path> {
        self.labelled(label)?.folder()
    }

    /// What its files may read on the operator's machine; everything where none of them is on disk: those in the binary are
    /// our own.
    pub(crate) fn reach(&self) -> Option<Reach> {
        reach_of(&self.files)
    }

    /// Texts by label, for drawing errors.
    pub(crate) fn texts(&self) -> BTreeMap<String, String> {
        self.files.values().map(|file| (file.label.clone(), file.text.to_string())).collect()
    }
}
