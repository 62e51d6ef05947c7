//! Functions of the same name in two files, each of which calls its own.
//!
//! Rhai 1.27 remembers which function a call meant, and does not forget it when the next call comes from another module:
//! the function of one file is then called in the place of the other's.

use std::collections::BTreeMap;

use rhai::{ASTNode, Position};

use crate::lint::call::Call;
use crate::lint::check::Lint;
use crate::lint::sheet::Sheet;
use crate::snapshot::Snapshot;

/// Where each file calls its own function: by name and number of arguments, then by the file's label.
type Calls = BTreeMap<(String, usize), BTreeMap<String, Position>>;

impl<'a> Lint<'a> {
    /// Names that two files of the snapshot give to functions that they call themselves.
    pub fn twins(&mut self, snapshot: &'a Snapshot) {
        let sheets: Vec<Sheet> = snapshot.files.values().map(|file| Sheet::of(file, snapshot)).collect();
        let mut calls = Calls::new();
        for sheet in &sheets {
            sheet.file.ast.walk(&mut |nodes: &[ASTNode]| {
                if let Some(call) = nodes.last().and_then(Call::at).filter(|call| is_own(sheet, call)) {
                    let key = (call.name.to_owned(), call.arguments.len());
                    calls.entry(key).or_default().entry(sheet.file.label.clone()).or_insert(call.position);
                }
                true
            });
        }
        for ((name, _), places) in calls.iter().filter(|(_, places)| places.len() > 1) {
            // The recipe's own file is the one that its author can change.
            let label = places.keys().find(|label| **label == snapshot.main).or(places.keys().next());
            let Some(sheet) = sheets.iter().find(|sheet| Some(&sheet.file.label) == label) else { continue };
            let others: Vec<&str> = places.keys().filter(|other| Some(*other) != label).map(String::as_str).collect();
            let message =
                format!("`{name}` is a function of {} too, and might be called there instead", others.join(", "));
            let hint = "give one of the two a name of its own".to_owned();
            self.error(sheet, "check.twins", places[&sheet.file.label], message, hint);
        }
    }
}

fn is_own(sheet: &Sheet, call: &Call) -> bool {
    call.module.is_empty() && sheet.function(call.name).is_some_and(|counts| counts.contains(&call.arguments.len()))
}
