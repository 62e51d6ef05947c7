//! The files of a host, where links lead.

use haengine_kernel::error::Result;

use crate::node::file::{File, files};

/// What a host says of its files.
pub(super) struct Found {
    /// Its name.
    pub hostname: String,
    /// The files.
    pub files: Vec<Linked>,
}

/// A file, and the links that lead to it.
pub(super) struct Linked {
    /// The file, where it lies.
    pub file: File,
    /// Other paths to it.
    pub links: Vec<String>,
}

impl Linked {
    /// All paths to it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [&self.file.path].into_iter().chain(&self.links).map(String::as_str)
    }
}

/// What `read.sh` prints.
pub(super) fn found(said: &str) -> Result<Found> {
    let mut found = Found { hostname: String::new(), files: Vec::new() };
    for line in said.lines() {
        if let Some(name) = line.strip_prefix("host ") {
            name.clone_into(&mut found.hostname);
        } else if let (Some(link), Some(last)) = (line.strip_prefix("link "), found.files.last_mut()) {
            last.links.push(link.to_owned());
        } else {
            found.files.extend(files(line)?.into_iter().map(|file| Linked { file, links: Vec::new() }));
        }
    }
    Ok(found)
}
