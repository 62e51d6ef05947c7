//! A tar stream from one host to another, through this machine, in constant memory.

use std::time::{Duration, Instant};

use futures::future::{BoxFuture, try_join, try_join3, try_join4};
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::transport::{Command, Cut, Exit, OUTPUT, Stream, read_all, too_much};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What travels, between what.
pub struct Transfer<'a> {
    /// The host that is read, and the tree there.
    pub source: (&'a Host, &'a str),
    /// The host that is written, and the tree there.
    pub target: (&'a Host, &'a str),
    /// Relative paths, a directory before what is in it.
    pub paths: Vec<&'a str>,
    /// Bytes of content.
    pub total: u64,
}

impl Transfer<'_> {
    /// Pipes the paths into `receive`, a command on the target that reads a tar stream, and returns what it printed.
    ///
    /// # Errors
    /// On the host that failed, with what its `tar` said; an interruption.
    pub async fn pipe_into(&self, receive: &Command) -> Result<Vec<u8>> {
        let ((source, from), (target, _)) = (self.source, self.target);
        let send = Command::script(include_str!("send.sh")).arg(from).unread(self.most());
        let (reader, writer) = try_join(
            async { source.stream(&send).await.map_err(|error| error.on(source.name())) },
            target.stream(receive),
        )
        .await?;
        target.interruptible(self.pipe(reader, writer)).await
    }

    async fn pipe(&self, reader: Stream, writer: Stream) -> Result<Vec<u8>> {
        let Stream { stdin, stdout, stderr, exit } = writer;
        let received = async { Ok(received(stdout, stderr, exit).await) };
        // A target that has taken a part would wait for the rest for ever: to let it go ends it.
        let sent = async {
            match self.sent(reader, stdin).await {
                Err(End::Broken(error)) => Err(error.on(self.source.0.name())),
                Err(End::Refused(error)) => Ok(Err(error)),
                Ok(sent) => Ok(Ok(sent)),
            }
        };
        let (sent, received) = try_join(sent, received).await?;
        let (printed, said, exit) = received.map_err(|error| error.on(self.target.0.name()))?;
        let sent = match sent {
            // The target stopped reading: it knows why.
            Err(error) if exit == Exit::Status(0) => return Err(error.on(self.target.0.name())),
            Err(_) => return Err(self.not_written(&exit, &said)),
            Ok(sent) => sent,
        };
        self.check_sent(sent)?;
        if exit == Exit::Status(0) { Ok(printed) } else { Err(self.not_written(&exit, &said)) }
    }

    /// Names in, archive out. Whatever ends early ends the rest, and with it the source's `tar`.
    async fn sent(&self, reader: Stream, into: Box<dyn AsyncWrite + Send + Unpin>) -> Result<(String, Exit), End> {
        let Stream { mut stdin, stdout, stderr, exit } = reader;
        let names: String = self.paths.iter().map(|path| format!("./{path}\0")).collect();
        let feed = async {
            // A `tar` that ends before it has read all names says why itself.
            let _ = stdin.write_all(names.as_bytes()).await;
            let _ = stdin.shutdown().await;
            drop(stdin);
            Ok(())
        };
        let said = async { Ok(said(stderr).await) };
        let exit = async { exit.await.map_err(End::Broken) };
        // Why the source gives no more, its end tells better than its silence.
        let pumped = async {
            match self.pump(stdout, into).await {
                Err(End::Broken(error)) => Ok(Err(error)),
                other => other.map(Ok),
            }
        };
        let ((), said, pumped, exit) = try_join4(feed, said, pumped, exit).await?;
        pumped.map_err(End::Broken)?;
        Ok((said, exit))
    }

    async fn pump(
        &self,
        mut from: Box<dyn AsyncRead + Send + Unpin>,
        mut into: Box<dyn AsyncWrite + Send + Unpin>,
    ) -> Result<(), End> {
        let mut buffer = vec![0; 256 * 1024];
        let (mut done, mut told) = (0, Instant::now());
        loop {
            let count = from.read(&mut buffer).await.map_err(|error| End::Broken(cut("reading", error)))?;
            if count == 0 {
                return into.shutdown().await.map_err(|error| End::Refused(cut("writing", error)));
            }
            done += count as u64;
            if done > self.most() {
                return Err(End::Broken(self.more_than_announced()));
            }
            into.write_all(&buffer[..count]).await.map_err(|error| End::Refused(cut("writing", error)))?;
            if told.elapsed() >= Duration::from_millis(200) {
                told = Instant::now();
                // The archive's own headers are not the user's bytes.
                self.target.0.progress(self.target.1, done.min(self.total), Some(self.total));
            }
        }
    }

    /// The archive's own part: headers, long names, attributes, and a file that grows while it is read.
    fn most(&self) -> u64 {
        const SLACK: u64 = 64 * 1024 * 1024;
        const HEADERS: u64 = 16 * 1024;
        SLACK + self.total + HEADERS * self.paths.len() as u64
    }

    fn more_than_announced(&self) -> Error {
        let message = format!("`{}` sends more than the {} bytes that it has", self.source.1, self.total);
        Error::new(Kind::Failed, "host.too_much", message)
            .hint("leave out with `exclude` what grows while it is copied, or look at `tar` on the host")
    }

    /// Status 1 is `tar`'s word for a file that changed while it was read: what arrived will tell whether it matters.
    fn check_sent(&self, (said, exit): (String, Exit)) -> Result<()> {
        let (source, from) = self.source;
        match exit {
            Exit::Status(0) => {}
            Exit::Status(1) => source.warn(format!("while `{from}` was read: {}", said.trim())),
            exit => {
                return Err(failed("file.read_tree", format!("`{from}` could not be read: tar {exit}"), &said)
                    .on(source.name()));
            }
        }
        Ok(())
    }

    fn not_written(&self, exit: &Exit, said: &str) -> Error {
        let (target, to) = self.target;
        let message = format!("the copy for `{to}` could not be written: it {exit}");
        failed("file.write_tree", message, said).on(target.name())
    }
}

