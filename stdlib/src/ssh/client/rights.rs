//! As whom a command runs: the login user, or root through sudo.

use std::sync::Arc;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::inventory::{Become, HostSpec, SecretRef, SecretSource};
use haengine_kernel::secret::Secret;
use haengine_kernel::transport::Privilege;
use tokio::sync::OnceCell;

/// Whose rights a process on the host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    /// The login user's own.
    Login,
    /// Root's, through sudo.
    Root,
}

/// How the login user of one host becomes root.
pub(super) struct Escalation {
    granted: Rights,
    password: Option<SecretRef>,
    secrets: Arc<dyn SecretSource>,
    asked: OnceCell<Secret>,
}

impl Escalation {
    /// What the inventory grants. Who logs in as root needs no sudo.
    pub(super) fn of(host: &HostSpec, secrets: Arc<dyn SecretSource>) -> Self {
        let (granted, password) = match &host.escalation {
            Become::Sudo { password } if host.user != "root" => (Rights::Root, password.clone()),
            _ => (Rights::Login, None),
        };
        Escalation { granted, password, secrets, asked: OnceCell::new() }
    }

    /// The rights behind a privilege.
    pub(super) fn rights(&self, privilege: Privilege) -> Rights {
        match privilege {
            Privilege::Host => self.granted,
            Privilege::Login => Rights::Login,
        }
    }

    /// True when there is a password to give, should sudo ask for it.
    pub(super) fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// The password; asked for when sudo first asks for it, and never where it does not.
    pub(super) async fn password(&self) -> Result<Secret> {
        let resolve = || async {
            let Some(reference) = self.password.clone() else {
                return Err(Error::new(Kind::Unreachable, "ssh.sudo", "sudo asks for a password and none is given"));
            };
            let secrets = self.secrets.clone();
            let resolving = tokio::task::spawn_blocking(move || secrets.resolve(&reference));
            resolving.await.unwrap_or_else(|error| {
                Err(Error::new(Kind::Local, "ssh.sudo", "cannot ask for the sudo password").because(error))
            })
        };
        self.asked.get_or_try_init(resolve).await.cloned()
    }
}
