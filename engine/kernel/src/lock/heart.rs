//! A lock that is held: a small process on the host, kept alive from here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;

use crate::error::{Error, Kind, Result};
use crate::transport::Stream;

/// The lock ends on its own this long after the last heartbeat; see `lock_host.sh`.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A host's lock, held by a small process there.
pub struct HostLock {
    heart: Mutex<Option<JoinHandle<()>>>,
    lost: Arc<AtomicBool>,
}

impl HostLock {
    /// Keeps the small process alive to which this stream leads.
    pub(super) fn keep(mut stream: Stream) -> HostLock {
        // It has nothing more to say; what nobody reads would be kept all the same.
        (stream.stdout, stream.stderr) = (Box::new(tokio::io::empty()), Box::new(tokio::io::empty()));
        let lost = Arc::new(AtomicBool::new(false));
        let seen = lost.clone();
        let heart = tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = &mut stream.exit => break,
                    () = tokio::time::sleep(HEARTBEAT) => {
                        if stream.stdin.write_all(b"beat\n").await.is_err() || stream.stdin.flush().await.is_err() {
                            break;
                        }
                    }
                }
            }
            seen.store(true, Ordering::Relaxed);
        });
        HostLock { heart: Mutex::new(Some(heart)), lost }
    }

    /// Whether the lock still stands.
    ///
    /// # Errors
    /// `lock.lost` when the small process has gone.
    pub(crate) fn check(&self) -> Result<()> {
        if self.lost.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Unreachable, "lock.lost", "the lock on the host was lost")
                .hint("check the connection to the host, then run again"));
        }
        Ok(())
    }

    /// Lets the lock go.
    pub(crate) async fn release(&self) {
        let heart = self.heart.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(heart) = heart {
            heart.abort();
            let _ = heart.await;
        }
    }
}
