//! One change of a lab at a time.

use std::{
    fs::{self, File, TryLockError},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{Error, Progress, Result, error::At};

/// The lock of a lab or a cache; it ends with its process, however that ends.
pub(crate) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Waits for the lock at `path`.
    ///
    /// # Errors
    /// `lab.busy` when another process holds it for longer than `patience`.
    pub fn take(path: &Path, patience: Duration, progress: &Progress) -> Result<Lock> {
        let started = Instant::now();
        let mut said = false;
        loop {
            if let Some(lock) = Lock::try_take(path)? {
                return Ok(lock);
            }
            if started.elapsed() > patience {
                let message = format!("another process works on `{}`", path.with_extension("").display());
                return Err(Error::new("lab.busy", message).hint("wait until it is done, or end it"));
            }
            if !std::mem::replace(&mut said, true) {
                progress("waiting for another process that works on this lab");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Takes the lock if nobody holds it.
    pub fn try_take(path: &Path) -> Result<Option<Lock>> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).at("create", folder)?;
        }
        let file = File::options().create(true).truncate(false).write(true).open(path).at("open", path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(Error::file("lock", path, error)),
            Ok(()) => {}
        }
        // Whoever held it before may have removed the file: a lock on a file without a name locks nobody out.
        let same = fs::metadata(path).is_ok_and(|there| file.metadata().is_ok_and(|ours| ours.ino() == there.ino()));
        Ok(same.then(|| Lock { path: path.to_owned(), _file: file }))
    }

    /// Gives the lock up and leaves no file behind.
    pub fn remove(self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quiet;

    #[test]
    fn the_second_waits_and_a_removed_lock_is_free_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lab.lock");
        let first = Lock::try_take(&path).unwrap().unwrap();
        let error = Lock::take(&path, Duration::from_millis(80), &quiet()).err().unwrap();
        assert_eq!(error.code, "lab.busy");
        first.remove();
        assert!(!path.exists());
        assert!(Lock::try_take(&path).unwrap().is_some());
    }
}
