//! What a run keeps in its folder beside the journal: undo and resume need no file that may have changed since. All of it
//! is on the disk before the journal begins, so before the first change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use haengine_kernel::durable;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::inventory::Inventory;
use haengine_kernel::journal::RunFolder;
use haengine_kernel::secret::REDACTED;
use haengine_script::snapshot::{KeptFile, Snapshot};
use serde::{Deserialize, Serialize};

/// Keeps all that a run is made of: the inventory, the recipe with what it imports, and the parameters as they were given;
/// of a secret, where it is found.
///
/// # Errors
/// When it cannot be written.
pub fn all(
    folder: &RunFolder,
    inventory: &Inventory,
    snapshot: &Snapshot,
    parameters: &[(String, String)],
) -> Result<()> {
    let keep = || {
        write_json(folder, "inventory.json", inventory)?;
        write_json(folder, "parameters.json", parameters)?;
        write_recipe(&folder.path.join("recipe"), snapshot)?;
        durable::sync(&folder.path)
    };
    keep().map_err(|error| unkept(folder, error))
}

/// Keeps the inventory.
///
/// # Errors
/// When it cannot be written.
pub fn inventory(folder: &RunFolder, inventory: &Inventory) -> Result<()> {
    let kept = write_json(folder, "inventory.json", inventory).and_then(|()| durable::sync(&folder.path));
    kept.map_err(|error| unkept(folder, error))
}

fn write_json<T: Serialize + ?Sized>(folder: &RunFolder, name: &str, value: &T) -> std::io::Result<()> {
    durable::write(&folder.path.join(name), &serde_json::to_vec_pretty(value)?)
}

/// The inventory that a run was made with.
///
/// # Errors
/// When it cannot be read.
pub fn kept_inventory(folder: &RunFolder) -> Result<Inventory> {
    let unreadable = |error: std::io::Error| {
        Error::new(Kind::Local, "runs.inventory", format!("cannot read the inventory of run {}", folder.id))
            .hint("name the inventory with `-i FILE`")
            .because(error)
    };
    let bytes = std::fs::read(folder.path.join("inventory.json")).map_err(unreadable)?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(error.into()))
}

/// Keeps the recipe's files, and what they are called.
///
/// # Errors
/// When they cannot be written.
pub fn recipe(folder: &RunFolder, snapshot: &Snapshot) -> Result<()> {
    let kept = write_recipe(&folder.path.join("recipe"), snapshot).and_then(|()| durable::sync(&folder.path));
    kept.map_err(|error| unkept(folder, error))
}

/// What the files of a kept recipe are called.
#[derive(Serialize, Deserialize)]
struct Index {
    main: String,
    files: BTreeMap<String, Place>,
}

/// A file of a kept recipe.
#[derive(Serialize, Deserialize)]
struct Place {
    /// Its name in the run's folder.
    file: String,
    /// Where it was: what lies beside it is found from elsewhere too.
    path: Option<PathBuf>,
    #[serde(default)]
    imports: BTreeMap<String, String>,
}

/// Paths of recipes lead anywhere; here each file gets a number before its own name. The index comes last.
fn write_recipe(place: &Path, snapshot: &Snapshot) -> std::io::Result<()> {
    durable::make(place)?;
    let mut index = Index { main: snapshot.main.clone(), files: BTreeMap::new() };
    for (number, (name, file)) in snapshot.files.iter().enumerate() {
        let own = Path::new(&file.label).file_name().unwrap_or_default().to_string_lossy();
        let kept = format!("{number}-{own}");
        durable::write(&place.join(&kept), file.text.as_bytes())?;
        let path = file.path.as_deref().map(std::path::absolute).transpose()?;
        index.files.insert(name.clone(), Place { file: kept, path, imports: file.imports.clone() });
    }
    durable::write(&place.join("snapshot.json"), &serde_json::to_vec_pretty(&index)?)?;
    durable::sync(place)
}

/// The name of the main file of the recipe that a run was made with, and all its files.
///
/// # Errors
/// When they cannot be read.
pub fn kept_recipe(folder: &RunFolder) -> Result<(String, BTreeMap<String, KeptFile>)> {
    let place = folder.path.join("recipe");
    let read = || {
        let index: Index = serde_json::from_slice(&std::fs::read(place.join("snapshot.json"))?)?;
        let files = index.files.into_iter().map(|(name, Place { file, path, imports })| {
            let text = std::fs::read_to_string(place.join(file))?.into();
            Ok((name, KeptFile { path, text, imports }))
        });
        Ok((index.main, files.collect::<std::io::Result<_>>()?))
    };
    read().map_err(|error| unread(folder, "recipe", error))
}

/// The given parameters, with the full paths of files that hold secrets: who goes on with the run may stand in another
/// folder. `bound` are the values, in which secrets are redacted.
pub fn located(given: &[(String, String)], bound: &serde_json::Value) -> Vec<(String, String)> {
    let is_secret = |name: &str| bound.get(name).is_some_and(|value| value == REDACTED);
    let located = |(name, text): &(String, String)| {
        let full = is_secret(name).then(|| full_reference(text)).flatten();
        (name.clone(), full.unwrap_or_else(|| text.clone()))
    };
    given.iter().map(located).collect()
}

/// `file:` and `age:` with a full path; none where it is one already, or begins at a home.
fn full_reference(text: &str) -> Option<String> {
    let (scheme, path) = text.split_once(':').filter(|(scheme, _)| ["file", "age"].contains(scheme))?;
    if path.starts_with(['/', '~']) {
        return None;
    }
    Some(format!("{scheme}:{}", std::path::absolute(path).ok()?.display()))
}

/// The parameters that a run was given.
///
/// # Errors
/// When they cannot be read.
pub fn kept_parameters(folder: &RunFolder) -> Result<Vec<(String, String)>> {
    let read = || Ok(serde_json::from_slice(&std::fs::read(folder.path.join("parameters.json"))?)?);
    read().map_err(|error| unread(folder, "parameters", error))
}

fn unread(folder: &RunFolder, what: &str, error: std::io::Error) -> Error {
    Error::new(Kind::Local, "runs.kept", format!("cannot read the {what} that run {} has kept", folder.id))
        .hint("run the recipe anew: what is done already is left alone")
        .because(error)
}

fn unkept(folder: &RunFolder, error: std::io::Error) -> Error {
    Error::new(Kind::Local, "runs.folder", format!("cannot write to the run's folder {}", folder.path.display()))
        .hint("make room there, or name another folder with `--state-dir`; nothing was touched")
        .because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_secrets_are_found_from_everywhere() {
        let here = std::path::absolute("token").unwrap().display().to_string();
        let bound = serde_json::json!({ "token": REDACTED, "note": "file:token" });
        let of = |name: &str, text: &str| located(&[(name.to_owned(), text.to_owned())], &bound).remove(0).1;
        assert_eq!(of("token", "file:token"), format!("file:{here}"));
        assert_eq!(of("token", "age:token"), format!("age:{here}"));
        for text in ["file:/etc/token", "file:~/token", "env:TOKEN", "prompt"] {
            assert_eq!(of("token", text), text);
        }
        assert_eq!(of("note", "file:token"), "file:token", "it is no secret");
    }
}
