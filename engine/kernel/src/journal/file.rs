//! How lines reach the disk.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use tokio::sync::oneshot;

use crate::error::{Error, Kind, Result};
use crate::journal::{Entry, Line, State};

/// The writer of one journal. Lines that arrive while one fsync is under way share the next.
#[derive(Clone)]
pub struct Journal {
    queue: mpsc::Sender<Request>,
}

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
        cut_torn_line(path)?;
        let file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|error| local("cannot open the journal", path, error))?;
        let (queue, requests) = mpsc::channel();
        let path = path.to_owned();
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || write_all(file, &path, &requests))
            .map_err(|error| {
                Error::new(Kind::Local, "journal.thread", "cannot start the journal's writer").because(error)
            })?;
        Ok(Journal { queue })
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

fn write_all(mut file: File, path: &Path, requests: &mpsc::Receiver<Request>) {
    while let Ok(first) = requests.recv() {
        let mut group = vec![first];
        group.extend(requests.try_iter());
        let written = write_group(&mut file, &group);
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

fn write_group(file: &mut File, group: &[Request]) -> std::io::Result<()> {
    let mut lines = Vec::new();
    for entry in group.iter().flat_map(|request| &request.entries) {
        let line = Line { time: jiff::Timestamp::now(), entry: entry.clone() };
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
    let mut reader = BufReader::new(file);
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
            Error::new(Kind::Local, "journal.line", format!("{}: not a line of a journal", place())).because(error)
        })?;
        state.apply(line).map_err(|error| error.because(place()))?;
    }
    Ok(state)
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
    let path = PathBuf::from(path);
    Error::new(Kind::Local, "journal.write", format!("{what} {}", path.display()))
        .hint("check free space and permissions of the state folder")
        .because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        journal.append(vec![Entry::Finished { outcome: "succeeded".into() }]).await.unwrap();
        assert_eq!(read(&path).unwrap().outcome.as_deref(), Some("succeeded"));
    }

    #[tokio::test]
    async fn a_full_disk_is_an_error_before_anything_is_touched() {
        let error = Journal::open(Path::new("/dev/full")).unwrap().append(vec![head()]).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Local, "journal.write"));
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
