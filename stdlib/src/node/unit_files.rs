//! Units by name, each with its files, as a recipe says them.

use std::collections::BTreeMap;

use haengine_kernel::error::Result;
use haengine_kernel::value::Value;

use super::service::Service;
use super::traced::Files;

/// Units with their files: their own, drop-ins, files of variables.
#[derive(Clone, Debug, Default)]
pub struct UnitFiles(pub BTreeMap<String, Vec<String>>);

impl UnitFiles {
    /// `#{ kubelet: ["/etc/systemd/system/kubelet.service", …] }`.
    pub(super) fn of_values(said: BTreeMap<String, Value>) -> UnitFiles {
        UnitFiles(said.into_iter().map(|(name, files)| (name, texts(&files))).collect())
    }

    /// The files of all.
    pub fn paths(&self) -> impl Iterator<Item = &String> {
        self.0.values().flatten()
    }

    /// Whether a file is of one of them.
    pub fn has(&self, path: &str) -> bool {
        self.paths().any(|own| own == path)
    }

    /// The services that are there, each with its files, or why it cannot be read.
    pub fn services<'a>(
        &'a self,
        files: &Files,
        hostname: Option<&str>,
    ) -> impl Iterator<Item = (&'a [String], Result<Service>)> {
        let there = |path: &&str| files.number(path).is_some() && is_fragment(path);
        self.0.iter().filter_map(move |(name, paths)| {
            let name = if name.contains('.') { name.clone() } else { format!("{name}.service") };
            let fragments: Vec<&str> = paths.iter().map(String::as_str).filter(there).collect();
            (!fragments.is_empty()).then(|| (paths.as_slice(), Service::read(files, &name, &fragments, hostname)))
        })
    }
}

/// A unit's own file or a drop-in, and no file of variables.
fn is_fragment(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or_default();
    name.ends_with(".service") || folder.ends_with(".service.d") && name.ends_with(".conf")
}

fn texts(value: &Value) -> Vec<String> {
    let Value::List(items) = value else { return Vec::new() };
    let text = |item: &Value| match item {
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    items.iter().filter_map(text).collect()
}
