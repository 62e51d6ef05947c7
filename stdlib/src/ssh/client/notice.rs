//! What happens while connecting that is no error and that the operator must still see.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Something that the front end has to show.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The key of a host was not known and has been written to the file of known hosts.
    HostKeyAccepted {
        /// The host's name in the inventory.
        host: String,
        /// The kind of key, as in `ssh-ed25519`.
        algorithm: String,
        /// Its fingerprint, as `ssh-keygen -l` shows it.
        fingerprint: String,
        /// The file of known hosts.
        file: PathBuf,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::HostKeyAccepted { host, algorithm, fingerprint, file } => {
                write!(f, "{host}: accepted the new {algorithm} key {fingerprint} into `{}`", file.display())
            }
        }
    }
}

/// Where notices go.
pub(super) type Notices = Arc<dyn Fn(Notice) + Send + Sync>;
