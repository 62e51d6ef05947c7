//! The key exchange, and the judgement on the host's key.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use haengine_kernel::error::{Error, Result};
use haengine_kernel::inventory::{HostKeyPolicy, HostSpec};
use haengine_kernel::transport::quote;
use russh::client::{DisconnectReason, Handle, Handler, Session};
use russh::keys::{Certificate, HashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{ChannelId, ChannelOpenFailure};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::algorithms::config;
use super::dial::{seconds, unreachable};
use super::known_hosts::{Flaw, KnownHosts, Place, Verdict, append, line, name_in_file};
use super::notice::{Notice, Notices};
use super::patience::Patient;

/// What is known about the end of a connection.
#[derive(Default)]
pub(super) struct Fate {
    /// Cancelled when the connection is gone.
    pub(super) gone: CancellationToken,
    /// The fingerprint of the host's key, once it was judged.
    key: Mutex<Option<String>>,
    reason: Mutex<Option<String>>,
    refusals: Mutex<VecDeque<String>>,
}

impl Fate {
    /// The fingerprint of the key by which the host was recognised.
    pub(super) fn host_key(&self) -> Option<String> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why the connection is gone.
    pub(super) fn reason(&self) -> String {
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        reason.clone().unwrap_or_else(|| "the connection was closed".to_owned())
    }

    fn set_reason(&self, text: String) {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
    }

    /// What the host said about the oldest refused channel that nobody has asked about.
    pub(super) fn refusal(&self) -> String {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or_default()
    }
}

/// Our side of the conversation with one sshd.
pub(super) struct Warden {
    check: HostKeyCheck,
    fate: Arc<Fate>,
}

struct HostKeyCheck {
    host: String,
    address: String,
    port: u16,
    file: PathBuf,
    /// The system's files, which are read and never written.
    system: Vec<PathBuf>,
    policy: HostKeyPolicy,
    notices: Notices,
}

/// Why the key exchange ended early.
#[derive(Debug)]
pub(super) enum Refusal {
    /// We refused the host's key.
    Key(Error),
    /// The protocol failed.
    Protocol(russh::Error),
}

impl From<russh::Error> for Refusal {
    fn from(error: russh::Error) -> Self {
        Refusal::Protocol(error)
    }
}

/// Exchanges keys over `socket` and checks who answers.
pub(super) async fn handshake<S>(
    host: &HostSpec,
    socket: S,
    notices: Notices,
    system: &[PathBuf],
) -> Result<(Handle<Warden>, Arc<Fate>)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let fate = Arc::new(Fate::default());
    let check = HostKeyCheck {
        host: host.name.clone(),
        address: host.address.clone(),
        port: host.port,
        file: host.known_hosts.clone(),
        system: system.to_vec(),
        policy: host.host_key,
        notices,
    };
    let known = check.known()?;
    let config = Arc::new(config(&known.algorithms(), known.has_authorities()));
    let warden = Warden { check, fate: fate.clone() };
    let talk = russh::client::connect_stream(config, Patient::new(socket), warden);
    match tokio::time::timeout(host.connect_timeout, talk).await {
        Ok(Ok(handle)) => Ok((handle, fate)),
        Ok(Err(Refusal::Key(error))) => Err(error),
        Ok(Err(Refusal::Protocol(error))) => Err(failed(host, error)),
        Err(_) => Err(unreachable(
            "host.timeout",
            format!(
                "{}:{} did not finish the key exchange within {}",
                host.address,
                host.port,
                seconds(host.connect_timeout)
            ),
        )
        .hint("check that sshd listens on this port and is not overloaded, or raise `connect_timeout`")),
    }
}

fn failed(host: &HostSpec, error: russh::Error) -> Error {
    let hint = match &error {
        russh::Error::NoCommonAlgo { .. } => {
            "update sshd on the host, or allow one of our algorithms in its sshd_config"
        }
        _ => "check that sshd listens on this port, and that MaxStartups or a firewall does not drop us",
    };
    unreachable("ssh.handshake", format!("{}:{} did not complete the SSH handshake", host.address, host.port))
        .hint(hint)
        .because(error)
}

