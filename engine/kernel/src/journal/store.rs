//! Where runs are found: a folder for each, below the operator's state folder.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rand::RngExt;

use crate::durable;
use crate::error::{Error, Kind, Result};
use crate::journal::{Entry, Journal, State, file};
use crate::signature::nearest;

/// The runs of one operator, in the order in which they began. That order is a number in each run's folder and not the
/// clock, which can be set back; runs of earlier versions have none, and come before all others in the order of their ids.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// The file with a run's number.
const NUMBER: &str = "number";
/// Held while a run gets its number.
const LOCK: &str = ".lock";
/// A run is alive when its lock is held for longer than this, times [`LOOKS`]: others hold it while they look.
const LOOK: std::time::Duration = std::time::Duration::from_millis(2);
const LOOKS: usize = 25;
/// So many ids are tried until one is free: they are made of the clock and of chance.
const TRIES: usize = 100;

/// One run's folder: its journal, and whatever else the run keeps.
pub struct RunFolder {
    /// The run's id.
    pub id: String,
    /// The folder.
    pub path: PathBuf,
    /// Held while the run lives; the system lets it go when the process ends, however it ends.
    alive: Option<File>,
}

/// A run as a list shows it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RunSummary {
    /// The run's id.
    pub run: String,
    /// The recipe, as it was named.
    pub recipe: String,
    /// When it began, in UTC.
    pub started: jiff::Timestamp,
    /// How long it took, seconds.
    pub seconds: f64,
    /// `running`, `succeeded`, `failed`, `interrupted`, `died`, `partly undone`, `undone` or `forgotten`.
    pub outcome: String,
    /// How often its recipe was executed: once, and once more for each resume.
    pub attempts: usize,
    /// How many changes it made.
    pub changes: usize,
    /// The hosts that it changed.
    pub hosts: Vec<String>,
}

