//! Reads the files of an inventory.

use std::path::{Path, PathBuf};

use super::Inventory;
use super::merge::merge;
use super::parse::parse;
use super::source::{Mark, Source};
use super::suggest;
use crate::error::{Error, Kind, Result};

impl Inventory {
    /// Reads and merges files in their order: later ones win for defaults and variables, and add to groups. `home` is what
    /// `~/` means; without it such paths are refused.
    ///
    /// # Errors
    /// When a file cannot be read or is wrong; the message names the place and draws the line, without any secret.
    pub fn load(paths: &[PathBuf], home: Option<&Path>) -> Result<Inventory> {
        if paths.is_empty() {
            return Err(
                Error::new(Kind::Usage, "inventory.none", "no inventory is given").hint("name one with `-i FILE`")
            );
        }
        let sources = paths.iter().map(|path| read(path, home)).collect::<Result<Vec<_>>>()?;
        let drafts = sources.iter().map(parse).collect::<Result<Vec<_>>>()?;
        merge(drafts, home)
    }

    /// Reads an inventory from `text`, as if it were in the file at `path`.
    ///
    /// ```
    /// use haengine_kernel::inventory::Inventory;
    /// use std::path::Path;
    /// let inventory = Inventory::parse("hosts: { master1: { address: 192.168.2.119 } }", Path::new("site.yaml"), None)?;
    /// assert_eq!(inventory.host("master1")?.user, "root");
    /// # Ok::<(), haengine_kernel::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// When it is wrong, as [`load`](Inventory::load).
    pub fn parse(text: &str, path: &Path, home: Option<&Path>) -> Result<Inventory> {
        let source = Source::new(text, path, path.parent().unwrap_or(Path::new("")), home);
        merge(vec![parse(&source)?], home)
    }
}

fn read(path: &Path, home: Option<&Path>) -> Result<Source> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, error))?;
    let text = String::from_utf8(bytes).map_err(|error| not_text(path, &error))?;
    // A run that is resumed from another folder still finds the files that the inventory names.
    let whole = std::path::absolute(path).map_err(|error| unreadable(path, error))?;
    Ok(Source::new(&text, path, whole.parent().unwrap_or(Path::new("/")), home))
}

fn not_text(path: &Path, error: &std::string::FromUtf8Error) -> Error {
    let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
    let before = good.rsplit('\n').next().unwrap_or_default();
    let mark = Mark { line: 1 + good.matches('\n').count(), column: 1 + before.chars().count(), length: 1 };
    let source = Source::new(&String::from_utf8_lossy(error.as_bytes()), path, Path::new(""), None);
    source.spot(mark).error("inventory.unreadable", "the file is not UTF-8 text").hint("save the file as UTF-8")
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    let shown = path.display();
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::new(Kind::Usage, "inventory.missing_file", format!("there is no inventory `{shown}`"))
                .hint(beside(path).unwrap_or_else(|| "check the path after `-i`".to_owned()))
        }
        std::io::ErrorKind::IsADirectory => {
            Error::new(Kind::Usage, "inventory.unreadable", format!("the inventory `{shown}` is a folder"))
                .hint("name the file in it; give several files with several `-i`")
        }
        _ => Error::new(Kind::Usage, "inventory.unreadable", format!("the inventory `{shown}` cannot be read"))
            .because(error)
            .hint("check who may read the file"),
    }
}