impl Handler for Warden {
    type Error = Refusal;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Refusal> {
        let key = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                self.check.judge(key).map_err(Refusal::Key)?;
                key.clone()
            }
            PublicKeyOrCertificate::Certificate(certificate) => {
                let key = PublicKey::new(certificate.public_key().clone(), "");
                self.check.judge_certificate(certificate, &key).map_err(Refusal::Key)?;
                key
            }
        };
        *self.fate.key.lock().unwrap_or_else(PoisonError::into_inner) = Some(fingerprint(&key));
        Ok(true)
    }

    async fn channel_open_failure(
        &mut self,
        _channel: ChannelId,
        reason: ChannelOpenFailure,
        description: &str,
        _language: &str,
        _session: &mut Session,
    ) -> Result<(), Refusal> {
        let said = match reason {
            ChannelOpenFailure::AdministrativelyProhibited => format!("administratively prohibited: {description}"),
            _ => description.to_owned(),
        };
        let mut refusals = self.fate.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.push_back(said);
        if refusals.len() > 64 {
            refusals.pop_front();
        }
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Refusal>) -> Result<(), Refusal> {
        self.fate.set_reason(match &reason {
            DisconnectReason::ReceivedDisconnect(said) => format!("sshd ended it: {}", said.message),
            DisconnectReason::Error(Refusal::Protocol(russh::Error::KeepaliveTimeout)) => {
                "the host stopped answering".to_owned()
            }
            DisconnectReason::Error(Refusal::Protocol(error)) => error.to_string(),
            DisconnectReason::Error(Refusal::Key(error)) => error.to_string(),
        });
        Ok(())
    }
}

impl Drop for Warden {
    /// The session owns us, so this is its end, whichever way it took.
    fn drop(&mut self) {
        self.fate.gone.cancel();
    }
}

impl HostKeyCheck {
    fn known(&self) -> Result<KnownHosts> {
        let files = std::iter::once(&self.file).chain(&self.system).map(PathBuf::as_path);
        KnownHosts::about(&name_in_file(&self.address, self.port), files)
    }

    fn judge(&self, key: &PublicKey) -> Result<()> {
        let name = name_in_file(&self.address, self.port);
        match self.known()?.check(key) {
            Verdict::Known => Ok(()),
            Verdict::Unknown if self.policy == HostKeyPolicy::AcceptNew => self.accept(&name, key),
            Verdict::Unknown => Err(self.unknown(key)),
            Verdict::Changed { place, algorithm } => Err(self.changed(key, &place, &algorithm)),
            Verdict::Revoked { place } => Err(self.revoked(&place)),
        }
    }

    /// A certificate of a known authority is all the proof that is needed; one of another is no more than its key.
    fn judge_certificate(&self, shown: &Certificate, key: &PublicKey) -> Result<()> {
        match self.known()?.vouch(shown, &self.address) {
            None => self.judge(key),
            Some(Ok(())) => Ok(()),
            Some(Err(Flaw::Revoked { place })) => Err(self.revoked(&place)),
            Some(Err(Flaw::Invalid(why))) => {
                let message = format!("{} shows a certificate of a known authority, but {why}", self.place());
                Err(unreachable("ssh.host_certificate", message).hint(
                    "sign the host's key anew: `ssh-keygen -s CA -h -I NAME -n ADDRESS ssh_host_ed25519_key.pub`",
                ))
            }
        }
    }

    fn revoked(&self, place: &Place) -> Error {
        unreachable("ssh.host_key_revoked", format!("{} shows a key that is revoked in {place}", self.place()))
            .hint("find out why the key was revoked before you give the host a new one")
    }

    fn accept(&self, name: &str, key: &PublicKey) -> Result<()> {
        append(&self.file, name, key)?;
        (self.notices)(Notice::HostKeyAccepted {
            host: self.host.clone(),
            algorithm: key.algorithm().as_str().to_owned(),
            fingerprint: fingerprint(key),
            file: self.file.clone(),
        });
        Ok(())
    }

    fn unknown(&self, key: &PublicKey) -> Error {
        let (algorithm, fingerprint) = (key.algorithm(), fingerprint(key));
        // The very key that was seen: to ask the network again could bring another one that nobody has compared.
        let seen = line(&name_in_file(&self.address, self.port), key).unwrap_or_default();
        let accept = format!("echo {} >> {}", quote(&seen), quote(&self.file.display().to_string()));
        unreachable(
            "ssh.host_key_unknown",
            format!(
                "{} shows the {} key {fingerprint}, which nobody has vouched for",
                self.place(),
                algorithm.as_str()
            ),
        )
        .hint(format!(
            "compare it with `ssh-keygen -lf /etc/ssh/{}` on the host's console; if they are equal, run `{accept}`",
            key_file(algorithm.as_str())
        ))
    }

    fn changed(&self, key: &PublicKey, known_at: &Place, known: &str) -> Error {
        let Place { file, line } = known_at;
        unreachable(
            "ssh.host_key_changed",
            format!(
                "{} shows the {} key {}, but {known_at} knows it by another {known} key",
                self.place(),
                key.algorithm().as_str(),
                fingerprint(key),
            ),
        )
        .hint(format!(
            "make sure that the host was reinstalled and nobody stands in between; then delete line {line} of `{}`",
            file.display()
        ))
    }

    fn place(&self) -> String {
        format!("{}:{}", self.address, self.port)
    }
}

fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

fn key_file(algorithm: &str) -> &'static str {
    match algorithm {
        name if name.starts_with("ecdsa") => "ssh_host_ecdsa_key.pub",
        name if name.contains("rsa") => "ssh_host_rsa_key.pub",
        _ => "ssh_host_ed25519_key.pub",
    }
}