/// Why sending ended early.
enum End {
    /// The target takes no more.
    Refused(Error),
    /// The source gives no more.
    Broken(Error),
}

async fn received(
    stdout: Box<dyn AsyncRead + Send + Unpin>,
    stderr: Box<dyn AsyncRead + Send + Unpin>,
    exit: BoxFuture<'static, Result<Exit>>,
) -> Result<(Vec<u8>, String, Exit)> {
    // How it ended tells more than that its output has.
    let printed = async {
        match read_all(stdout, OUTPUT).await {
            Err(Cut::Broken(error)) => Ok(Err(cut("reading", error))),
            Err(Cut::TooMuch(most)) => Err(too_much("the list of what was copied", most)),
            Ok(printed) => Ok(Ok(printed)),
        }
    };
    let (printed, said, exit) = try_join3(printed, async { Ok(said(stderr).await) }, exit).await?;
    Ok((printed?, said, exit))
}

/// The beginning of what a command says; the rest is read and dropped, so that it never waits for us.
async fn said(mut stderr: Box<dyn AsyncRead + Send + Unpin>) -> String {
    const ENOUGH: usize = 16 * 1024;
    let (mut text, mut buffer) = (Vec::new(), vec![0; 4096]);
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        let room = ENOUGH.saturating_sub(text.len());
        text.extend_from_slice(&buffer[..count.min(room)]);
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn cut(doing: &str, error: std::io::Error) -> Error {
    Error::new(Kind::Failed, "file.stream", format!("the stream broke while {doing}")).because(error)
}

fn failed(code: &'static str, message: String, said: &str) -> Error {
    let error = Error::new(Kind::Failed, code, message);
    let error = if said.contains("Permission denied") {
        error.hint("set `become: true` for the host, or leave the place out with `exclude`")
    } else if said.contains("No space left") {
        error.hint("free space on the host, then run again")
    } else {
        error
    };
    if said.trim().is_empty() { error } else { error.because(said.trim().to_owned()) }
}
