//! The variables of a service: `Environment=`, and files of variables (systemd.exec(5), "Environment").

use std::collections::BTreeMap;

use haengine_kernel::error::Result;

use super::specifier::{Named, resolved};
use super::traced::{Files, Letter, text};
use super::unit::{Directive, Unit};
use super::variable_file::{Variable, is_name, variables};
use super::words::{Rules, Word, words};

/// The variables of a service.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Those that count, by name.
    pub variables: BTreeMap<String, Variable>,
    /// Those that a later assignment replaces, or `UnsetEnvironment=` takes away.
    pub replaced: Vec<Variable>,
    /// The names that `PassEnvironment=` takes over from the host's systemd, which alone can tell their values.
    pub passed: Vec<String>,
}

impl Environment {
    /// Reads the variables of a unit. Those of files win over those of `Environment=`, later ones over earlier ones.
    ///
    /// # Errors
    /// `node.file` when a file without a `-` before its path is not there, or its path is a pattern; `node.environment`
    /// when a file is read differently by different versions of systemd.
    pub fn read(files: &Files, unit: &Unit, named: Named<'_>) -> Result<Environment> {
        let mut environment = Environment::default();
        for directive in unit.list("Environment") {
            for variable in assignments(files, directive, named)? {
                environment.set(variable);
            }
        }
        for directive in unit.list("EnvironmentFile") {
            for variable in file_of(files, directive, named)? {
                environment.set(variable);
            }
        }
        for directive in unit.list("UnsetEnvironment") {
            for word in words(files, &directive.value, Rules::Assignments)? {
                environment.unset(&word.text());
            }
        }
        for directive in unit.list("PassEnvironment") {
            environment.passed.extend(words(files, &directive.value, Rules::Assignments)?.iter().map(Word::text));
        }
        Ok(environment)
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&[Letter]> {
        self.variables.get(name).map(|variable| variable.value.as_slice())
    }

    fn set(&mut self, variable: Variable) {
        self.replaced.extend(self.variables.insert(variable.name.clone(), variable));
    }

    /// `NAME` takes a variable away whatever its value, `NAME=VALUE` only that one.
    fn unset(&mut self, said: &str) {
        let (name, value) = said.split_once('=').map_or((said, None), |(name, value)| (name, Some(value)));
        if value.is_none_or(|value| self.get(name).is_some_and(|known| text(known) == value)) {
            self.replaced.extend(self.variables.remove(name));
        }
    }
}

/// The variables of a directive `Environment=`: what is no assignment is left out.
fn assignments(files: &Files, directive: &Directive, named: Named<'_>) -> Result<Vec<Variable>> {
    let mut variables = Vec::new();
    for word in words(files, &directive.value, Rules::Assignments)? {
        let letters = resolved(files, &word.letters, named)?;
        let Some(equals) = letters.iter().position(|letter| letter.char == '=') else { continue };
        let name = text(&letters[..equals]);
        if is_name(&name) {
            variables.push(Variable { name, value: letters[equals + 1..].to_vec(), place: word.place });
        }
    }
    Ok(variables)
}

/// The variables of the file that a directive `EnvironmentFile=` names.
fn file_of(files: &Files, directive: &Directive, named: Named<'_>) -> Result<Vec<Variable>> {
    let said = text(&resolved(files, &directive.value, named)?);
    let path = said.strip_prefix('-').unwrap_or(&said);
    if !path.starts_with('/') {
        // Quotes do not count here: systemd takes this for a relative path, and leaves it out with a warning.
        return Ok(Vec::new());
    }
    let refused = |message: &str| Err(files.refused("node.file", directive.place, message));
    if path.contains(['*', '?', '[']) {
        return refused(&format!("`{path}` is a pattern, and which files it means only the host can tell"));
    }
    match files.number(&simplified(path)) {
        Some(file) => variables(files, file),
        None if said.starts_with('-') => Ok(Vec::new()),
        None => refused(&format!("`{path}` is not there, so the service cannot start")),
    }
}

/// A path without what means nothing: `//`, `/./`, and a `/` at the end.
fn simplified(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.fold(String::new(), |path, part| path + "/" + part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_win_and_later_ones_over_earlier_ones() {
        let mut files = Files::default();
        let named = "EnvironmentFile=/a\nEnvironmentFile=-//b\nEnvironmentFile=-/no\nEnvironmentFile=\"/q\"\n";
        let fixed = "Environment=A=1 \"B=two words\" %p=x C=%p D=4\nUnsetEnvironment=D";
        files.add("/u", format!("[Service]\n{named}{fixed}"));
        files.add("/a", "A=2\nE=5");
        files.add("/b", "A=3");
        let unit = Unit::read(&files, "x.service", &["/u"]).unwrap();
        let named = Named { unit: "x.service", hostname: None };
        let environment = Environment::read(&files, &unit, named).unwrap();
        let pairs: Vec<String> =
            environment.variables.values().map(|one| format!("{}={}", one.name, text(&one.value))).collect();
        assert_eq!(pairs, ["A=3", "B=two words", "C=x", "E=5", "x=x"]);
        assert_eq!(environment.replaced.len(), 3);
    }
}
