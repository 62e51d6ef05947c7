//! A change in the files of a host: those of units together, and each other one by what it is.

use std::collections::BTreeMap;

use haengine_kernel::error::Error;

use super::change::Change;
use super::file::File;
use super::linked::Linked;
use super::mention::Mention;
use super::program::Program;
use super::service::Service;
use super::text::changed;
use super::traced::Files;
use super::unit_files::UnitFiles;

/// What comes of a file. It has no `Debug`, either.
#[derive(Default)]
pub struct Outcome {
    /// Its new text; none for one that stays.
    pub becomes: Option<String>,
    /// Where that goes on naming what the change leaves.
    pub kept: Vec<Mention>,
    /// Why it is not understood, though it names that.
    pub problem: Option<String>,
}

/// What a file becomes, or why it is not understood; the text is none for what is no text.
type Understood = Result<(Option<String>, Vec<Mention>), String>;

impl Change {
    /// What comes of each of the files. `hostname` is what `%H` stands for in units.
    pub fn files(&self, files: &[Linked], units: &UnitFiles, hostname: &str) -> Vec<Outcome> {
        let mut of_units = of_units(files, units, hostname, self);
        let all = files.iter().map(|linked| {
            let own = linked.names().find_map(|name| of_units.remove(name));
            outcome(&linked.file, own.unwrap_or_else(|| changed(&linked.file, self).map_err(why)), self)
        });
        all.collect()
    }
}

fn outcome(file: &File, understood: Understood, change: &Change) -> Outcome {
    let text = file.text.as_deref();
    if text.is_none() && file.bytes.is_empty() {
        return Outcome { problem: Some(format!("`{}` has more than 1 MiB", file.path)), ..Outcome::default() };
    }
    match understood {
        Ok((becomes, kept)) => {
            Outcome { becomes: becomes.filter(|new| Some(new.as_str()) != text), kept, problem: None }
        }
        Err(why) => {
            let is_named = text.is_some_and(|text| change.mention(None, text).is_some());
            Outcome { problem: is_named.then_some(why), ..Outcome::default() }
        }
    }
}

fn why(error: Error) -> String {
    error.message().to_owned()
}

/// The files of units by the names that these have for them. Those that are understood are taken together: one variable may be of
/// several.
fn of_units(found: &[Linked], units: &UnitFiles, hostname: &str, change: &Change) -> BTreeMap<String, Understood> {
    let files = of_their_names(found, units);
    let (mut services, mut paths, mut outcomes) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (own, service) in units.services(&files, Some(hostname)) {
        match service.and_then(|service| Program::of(&files, &service).map(|_| service)) {
            Ok(service) => {
                services.push(service);
                paths.extend(own);
            }
            Err(error) => outcomes.extend(own.iter().map(|path| (path.clone(), Err(error.message().to_owned())))),
        }
    }
    outcomes.extend(understood(&files, &services, &paths, change));
    outcomes
}

/// The texts of units' files, by the names that these have for them.
pub(super) fn of_their_names(found: &[Linked], units: &UnitFiles) -> Files {
    let mut files = Files::default();
    for linked in found {
        let Some(text) = &linked.file.text else { continue };
        for name in linked.names().filter(|name| units.has(name)) {
            files.add(name, text);
        }
    }
    files
}

fn understood(files: &Files, services: &[Service], paths: &[&String], change: &Change) -> Vec<(String, Understood)> {
    let changed = change.units(files, services).map_err(why);
    let of_file = |path: &str, text: &str| {
        let changed = changed.as_ref().map_err(String::clone)?;
        let new = changed.texts.iter().find(|(own, _)| own == path).map_or(text, |(_, new)| new);
        let kept = changed.kept.iter().filter(|kept| kept.path == path).cloned().collect();
        Ok((Some(new.to_owned()), kept))
    };
    let there = paths.iter().filter_map(|path| Some((path.as_str(), files.text(files.number(path)?))));
    there.map(|(path, text)| (path.to_owned(), of_file(path, text))).collect()
}
