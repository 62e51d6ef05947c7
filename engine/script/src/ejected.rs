//! Stock recipes that a site has taken over: which they were, and what has changed in them since.
//!
//! Beside the recipe, in `.stock`, lies the stock text as it was when it was ejected. From it shows what has moved on in
//! the binary, apart from what the site has changed in its own.

use std::path::{Path, PathBuf};

use haengine_kernel::diff::Diff;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::signature::nearest;

use crate::snapshot::Snapshot;
use crate::sources::Sources;

/// The folder, beside ejected recipes, in which their stock texts are.
const KEPT: &str = ".stock";

/// How the first line of a kept text begins; the version follows.
const HEAD: &str = "// The stock text of haengine ";

/// An ejected recipe whose stock recipe is no longer what it was.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Its name.
    pub name: String,
    /// The site's file.
    pub path: PathBuf,
    /// The haengine that it was ejected from.
    pub version: String,
    then: String,
    now: Option<&'static str>,
}

impl Moved {
    /// What is the matter, in one line, and what to do.
    pub fn text(&self) -> String {
        let (path, version, name) = (self.path.display(), &self.version, &self.name);
        match self.now {
            Some(_) => format!(
                "{path} was ejected from haengine {version}, and the stock recipe has changed since: see `haengine eject --diff {name}`"
            ),
            None => {
                format!("{path} was ejected from haengine {version}, and this haengine has no stock recipe `{name}`")
            }
        }
    }

    /// What has changed in the stock recipe since.
    pub fn diff(&self) -> Option<Diff> {
        Diff::between(&self.then, self.now.unwrap_or_default())
    }
}

impl Sources {
    /// The stock recipe or library of this name.
    ///
    /// # Errors
    /// `eject.unknown` with the nearest name.
    pub fn stock(&self, name: &str) -> Result<&'static str> {
        if let Some(text) = self.embedded.get(name).or_else(|| self.libraries.get(name)).copied() {
            return Ok(text);
        }
        let error = Error::new(Kind::Usage, "eject.unknown", format!("haengine has no stock recipe `{name}`"));
        let names = self.embedded.keys().chain(self.libraries.keys()).map(String::as_str);
        Err(match nearest(name, names) {
            Some(near) => error.hint(format!("write `{near}`")),
            None => error.hint("list the recipes with `haengine list`"),
        })
    }

    /// Copies the stock recipe of this name into a folder of the site. Nothing is overwritten.
    ///
    /// # Errors
    /// When there is no such recipe, the site has one, or it cannot be written.
    pub fn eject(&self, name: &str, folder: &Path, version: &str) -> Result<PathBuf> {
        let text = self.stock(name)?;
        let path = folder.join(format!("{name}.rhai"));
        if path.symlink_metadata().is_ok() {
            let message = format!("{} is there already", path.display());
            return Err(Error::new(Kind::Refused, "eject.there", message)
                .hint("move it away first, or name another folder with `--to`"));
        }
        self.keep(name, folder, version)?;
        write_new(&path, text)?;
        Ok(path)
    }

    /// Keeps the stock text of today beside an ejected recipe: what has changed until now is known.
    ///
    /// # Errors
    /// When there is no such stock recipe, or it cannot be written.
    pub fn keep(&self, name: &str, folder: &Path, version: &str) -> Result<()> {
        let text = self.stock(name)?;
        let kept = folder.join(KEPT);
        let written = std::fs::create_dir_all(&kept)
            .and_then(|()| std::fs::write(kept.join(format!("{name}.rhai")), format!("{HEAD}{version}.\n{text}")));
        written.map_err(|error| unwritable(&kept, error))
    }

    /// What the stock recipe behind a site's file has become, if that was ejected and the stock recipe has moved on.
    pub fn moved(&self, path: &Path) -> Option<Moved> {
        let name = path.file_stem()?.to_str()?;
        let kept = std::fs::read_to_string(kept_text(path)?).ok()?;
        let (head, then) = kept.split_once('\n')?;
        let version = head.strip_prefix(HEAD)?.trim_end_matches('.').to_owned();
        let now = self.embedded.get(name).or_else(|| self.libraries.get(name)).copied();
        let moved = Moved { name: name.to_owned(), path: path.to_owned(), version, then: then.to_owned(), now };
        (now != Some(then)).then_some(moved)
    }

    /// The same for all files of a recipe.
    pub fn all_moved(&self, snapshot: &Snapshot) -> Vec<Moved> {
        snapshot.files.values().filter_map(|file| self.moved(file.path.as_deref()?)).collect()
    }
}

/// True when the site's file was ejected.
pub fn is_ejected(path: &Path) -> bool {
    kept_text(path).is_some_and(|kept| kept.is_file())
}

fn kept_text(path: &Path) -> Option<PathBuf> {
    Some(path.parent()?.join(KEPT).join(path.file_name()?))
}

/// Writes a file that is not there yet.
///
/// # Errors
/// When it is there, or cannot be written.
pub fn write_new(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    let created = std::fs::File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    created.map_err(|error| unwritable(path, error))
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    Error::new(Kind::Local, "site.unwritable", format!("cannot write {}", path.display()))
        .hint("check that the folder is yours and has room")
        .because(error)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn sources(text: &'static str) -> Sources {
        Sources { embedded: BTreeMap::from([("add".to_owned(), text)]), ..Sources::default() }
    }

    #[test]
    fn what_has_moved_on_is_told_apart_from_what_the_site_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = sources("one\ntwo\n").eject("add", folder.path(), "0.1.0").unwrap();
        assert!(is_ejected(&path) && sources("one\ntwo\n").moved(&path).is_none());
        std::fs::write(&path, "one\nmine\n").unwrap();
        assert!(sources("one\ntwo\n").moved(&path).is_none());
        let moved = sources("one\nthree\n").moved(&path).unwrap();
        assert_eq!((moved.version.as_str(), moved.name.as_str()), ("0.1.0", "add"));
        assert!(moved.diff().unwrap().text().contains("-two\n+three\n"));
        assert!(moved.text().contains("`haengine eject --diff add`"));
        sources("one\nthree\n").keep("add", folder.path(), "0.2.0").unwrap();
        assert!(sources("one\nthree\n").moved(&path).is_none());
        assert!(Sources::default().moved(&path).unwrap().text().contains("has no stock recipe `add`"));
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("add.rhai"), "mine").unwrap();
        let error = sources("one\n").eject("add", folder.path(), "0.1.0").unwrap_err();
        assert_eq!((error.code(), error.kind()), ("eject.there", Kind::Refused));
        assert_eq!(std::fs::read_to_string(folder.path().join("add.rhai")).unwrap(), "mine");
        assert!(!folder.path().join(".stock").exists());
        assert!(sources("one\n").eject("ad", folder.path(), "0.1.0").unwrap_err().advice().unwrap().contains("`add`"));
    }
}
