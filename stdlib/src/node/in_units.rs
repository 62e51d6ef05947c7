//! A change in units and in what they read.

use std::collections::HashSet;

use haengine_kernel::error::Result;

use super::change::Change;
use super::hosts::hosts;
use super::in_variables::{Alone, alone};
use super::meant::Meant;
use super::mention::Mention;
use super::mentions::mentions;
use super::naming::Meaning;
use super::program::Program;
use super::rewrite::{Part, Use, edits};
use super::service::Service;
use super::traced::{Files, Letter, Place, text};

/// From where every client within a cluster takes its API server.
pub(super) const HOST: &str = "KUBERNETES_SERVICE_HOST";
pub(super) const PORT: &str = "KUBERNETES_SERVICE_PORT";

/// What came of a change.
#[derive(Clone, Debug)]
pub struct ChangedUnits {
    /// The files that change, with their new texts.
    pub texts: Vec<(String, String)>,
    /// Where the files still name what the change leaves.
    pub kept: Vec<Mention>,
}

impl Change {
    /// The files of these services.
    ///
    /// Flags and the variables that stand for flags are changed by what they mean. A variable that a command line names
    /// is changed if all flags that use it want the same; a command beside the program (`ExecStartPre=` and its like)
    /// goes along with that.
    ///
    /// # Errors
    /// As [`Program::of`] for a service whose flags cannot be told, and as [`Program::set`] for a value that cannot be
    /// changed without changing something else.
    pub fn units(&self, files: &Files, services: &[Service]) -> Result<ChangedUnits> {
        let programs = services.iter().map(|service| Program::of(files, service)).collect::<Result<Vec<_>>>()?;
        let unnamed = if self.is_of_servers() { unnamed(files, services)? } else { Vec::new() };
        let mut meant = Vec::new();
        for (program, service) in programs.iter().zip(services) {
            meant.extend(self.flags(program));
            meant.extend(self.variables(program, service));
        }
        for variable in &unnamed {
            meant.extend(self.alone(variable));
        }
        let uses: Vec<Use<'_>> = meant.iter().map(|one| one.used.clone()).collect();
        let edits = edits(files, &uses)?;
        let kept = mentions(files, services, self, &meant, &edits);
        Ok(ChangedUnits { texts: files.edited(&edits)?, kept })
    }

    fn flags<'a>(&self, program: &'a Program) -> Vec<Meant<'a>> {
        let given = program.flags.given.iter().filter_map(|flag| Some((flag, flag.value.as_ref()?)));
        let meant = given.map(|(flag, value)| {
            let said = flag.said();
            let meaning = self.meaning(&program.name, &flag.name, &said);
            let letters = &program.words[value.word].letters;
            let parts = self.parts(meaning, &said).into_iter().map(|part| part.behind(value.from)).collect();
            Meant { value: &letters[value.from..], meaning, used: Use { letters, parts } }
        });
        meant.collect()
    }

    /// Variables that stand for flags, and those that every client of the API takes its server from.
    fn variables<'a>(&self, program: &'a Program, service: &'a Service) -> Vec<Meant<'a>> {
        let standing = program.variables.iter().filter_map(|(name, value)| {
            let meaning = self.meaning(&program.name, name, &text(value))?;
            let parts = self.parts(Some(meaning), &text(value));
            Some(Meant { value, meaning: Some(meaning), used: Use { letters: value, parts } })
        });
        let get = |name: &str| service.environment.get(name);
        standing.chain(self.server_of_clients(get)).collect()
    }

    /// `KUBERNETES_SERVICE_HOST` and its port, which count together.
    pub(super) fn server_of_clients<'a>(&self, get: impl Fn(&str) -> Option<&'a [Letter]>) -> Vec<Meant<'a>> {
        let (host, port) = (get(HOST), get(PORT));
        let new = self.of_clients(&host.map(text).unwrap_or_default(), &port.map(text).unwrap_or_default());
        let (new_host, new_port) = new.unzip();
        let both = [(host, new_host, Meaning::ServerHost), (port, new_port, Meaning::Server)];
        let meant = both.into_iter().filter_map(|(value, new, meaning)| {
            let value = value?;
            let new = new.filter(|new| *new != text(value));
            let parts = new.map(|text| Part { range: 0..value.len(), text }).into_iter().collect();
            Some(Meant { value, meaning: Some(meaning), used: Use { letters: value, parts } })
        });
        meant.collect()
    }

    /// What the two become; nothing where they mean no API server that is left.
    pub(super) fn of_clients(&self, host: &str, port: &str) -> Option<(String, String)> {
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let server = self.server(hosts(&format!("{bracketed}:{port}")).first()?)?;
        Some((server.host.as_ref()?.to_string(), server.port()?.to_string()))
    }
}

/// The variables that no command line names: what their words say is what they mean.
fn unnamed(files: &Files, services: &[Service]) -> Result<Vec<Alone>> {
    let lines = services.iter().flat_map(|service| &service.commands);
    let letters = lines.flat_map(|line| &line.words).flat_map(|word| &word.letters);
    // By the byte: a value may be as long as the lines.
    let named: HashSet<(usize, usize)> = letters.flat_map(|letter| bytes(letter.at)).collect();
    let is_named = |value: &[Letter]| value.iter().any(|own| bytes(own.at).any(|byte| named.contains(&byte)));
    let mut found = Vec::new();
    for service in services {
        let variables = service.environment.variables.values();
        for variable in variables.filter(|variable| !is_named(&variable.value)) {
            found.extend(alone(files, variable)?);
        }
    }
    Ok(found)
}

fn bytes(place: Place) -> impl Iterator<Item = (usize, usize)> {
    (place.start..place.end).map(move |byte| (place.file, byte))
}
