//! A command while it runs: its lines are told as they come, its output is kept within bounds.

use std::time::{Duration, Instant};

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::redact::Redactor;
use haengine_kernel::secret::{REDACTED, Secret};
use haengine_kernel::transport::{Command, Output, Stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What a command may print in all on one of its outputs.
const LIMIT: usize = 16 * 1024 * 1024;
/// A longer line is told in pieces.
const LINE: usize = 8 * 1024;
/// How many lines of one output are told within a second. Nobody reads more, and a reporter has to keep up.
const LINES: u32 = 2000;
/// How long to wait for more output of a command that has ended: something that it left running in the background
/// may hold its output open for ever.
const DRAIN: Duration = Duration::from_secs(1);

/// Whether and how the lines of a command are told.
pub(super) struct Voice {
    /// Whether lines are told as they come.
    pub(super) loud: bool,
    /// What was given to the command and must not be seen when it says it again.
    pub(super) secrets: Vec<Secret>,
}

impl Voice {
    /// True when the text repeats a line of a secret.
    pub(super) fn betrays(&self, text: &str) -> bool {
        self.secrets.iter().any(|secret| secret.is_repeated_in(text))
    }

    /// The line as it may be seen.
    pub(super) fn hide(&self, line: &str) -> String {
        if self.betrays(line) { REDACTED.to_owned() } else { line.to_owned() }
    }
}

/// Runs a command to its end. Dropped or interrupted before, it is ended on the host.
///
/// # Errors
/// `ssh.output` when it prints more than is kept, and those of the host.
pub(super) async fn collect(
    host: &Host,
    title: &str,
    command: &Command,
    input: Option<Secret>,
    voice: &Voice,
) -> Result<Output> {
    let Stream { stdin, stdout, stderr, exit } = host.stream(command).await?;
    let mut out = Ear::new(host, voice, "stdout", stdout);
    let mut err = Ear::new(host, voice, "stderr", stderr);
    let work = async {
        let mut ended = None;
        let (mut exit, mut fed) = (exit, false);
        let feeding = feed(stdin, input);
        tokio::pin!(feeding);
        while ended.is_none() || out.open || err.open {
            tokio::select! {
                // What was printed comes before why it ended: else who prints without end is told in two ways.
                biased;
                read = out.next(), if out.open => out.take(read, title)?,
                read = err.next(), if err.open => err.take(read, title)?,
                () = &mut feeding, if !fed => fed = true,
                end = &mut exit, if ended.is_none() => ended = Some(end?),
                () = tokio::time::sleep(DRAIN), if ended.is_some() => break,
            }
        }
        Ok(ended)
    };
    let Some(exit) = host.interruptible(work).await? else {
        return Err(Error::new(Kind::Failed, "host.exit", format!("how `{title}` ended is not known")));
    };
    Ok(Output { exit, stdout: out.end(), stderr: err.end() })
}

/// A command that does not read its input is no failure.
async fn feed(mut stdin: Box<dyn AsyncWrite + Send + Unpin>, input: Option<Secret>) {
    if let Some(text) = input {
        let _ = stdin.write_all(text.expose().as_bytes()).await;
    }
    let _ = stdin.shutdown().await;
}

/// One output of a command.
struct Ear<'a> {
    host: &'a Host,
    voice: &'a Voice,
    name: &'static str,
    reader: Box<dyn AsyncRead + Send + Unpin>,
    buffer: Vec<u8>,
    kept: Vec<u8>,
    /// Up to where lines have been told.
    told: usize,
    redactor: Redactor,
    /// The second that runs, how many lines were told in it, and how many were left out.
    second: Instant,
    lines: u32,
    left_out: u32,
    open: bool,
}

impl<'a> Ear<'a> {
    fn new(host: &'a Host, voice: &'a Voice, name: &'static str, reader: Box<dyn AsyncRead + Send + Unpin>) -> Ear<'a> {
        Ear {
            host,
            voice,
            name,
            reader,
            buffer: vec![0; 32 * 1024],
            kept: Vec::new(),
            told: 0,
            redactor: Redactor::default(),
            second: Instant::now(),
            lines: 0,
            left_out: 0,
            open: true,
        }
    }

    async fn next(&mut self) -> std::io::Result<usize> {
        self.reader.read(&mut self.buffer).await
    }

    fn take(&mut self, read: std::io::Result<usize>, title: &str) -> Result<()> {
        let count = read.map_err(|error| {
            let message = format!("the connection broke while `{title}` ran");
            Error::new(Kind::Unreachable, "ssh.lost", message).because(error)
        })?;
        self.open = count > 0;
        if self.kept.len() + count > LIMIT {
            let message = format!("`{title}` printed more than {} MiB and was ended", LIMIT >> 20);
            return Err(Error::new(Kind::Failed, "ssh.output", message)
                .hint("write its output to a file on the host, and fetch that with `ssh::download`"));
        }
        self.kept.extend_from_slice(&self.buffer[..count]);
        if self.voice.loud {
            self.tell();
        }
        Ok(())
    }

    fn tell(&mut self) {
        while let Some(line) = self.whole_line() {
            self.say(&line);
        }
    }

    /// The next line that has come to its end, or grew too long.
    fn whole_line(&mut self) -> Option<String> {
        let rest = &self.kept[self.told..];
        let end = match rest.iter().take(LINE).position(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if rest.len() >= LINE => LINE,
            None => return None,
        };
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        self.told += end;
        Some(line)
    }

    /// Of a line that was written over, as progress is, the last state counts.
    fn say(&mut self, line: &str) {
        if self.second.elapsed() > Duration::from_secs(1) {
            self.own_up();
            (self.second, self.lines) = (Instant::now(), 0);
        }
        self.lines += 1;
        if self.lines > LINES {
            self.left_out += 1;
            // Where a private key begins and ends must be known all the same.
            let _ = self.redactor.line(line);
            return;
        }
        let line = line.trim_end_matches(['\r', '\n']);
        let line = line.rsplit('\r').next().unwrap_or_default();
        let line = self.voice.hide(line);
        if let Some(line) = self.redactor.line(&line) {
            self.host.output(self.name, line);
        }
    }

    fn own_up(&mut self) {
        if self.left_out > 0 {
            self.host.output(self.name, format!("‹{} lines are not shown›", self.left_out));
            self.left_out = 0;
        }
    }

    fn end(mut self) -> Vec<u8> {
        if self.voice.loud && self.told < self.kept.len() {
            let last = String::from_utf8_lossy(&self.kept[self.told..]).into_owned();
            self.say(&last);
        }
        self.own_up();
        if let Some(rest) = self.redactor.end() {
            self.host.output(self.name, rest);
        }
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_said_again_is_hidden() {
        let voice = Voice { loud: true, secrets: vec![Secret::new("hunter2\nab\n".to_owned())] };
        assert!(voice.betrays("the password is hunter2."));
        assert!(!voice.betrays("about nothing"));
        assert_eq!(voice.hide("x hunter2"), REDACTED);
    }
}
