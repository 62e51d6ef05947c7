//! Clusters that are made once: their disks are kept in the cache, and later tests begin there.
//!
//! What they are made of has its hash in their name, so that a recipe that changed makes another one. The code of the verbs
//! is none of it: that `bootstrap_cluster` and `add_master` do what they say is seen from bare hosts each time, by tests of
//! their own.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use haengine_lab::{Lab, Progress};

/// What shapes a cluster, as paths below the workspace.
const MADE_OF: [&str; 6] = [
    "scripts/bootstrap_cluster.rhai",
    "scripts/add_master.rhai",
    "stdlib/rhai",
    "stdlib/templates",
    "engine/lab/image",
    "tests/src/stage.rs",
];

/// The disks of a cluster in the cache. Nobody removes them while this lives.
pub struct Once {
    folder: PathBuf,
    lock: File,
}

impl Once {
    /// The cluster `name` in `cache` that is made with these words; waits for somebody who makes it just now.
    pub fn take(cache: &Path, name: &str, words: &[&str]) -> Once {
        let home = cache.join("lab/clusters");
        fs::create_dir_all(&home).unwrap();
        let folder = home.join(format!("{name}-{:016x}", hash(words)));
        let once = Once { lock: open(&folder), folder };
        // Many may begin there at once, also a test that goes back to where it began.
        once.lock.lock_shared().unwrap();
        if !once.is_made() {
            once.lock.unlock().unwrap();
            once.lock.lock().unwrap();
            if once.is_made() {
                once.lock.unlock().unwrap();
                once.lock.lock_shared().unwrap();
            }
        }
        once
    }

    /// Whether it is there.
    pub fn is_made(&self) -> bool {
        self.folder.is_dir()
    }

    /// What a host of it begins with.
    pub fn disk(&self, host: &str) -> PathBuf {
        self.folder.join(host)
    }

    /// Keeps the disks of these hosts, which boot again, and removes older clusters of this name that nobody uses.
    pub async fn keep(&self, lab: &Lab, progress: Progress) {
        lab.export(&self.folder, progress).await.unwrap();
        self.lock.unlock().unwrap();
        self.lock.lock_shared().unwrap();
        let (home, name) = (self.folder.parent().unwrap(), self.folder.file_name().unwrap().to_str().unwrap());
        let kind = name.rsplit_once('-').unwrap().0;
        for entry in fs::read_dir(home).unwrap().flatten() {
            let (path, other) = (entry.path(), entry.file_name().into_string().unwrap());
            let is_kind = other.rsplit_once('-').is_some_and(|(other, _)| other == kind);
            if path.is_dir() && is_kind && path != self.folder && open(&path).try_lock().is_ok() {
                fs::remove_dir_all(&path).unwrap();
                fs::remove_file(lock_of(&path)).unwrap();
            }
        }
    }
}

fn open(folder: &Path) -> File {
    File::options().create(true).truncate(false).write(true).open(lock_of(folder)).unwrap()
}

fn lock_of(folder: &Path) -> PathBuf {
    folder.with_extension("lock")
}

fn hash(words: &[&str]) -> u64 {
    // Asked when it runs: a build that is taken from the cache may have been made in another checkout.
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let workspace = Path::new(&package).parent().unwrap();
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    MADE_OF.iter().for_each(|path| add(&workspace.join(path), &mut hasher));
    hasher.finish()
}

fn add(path: &Path, hasher: &mut DefaultHasher) {
    if !path.is_dir() {
        return fs::read(path).unwrap().hash(hasher);
    }
    let mut inside: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    inside.sort();
    for path in inside {
        path.file_name().unwrap().hash(hasher);
        add(&path, hasher);
    }
}
