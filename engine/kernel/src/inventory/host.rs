//! One host of the inventory, with all defaults applied.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::inventory::{SecretRef, Variable};

/// A host as the inventory describes it: everything that is needed to reach it, and nothing live.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct HostSpec {
    /// Its name in recipes and in output.
    pub name: String,
    /// Where it is: an address or a name that resolves.
    pub address: String,
    /// The port of its sshd.
    pub port: u16,
    /// The user who logs in.
    pub user: String,
    /// The private keys to offer, tried in order, before the agent's.
    pub identity_files: Vec<PathBuf>,
    /// The passphrase of encrypted identity files.
    pub passphrase: Option<SecretRef>,
    /// Whether keys of a running agent are offered.
    pub agent: bool,
    /// The file of known host keys.
    pub known_hosts: PathBuf,
    /// What to do with a host key that is not in that file.
    pub host_key: HostKeyPolicy,
    /// How the login user becomes root.
    pub escalation: Become,
    /// The inventory host through which it is reached; that host's own `jump` comes before it.
    pub jump: Option<String>,
    /// The name of its Kubernetes node; when absent, the host's own hostname.
    pub node_name: Option<String>,
    /// How long connecting may take, each step of it.
    pub connect_timeout: Duration,
    /// Variables of this host, those of the inventory's top included.
    pub vars: BTreeMap<String, Variable>,
}

/// How the login user becomes root.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Become {
    /// It does not; what the user may do is what can be done.
    #[default]
    No,
    /// Through sudo: first without a password, then with this one if there is one.
    Sudo {
        /// The password, given to sudo's standard input.
        password: Option<SecretRef>,
    },
}

/// What to do with a host key that nobody has vouched for. A changed key is always refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostKeyPolicy {
    /// Refuse it, show its fingerprint and the command that accepts it.
    #[default]
    Strict,
    /// Write it to the file of known hosts, and say so.
    AcceptNew,
}
