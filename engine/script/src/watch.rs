//! Watching files as people save them: an editor writes, renames, links, and takes its time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use haengine_kernel::error::{Error, Kind, Result};
use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::versions::{Reload, Versions};

/// A save is over when nothing has happened for so long.
pub const SETTLE: Duration = Duration::from_millis(200);

/// Whoever writes all the time is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the system tells nothing, as on some network file systems, files are compared so often.
const POLL: Duration = Duration::from_secs(2);

/// How soon a watch ends that is not wanted any more.
const NOTICE: Duration = Duration::from_millis(50);

/// Watches the folders of places.
struct Watcher {
    system: RecommendedWatcher,
    told: Receiver<()>,
    folders: BTreeSet<PathBuf>,
    settle: Duration,
}

impl Watcher {
    fn new(settle: Duration) -> Result<Watcher> {
        let (tell, told) = channel();
        let system = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading is no change. What could not be told is one: the files are compared anyway.
            if event.as_ref().map_or(true, |event| is_change(event.kind)) {
                // Nobody listens any more: then nobody wants to know.
                let _ = tell.send(());
            }
        });
        let system = system.map_err(unwatchable)?;
        Ok(Watcher { system, told, folders: BTreeSet::new(), settle })
    }

    /// Watches the folders of these places. A folder that was removed and made again has to be watched anew, and one that
    /// is not there yet shows in the nearest one that is.
    fn look_at(&mut self, places: &BTreeSet<PathBuf>) -> Result<()> {
        let folders: BTreeSet<PathBuf> = places.iter().flat_map(|place| folders_of(place)).collect();
        for old in &self.folders {
            // A folder that has gone is not watched any more.
            let _ = self.system.unwatch(old);
        }
        for folder in &folders {
            match self.system.watch(folder, RecursiveMode::NonRecursive) {
                // It went a moment ago; the one around it tells when it comes back.
                Err(error) if is_gone(&error.kind) => {}
                watched => watched.map_err(unwatchable)?,
            }
        }
        self.folders = folders;
        Ok(())
    }

    /// True when something has happened and has settled; false when nothing has for `at_most`.
    fn changed(&self, at_most: Duration) -> bool {
        match self.told.recv_timeout(at_most) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
        }
        let since = Instant::now();
        while since.elapsed() < PATIENCE && self.told.recv_timeout(self.settle).is_ok() {}
        true
    }
}

fn is_gone(kind: &notify::ErrorKind) -> bool {
    match kind {
        notify::ErrorKind::Io(error) => error.kind() == std::io::ErrorKind::NotFound,
        kind => matches!(kind, notify::ErrorKind::PathNotFound),
    }
}

fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

/// The folder of a place, and that of what it links to; of a folder that is not there, the nearest that is.
fn folders_of(place: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = place.parent().map(nearest).into_iter().collect();
    if let Some(folder) = std::fs::canonicalize(place).ok().as_deref().and_then(Path::parent) {
        folders.push(folder.to_owned());
    }
    folders
}

fn nearest(folder: &Path) -> PathBuf {
    let there = folder.ancestors().find(|folder| folder.is_dir());
    there.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

fn unwatchable(error: notify::Error) -> Error {
    Error::new(Kind::Local, "watch.files", "the recipe's files cannot be watched")
        .hint("raise fs.inotify.max_user_watches, or fs.inotify.max_user_instances")
        .because(error)
}

/// A watch that goes on until it is dropped.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Tells each time when the recipe's files have changed and have settled for so long.
    ///
    /// # Errors
    /// When the system cannot watch.
    pub fn start(
        versions: Arc<Versions>,
        settle: Duration,
        mut tell: impl FnMut(Reload) + Send + 'static,
    ) -> Result<Watch> {
        let mut watcher = Watcher::new(settle)?;
        watcher.look_at(&versions.places())?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let work = move || {
            let mut compared = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                if !watcher.changed(NOTICE) && compared.elapsed() < POLL {
                    continue;
                }
                compared = Instant::now();
                // First watch, then read: what comes after the reading is told.
                if let Err(error) = watcher.look_at(&versions.places()) {
                    tell(Reload::Broken(Box::new(error.into())));
                }
                match versions.reload() {
                    Reload::Same => {}
                    news => tell(news),
                }
            }
        };
        let thread = std::thread::Builder::new().name("watch".to_owned()).spawn(work);
        let thread = thread.map_err(|error| {
            Error::new(Kind::Local, "watch.thread", "the thread that watches cannot be started").because(error)
        })?;
        Ok(Watch { stop, thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A thread that panicked has said so.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
