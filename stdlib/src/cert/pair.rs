//! A key and its certificate: two files that one change places and takes back.

use futures::future::try_join;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Plan, Standing};
use haengine_kernel::overlay::{Effect, PlannedFile};
use haengine_kernel::remnant::Remains;
use haengine_kernel::secret::Secret;
use haengine_kernel::text::Text;
use haengine_kernel::uses::Uses;
use serde::{Deserialize, Serialize};

use super::certificate::{Certificate, now};
use super::key::Key;
use crate::file::look::{SHOWN, Seen, assume, look};
use crate::file::place::{self, Placement};

/// The mode of a new key.
const KEY_MODE: u32 = 0o600;
/// The mode of a new certificate.
const CERTIFICATE_MODE: u32 = 0o644;

/// Where a key and its certificate are. An existing file keeps its mode and owner.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pair {
    /// The certificate's path.
    pub certificate: String,
    /// The key's path.
    pub key: String,
}

/// What is at both places.
pub struct State {
    /// The certificate.
    pub certificate: Seen,
    /// The key; its text is a secret.
    pub key: Seen,
    /// Seconds since 1970.
    pub now: i64,
}

/// What undo needs.
#[derive(Serialize, Deserialize)]
pub struct Before {
    /// None when the key stays.
    key: Option<place::Before>,
    certificate: place::Before,
}

/// What is at a path, as far as a plan can know.
pub enum Content<T> {
    /// Nothing.
    Absent,
    /// Something that only a run can know; the text says from where.
    Planned(String),
    /// This.
    Known(T),
}

impl Pair {
    /// Both places.
    pub fn uses(&self) -> Uses {
        Uses::Paths(vec![self.certificate.clone(), self.key.clone()])
    }

    /// The pair of a call.
    ///
    /// # Errors
    /// When both are the same file.
    pub fn new(certificate: String, key: String) -> Result<Pair> {
        if certificate == key {
            let message = format!("`{key}` cannot be both the certificate and its key");
            return Err(Error::new(Kind::Usage, "cert.same_file", message).hint("name two files"));
        }
        Ok(Pair { certificate, key })
    }

    /// Looks at both. Planned changes come in here, since what is planned decides what else must be asked.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub async fn observe(&self, host: &Host) -> Result<State> {
        let (certificate, key) = try_join(look(host, &self.certificate, SHOWN), look(host, &self.key, SHOWN)).await?;
        let overlay = host.overlay();
        let certificate = assume(certificate, &self.certificate, &overlay);
        Ok(State { certificate, key: hidden(assume(key, &self.key, &overlay)), now: now() })
    }

    /// Looks at both for an undo.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub async fn revisit(&self, host: &Host, keep: &Keep) -> Result<State> {
        let (certificate, key) = (self.certificate_placement(), self.key_placement());
        let (certificate, key) = try_join(certificate.revisit(host, keep), key.revisit(host, keep)).await?;
        Ok(State { certificate, key, now: now() })
    }

    /// The key that is there.
    ///
    /// # Errors
    /// When something else is there.
    pub fn key(&self, state: &State) -> Result<Content<Key>> {
        content(&self.key, &state.key, |text| Key::read(&self.key, text))
    }

    /// The certificate that is there.
    ///
    /// # Errors
    /// When something else is there.
    pub fn certificate(&self, state: &State) -> Result<Content<Certificate>> {
        content(&self.certificate, &state.certificate, |text| Certificate::first(&self.certificate, text))
    }

    /// The change that places a certificate, and a key where one is given. `origin` stands for both in a plan: the run
    /// will make others.
    ///
    /// # Errors
    /// When something is in the way.
    pub fn plan(
        &self,
        state: &State,
        key: Option<Text>,
        certificate: &Text,
        origin: &str,
    ) -> Result<(Before, Vec<Effect>)> {
        let mut effects = Vec::new();
        let mut place = |placement: Placement, seen: &Seen, text: &Text| match placement.plan(seen, text)? {
            Plan::Change(change) => {
                let planned = PlannedFile::Placed(origin.to_owned());
                effects.push(Effect::File(placement.path, planned));
                effects.extend(change.effects.into_iter().filter(|effect| matches!(effect, Effect::Fact(..))));
                Ok(change.before)
            }
            // A new serial number is in each new certificate, and chance in each new key.
            Plan::Unchanged => Err(Error::new(Kind::Local, "cert.same", format!("`{}` is there", placement.path))),
        };
        let key = key.map(|text| place(self.key_placement(), &state.key, &text)).transpose()?;
        let certificate = place(self.certificate_placement(), &state.certificate, certificate)?;
        Ok((Before { key, certificate }, effects))
    }

    /// Places the key, then the certificate: a key alone can be used by the next attempt, a certificate cannot.
    ///
    /// # Errors
    /// When the host did not do it.
    pub async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        if let Some(key) = &before.key {
            self.key_placement().apply(host, key, keep).await?;
        }
        self.certificate_placement().apply(host, &before.certificate, keep).await
    }

    /// Where both files stand.
    pub fn standing(&self, state: &State, before: &Before, keep: &Keep) -> Standing {
        let certificate = self.certificate_placement().standing(&state.certificate, &before.certificate, keep);
        let key = match &before.key {
            Some(before) => self.key_placement().standing(&state.key, before, keep),
            None => Standing::AsBefore,
        };
        match (certificate, key) {
            (foreign @ Standing::Foreign(_), _) => foreign,
            (_, Standing::Foreign(how)) => Standing::Foreign(format!("its key `{}`: {how}", self.key)),
            (Standing::AsBefore, Standing::AsBefore) => Standing::AsBefore,
            _ => Standing::Ours,
        }
    }

    /// Takes both back.
    ///
    /// # Errors
    /// When the host did not do it.
    pub async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        let mut remains = self.certificate_placement().undo(host, &before.certificate, keep).await?;
        if let Some(key) = &before.key {
            remains.extend(self.key_placement().undo(host, key, keep).await?);
        }
        Ok(remains)
    }

    fn key_placement(&self) -> Placement {
        Placement::part(self.key.clone(), KEY_MODE, 1)
    }

    fn certificate_placement(&self) -> Placement {
        Placement::part(self.certificate.clone(), CERTIFICATE_MODE, 2)
    }
}

/// What was seen, understood by `read`.
///
/// # Errors
/// When it is no text, or `read` does not understand it.
pub fn content<T>(path: &str, seen: &Seen, read: impl FnOnce(&str) -> Result<T>) -> Result<Content<T>> {
    let text = match (&seen.found, &seen.text) {
        (None, _) => return Ok(seen.awaited.clone().map_or(Content::Absent, Content::Planned)),
        (Some(_), Some(Text::Plain(text))) => text,
        (Some(_), Some(Text::Secret(secret))) => secret.expose(),
        (Some(_), Some(Text::Unknown(unknown))) => return Ok(Content::Planned(unknown.origin.clone())),
        (Some(found), _) => {
            let error = Error::new(Kind::Refused, "cert.not_pem", format!("`{path}` is no PEM file"));
            return Err(match &found.target {
                Some(target) => error.hint(format!("name the file itself: it is a link to `{target}`")),
                None => error.hint("name another path, or move it away by hand"),
            });
        }
    };
    read(text).map(Content::Known)
}

/// The same with its text as a secret.
pub fn hidden(mut seen: Seen) -> Seen {
    seen.text = match seen.text {
        Some(Text::Plain(text)) => Some(Text::Secret(Secret::new(text))),
        other => other,
    };
    seen
}
