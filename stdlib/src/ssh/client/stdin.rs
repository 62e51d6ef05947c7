//! The standard input of a process, or the sending side of a forwarded connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use russh::ChannelWriteHalf;
use russh::client::Msg;
use tokio::io::AsyncWrite;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Writes to a channel until the channel is gone. russh's own writer would wait for ever for the window of a channel
/// that the host has closed.
///
/// Dropping it says nothing to the host: a command whose input was cut must be ended, it must not take the half for
/// the whole.
pub(super) struct Stdin {
    writer: Pin<Box<dyn AsyncWrite + Send>>,
    gone: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Stdin {
    pub(super) fn new(write: &ChannelWriteHalf<Msg>, gone: CancellationToken) -> Self {
        Stdin { writer: Box::pin(write.make_writer()), gone: Box::pin(gone.cancelled_owned()) }
    }

    fn unless_gone<T>(
        &mut self,
        cx: &mut Context<'_>,
        act: impl FnOnce(Pin<&mut (dyn AsyncWrite + Send)>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if self.gone.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, "the far side has ended")));
        }
        act(self.writer.as_mut(), cx)
    }
}

impl AsyncWrite for Stdin {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.unless_gone(cx, |writer, cx| writer.poll_write(cx, buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.unless_gone(cx, |writer, cx| writer.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.gone.as_mut().poll(cx).is_ready() {
            // Who has ended needs no telling.
            return Poll::Ready(Ok(()));
        }
        self.writer.as_mut().poll_shutdown(cx)
    }
}
