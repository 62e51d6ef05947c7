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

/// What is kept in memory; the rest goes to a file without a name.
const MEMORY: usize = 16 * 1024 * 1024;
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
    overflow: Option<Overflow>,
    folder: PathBuf,
    end: Option<Result<(), String>>,
    reader: Option<Waker>,
    abandoned: bool,
}

/// Newer than all that is in memory, until it has been read to its end.
struct Overflow {
    file: File,
    written: u64,
    read: u64,
}

/// Both ends. What does not fit in memory goes into `folder`.
pub(super) fn spool(folder: &Path) -> (Intake, Outlet) {
    let store = Arc::new(Mutex::new(Store {
        memory: VecDeque::new(),
        in_memory: 0,
        overflow: None,
        folder: folder.to_owned(),
        end: None,
        reader: None,
        abandoned: false,
    }));
    (Intake(store.clone()), Outlet(store))
}

fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Intake {
    /// Adds what has arrived.
    pub(super) fn push(&self, data: Bytes) {
        let mut store = lock(&self.0);
        if store.abandoned || store.end.is_some() || data.is_empty() {
            return;
        }
        if let Err(error) = store.keep(data) {
            store.end = Some(Err(format!("cannot keep what the host sent: {error}")));
        }
        store.wake();
    }

    /// Says that no more comes: because it ended, or because it was cut.
    pub(super) fn end(&self, how: Result<(), String>) {
        let mut store = lock(&self.0);
        store.end.get_or_insert(how);
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
        store.overflow = None;
    }
}

impl Store {
    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn keep(&mut self, data: Bytes) -> io::Result<()> {
        if self.overflow.is_none() && self.in_memory < MEMORY {
            self.in_memory += data.len();
            self.memory.push_back(data);
            return Ok(());
        }
        let overflow = match self.overflow.take() {
            Some(overflow) => self.overflow.insert(overflow),
            None => {
                let file = tempfile::tempfile_in(&self.folder)?;
                self.overflow.insert(Overflow { file, written: 0, read: 0 })
            }
        };
        // Into the page cache: microseconds, no reason to leave this thread.
        overflow.file.write_all_at(&data, overflow.written)?;
        overflow.written += data.len() as u64;
        Ok(())
    }

    /// Brings the next piece of the file into memory; a file that is read to its end goes.
    fn refill(&mut self) -> io::Result<()> {
        let Some(overflow) = &mut self.overflow else { return Ok(()) };
        let length = (overflow.written - overflow.read).min(CHUNK as u64) as usize;
        let mut chunk = vec![0; length];
        overflow.file.read_exact_at(&mut chunk, overflow.read)?;
        overflow.read += length as u64;
        if overflow.read == overflow.written {
            self.overflow = None;
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
                Some(Ok(())) => Poll::Ready(Ok(())),
                Some(Err(why)) => Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, why.clone()))),
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
        let (intake, mut outlet) = spool(folder.path());
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
        let (intake, mut outlet) = spool(Path::new("/nowhere"));
        intake.push(Bytes::from_static(b"half"));
        drop(intake);
        let mut text = Vec::new();
        let error = outlet.read_to_end(&mut text).await.unwrap_err();
        assert_eq!((text.as_slice(), error.kind()), (&b"half"[..], io::ErrorKind::ConnectionReset));
    }
}
