//! Authentication, and the account of it when it fails.

use std::path::Path;
use std::sync::Arc;

use haengine_kernel::error::{Error, Result};
use haengine_kernel::inventory::HostSpec;
use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodKind, MethodSet};
use tokio::net::UnixStream;

use super::algorithms::rsa_hashes;
use super::dial::{seconds, unreachable};
use super::handshake::Warden;
use super::identity::Identities;

/// Logs in with the first key that sshd takes: the identity files in their order, then the agent's.
pub(super) async fn login(
    handle: &mut Handle<Warden>,
    host: &HostSpec,
    identities: &Identities,
    agent: Option<&Path>,
) -> Result<()> {
    let mut attempt = Attempt { handle, host, offered: Vec::new(), passed_over: Vec::new(), accepts: None };
    if attempt.with_files(identities).await? || attempt.with_agent(agent).await? {
        return Ok(());
    }
    Err(attempt.failure())
}

struct Attempt<'a> {
    handle: &'a mut Handle<Warden>,
    host: &'a HostSpec,
    offered: Vec<String>,
    passed_over: Vec<String>,
    accepts: Option<MethodSet>,
}

impl Attempt<'_> {
    async fn with_files(&mut self, identities: &Identities) -> Result<bool> {
        let host = self.host;
        for file in &host.identity_files {
            match identities.load(file, host.passphrase.as_ref()).await {
                Ok(key) => {
                    self.offered.push(format!("`{}` ({})", file.display(), about(key.public_key())));
                    if self.with_key(key).await? {
                        return Ok(true);
                    }
                }
                Err(why) => self.passed_over.push(format!("`{}`: {why}", file.display())),
            }
        }
        Ok(false)
    }

    async fn with_key(&mut self, key: Arc<PrivateKey>) -> Result<bool> {
        for hash in self.hashes(&key.algorithm()).await? {
            let key = PrivateKeyWithHashAlg::new(key.clone(), hash);
            let answer = self.handle.authenticate_publickey(self.host.user.as_str(), key);
            let answer = limited(self.host, answer).await?.map_err(|error| self.broken(&error))?;
            if self.is_in(answer) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn hashes(&self, algorithm: &Algorithm) -> Result<Vec<Option<HashAlg>>> {
        if !matches!(algorithm, Algorithm::Rsa { .. }) {
            return Ok(vec![None]);
        }
        let announced = limited(self.host, self.handle.best_supported_rsa_hash()).await?;
        Ok(rsa_hashes(announced.map_err(|error| self.broken(&error))?))
    }

    async fn with_agent(&mut self, socket: Option<&Path>) -> Result<bool> {
        if !self.host.agent {
            return Ok(false);
        }
        let Some(socket) = socket else {
            self.passed_over.push("the agent: none is running (SSH_AUTH_SOCK is not set)".to_owned());
            return Ok(false);
        };
        let (mut agent, keys) = match limited(self.host, self.ask_agent(socket)).await? {
            Ok(found) => found,
            Err(error) => {
                self.passed_over.push(format!("the agent at `{}`: {error}", socket.display()));
                return Ok(false);
            }
        };
        if keys.is_empty() {
            self.passed_over.push("the agent: it holds no keys".to_owned());
        }
        for key in keys {
            if self.with_agents_key(&mut agent, key).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn ask_agent(
        &self,
        socket: &Path,
    ) -> Result<(AgentClient<UnixStream>, Vec<AgentIdentity>), russh::keys::Error> {
        let mut agent = AgentClient::connect_uds(socket).await?;
        if let Some(binding) = self.handle.agent_session_binding() {
            // Only keys that are bound to destinations need it, and old agents do not know it.
            if let Err(error) = agent.bind_session(binding, false).await {
                tracing::debug!(%error, "the agent does not bind sessions");
            }
        }
        let keys = agent.request_identities().await?;
        Ok((agent, keys))
    }

    async fn with_agents_key(&mut self, agent: &mut AgentClient<UnixStream>, key: AgentIdentity) -> Result<bool> {
        let (public, comment, certificate) = match key {
            AgentIdentity::PublicKey { key, comment } => (key, comment, None),
            AgentIdentity::Certificate { certificate, comment } => {
                (PublicKey::new(certificate.public_key().clone(), ""), comment, Some(certificate))
            }
        };
        self.offered.push(format!("the agent's `{comment}` ({})", about(&public)));
        for hash in self.hashes(&public.algorithm()).await? {
            let user = self.host.user.as_str();
            let answer = match &certificate {
                Some(certificate) => {
                    let signing = self.handle.authenticate_certificate_with(user, certificate.clone(), hash, agent);
                    limited(self.host, signing).await?
                }
                None => {
                    let signing = self.handle.authenticate_publickey_with(user, public.clone(), hash, agent);
                    limited(self.host, signing).await?
                }
            };
            match answer {
                Ok(answer) if self.is_in(answer.clone()) => return Ok(true),
                Ok(_) => {}
                Err(error) => self.passed_over.push(format!("the agent's `{comment}`: it would not sign: {error}")),
            }
        }
        Ok(false)
    }

    fn is_in(&mut self, answer: AuthResult) -> bool {
        match answer {
            AuthResult::Success => true,
            AuthResult::Failure { remaining_methods, .. } => {
                self.accepts = Some(remaining_methods);
                false
            }
        }
    }

    fn broken(&self, error: &russh::Error) -> Error {
        self.failure().because(error.to_string())
    }

    fn failure(&self) -> Error {
        let Attempt { host, offered, passed_over, .. } = self;
        let mut message = format!("sshd at {}:{} did not let `{}` in", host.address, host.port, host.user);
        match offered.as_slice() {
            [] => message.push_str("; no key could be offered"),
            keys => message.push_str(&format!("; offered: {}", keys.join(", "))),
        }
        if !passed_over.is_empty() {
            message.push_str(&format!("; not offered: {}", passed_over.join(", ")));
        }
        unreachable("ssh.authentication", message).hint(self.advice())
    }

    fn advice(&self) -> String {
        if self.offered.is_empty() {
            return "name a readable `identity_file` in the inventory, or add a key to the agent with `ssh-add`".into();
        }
        if self.handle.is_closed() {
            return "name the right `identity_file`: sshd hangs up after MaxAuthTries keys".into();
        }
        match &self.accepts {
            Some(methods) if !methods.is_empty() && !methods.contains(&MethodKind::PublicKey) => {
                "set `PubkeyAuthentication yes` in the host's sshd_config: it does not accept keys".into()
            }
            _ => format!(
                "add one of these keys to `~{}/.ssh/authorized_keys` on the host, or correct `user`",
                self.host.user
            ),
        }
    }
}

fn about(key: &PublicKey) -> String {
    format!("{} {}", key.algorithm().as_str(), key.fingerprint(HashAlg::Sha256))
}

async fn limited<T>(host: &HostSpec, step: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(host.connect_timeout, step).await.map_err(|_| {
        unreachable("host.timeout", format!("authentication did not end within {}", seconds(host.connect_timeout)))
            .hint("check the load of the host and its PAM modules, or raise `connect_timeout`")
    })
}
