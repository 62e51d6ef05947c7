//! The walk through all files of a snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use haengine_kernel::error::Error;
use haengine_kernel::inventory::Inventory;
use rhai::{ASTNode, Position};

use crate::from_rhai::fault_in;
use crate::import::parameters_of;
use crate::library::Library;
use crate::lint::sheet::Sheet;
use crate::lint::types::Types;
use crate::lint::{Finding, Names, Severity};
use crate::local::refused_default;
use crate::params::Parameter;
use crate::recipe::Recipe;
use crate::snapshot::{Snapshot, SnapshotFile};
use crate::sources::Sources;

impl Library {
    /// What can be known of a recipe before any host is touched; why it does not load, if so. Sorted by place.
    pub fn check(&self, sources: &Sources, recipe: &str, inventory: Option<&Inventory>) -> Vec<Finding> {
        match self.load(sources, recipe) {
            Ok(recipe) => recipe.check(inventory),
            Err(fault) => vec![Finding::from(&fault)],
        }
    }
}

impl Recipe {
    /// What can be known of the recipe and all that it imports before any host is touched: with an inventory, names of
    /// hosts and groups too. Sorted by place, the recipe's own file first.
    pub fn check(&self, inventory: Option<&Inventory>) -> Vec<Finding> {
        let mut lint = Lint::new(self.library(), self.snapshot(), inventory);
        for file in self.snapshot().files.values() {
            lint.file(file);
        }
        lint.twins(self.snapshot());
        lint.sorted()
    }
}

/// A check under way.
pub(super) struct Lint<'a> {
    pub library: &'a Library,
    pub names: Names,
    pub types: Types,
    pub inventory: Option<&'a Inventory>,
    snapshot: &'a Arc<Snapshot>,
    /// What each file's `params()` declares, by label; none where it fails, which is a finding of its own.
    parameters: BTreeMap<String, Option<Vec<Parameter>>>,
    findings: Vec<Finding>,
}

impl<'a> Lint<'a> {
    fn new(library: &'a Library, snapshot: &'a Arc<Snapshot>, inventory: Option<&'a Inventory>) -> Lint<'a> {
        let (names, types) = (Names::of(&library.engine), Types::of(&library.engine));
        let mut lint =
            Lint { library, names, types, inventory, snapshot, parameters: BTreeMap::new(), findings: Vec::new() };
        for file in snapshot.files.values() {
            let declared = lint.declared(file);
            lint.parameters.insert(file.label.clone(), declared);
        }
        lint
    }

    /// Asks the file's `params()`, where it has one; its failure is a finding.
    fn declared(&mut self, file: &SnapshotFile) -> Option<Vec<Parameter>> {
        let has_params =
            file.ast.iter_functions().any(|function| function.name == "params" && function.params.is_empty());
        if !has_params {
            return Some(Vec::new());
        }
        let engine = &self.library.declarations;
        let asked = parameters_of(engine, file, self.snapshot);
        asked
            .map_err(|error| self.findings.push(Finding::from(&fault_in(&file.label, *error, engine, self.snapshot))))
            .ok()
    }

    /// What the file's `params()` declares, if it can be asked.
    pub fn parameters(&self, file: &SnapshotFile) -> Option<&[Parameter]> {
        self.parameters.get(&file.label)?.as_deref()
    }

    fn file(&mut self, file: &'a SnapshotFile) {
        let sheet = Sheet::of(file, self.snapshot);
        file.ast.walk(&mut |nodes: &[ASTNode]| {
            self.node(&sheet, nodes);
            true
        });
        self.defaults(&sheet, file);
        self.properties(&sheet);
        self.shape(&sheet, file.label == self.snapshot.main);
        self.outside_main(&sheet);
        self.preflight(&sheet);
        self.follow(&sheet, file.label == self.snapshot.main);
    }

    /// Secrets that would be looked for where nobody has said so.
    fn defaults(&mut self, sheet: &Sheet, file: &SnapshotFile) {
        let snapshot = self.snapshot;
        let refused = |parameter| refused_default(parameter, file, snapshot);
        let found: Vec<_> = self.parameters(file).into_iter().flatten().filter_map(refused).collect();
        for (position, error) in found {
            let hint = error.advice().map(str::to_owned);
            self.warning(sheet, "check.local_outside", position, error.message().to_owned(), hint);
        }
    }

    /// The name of the recipe that was asked for.
    pub fn recipe(&self) -> &'a str {
        &self.snapshot.main
    }

    /// The recipe's files.
    pub fn snapshot(&self) -> &'a Snapshot {
        self.snapshot
    }

    /// Adds an error.
    pub fn error(
        &mut self,
        sheet: &Sheet,
        code: &'static str,
        position: Position,
        message: String,
        hint: impl Into<Option<String>>,
    ) {
        self.add(sheet, Severity::Error, code, position, message, hint.into());
    }

    /// Adds a warning.
    pub fn warning(
        &mut self,
        sheet: &Sheet,
        code: &'static str,
        position: Position,
        message: String,
        hint: impl Into<Option<String>>,
    ) {
        self.add(sheet, Severity::Warning, code, position, message, hint.into());
    }

    /// Adds what the kernel says of a value, word for word.
    pub fn told(&mut self, sheet: &Sheet, code: &'static str, position: Position, error: &Error) {
        self.error(sheet, code, position, error.message().to_owned(), error.advice().map(str::to_owned));
    }

    fn add(
        &mut self,
        sheet: &Sheet,
        severity: Severity,
        code: &'static str,
        position: Position,
        message: String,
        hint: Option<String>,
    ) {
        let (spot, text) = (Some(sheet.spot(position)), sheet.file.text.clone());
        self.findings.push(Finding { severity, code, message, hint, spot, notes: Vec::new(), text });
    }

    fn sorted(self) -> Vec<Finding> {
        let Lint { snapshot, mut findings, .. } = self;
        // What stopped `params()` is among them, with all others of its kind.
        let outside: Vec<_> =
            findings.iter().filter(|finding| finding.code == "check.outside_main").map(|f| f.spot.clone()).collect();
        findings.retain(|finding| finding.code != "recipe.outside_main" || !outside.contains(&finding.spot));
        let place = |finding: &Finding| {
            let spot = finding.spot.as_ref();
            let file = spot.map(|spot| (spot.file != snapshot.main, spot.file.clone()));
            (file, spot.map(|spot| (spot.line, spot.column)), finding.code, finding.message.clone())
        };
        findings.sort_by_cached_key(place);
        findings.dedup_by(|a, b| place(a) == place(b));
        findings
    }
}