/// A file of a like name in the same folder.
fn beside(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files = std::fs::read_dir(folder).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut files: Vec<String> = files.collect();
    files.sort();
    let near = suggest::nearest(path.file_name()?.to_str()?, files.iter().map(String::as_str))?;
    Some(format!("write `{}`, the nearest file there is", path.with_file_name(near).display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The message with the folder's own name taken out.
    fn refused(paths: &[PathBuf], folder: &Path) -> String {
        let error = Inventory::load(paths, None).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        let text = format!("{}: {error}\nhint: {}", error.code(), error.advice().unwrap_or_default());
        text.replace(&format!("{}/", folder.display()), "")
    }

    #[test]
    fn later_files_win_and_paths_follow_their_own_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        let a = "defaults: { user: a, port: 1, known_hosts: kh, identity_file: id }\nhosts: { m1: , m2: { port: 9 } }\n\
                 groups: { g: [m1] }\nvars: { x: 1, y: 1 }";
        let b = "defaults: { port: 2, identity_file: id }\nhosts: { m3: { vars: { y: 3 } } }\ngroups: { g: [m3, m1], h: [m2] }\n\
                 vars: { y: 2 }";
        let paths = [write(folder.path(), "a.yaml", a), write(&folder.path().join("b"), "b.yaml", b)];
        let inventory = Inventory::load(&paths, None).unwrap();
        let ports: Vec<u16> = inventory.hosts.iter().map(|host| host.port).collect();
        assert_eq!(ports, [2, 9, 2]);
        let m1 = inventory.host("m1").unwrap();
        assert_eq!((m1.user.as_str(), &m1.known_hosts), ("a", &folder.path().join("kh")));
        assert_eq!(m1.identity_files, [folder.path().join("b/id")]);
        let y = |name| serde_json::to_value(&inventory.host(name).unwrap().vars["y"]).unwrap()["plain"].clone();
        assert_eq!((y("m1"), y("m3")), (2.into(), 3.into()));
        let members = |name| inventory.group(name).unwrap().iter().map(|host| host.name.as_str()).collect::<Vec<_>>();
        assert_eq!((members("g"), members("h")), (vec!["m1", "m3"], vec!["m2"]));
    }

    #[test]
    fn paths_are_whole_after_loading() {
        let folder = tempfile::tempdir_in(".").unwrap();
        let name = folder.path().file_name().unwrap();
        let path = write(Path::new(name), "a.yaml", "defaults: { known_hosts: kh }\nhosts: { m1: }");
        let inventory = Inventory::load(&[path], None).unwrap();
        assert!(inventory.hosts[0].known_hosts.is_absolute());
    }

    #[test]
    fn a_host_in_two_files_is_refused_with_both_places() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [
            write(folder.path(), "a.yaml", "hosts:\n  master1: { address: 192.168.2.119 }\n"),
            write(folder.path(), "b.yaml", "hosts: { master2: , master1: }\n"),
        ];
        insta::assert_snapshot!(refused(&paths, folder.path()), @"
        inventory.duplicate_host: `master1` is given twice
         --> b.yaml:1:21
          |
        1 | hosts: { master2: , master1: }
          |                     ^^^^^^^
        first given here
         --> a.yaml:2:3
          |
        2 |   master1: { address: 192.168.2.119 }
          |   ^^^^^^^
        hint: keep one of the two
        ");
    }

    #[test]
    fn a_file_may_name_hosts_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [
            write(folder.path(), "a.yaml", "groups: { masters: [master1] }\n"),
            write(folder.path(), "b.yaml", "hosts: { master1: }\n"),
        ];
        assert_eq!(Inventory::load(&paths, None).unwrap().group("masters").unwrap().len(), 1);
    }

    #[test]
    fn a_missing_file_is_named_with_its_neighbour() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "site.yaml", "");
        insta::assert_snapshot!(refused(&[folder.path().join("sit.yml")], folder.path()), @"
        inventory.missing_file: there is no inventory `sit.yml`
        hint: write `site.yaml`, the nearest file there is
        ");
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.yaml"), b"hosts:\n  m\xff: {}\n").unwrap();
        insta::assert_snapshot!(refused(&[folder.path().join("a.yaml")], folder.path()), @"
        inventory.unreadable: the file is not UTF-8 text
         --> a.yaml:2:4
          |
        2 |   m�: {}
          |    ^
        hint: save the file as UTF-8
        ");
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        insta::assert_snapshot!(refused(&[inner], folder.path()), @"
        inventory.unreadable: the inventory `inner` is a folder
        hint: name the file in it; give several files with several `-i`
        ");
        insta::assert_snapshot!(refused(&[], folder.path()), @"
        inventory.none: no inventory is given
        hint: name one with `-i FILE`
        ");
    }
}
