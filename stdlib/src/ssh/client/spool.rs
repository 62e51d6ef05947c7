//! What a host has sent and nobody has read yet.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::bytes::{Buf, Bytes};

/// What is kept in memory; the rest goes to files without a name.
const MEMORY: usize = 16 * 1024 * 1024;
/// What goes to one file. It goes when it has been read: a reader that never quite keeps up shall not fill the disk.
const FILE: u64 = 256 * 1024 * 1024;
const CHUNK: usize = 256 * 1024;

/// Takes what arrives. It never waits, and that is the point: russh opens a channel's window again as soon as data
/// *arrives*, and hands it on over a bounded queue. Where a reader is slower than the host, that queue would fill and
/// stop the whole connection, with the window updates of the very channel that the reader waits for (a tree copied
/// within one host, or between two hosts behind one bastion, would stand still for ever).
pub(super) struct Intake(Arc<Mutex<Store>>);

/// Reads in the order of arrival; the end of the stream, or why it was cut, comes last.
pub(super) struct Outlet(Arc<Mutex<Store>>);

struct Store {
    memory: VecDeque<Bytes>,
    in_memory: usize,
    overflow: VecDeque<Overflow>,
    /// What may wait here in all.
    most: u64,
    folder: PathBuf,
    end: Option<End>,
    reader: Option<Waker>,
    abandoned: bool,
}

/// Why no more comes.
enum End {
    Whole,
    Cut(String),
    Full,
}

/// Newer than all that is in memory and in the files before it, until it has been read to its end.
struct Overflow {
    file: File,
    written: u64,
    read: u64,
}

/// Both ends. What does not fit in memory goes into `folder`, up to `most` bytes that nobody has read.
pub(super) fn spool(folder: &Path, most: u64) -> (Intake, Outlet) {
    let store = Arc::new(Mutex::new(Store {
        memory: VecDeque::new(),
        in_memory: 0,
        overflow: VecDeque::new(),
        most,
        folder: folder.to_owned(),
        end: None,
        reader: None,
        abandoned: false,
    }));
    (Intake(store.clone()), Outlet(store))
}

const FULL: &str = "the host sent more than may wait here until it is read";

fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Intake {
    /// Adds what has arrived. False once more has come than may wait: whoever sends is to be ended.
    pub(super) fn push(&self, data: Bytes) -> bool {
        let mut store = lock(&self.0);
        if store.abandoned || data.is_empty() {
            return true;
        }
        if store.end.is_some() {
            return !matches!(store.end, Some(End::Full));
        }
        let fits = store.waiting() + data.len() as u64 <= store.most;
        if !fits {
            store.end = Some(End::Full);
        } else if let Err(error) = store.keep(data) {
            store.end = Some(End::Cut(format!("cannot keep what the host sent: {error}")));
        }
        store.wake();
        fits
    }

    /// Says that no more comes: because it ended, or because it was cut.
    pub(super) fn end(&self, how: Result<(), String>) {
        let mut store = lock(&self.0);
        store.end.get_or_insert(how.map_or_else(End::Cut, |()| End::Whole));
        store.wake();
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.end(Err("the connection was lost".to_owned()));
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        let mut store = lock(&self.0);
        store.abandoned = true;
        store.memory.clear();
        store.overflow.clear();
    }
}

impl Store {
    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    /// What nobody has read yet.
    fn waiting(&self) -> u64 {
        self.in_memory as u64 + self.overflow.iter().map(|file| file.written - file.read).sum::<u64>()
    }

    fn keep(&mut self, data: Bytes) -> io::Result<()> {
        if self.overflow.is_empty() && self.in_memory < MEMORY {
            self.in_memory += data.len();
            self.memory.push_back(data);
            return Ok(());
        }
        if self.overflow.back().is_none_or(|last| last.written >= FILE) {
            let file = tempfile::tempfile_in(&self.folder)?;
            self.overflow.push_back(Overflow { file, written: 0, read: 0 });
        }
        let Some(overflow) = self.overflow.back_mut() else { return Ok(()) };
        // Into the page cache: microseconds, no reason to leave this thread.
        overflow.file.write_all_at(&data, overflow.written)?;
        overflow.written += data.len() as u64;
        Ok(())
    }

