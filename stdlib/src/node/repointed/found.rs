//! The files of a host, where links lead.

use haengine_kernel::error::Result;

use crate::node::file::files;
use crate::node::in_files::Linked;

/// What a host says of its files.
pub(super) struct Found {
    /// Its name.
    pub hostname: String,
    /// The files.
    pub files: Vec<Linked>,
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
