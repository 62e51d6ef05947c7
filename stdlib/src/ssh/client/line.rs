//! One channel of a connection. It is closed when it goes, however that happens.

use std::sync::Arc;

use russh::client::Msg;
use russh::{Channel, ChannelReadHalf, ChannelWriteHalf};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

/// A channel, with its place among the few that sshd allows.
pub(super) struct Line {
    /// What comes from the host.
    pub(super) read: ChannelReadHalf,
    /// What goes to the host.
    pub(super) write: Arc<ChannelWriteHalf<Msg>>,
    runtime: Handle,
    place: Option<OwnedSemaphorePermit>,
}

impl Line {
    pub(super) fn new(channel: Channel<Msg>, runtime: Handle) -> Self {
        let (read, write) = channel.split();
        Line { read, write: Arc::new(write), runtime, place: None }
    }

    /// Takes this place until it is closed.
    pub(super) fn occupy(&mut self, place: Option<OwnedSemaphorePermit>) {
        self.place = place;
    }
}

impl Drop for Line {
    /// russh closes nothing by itself, and sshd counts what is open.
    fn drop(&mut self) {
        let write = self.write.clone();
        self.runtime.spawn(async move {
            let _already_gone = write.close().await;
        });
    }
}

/// Thirty-two hexadecimal digits that nobody can guess.
pub(super) fn nonce() -> String {
    format!("{:032x}", rand::random::<u128>())
}
