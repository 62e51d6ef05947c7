//! The files of a host, where links lead.

use haengine_kernel::error::Result;
use haengine_kernel::transport::Command;

use super::file::{File, files};

/// A file where it lies, and the links that lead to it. It has no `Debug`: there may be secrets in it.
pub struct Linked {
    /// The file.
    pub file: File,
    /// Other paths to it.
    pub links: Vec<String>,
}

impl Linked {
    /// All paths to it.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        [&self.file.path].into_iter().chain(&self.links).map(String::as_str)
    }
}

/// What a host says of its files.
pub(super) struct Found {
    /// Its name.
    pub hostname: String,
    /// The files.
    pub files: Vec<Linked>,
}

/// Asks for files, for those in folders, and for what patterns mean; of what has more than 1 MiB only for that which has one of the
/// words.
pub(super) fn ask(words: &[String], paths: impl Iterator<Item = String>) -> Command {
    Command::script(include_str!("linked.sh")).args([words.join("\n")]).args(paths)
}

/// What a host answers.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_belong_to_the_file_before_them() {
        let found = found("host n1\nfile 600 YQ== /real\nlink /a b\nlink /c\nfile 644 - /large\n").unwrap();
        assert_eq!((found.hostname.as_str(), found.files.len()), ("n1", 2));
        assert_eq!(found.files[0].links, ["/a b", "/c"]);
        assert!(found.files[1].file.text.is_none());
    }
}