impl Store {
    /// The store below `state`, the operator's state folder.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(state: &Path) -> Result<Store> {
        let folder = state.join("runs");
        durable::make(&folder).map_err(|error| cannot("make the state folder", &folder, error))?;
        Ok(Store { folder })
    }

    /// The operator's state folder, below which it is.
    pub fn state_folder(&self) -> &Path {
        self.folder.parent().unwrap_or(&self.folder)
    }

    /// The folder of a new run, alive.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(&self) -> Result<RunFolder> {
        let lock = self.folder.join(LOCK);
        let held = File::options().create(true).truncate(false).write(true).open(&lock);
        let held = held.and_then(|file| file.lock().map(|()| file)).map_err(|error| cannot("lock", &lock, error))?;
        let number = self.last_number()?.saturating_add(1);
        let id = self.make_folder()?;
        let path = self.folder.join(&id);
        let numbered = durable::write(&path.join(NUMBER), format!("{number}\n").as_bytes())
            .and_then(|()| durable::sync(&path))
            .and_then(|()| durable::sync(&self.folder));
        numbered.map_err(|error| cannot("number the run's folder", &path, error))?;
        drop(held);
        self.enter(id)
    }

    /// A new run's folder, which nobody has; its id.
    fn make_folder(&self) -> Result<String> {
        let mut tried = None;
        for _ in 0..TRIES {
            let id = new_id();
            let path = self.folder.join(&id);
            // What a run changed is nobody else's business.
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(id),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => tried = Some(error),
                Err(error) => return Err(cannot("make the run's folder", &path, error)),
            }
        }
        Err(cannot("make a run's folder in", &self.folder, tried.unwrap_or_else(|| ErrorKind::AlreadyExists.into())))
    }

    /// The number of the newest run.
    fn last_number(&self) -> Result<u64> {
        let numbers = self.names()?.into_iter().filter_map(|id| self.number(&id));
        Ok(numbers.filter(|number| *number < u64::MAX).max().unwrap_or(0))
    }

    /// A run's number; none of earlier versions. One that cannot be read may be later than all: then nothing is taken
    /// back below it.
    fn number(&self, id: &str) -> Option<u64> {
        match fs::read_to_string(self.folder.join(id).join(NUMBER)) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => None,
            text => Some(text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX)),
        }
    }

    /// The folder of a run, alive from now on.
    ///
    /// # Errors
    /// `runs.unknown` with the nearest id; `runs.alive` when another process runs it.
    pub fn enter(&self, id: String) -> Result<RunFolder> {
        let path = self.path(&id)?;
        let alive = alive_file(&path)?;
        match lock_soon(&alive) {
            Ok(()) => Ok(RunFolder { id, path, alive: Some(alive) }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::new(Kind::Locked, "runs.alive", format!("run {id} is still running"))
                    .hint("wait until it has ended, or interrupt it"))
            }
            Err(TryLockError::Error(error)) => Err(cannot("lock the run's folder", &path, error)),
        }
    }

    /// The folder of a run, to look at.
    ///
    /// # Errors
    /// `runs.unknown` with the nearest id.
    pub fn look(&self, id: &str) -> Result<RunFolder> {
        Ok(RunFolder { id: id.to_owned(), path: self.path(id)?, alive: None })
    }

    /// The ids of all runs, newest first.
    ///
    /// # Errors
    /// When the state folder cannot be read.
    pub fn ids(&self) -> Result<Vec<String>> {
        let begun = self.names()?.into_iter().filter(|name| self.folder.join(name).join("journal.jsonl").exists());
        let mut runs: Vec<(Option<u64>, String)> = begun.map(|id| (self.number(&id), id)).collect();
        runs.sort_unstable_by(|a, b| b.cmp(a));
        Ok(runs.into_iter().map(|(_, id)| id).collect())
    }

    /// The ids of the runs that began after this one, newest first.
    ///
    /// # Errors
    /// As [`Store::ids`].
    pub fn later_than(&self, id: &str) -> Result<Vec<String>> {
        Ok(self.ids()?.into_iter().take_while(|later| later != id).collect())
    }

    /// All that is in the folder of runs.
    fn names(&self) -> Result<Vec<String>> {
        let entries =
            fs::read_dir(&self.folder).map_err(|error| cannot("read the state folder", &self.folder, error))?;
        Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
    }

    /// True when no process runs it.
    pub fn is_dead(&self, id: &str) -> bool {
        let Ok(file) = self.path(id).and_then(|path| alive_file(&path)) else { return false };
        // Shared, so that two who look at once are not taken for the run.
        file.try_lock_shared().is_ok()
    }

    /// What a list shows of a run.
    ///
    /// # Errors
    /// When its journal cannot be read.
    pub fn summary(&self, id: &str) -> Result<RunSummary> {
        let state = self.look(id)?.state()?;
        let mut hosts: Vec<String> = state.changes.values().map(|change| change.key.host.clone()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        Ok(RunSummary {
            run: id.to_owned(),
            recipe: state.recipe().to_owned(),
            // A run that died before its first line has its id alone.
            started: state.head.as_ref().map(|head| head.time).or_else(|| time_of(id)).unwrap_or_default(),
            seconds: state.seconds(),
            outcome: self.outcome(id, &state),
            attempts: state.attempts.len(),
            changes: state.changes.len(),
            hosts,
        })
    }

    fn outcome(&self, id: &str, state: &State) -> String {
        let outcome = match state.outcome() {
            _ if state.is_undone() => "undone",
            _ if state.forgotten.is_some() => "forgotten",
            _ if state.undoing => "partly undone",
            Some(outcome) => outcome,
            None if self.is_dead(id) => "died",
            None => "running",
        };
        outcome.to_owned()
    }

    fn path(&self, id: &str) -> Result<PathBuf> {
        let path = self.folder.join(id);
        if !id.is_empty() && !id.contains(['/', '.']) && path.is_dir() {
            return Ok(path);
        }
        let ids = self.ids()?;
        let error = Error::new(Kind::Usage, "runs.unknown", format!("there is no run `{id}`"));
        Err(match nearest(id, ids.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("use `{near}`, or list the runs with `haengine runs`")),
            None => error.hint("list the runs with `haengine runs`"),
        })
    }
}

impl RunFolder {
    /// The run's journal, for more lines.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn journal(&self) -> Result<Journal> {
        Journal::open(&self.path.join("journal.jsonl"))
    }

    /// The same with a witness, as [`Journal::open_seen`] has it.
    ///
    /// # Errors
    /// As [`RunFolder::journal`].
    pub fn journal_seen(&self, witness: impl FnMut(&Entry, bool) + Send + 'static) -> Result<Journal> {
        Journal::open_seen(&self.path.join("journal.jsonl"), witness)
    }

    /// The run's journal, read.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn state(&self) -> Result<State> {
        file::read(&self.path.join("journal.jsonl"))
    }

    /// The first line of its journal, where it can be read.
    pub fn head(&self) -> Option<Entry> {
        file::read_head(&self.path.join("journal.jsonl")).map(|line| line.entry)
    }

    /// True when this process is the one that runs it.
    pub fn is_ours(&self) -> bool {
        self.alive.is_some()
    }
}

fn alive_file(path: &Path) -> Result<File> {
    let file = path.join("alive");
    File::options().create(true).truncate(false).write(true).open(&file).map_err(|error| cannot("open", &file, error))
}

/// Takes the lock of a run that no process has. Who asks whether the run is dead has it for a moment.
fn lock_soon(alive: &File) -> std::result::Result<(), TryLockError> {
    for _ in 0..LOOKS {
        match alive.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK),
            taken => return taken,
        }
    }
    alive.try_lock()
}