    /// Brings the next piece of the files into memory; a file that is read to its end goes.
    fn refill(&mut self) -> io::Result<()> {
        let Some(overflow) = self.overflow.front_mut() else { return Ok(()) };
        let length = (overflow.written - overflow.read).min(CHUNK as u64) as usize;
        let mut chunk = vec![0; length];
        overflow.file.read_exact_at(&mut chunk, overflow.read)?;
        overflow.read += length as u64;
        if overflow.read == overflow.written {
            self.overflow.pop_front();
        }
        self.in_memory += length;
        self.memory.push_back(chunk.into());
        Ok(())
    }
}

impl AsyncRead for Outlet {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut store = lock(&self.0);
        if store.memory.is_empty() {
            store.refill()?;
        }
        if store.memory.is_empty() {
            return match &store.end {
                Some(End::Whole) => Poll::Ready(Ok(())),
                Some(End::Cut(why)) => Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, why.clone()))),
                Some(End::Full) => Poll::Ready(Err(io::Error::new(io::ErrorKind::FileTooLarge, FULL))),
                None => {
                    store.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            };
        }
        while buf.remaining() > 0 {
            let Some(front) = store.memory.front_mut() else { break };
            let length = front.len().min(buf.remaining());
            buf.put_slice(&front[..length]);
            front.advance(length);
            if front.is_empty() {
                store.memory.pop_front();
            }
            store.in_memory -= length;
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn order_is_kept_across_the_file_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let (intake, mut outlet) = spool(folder.path(), u64::MAX);
        let mut expected = Vec::new();
        let mut push = |number: usize| {
            let data = vec![number as u8; 100_000 + number];
            expected.extend_from_slice(&data);
            intake.push(data.into());
        };
        (0..200).for_each(&mut push);
        assert!(lock(&outlet.0).in_memory < MEMORY + 200_000);
        let mut start = vec![0; 18_000_000];
        outlet.read_exact(&mut start).await.unwrap();
        (200..400).for_each(&mut push);
        intake.end(Ok(()));
        let mut rest = Vec::new();
        outlet.read_to_end(&mut rest).await.unwrap();
        start.extend_from_slice(&rest);
        assert!(start == expected);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_cut_is_no_end() {
        let (intake, mut outlet) = spool(Path::new("/nowhere"), 64);
        intake.push(Bytes::from_static(b"half"));
        drop(intake);
        let mut text = Vec::new();
        let error = outlet.read_to_end(&mut text).await.unwrap_err();
        assert_eq!((text.as_slice(), error.kind()), (&b"half"[..], io::ErrorKind::ConnectionReset));
    }

    #[tokio::test]
    async fn what_nobody_reads_has_a_bound_and_what_is_read_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let (intake, mut outlet) = spool(folder.path(), 64 << 20);
        let mib = || Bytes::from(vec![7; 1 << 20]);
        assert!((0..64).all(|_| intake.push(mib())));
        let mut read = vec![0; 1 << 20];
        outlet.read_exact(&mut read).await.unwrap();
        assert!(intake.push(mib()));
        assert!(!intake.push(mib()) && !intake.push(mib()));
        assert_eq!(lock(&outlet.0).waiting(), 64 << 20, "nothing more is kept");
        let mut rest = Vec::new();
        let error = outlet.read_to_end(&mut rest).await.unwrap_err();
        assert_eq!((rest.len(), error.kind()), (64 << 20, io::ErrorKind::FileTooLarge));
    }

    /// The disk does not fill because a reader is always a little behind.
    #[tokio::test]
    async fn what_was_read_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (intake, mut outlet) = spool(folder.path(), 64 << 20);
        let mut read = vec![0; 1 << 20];
        for number in 0..600 {
            assert!(intake.push(vec![number as u8; 1 << 20].into()));
            if number >= 20 {
                outlet.read_exact(&mut read).await.unwrap();
                assert!(read.iter().all(|byte| *byte == (number - 20) as u8));
            }
        }
        assert!(lock(&outlet.0).overflow.len() <= 2);
    }
}
