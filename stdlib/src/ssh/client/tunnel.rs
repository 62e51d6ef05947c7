//! A TCP connection that starts at a host: for `open_tcp`, and for the way to a host behind a bastion.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use russh::ChannelMsg;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::line::Line;
use super::link::Link;
use super::spool::{Intake, Outlet, spool};
use super::stdin::Stdin;

/// Both directions. The channel closes when this goes.
pub(super) struct Tunnel {
    outlet: Outlet,
    stdin: Stdin,
    _closes: DropGuard,
}

/// What may wait here until it is read: what is under way to a host behind a bastion, in all of its channels.
const MOST: u64 = 512 * 1024 * 1024;

/// Turns a channel into a connection.
pub(super) fn tunnel(link: &Arc<Link>, line: Line, folder: &Path) -> Tunnel {
    let (intake, outlet) = spool(folder, MOST);
    let (dropped, gone) = (CancellationToken::new(), CancellationToken::new());
    let stdin = Stdin::new(&line.write, gone.clone());
    link.runtime.spawn(carry(line, intake, gone, dropped.clone()));
    Tunnel { outlet, stdin, _closes: dropped.drop_guard() }
}

async fn carry(mut line: Line, intake: Intake, gone: CancellationToken, dropped: CancellationToken) {
    let _gone = gone.drop_guard();
    loop {
        let message = tokio::select! {
            message = line.read.wait() => message,
            () = dropped.cancelled() => return,
        };
        match message {
            Some(ChannelMsg::Data { data }) => {
                if !intake.push(data) {
                    return;
                }
            }
            Some(ChannelMsg::Eof) => intake.end(Ok(())),
            Some(ChannelMsg::Close) => return intake.end(Ok(())),
            Some(_) => {}
            None => return intake.end(Err("the connection was lost".to_owned())),
        }
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.outlet).poll_read(cx, buf)
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stdin).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_shutdown(cx)
    }
}
