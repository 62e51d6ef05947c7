//! What went wrong, in the form that a person and a program can both use.

use std::fmt;

use crate::secret::Known;

/// Codes that errors had before, and what they are called now.
pub const RENAMED_CODES: [(&str, &str); 3] =
    [("ssh.exit", "host.exit"), ("ssh.timeout", "host.timeout"), ("vip.authority", "call.missing")];

/// The family of an error; the command line turns it into an exit code and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The call itself is wrong: an argument, an option, a parameter, a file of ours.
    Usage,
    /// A host could not be reached or did not let us in.
    Unreachable,
    /// A check said no, before anything was touched for it.
    Refused,
    /// A host did what it was asked to do and it did not work.
    Failed,
    /// Somebody else changed what we would have to overwrite.
    Drift,
    /// A plan cannot go on, because it depends on what only a run can know; or a resume, because it depends on what only
    /// a person can.
    Unknown,
    /// Another live run holds the lock.
    Locked,
    /// The operator interrupted the run.
    Cancelled,
    /// The operator's own machine failed us: disk full, no permission.
    Local,
}

/// An error with everything that its reader needs: what, where, and the next step.
///
/// The message is a lowercase fragment without a final stop and does not repeat its cause; the
/// cause is [`source`](std::error::Error::source). The hint begins with a verb.
///
/// ```
/// use haengine_kernel::error::{Error, Kind};
/// let error = Error::new(Kind::Unreachable, "ssh.refused", "192.168.2.119:22 refused the connection")
///     .on("master1")
///     .hint("start sshd on the host, or correct `port` in the inventory");
/// assert_eq!(error.to_string(), "master1: 192.168.2.119:22 refused the connection");
/// ```
#[derive(Debug)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: Kind,
    code: &'static str,
    host: Option<String>,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of nearly everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` with its stable `code` (`module.what`) and message.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Error { inner: Box::new(Inner { kind, code, host: None, message: message.into(), hint: None, source: None }) }
    }

    /// The same error, with the host where it happened. The innermost host is kept.
    #[must_use]
    pub fn on(mut self, host: &str) -> Self {
        self.inner.host.get_or_insert_with(|| host.to_owned());
        self
    }

    /// The same error, with the next step for its reader; it begins with a verb.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hint = Some(hint.into());
        self
    }

    /// The same error, with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// The run was interrupted.
    pub fn cancelled() -> Self {
        Error::new(Kind::Cancelled, "run.cancelled", "interrupted")
    }

    /// The family.
    pub fn kind(&self) -> Kind {
        self.inner.kind
    }

    /// The stable code, for programs and for the book's index.
    pub fn code(&self) -> &'static str {
        self.inner.code
    }

    /// The host where it happened.
    pub fn host(&self) -> Option<&str> {
        self.inner.host.as_deref()
    }

    /// What happened, without the host.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// The next step.
    pub fn advice(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }

    /// The causes below this error, outermost first, each once.
    pub fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            let text = cause.to_string();
            if causes.last() != Some(&text) {
                causes.push(text);
            }
            next = cause.source();
        }
        causes
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.inner.host {
            Some(host) => write!(f, "{host}: {}", self.inner.message),
            None => f.write_str(&self.inner.message),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_ref().map(|source| source.as_ref() as _)
    }
}

/// An error as the journal and the JSON output keep it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ErrorRecord {
    /// The family.
    pub kind: Kind,
    /// The stable code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// The next step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The causes, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
}

impl ErrorRecord {
    /// Leaves known secrets out.
    pub(crate) fn hide(&mut self, known: &Known) {
        known.hide_in(&mut self.message);
        self.hint.iter_mut().chain(&mut self.causes).for_each(|text| known.hide_in(text));
    }
}

impl From<&Error> for ErrorRecord {
    fn from(error: &Error) -> Self {
        ErrorRecord {
            kind: error.kind(),
            code: error.code().to_owned(),
            message: error.message().to_owned(),
            hint: error.advice().map(str::to_owned),
            causes: error.causes(),
        }
    }
}
