//! What a command left behind.

use std::fmt;

use crate::error::{Error, Kind, Result};
use crate::redact::redact;
use crate::transport::{Command, lacking};

/// How a command ended, as the host reported it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// With this status; 255 is the command's own, never a sign of a lost host.
    Status(i32),
    /// By this signal, without `SIG`.
    Signal(String),
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Status(status) => write!(f, "ended with status {status}"),
            Exit::Signal(signal) => write!(f, "was ended by signal {signal}"),
        }
    }
}

/// All output of a command that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub exit: Exit,
    /// Its standard output, byte for byte.
    pub stdout: Vec<u8>,
    /// Its standard error, byte for byte.
    pub stderr: Vec<u8>,
}

impl Output {
    /// True when it ended with status 0.
    pub fn success(&self) -> bool {
        self.exit == Exit::Status(0)
    }

    /// The standard output as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The output, if it ended with status 0.
    ///
    /// # Errors
    /// `host.exit`, with the end of its standard error, redacted, as the cause.
    pub fn ok(self, command: &Command) -> Result<Output> {
        if self.success() {
            return Ok(self);
        }
        let error = Error::new(Kind::Failed, "host.exit", format!("`{}` {}", command.title(), self.exit));
        let said = redact(String::from_utf8_lossy(&self.stderr).trim());
        let error = if let Some(hint) = lacking(&said) { error.hint(hint) } else { error };
        Err(if said.is_empty() { error } else { error.because(last_lines(&said, 10)) })
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
