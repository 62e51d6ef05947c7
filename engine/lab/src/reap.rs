//! Taking down the labs that nobody owns any more.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use crate::{Lab, Result, error::At, lab::Inner, lock::Lock, quiet, record::Record};

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
    // A lab is a folder, a lock, or both.
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let names: BTreeSet<String> = names.map(|name| name.trim_end_matches(".lock").to_owned()).collect();
    let mut reaped = Vec::new();
    for name in names {
        // A name that no lab can have is somebody else's. The cache is not needed to take a lab down.
        let Ok(lab) = Lab::open(state, state, &name) else { continue };
        if lab.blocking(Inner::reap).await? {
            reaped.push(name);
        }
    }
    Ok(reaped)
}

impl Inner {
    fn reap(&self) -> Result<bool> {
        if !self.lock_path().exists() {
            return Ok(false);
        }
        // A lab that somebody works on is not dead. A creator that was killed may have left a child that is not yet its
        // program, and has the lock as long as that.
        let lock = match Lock::take(&self.lock_path(), Duration::from_millis(250), &quiet()) {
            Err(error) if error.code == "lab.busy" => return Ok(false),
            taken => taken?,
        };
        let dead = match Record::load(&self.folder) {
            Ok(Some(record)) => record.owner.is_some_and(|owner| !owner.is_alive()),
            // Its creator ended before it wrote what it was about to make.
            Ok(None) => true,
            // One that this version cannot read may well live.
            Err(_) => false,
        };
        if dead {
            tracing::info!(lab = self.name, "taking down a lab whose process is gone");
            self.wipe()?;
            lock.remove();
        }
        Ok(dead)
    }
}
