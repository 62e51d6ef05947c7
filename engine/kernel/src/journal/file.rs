//! How lines reach the disk.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock, mpsc};

use tokio::sync::oneshot;

use crate::durable;
use crate::error::{Error, Kind, Result};
use crate::journal::{Entry, Line, State};
use crate::secret::Known;

/// The writer of one journal. Lines that arrive while one fsync is under way share the next.
#[derive(Clone)]
pub struct Journal {
    queue: mpsc::Sender<Request>,
    /// The secrets that no line has.
    known: Arc<OnceLock<Known>>,
}

/// See [`Journal::open_seen`].
type Witness = Box<dyn FnMut(&Entry, bool) + Send>;

struct Request {
    entries: Vec<Entry>,
    /// Told once the lines are on disk; nobody waits for ends of changes that can be observed again.
    durable: Option<oneshot::Sender<Result<()>>>,
}

impl Journal {
    /// Opens the journal at `path` for more lines, and makes it if it is not there.
    ///
    /// # Errors
    /// When the file cannot be opened or its torn last line cannot be cut off.
    pub fn open(path: &Path) -> Result<Journal> {
        Journal::open_seen(path, |_, _| ())
    }

    /// The same with a witness, who sees each entry before it is in the file, and once it is there and nobody knows it
    /// yet; then the witness is told `true`. A test ends the process at an exact entry with it.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_seen(path: &Path, witness: impl FnMut(&Entry, bool) + Send + 'static) -> Result<Journal> {
        cut_torn_line(path)?;
        let file = open_durable(path).map_err(|error| local("cannot open the journal", path, error))?;
        let (queue, requests) = mpsc::channel();
        let (path, mut witness): (_, Witness) = (path.to_owned(), Box::new(witness));
        let known = Arc::<OnceLock<Known>>::default();
        let hidden = known.clone();
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || write_all(file, &path, &requests, &mut witness, &hidden))
            .map_err(|error| {
                Error::new(Kind::Local, "journal.thread", "cannot start the journal's writer").because(error)
            })?;
        Ok(Journal { queue, known })
    }

    /// From now on no line has these secrets.
    pub fn hide(&self, known: &Known) {
        // Who made the journal's run knows its secrets; another one does not take its place.
        let _ = self.known.set(known.clone());
    }

    /// Writes entries and returns once they are on disk.
    ///
    /// # Errors
    /// `journal.write` when the disk is full or gone. Nothing may be touched then.
    pub async fn append(&self, entries: Vec<Entry>) -> Result<()> {
        let (durable, done) = oneshot::channel();
        let gone = || Error::new(Kind::Local, "journal.write", "the journal's writer has ended");
        self.queue.send(Request { entries, durable: Some(durable) }).map_err(|_| gone())?;
        done.await.map_err(|_| gone())?
    }

    /// Writes entries with the next group; a loss of them costs a second look, not a change.
    pub fn note(&self, entries: Vec<Entry>) {
        // A writer that has ended was reported to whoever appended.
        let _ = self.queue.send(Request { entries, durable: None });
    }
}

/// A new journal has its name on the disk too: what is written into it would be found by nobody else.
fn open_durable(path: &Path) -> std::io::Result<File> {
    let is_new = !path.exists();
    let file = File::options().create(true).append(true).open(path)?;
    if is_new && let Some(folder) = path.parent() {
        durable::sync(folder)?;
    }
    Ok(file)
}

fn write_all(
    mut file: File,
    path: &Path,
    requests: &mpsc::Receiver<Request>,
    witness: &mut Witness,
    known: &OnceLock<Known>,
) {
    // Part of a line that did not fit, and that could not be cut off either: more lines behind it would never be read.
    let mut torn = false;
    while let Ok(first) = requests.recv() {
        let mut group = vec![first];
        group.extend(requests.try_iter());
        show(witness, &group, false);
        let written = match torn {
            true => Err(std::io::ErrorKind::StorageFull.into()),
            false => write_group(&mut file, &group, known.get()),
        };
        torn |= written.is_err() && cut_torn_line(path).is_err();
        show(witness, &group, true);
        for request in group {
            if let Some(durable) = request.durable {
                let result = match &written {
                    Ok(()) => Ok(()),
                    Err(error) => Err(local(
                        "cannot write the journal",
                        path,
                        std::io::Error::new(error.kind(), error.to_string()),
                    )),
                };
                let _ = durable.send(result);
            }
        }
    }
}

fn show(witness: &mut Witness, group: &[Request], written: bool) {
    group.iter().flat_map(|request| &request.entries).for_each(|entry| witness(entry, written));
}

fn write_group(file: &mut File, group: &[Request], known: Option<&Known>) -> std::io::Result<()> {
    let mut lines = Vec::new();
    for entry in group.iter().flat_map(|request| &request.entries) {
        let mut line = Line { time: jiff::Timestamp::now(), entry: entry.clone() };
        known.into_iter().for_each(|known| line.entry.hide(known));
        serde_json::to_writer(&mut lines, &line)?;
        lines.push(b'\n');
    }
    file.write_all(&lines)?;
    if group.iter().any(|request| request.durable.is_some()) { file.sync_data() } else { Ok(()) }
}