/// The time, and letters that keep two runs of one instant apart; none that read like digits. Ids sort by time where the
/// clock was never set back.
fn new_id() -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstvwxyz";
    let (now, count, mut random) = (jiff::Timestamp::now(), LETTERS.len(), rand::rng());
    let part = now.subsec_nanosecond().unsigned_abs() as usize * count * count / 1_000_000_000;
    let tail = [part / count, part % count, random.random_range(0..count), random.random_range(0..count)];
    let tail: String = tail.iter().map(|index| char::from(LETTERS[index % count])).collect();
    format!("{}-{tail}", now.strftime("%Y%m%d-%H%M%S"))
}

/// When a run of this id began, to the second.
fn time_of(id: &str) -> Option<jiff::Timestamp> {
    let (time, _) = id.rsplit_once('-')?;
    let time = jiff::civil::DateTime::strptime("%Y%m%d-%H%M%S", time).ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|time| time.timestamp())
}

fn cannot(what: &str, path: &Path, error: std::io::Error) -> Error {
    Error::new(Kind::Local, "runs.folder", format!("cannot {what} {}", path.display()))
        .hint("check permissions and free space, or name another folder with --state-dir")
        .because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(store: &Store) -> String {
        let folder = store.create().unwrap();
        fs::write(folder.path.join("journal.jsonl"), "").unwrap();
        folder.id
    }

    /// A run of this id, which the clock would place anywhere.
    fn called(store: &Store, id: &str) -> String {
        fs::rename(store.folder.join(begun(store)), store.folder.join(id)).unwrap();
        id.to_owned()
    }

    #[test]
    fn the_order_of_runs_is_that_in_which_they_began_and_not_the_clock() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let noon = called(&store, "20260314-120000-kqzt");
        let set_back = called(&store, "20260314-110000-aaaa");
        assert_eq!(store.ids().unwrap(), [&*set_back, &noon]);
        assert_eq!(store.later_than(&noon).unwrap(), [&*set_back]);
        assert!(store.later_than(&set_back).unwrap().is_empty());
    }

    #[test]
    fn runs_without_a_number_come_first_and_one_that_cannot_be_read_last() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let ids = ["20270101-000000-zzzz", "20260101-000000-aaaa", "20250101-000000-aaaa", "20240101-000000-aaaa"];
        for id in ids {
            called(&store, id);
        }
        for old in &ids[..2] {
            fs::remove_file(store.folder.join(old).join(NUMBER)).unwrap();
        }
        assert_eq!(store.ids().unwrap(), [ids[3], ids[2], ids[0], ids[1]]);
        fs::write(store.folder.join(ids[2]).join(NUMBER), "?").unwrap();
        assert_eq!(store.ids().unwrap()[0], ids[2]);
        begun(&store);
        assert_eq!(store.ids().unwrap()[0], ids[2], "it may be later than what came since");
    }

    #[test]
    fn runs_that_begin_at_once_have_each_a_number_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..5).for_each(|_| _ = begun(&store)));
            }
        });
        let mut numbers: Vec<_> = store.ids().unwrap().iter().map(|id| store.number(id).unwrap()).collect();
        numbers.reverse();
        assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    }

    #[test]
    fn a_run_that_died_before_its_first_line_is_listed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let id = store.create().unwrap().id;
        fs::write(folder.path().join("runs").join(&id).join("journal.jsonl"), "").unwrap();
        let summary = store.summary(&id).unwrap();
        assert_eq!((summary.outcome.as_str(), summary.recipe.as_str(), summary.changes), ("died", "", 0));
        let age = jiff::Timestamp::now().duration_since(summary.started).as_secs();
        assert!((0..60).contains(&age), "{age}");
    }

    #[test]
    fn who_looks_whether_a_run_is_dead_is_not_taken_for_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let id = begun(&store);
        let enough = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !enough.load(std::sync::atomic::Ordering::Relaxed) {
                        _ = store.is_dead(&id);
                        std::thread::sleep(LOOK / 20);
                    }
                });
            }
            let entered: Vec<_> = (0..200).map(|_| store.enter(id.clone()).map(drop)).collect();
            enough.store(true, std::sync::atomic::Ordering::Relaxed);
            entered.into_iter().for_each(|entered| entered.unwrap());
        });
        let looks: Vec<_> = std::thread::scope(|scope| {
            let lookers: Vec<_> = (0..2).map(|_| scope.spawn(|| (0..200).all(|_| store.is_dead(&id)))).collect();
            lookers.into_iter().map(|looker| looker.join().unwrap()).collect()
        });
        assert_eq!(looks, [true, true], "two who look at once");
    }

    #[test]
    fn nobody_else_looks_into_a_run() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let run = Store::open(folder.path()).unwrap().create().unwrap();
        assert_eq!(fs::metadata(run.path).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
