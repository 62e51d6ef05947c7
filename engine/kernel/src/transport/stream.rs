//! A command that is still running.

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::Result;
use crate::transport::Exit;

/// A running command on a host. Dropping it before `exit` is ready ends its process group there.
pub struct Stream {
    /// Its standard input; shut it down to say that no more comes.
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    /// Its standard output. What is not read is kept, up to a bound ([`Command::unread`](super::Command::unread)): it does
    /// not slow the command down.
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    /// Its standard error, kept likewise.
    pub stderr: Box<dyn AsyncRead + Send + Unpin>,
    /// Ready when it has ended.
    pub exit: BoxFuture<'static, Result<Exit>>,
}