/// Reads a journal. A last line without its end is what a crash leaves; it is passed over.
///
/// # Errors
/// When the file cannot be read, a line is not JSON, or lines are not in legal order; the message names the line.
pub fn read(path: &Path) -> Result<State> {
    let file = File::open(path).map_err(|error| local("cannot read the journal", path, error))?;
    read_from(path, BufReader::new(file))
}

/// The same from anything that can be read; `path` is for messages.
///
/// # Errors
/// As [`read`].
pub fn read_from(path: &Path, mut reader: impl BufRead) -> Result<State> {
    let mut state = State::default();
    let mut text = Vec::new();
    for number in 1.. {
        text.clear();
        let read =
            reader.read_until(b'\n', &mut text).map_err(|error| local("cannot read the journal", path, error))?;
        if read == 0 || text.last() != Some(&b'\n') {
            break;
        }
        let place = || format!("{}:{number}", path.display());
        let line: Line = serde_json::from_slice(&text).map_err(|error| {
            Error::new(Kind::Local, "journal.line", format!("{}: not a line of a journal", place()))
                .hint("look at the file: a newer haengine may have written it, or somebody has edited it; nothing was touched")
                .because(error)
        })?;
        state.apply(line).map_err(|error| error.because(place()))?;
    }
    Ok(state)
}

/// The first line of a journal; none where it is torn or something else.
pub fn read_head(path: &Path) -> Option<Line> {
    let mut text = Vec::new();
    BufReader::new(File::open(path).ok()?).read_until(b'\n', &mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// New lines after a torn one would make it unreadable in the middle.
fn cut_torn_line(path: &Path) -> Result<()> {
    // A device has no end to look for: /dev/full would be read for ever.
    if !path.is_file() {
        return Ok(());
    }
    let Ok(bytes) = std::fs::read(path) else { return Ok(()) };
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if whole == bytes.len() {
        return Ok(());
    }
    let cut = || File::options().write(true).open(path)?.set_len(whole as u64);
    cut().map_err(|error| local("cannot mend the journal", path, error))
}

fn local(what: &str, path: &Path, error: std::io::Error) -> Error {
    let full = matches!(
        error.kind(),
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::WriteZero
    );
    let folder = path.parent().unwrap_or(path).display();
    let hint = if full {
        format!(
            "make room where {folder} lies, then go on with `haengine resume`; what is not written down is not done"
        )
    } else {
        format!("check free space and permissions of {folder}")
    };
    Error::new(Kind::Local, "journal.write", format!("{what} {}", path.display())).hint(hint).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Phase;

    fn head() -> Entry {
        Entry::Run {
            version: 1,
            run: "r".into(),
            recipe: "a.rhai".into(),
            parameters: serde_json::json!({}),
            inventory: vec![],
            operator: "o".into(),
        }
    }

    #[tokio::test]
    async fn a_torn_last_line_is_accepted_and_cut_before_more_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        Journal::open(&path).unwrap().append(vec![head()]).await.unwrap();
        File::options().append(true).open(&path).unwrap().write_all(b"{\"time\":\"20").unwrap();
        assert!(read(&path).unwrap().head.is_some());
        let journal = Journal::open(&path).unwrap();
        journal.append(vec![Entry::Finished { outcome: "succeeded".into(), error: None }]).await.unwrap();
        assert_eq!(read(&path).unwrap().outcome(), Some("succeeded"));
    }

    #[tokio::test]
    async fn a_full_disk_is_an_error_before_anything_is_touched() {
        let error = Journal::open(Path::new("/dev/full")).unwrap().append(vec![head()]).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Local, "journal.write"));
        assert!(error.message().contains("/dev/full"), "{error}");
        assert!(error.advice().unwrap().starts_with("make room where /dev lies"), "{:?}", error.advice());
    }

    /// The version is that of the folder's journals before runs could be resumed.
    #[test]
    fn a_journal_of_the_first_version_is_read() {
        // Tests are run in their package.
        let path = Path::new("tests/journals/v1.jsonl");
        let state = read(path).unwrap();
        let phases: Vec<_> = state.changes.values().map(|change| change.phase.clone()).collect();
        assert!(
            matches!(phases[..], [Phase::Succeeded, Phase::Succeeded, Phase::Failed(_), Phase::Started]),
            "{phases:?}"
        );
        assert_eq!((state.recipe(), state.outcome(), state.attempts.len()), ("site.rhai", None, 1));
        assert_eq!(state.changes[&2].result["stdout"], "ready");
        assert_eq!(state.changes[&1].key.step, ["write its configuration"]);
    }

    #[tokio::test]
    async fn it_can_be_read_as_json_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        Journal::open(&path).unwrap().append(vec![head()]).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!((&line["entry"], &line["run"], &line["version"]), (&"run".into(), &"r".into(), &1.into()));
        assert!(line["time"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn a_broken_line_in_the_middle_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        std::fs::write(&path, "{}\n").unwrap();
        let error = read(&path).unwrap_err();
        assert!(error.message().contains("journal.jsonl:1"), "{error}");
    }
}
