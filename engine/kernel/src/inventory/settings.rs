//! How a host is reached: what `defaults` and each host may say, and what holds when nobody says it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::host::{Become, HostKeyPolicy};
use super::secret_ref::SecretRef;
use super::table::Table;
use crate::error::Result;

/// The keys that `defaults` and hosts share.
pub(super) const KEYS: [&str; 10] = [
    "user",
    "port",
    "identity_file",
    "passphrase",
    "agent",
    "known_hosts",
    "host_key",
    "become",
    "become_password",
    "connect_timeout",
];

/// The private keys that are offered when the inventory names none, as OpenSSH does; those that exist.
const IDENTITIES: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// What was said, each part of it or not.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub user: Option<String>,
    pub port: Option<u16>,
    pub identity_files: Option<Vec<PathBuf>>,
    pub passphrase: Option<SecretRef>,
    pub agent: Option<bool>,
    pub known_hosts: Option<PathBuf>,
    pub host_key: Option<HostKeyPolicy>,
    pub escalate: Option<bool>,
    pub become_password: Option<SecretRef>,
    pub connect_timeout: Option<Duration>,
}

impl Settings {
    /// Reads the shared keys. `whose` completes a secret's name: "of `master1`".
    pub fn read(table: &Table<'_, '_>, whose: &str) -> Result<Settings> {
        Ok(Settings {
            user: user(table)?,
            port: table.port("port")?,
            identity_files: table.paths("identity_file")?,
            passphrase: table.secret("passphrase", whose)?,
            agent: table.boolean("agent")?,
            known_hosts: table.path("known_hosts")?,
            host_key: table.choice("host_key", &["strict", "accept-new"])?.map(policy),
            escalate: table.boolean("become")?,
            become_password: table.secret("become_password", whose)?,
            connect_timeout: table.duration("connect_timeout")?,
        })
    }

    /// These settings, with `fallback` for what they do not say.
    pub fn or(self, fallback: &Settings) -> Settings {
        Settings {
            user: self.user.or_else(|| fallback.user.clone()),
            port: self.port.or(fallback.port),
            identity_files: self.identity_files.or_else(|| fallback.identity_files.clone()),
            passphrase: self.passphrase.or_else(|| fallback.passphrase.clone()),
            agent: self.agent.or(fallback.agent),
            known_hosts: self.known_hosts.or_else(|| fallback.known_hosts.clone()),
            host_key: self.host_key.or(fallback.host_key),
            escalate: self.escalate.or(fallback.escalate),
            become_password: self.become_password.or_else(|| fallback.become_password.clone()),
            connect_timeout: self.connect_timeout.or(fallback.connect_timeout),
        }
    }

    /// How the login user becomes root.
    pub fn escalation(&self) -> Become {
        match self.escalate {
            Some(true) => Become::Sudo { password: self.become_password.clone() },
            _ => Become::No,
        }
    }

    /// The private keys to offer.
    pub fn identities(&self, home: Option<&Path>) -> Vec<PathBuf> {
        self.identity_files.clone().unwrap_or_else(|| usual_identities(home))
    }

    /// The file of known host keys; without a home folder it is beside the inventory.
    pub fn known_hosts(&self, base: &Path, home: Option<&Path>) -> PathBuf {
        let usual = || home.map_or_else(|| base.join("known_hosts"), |home| home.join(".ssh/known_hosts"));
        self.known_hosts.clone().unwrap_or_else(usual)
    }
}

fn usual_identities(home: Option<&Path>) -> Vec<PathBuf> {
    let Some(home) = home else { return Vec::new() };
    IDENTITIES.iter().map(|name| home.join(".ssh").join(name)).filter(|path| path.exists()).collect()
}

fn user(table: &Table<'_, '_>) -> Result<Option<String>> {
    let Some(user) = table.text("user")? else { return Ok(None) };
    let odd =
        user.starts_with('-') || user.contains(|c: char| c.is_whitespace() || c.is_control() || "@:/".contains(c));
    match table.spot("user").filter(|_| odd) {
        Some(spot) => Err(spot
            .error("inventory.user", "`user` is not the name of a user")
            .hint("write the login name alone, such as `root`; the host's address has a key of its own")),
        None => Ok(Some(user.to_owned())),
    }
}

fn policy(word: &str) -> HostKeyPolicy {
    match word {
        "accept-new" => HostKeyPolicy::AcceptNew,
        _ => HostKeyPolicy::Strict,
    }
}
