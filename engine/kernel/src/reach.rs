//! What a recipe may read and write on the operator's machine: a recipe from elsewhere does neither there unasked.

use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::inventory::SecretRef;

/// The folders that belong to a recipe, and what the operator has named.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    own: Vec<PathBuf>,
    named: Vec<String>,
}

impl Reach {
    /// The folders of a recipe's files with all in them.
    pub fn of(own: impl IntoIterator<Item = PathBuf>) -> Reach {
        Reach { own: own.into_iter().map(|folder| real(&folder)).collect(), named: Vec::new() }
    }

    /// The same, and what these texts name, where they are paths: values that the operator gave.
    #[must_use]
    pub fn with(mut self, named: impl IntoIterator<Item = String>) -> Reach {
        let parts = named.into_iter().flat_map(|text| text.split(',').map(str::to_owned).collect::<Vec<_>>());
        self.named.extend(parts.filter(|text| !text.is_empty()));
        self
    }

    /// Whether a secret may be had that the recipe itself, and not the operator, says where to find. `text` is its reference
    /// as the recipe writes it.
    ///
    /// # Errors
    /// `local.outside` where it is a variable of the environment or a file out of reach that the operator has not named.
    pub fn check_secret(&self, reference: &SecretRef, text: &str) -> Result<()> {
        match reference {
            SecretRef::Prompt(_) => Ok(()),
            SecretRef::File(path) | SecretRef::Age(path) => self.check(path, path_of(text)),
            SecretRef::Environment(_) if self.named.iter().any(|named| named == text) => Ok(()),
            SecretRef::Environment(name) => Err(Error::new(
                Kind::Refused,
                "local.outside",
                format!("the recipe wants to read the variable `{name}` of your environment"),
            )
            .hint(format!("give it yourself, as the value of a parameter: `…=env:{name}`"))),
        }
    }

    /// Whether what is at `path` may be read; links are followed. `named` is the path as the recipe writes it.
    ///
    /// # Errors
    /// `local.outside` where it is neither within the recipe's folders nor named by the operator.
    pub fn check(&self, path: &Path, named: &str) -> Result<()> {
        let real = real(path);
        if self.own.iter().any(|folder| real.starts_with(folder)) || self.names(path, &real, named) {
            return Ok(());
        }
        let message = format!("the recipe wants to read `{named}` on your machine, outside of its own folder");
        Err(Error::new(Kind::Refused, "local.outside", message)
            .hint("put the file beside the recipe, or name it yourself as the value of a parameter"))
    }

    /// Whether something may be written to `path`; links are followed. What is hidden in the recipe's folders is none of its own:
    /// programs go by such files there, `.git/hooks` for one. `named` is the path as the recipe writes it.
    ///
    /// # Errors
    /// `local.outside` where it is neither within the recipe's folders nor named by the operator, `local.hidden` where it is
    /// hidden in them.
    pub fn check_place(&self, path: &Path, named: &str) -> Result<()> {
        let real = real(path);
        if self.names(path, &real, named) {
            return Ok(());
        }
        let rest: Vec<&Path> = self.own.iter().filter_map(|folder| real.strip_prefix(folder).ok()).collect();
        let refused = |code, message: String| {
            let hint = "write it beside the recipe, or name the place yourself as the value of a parameter";
            Err(Error::new(Kind::Refused, code, message).hint(hint))
        };
        if rest.is_empty() {
            let message = format!("the recipe wants to write `{named}` on your machine, outside of its own folder");
            return refused("local.outside", message);
        }
        if rest.into_iter().all(is_hidden) {
            return refused(
                "local.hidden",
                format!("the recipe wants to write `{named}`, which is hidden in its folder"),
            );
        }
        Ok(())
    }

    /// The same, where `{host}` in what the operator has named is this host.
    #[must_use]
    pub fn on(&self, host: &str) -> Reach {
        let named = self.named.iter().map(|text| text.replace("{host}", host)).collect();
        Reach { own: self.own.clone(), named }
    }

