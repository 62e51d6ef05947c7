//! The handle of a lab.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sha2::{Digest, Sha256};

use crate::{
    Error, Progress, Result,
    host::Host,
    lock::Lock,
    record::{HostRecord, Owner, Record},
    spec::{check_name, network},
};

/// A lab by its name, whether it is up or not. Cheap to clone.
///
/// An [ephemeral](Lab::ephemeral) lab goes down when its last handle is dropped.
#[derive(Clone)]
pub struct Lab {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Clone)]
pub(crate) struct Inner {
    pub name: String,
    /// Where base images are kept.
    pub cache: PathBuf,
    /// Where everything of this lab lies.
    pub folder: PathBuf,
    /// The file that holds the namespace of the bridge and of the operator's side.
    pub bridge: PathBuf,
    /// What the names of this lab's machines begin with; no other lab on this machine has it.
    pub prefix: String,
    pub mirror: String,
    pub owner: Option<Owner>,
}

impl Lab {
    /// The lab `name`, with base images in `cache` and what lives of labs in `state`. Touches nothing.
    ///
    /// # Errors
    /// `lab.spec` for a name that cannot be a folder.
    pub fn open(cache: &Path, state: &Path, name: &str) -> Result<Lab> {
        check_name("lab", name)?;
        let state = std::path::absolute(state).map_err(|error| Error::file("find", state, error))?;
        let cache = std::path::absolute(cache).map_err(|error| Error::file("find", cache, error))?;
        // Paths stand in the options of mounts, which colons and commas take apart.
        for path in [&state, &cache] {
            if path.to_str().is_none_or(|text| text.contains([':', ',', '\\'])) {
                let message = format!("`{}` cannot be a folder of the lab", path.display());
                return Err(Error::new("lab.spec", message).hint("use one without colon, comma and backslash"));
            }
        }
        let folder = state.join(name);
        let inner = Inner {
            name: name.to_owned(),
            cache,
            bridge: folder.join("net/.bridge"),
            prefix: prefix(name, &folder),
            folder,
            mirror: "http://deb.debian.org/debian".to_owned(),
            owner: None,
        };
        Ok(Lab { inner: Arc::new(inner) })
    }

    /// The same lab, bound to this process: it goes down with its last handle, and
    /// [`reap`](crate::reap()) takes it down when the process is killed.
    #[must_use]
    pub fn ephemeral(self) -> Lab {
        self.with(|inner| inner.owner = Some(Owner::current()))
    }

    /// The same lab, with another mirror of Debian to build the base image from.
    #[must_use]
    pub fn mirror(self, address: &str) -> Lab {
        self.with(|inner| inner.mirror = address.to_owned())
    }

    /// The lab's name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The private key that opens every account of every host; it is there once the lab is up.
    pub fn identity(&self) -> PathBuf {
        self.inner.folder.join("identity")
    }

    /// A known_hosts file with all hosts of the lab, by name and by address.
    pub fn known_hosts(&self) -> PathBuf {
        self.inner.folder.join("known_hosts")
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Lab {
        change(Arc::make_mut(&mut self.inner));
        self
    }

    /// Does work that waits for programs and disks on a thread that may wait.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        done.unwrap_or_else(|_| Err(Error::new("lab.thread", "a thread of the lab panicked")))
    }
}

impl Inner {
    /// The record of a lab that must be there.
    pub fn load(&self) -> Result<Record> {
        Record::load(&self.folder)?.ok_or_else(|| {
            Error::new("lab.absent", format!("there is no lab `{}`", self.name)).hint("run `haengine lab up`")
        })
    }

    /// One host of a lab that must be there.
    pub fn find(&self, name: &str) -> Result<Host> {
        let record = self.load()?;
        Ok(self.host(&record, record.host(name)?))
    }

    pub fn hosts(&self, record: &Record) -> Vec<Host> {
        record.hosts.iter().map(|host| self.host(record, host)).collect()
    }

    pub fn host(&self, record: &Record, host: &HostRecord) -> Host {
        Host::new(&self.folder, &self.prefix, &record.base, host)
    }

    /// Keeps others from changing this lab until the lock is dropped.
    pub fn lock(&self, progress: &Progress) -> Result<Lock> {
        Lock::take(&self.lock_path(), Duration::from_secs(300), progress)
    }

    /// Beside the lab's folder, because the folder itself comes and goes.
    pub fn lock_path(&self) -> PathBuf {
        self.folder.with_file_name(format!("{}.lock", self.name))
    }
}

/// The networks that a lab's hosts are on.
pub(crate) fn networks(record: &Record) -> Vec<[u8; 3]> {
    record.operator.iter().map(|address| network(*address)).collect()
}

/// Does `work` for every host at the same time, and returns the first failure when all are done.
pub(crate) fn each<H: Sync>(hosts: &[H], work: impl Fn(&H) -> Result<()> + Sync) -> Result<()> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = hosts.iter().map(|host| scope.spawn(|| work(host))).collect();
        let panicked = |_| Err(Error::new("lab.thread", "a thread of the lab panicked"));
        let results: Vec<Result<()>> =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect();
        results.into_iter().collect()
    })
}

fn prefix(name: &str, folder: &Path) -> String {
    let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
    let digest: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let name: String = name.replace('.', "-").chars().take(20).collect();
    format!("{name}-{digest}-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab(state: &str, name: &str) -> Result<Lab> {
        Lab::open(Path::new("/cache"), Path::new(state), name)
    }

    #[test]
    fn labs_of_one_name_in_two_folders_share_nothing() {
        let (a, b) = (lab("/one", "lab").unwrap(), lab("/two", "lab").unwrap());
        assert_ne!(a.inner.prefix, b.inner.prefix);
        assert!(a.inner.prefix.starts_with("lab-"));
        assert_ne!(a.namespace(), b.namespace());
    }

    #[test]
    fn names_and_folders_that_mount_would_misread_are_refused() {
        assert!(lab("/state", "../x").is_err());
        assert!(lab("/sta:te", "lab").is_err());
        assert!(lab("/sta,te", "lab").is_err());
    }

    #[test]
    fn every_host_is_worked_on_and_a_failure_is_told() {
        let done = std::sync::atomic::AtomicUsize::new(0);
        let result = each(&[1, 2, 3], |n| {
            done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if *n == 2 { Err(Error::new("lab.test", "two")) } else { Ok(()) }
        });
        assert_eq!(result.unwrap_err().message, "two");
        assert_eq!(done.into_inner(), 3);
    }
}
