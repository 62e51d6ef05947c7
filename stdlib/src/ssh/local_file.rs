//! Files of the operator's machine: what they hold, and new ones that are never seen half done.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use haengine_kernel::error::{Error, Kind, Result};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Print {
    pub(crate) bytes: u64,
    /// SHA-256, lowercase hexadecimal.
    pub(crate) sha256: String,
}

/// What the file at `path` holds; none when nothing is there.
///
/// # Errors
/// When it cannot be read, or is no regular file.
pub(super) async fn print_of(path: &Path) -> Result<Option<Print>> {
    let path = path.to_owned();
    let work = tokio::task::spawn_blocking(move || read_print(&path).map_err(|error| cannot("read", &path, error)));
    work.await.map_err(|error| Error::new(Kind::Local, "local.file", "reading a file was given up").because(error))?
}

/// The permissions of the file at `path`, which is to be replaced; none when nothing is there.
///
/// # Errors
/// `local.link` where a symbolic link is there, and `local.file` where anything else is that is no regular file.
pub(super) async fn rights_of(path: &Path) -> Result<Option<u32>> {
    let there = match tokio::fs::symlink_metadata(path).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        there => there.map_err(|error| cannot("look at", path, error))?,
    };
    let refused = |code, what: &str| {
        Err(Error::new(Kind::Refused, code, format!("{} on your machine {what}", path.display()))
            .hint("name another place, or move it away"))
    };
    if there.is_symlink() {
        return refused("local.link", "is a symbolic link, and nothing is written through one");
    }
    if !there.is_file() {
        return refused("local.file", "is no regular file");
    }
    Ok(Some(there.permissions().mode() & 0o7777))
}

fn read_print(path: &Path) -> std::io::Result<Option<Print>> {
    let mut file = match std::fs::File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let (mut hash, mut buffer, mut bytes) = (Sha256::new(), vec![0; 256 * 1024], 0);
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(Some(Print { bytes, sha256: hex(hash) }));
        }
        hash.update(&buffer[..count]);
        bytes += count as u64;
    }
}

/// A new file beside its place. Dropped before it is in its place, it is removed.
pub(crate) struct Fresh {
    place: PathBuf,
    beside: PathBuf,
    file: tokio::fs::File,
    hash: Sha256,
    bytes: u64,
}

impl Fresh {
    /// A new file for `place`, whose folder is made if it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) async fn create(place: &Path, mode: u32) -> Result<Fresh> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let beside = place.with_file_name(format!(".{name}.haengine-{}-{number}", std::process::id()));
        if let Some(folder) = place.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(|error| cannot("make the folder", folder, error))?;
        }
        let options = tokio::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).to_owned();
        let file = options.open(&beside).await.map_err(|error| cannot("write", &beside, error))?;
        let fresh = Fresh { place: place.to_owned(), beside, file, hash: Sha256::new(), bytes: 0 };
        let set = fresh.file.set_permissions(std::fs::Permissions::from_mode(mode)).await;
        set.map_err(|error| cannot("set the permissions of", place, error))?;
        Ok(fresh)
    }

    /// Adds to it.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).await.map_err(|error| cannot("write", &self.place, error))
    }

    /// Forces it to disk and puts it into its place.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub(super) async fn place(mut self) -> Result<Print> {
        let done = async {
            self.file.flush().await?;
            self.file.sync_all().await?;
            tokio::fs::rename(&self.beside, &self.place).await
        };
        done.await.map_err(|error| cannot("write", &self.place, error))?;
        Ok(Print { bytes: self.bytes, sha256: hex(std::mem::take(&mut self.hash)) })
    }

    /// The same where nothing is; what is there stays.
    ///
    /// # Errors
    /// When something is there, or the disk does not take it.
    pub(crate) async fn place_new(mut self) -> Result<()> {
        let done = async {
            self.file.flush().await?;
            self.file.sync_all().await?;
            tokio::fs::hard_link(&self.beside, &self.place).await
        };
        done.await.map_err(|error| cannot("write", &self.place, error))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // Once it is in its place, there is nothing beside it.
        let _ = std::fs::remove_file(&self.beside);
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn cannot(what: &str, path: &Path, error: std::io::Error) -> Error {
    Error::new(Kind::Local, "local.file", format!("cannot {what} {} on your machine", path.display()))
        .hint("check the path, permissions and free space")
        .because(error)
}
