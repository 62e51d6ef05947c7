//! Taking down the labs that nobody owns any more.

use std::{fs, path::Path};

use crate::{Lab, Result, error::At, record::Record};

/// Takes down every ephemeral lab in `state` whose process is gone, and what is left of labs that never got
/// as far as a record. Returns their names.
///
/// # Errors
/// When a folder cannot be read or a lab cannot be taken down.
pub async fn reap(state: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(state) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.at("read", state)?,
    };
    let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut reaped = Vec::new();
    for name in folders.map(|entry| entry.file_name().to_string_lossy().into_owned()) {
        // A folder that cannot be a lab's is somebody else's.
        let Ok(lab) = Lab::open(state, state, &name) else { continue };
        if lab.blocking(|lab| lab.reap()).await? {
            reaped.push(name);
        }
    }
    Ok(reaped)
}

impl crate::lab::Inner {
    fn reap(&self) -> Result<bool> {
        // A lab that somebody works on at this moment is not dead.
        let Some(lock) = crate::lock::Lock::try_take(&self.lock_path())? else { return Ok(false) };
        let dead = match Record::load(&self.folder)? {
            Some(record) => record.owner.is_some_and(|owner| !owner.is_alive()),
            None => self.folder.join("net").is_dir() && self.folder.join("hosts").is_dir(),
        };
        if dead {
            tracing::info!(lab = self.name, "taking down a lab whose process is gone");
            self.wipe()?;
            lock.remove();
        }
        Ok(dead)
    }
}
