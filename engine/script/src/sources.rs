//! Where recipes are found: the site's folders first, then those in the binary.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::signature::nearest;

/// The places where recipes are looked for, in order.
#[derive(Clone, Default)]
pub struct Sources {
    /// Folders of the site.
    pub folders: Vec<PathBuf>,
    /// Recipes in the binary: text by name, without `.rhai`.
    pub embedded: BTreeMap<String, &'static str>,
    /// What recipes import from the binary and nobody runs: text by name, without `.rhai`.
    pub libraries: BTreeMap<String, &'static str>,
}

/// A recipe's text and where it came from.
#[derive(Clone, Debug)]
pub struct Source {
    /// What errors and the journal call it.
    pub label: String,
    /// Where it is on disk; none for one in the binary.
    pub path: Option<PathBuf>,
    /// Its text.
    pub text: Arc<str>,
}

impl Sources {
    /// The recipe of this name or path.
    ///
    /// # Errors
    /// `recipe.unknown` with the nearest name and the places that were searched.
    pub fn find(&self, recipe: &str) -> Result<Source> {
        if recipe.ends_with(".rhai") || recipe.contains('/') {
            let path = PathBuf::from(recipe);
            if path.is_file() {
                return read(&path);
            }
        }
        let name = Path::new(recipe).file_stem().and_then(|stem| stem.to_str()).unwrap_or(recipe);
        let is_name = recipe == name || recipe == format!("scripts/{name}.rhai");
        if is_name && let Some(found) = self.named(name)? {
            return Ok(found);
        }
        Err(self.unknown(recipe, name))
    }

    /// What `import "path"` in the file at `from` means: beside that file, then as [`find`](Sources::find) does, then a
    /// library.
    ///
    /// # Errors
    /// As [`find`](Sources::find); `recipe.gone` for a library that there was, with what comes instead.
    pub fn import(&self, from: Option<&Path>, path: &str) -> Result<Source> {
        if let Some(folder) = from.and_then(Path::parent) {
            let beside = folder.join(with_ending(path));
            if beside.is_file() {
                return read(&beside);
            }
        }
        match self.libraries.get(path) {
            Some(text) if !self.has(path) => Ok(embedded(path, text)),
            _ => self.find(path).map_err(|error| self.gone(path).unwrap_or(error)),
        }
    }

    /// A library says of another one: "// library `NAME` is gone: write …".
    fn gone(&self, name: &str) -> Option<Error> {
        let note = format!("// library `{name}` is gone: ");
        let instead =
            self.libraries.values().flat_map(|text| text.lines()).find_map(|line| line.strip_prefix(&note))?;
        Some(Error::new(Kind::Usage, "recipe.gone", format!("there is no library `{name}` any more")).hint(instead))
    }

    /// True when the site has a file for this name.
    fn has(&self, name: &str) -> bool {
        self.folders.iter().any(|folder| folder.join(with_ending(name)).is_file())
    }

    /// Names of all recipes, with the path of those on disk.
    pub fn list(&self) -> BTreeMap<String, Option<PathBuf>> {
        let mut recipes: BTreeMap<String, Option<PathBuf>> =
            self.embedded.keys().map(|name| (name.clone(), None)).collect();
        for folder in self.folders.iter().rev() {
            let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok());
            for path in entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "rhai")) {
                if let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) {
                    recipes.insert(name.to_owned(), Some(path.clone()));
                }
            }
        }
        recipes
    }

    fn named(&self, name: &str) -> Result<Option<Source>> {
        for folder in &self.folders {
            let path = folder.join(with_ending(name));
            if path.is_file() {
                return read(&path).map(Some);
            }
        }
        Ok(self.embedded.get(name).map(|text| embedded(name, text)))
    }

    fn unknown(&self, recipe: &str, name: &str) -> Error {
        let known = self.list();
        let error = Error::new(Kind::Usage, "recipe.unknown", format!("there is no recipe `{recipe}`"));
        match nearest(name, known.keys().map(String::as_str)) {
            Some(near) => error.hint(format!("write `{near}`, or list the recipes with `haengine list`")),
            None => error.hint("give the path of a `.rhai` file, or list the recipes with `haengine list`"),
        }
    }
}

fn embedded(name: &str, text: &str) -> Source {
    Source { label: format!("{name}.rhai"), path: None, text: Arc::from(text) }
}

fn with_ending(name: &str) -> String {
    if name.ends_with(".rhai") { name.to_owned() } else { format!("{name}.rhai") }
}

fn read(path: &Path) -> Result<Source> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::new(Kind::Usage, "recipe.unreadable", format!("cannot read the recipe `{}`", path.display()))
            .hint("check the file's permissions and that it is UTF-8 text")
            .because(error)
    })?;
    Ok(Source { label: path.display().to_string(), path: Some(path.to_owned()), text: Arc::from(text) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_gone_has_a_successor() {
        let library = "fn a() {}\n// library `old` is gone: import \"new\"\n";
        let sources = Sources { libraries: [("new".to_owned(), library)].into(), ..Sources::default() };
        let error = sources.import(None, "old").unwrap_err();
        assert_eq!((error.code(), error.advice()), ("recipe.gone", Some("import \"new\"")));
        assert_eq!(sources.import(None, "other").unwrap_err().code(), "recipe.unknown");
    }
}
