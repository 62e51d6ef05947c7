//! Files that are there, and whole, after a power cut.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Writes a file so that it has either all of its new content or none of it, and waits until the disk has that.
/// Its name in the folder is on the disk once the folder is [`sync`]ed.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// Makes a folder, and waits until the disk has its name. One that is there is left as it is.
///
/// # Errors
/// When it cannot be made.
pub fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
    let mut made = fs::create_dir(folder);
    if let (Err(error), Some(above)) = (&made, above)
        && error.kind() == io::ErrorKind::NotFound
    {
        make(above)?;
        made = fs::create_dir(folder);
    }
    match made {
        // Somebody else was faster.
        Err(_) if folder.is_dir() => {}
        made => made?,
    }
    above.map_or(Ok(()), sync)
}

/// Waits until the disk has all names in a folder. Where the file system cannot do that, there is nothing to wait for.
///
/// # Errors
/// When the disk cannot take them.
pub fn sync(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_all_of_its_content_and_nothing_lies_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a/b");
        make(&place).unwrap();
        make(&place).unwrap();
        for text in ["one, which is longer", "two"] {
            write(&place.join("file.json"), text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(place.join("file.json")).unwrap(), text);
        }
        sync(&place).unwrap();
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
    }

    #[test]
    fn folders_are_made_by_many_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..100 {
            let place = folder.path().join(format!("{round}/b/c/d"));
            let together = std::sync::Barrier::new(4);
            std::thread::scope(|scope| {
                let maker = || {
                    together.wait();
                    make(&place)
                };
                let makers: Vec<_> = (0..4).map(|_| scope.spawn(maker)).collect();
                makers.into_iter().for_each(|maker| maker.join().unwrap().unwrap());
            });
        }
    }

    /// What could not be written does not take the place of what is there.
    #[test]
    fn a_file_that_cannot_be_written_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write(&path, b"old").unwrap();
        std::os::unix::fs::symlink("/dev/full", folder.path().join("file.new")).unwrap();
        write(&path, b"new").unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }
}