    /// Whether the operator has named what is at `path`, which is `real` without links.
    fn names(&self, path: &Path, real: &Path, named: &str) -> bool {
        let base = path.ancestors().find(|folder| folder.join(named) == path);
        let is_named = |text: &String| {
            let text = path_of(text);
            let there = base.map_or_else(|| PathBuf::from(text), |base| base.join(text));
            text == named || [there, PathBuf::from(text)].iter().any(|place| real.starts_with(self::real(place)))
        };
        self.named.iter().any(is_named)
    }
}

fn is_hidden(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
}

/// The path in a reference to a secret, or the text itself.
fn path_of(text: &str) -> &str {
    ["file:", "age:"].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text)
}

/// The path without links and `..`, as far as it is there.
fn real(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let Some(there) = path.ancestors().find_map(|above| {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        Some((above, above.canonicalize().ok()?))
    }) else {
        return path.to_owned();
    };
    let (above, mut whole) = there;
    let rest = path.strip_prefix(above).unwrap_or(path);
    for part in rest.components() {
        match part {
            Component::ParentDir => _ = whole.pop(),
            Component::Normal(name) => whole.push(name),
            _ => {}
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_reads_its_own_folder_and_what_is_named() {
        let site = tempfile::tempdir().unwrap();
        let (own, other) = (site.path().join("own"), site.path().join("other"));
        std::fs::create_dir_all(own.join("files")).unwrap();
        std::fs::create_dir(&other).unwrap();
        std::fs::write(other.join("a"), "").unwrap();
        std::os::unix::fs::symlink(other.join("a"), own.join("link")).unwrap();
        let reach = Reach::of([own.clone()]);
        let check = |reach: &Reach, path: &str| reach.check(&own.join(path), path).map_err(|error| error.code());
        for path in ["files/a", "a", "files/../b", "."] {
            assert_eq!(check(&reach, path), Ok(()), "{path}");
        }
        let outside = other.join("a").display().to_string();
        for path in ["../other/a", "link", "/etc/shadow", "../absent", &outside] {
            assert_eq!(check(&reach, path), Err("local.outside"), "{path}");
        }
        assert_eq!(check(&reach.clone().with([outside.clone()]), "link"), Ok(()));
        assert_eq!(check(&reach.clone().with(["../other".to_owned()]), "../other/a"), Ok(()));
        assert_eq!(check(&reach.clone().with(["x,../other/a".to_owned()]), "../other/a"), Ok(()));
        assert_eq!(check(&reach.with([String::new()]), &outside), Err("local.outside"));
    }

    #[test]
    fn a_recipe_writes_beside_itself_and_where_it_is_told() {
        let site = tempfile::tempdir().unwrap();
        let (own, other) = (site.path().join("own"), site.path().join("other"));
        std::fs::create_dir_all(own.join(".git/hooks")).unwrap();
        std::fs::create_dir(&other).unwrap();
        std::os::unix::fs::symlink(&other, own.join("out")).unwrap();
        std::os::unix::fs::symlink(own.join(".git"), own.join("in")).unwrap();
        let reach = Reach::of([own.clone()]);
        let check = |reach: &Reach, path: &str| reach.check_place(&own.join(path), path).map_err(|error| error.code());
        for path in ["a", "new/a", "a/../b", "a.b"] {
            assert_eq!(check(&reach, path), Ok(()), "{path}");
        }
        for path in ["../a", "out/a", "/etc/cron.d/a", "out/../a"] {
            assert_eq!(check(&reach, path), Err("local.outside"), "{path}");
        }
        for path in [".git/hooks/post-checkout", "in/hooks/a", ".envrc"] {
            assert_eq!(check(&reach, path), Err("local.hidden"), "{path}");
        }
        let place = other.join("{host}").display().to_string();
        let told = reach.with([place.clone(), "../backups/".to_owned()]);
        assert_eq!(check(&told, &place), Ok(()));
        assert_eq!(check(&told.on("m1"), &other.join("m1/a").display().to_string()), Ok(()));
        assert_eq!(check(&told.on("m1"), &other.join("m2/a").display().to_string()), Err("local.outside"));
        assert_eq!(check(&told, "../backups/a"), Ok(()));
    }
}
