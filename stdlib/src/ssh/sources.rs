//! What an upload takes from the operator's machine, and where each piece goes.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};

use super::local_file::cannot;
use crate::file::path;

/// A file of the operator's machine.
#[derive(Debug)]
pub(super) struct Source {
    /// As messages name it.
    pub(super) named: String,
    /// Where it is.
    pub(super) local: PathBuf,
    /// Where it goes.
    pub(super) path: String,
    /// Whether it may be executed.
    pub(super) executable: bool,
    /// Whether the same call makes the directory that it goes into.
    pub(super) within: bool,
}

/// All that a call uploads.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// Directories of the host, outer ones first.
    pub(super) folders: Vec<String>,
    pub(super) files: Vec<Source>,
}

/// What the arguments name.
///
/// # Errors
/// When something is not there, cannot be read, is neither file nor folder, or two things go to one place.
pub(super) fn sources(arguments: &Arguments) -> Result<Sources> {
    let (named, path) = (arguments.strings("local"), path::of(arguments, "path")?);
    let into = matches!(arguments.get("local"), Some(haengine_kernel::value::Value::List(_)))
        || arguments.string("path")?.ends_with('/');
    let mut sources = Sources::default();
    for named in named {
        let local = arguments.readable(&named)?;
        let path = if into { below(&path, &own_name(&local, &named)?) } else { path.clone() };
        sources.add(arguments, (&named, &local), path, false)?;
    }
    sources.refuse_twice()?;
    Ok(sources)
}

impl Sources {
    fn add(&mut self, call: &Arguments, (named, local): (&str, &Path), path: String, within: bool) -> Result<()> {
        // A link may lead elsewhere.
        call.reach().map_or(Ok(()), |reach| reach.check(local, named))?;
        let found = std::fs::metadata(local).map_err(|error| missing(named, error))?;
        if found.is_dir() {
            return self.add_folder(call, (named, local), path);
        }
        if !found.is_file() {
            let message = format!("`{named}` is neither a file nor a folder");
            return Err(Error::new(Kind::Usage, "ssh.upload", message).hint("leave it out"));
        }
        let executable = found.permissions().mode() & 0o111 != 0;
        self.files.push(Source { named: named.to_owned(), local: local.to_owned(), path, executable, within });
        Ok(())
    }

    fn add_folder(&mut self, call: &Arguments, (named, local): (&str, &Path), path: String) -> Result<()> {
        let list = || std::fs::read_dir(local)?.collect::<std::io::Result<Vec<_>>>();
        let mut entries = list().map_err(|error| cannot("read the folder", local, error))?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        self.folders.push(path.clone());
        for entry in entries {
            let name = own_name(&entry.path(), named)?;
            let (inner, local) = (format!("{}/{name}", named.trim_end_matches('/')), entry.path());
            // A link to a folder may lead back to where we came from.
            if local.is_symlink() && local.is_dir() {
                let message = format!("`{inner}` is a symbolic link to a folder");
                let hint = "name the folder itself, or place the link with `file::link`";
                return Err(Error::new(Kind::Usage, "ssh.upload", message).hint(hint));
            }
            self.add(call, (&inner, &local), below(&path, &name), true)?;
        }
        Ok(())
    }

    fn refuse_twice(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        let all = self.folders.iter().chain(self.files.iter().map(|source| &source.path));
        match all.into_iter().find(|path| !seen.insert(path.as_str())) {
            Some(path) => Err(Error::new(Kind::Usage, "ssh.upload", format!("two things would go to `{path}`"))
                .hint("upload them in calls of their own, to different places")),
            None => Ok(()),
        }
    }
}

fn below(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

fn own_name(local: &Path, named: &str) -> Result<String> {
    let name = local.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    name.ok_or_else(|| {
        Error::new(Kind::Usage, "ssh.upload", format!("`{named}` has no name that is a text"))
            .hint("name the file, or give it a name in UTF-8")
    })
}

fn missing(named: &str, error: std::io::Error) -> Error {
    Error::new(Kind::Usage, "ssh.upload", format!("cannot read `{named}` on your machine"))
        .hint("write a path that is relative to the recipe's folder")
        .because(error)
}
