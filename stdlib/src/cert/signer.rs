//! The authority whose key signs, on whichever host it lies.

use std::collections::BTreeMap;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::signature::{Absent, Param, ParamKind, nearest, quoted};
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};

use super::certificate::{Certificate, day};
use super::key::Key;
use super::pair::{Content, content, hidden};
use crate::file::look::{SHOWN, Seen, assume, look};
use crate::file::path;

/// Where an authority is.
#[derive(Clone, Serialize, Deserialize)]
pub struct Signer {
    /// The host by name; none where it is the one that gets the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The path of its certificate.
    pub certificate: String,
    /// The path of its key.
    pub key: String,
}

/// The option `authority`.
pub const AUTHORITY: Param = Param::option(
    "authority",
    ParamKind::Map,
    Absent::Refused,
    "Who signs: `#{ host, certificate, key }`, the paths of both on that host; without `host`, the same host.",
);

const KEYS: [&str; 3] = ["host", "certificate", "key"];

impl Signer {
    /// The authority of a call.
    ///
    /// # Errors
    /// Of kind `Usage` when something is missing or unknown in the map.
    pub fn parse(arguments: &Arguments) -> Result<Signer> {
        let map = arguments.map("authority");
        if let Some(other) = map.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let message = format!("option `authority` of `{}` has no `{other}`", arguments.function());
            let near = nearest(other, KEYS).map_or_else(|| quoted(&KEYS), |near| quoted(&[near]));
            return Err(Error::new(Kind::Usage, "cert.authority_option", message).hint(format!("write {near}")));
        }
        let host = match map.get("host") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name.clone()),
            Some(other) => return Err(wrong(arguments, "host", &format!("must be a host, not {}", other.kind()))),
        };
        let paths = [place(arguments, &map, "certificate")?, place(arguments, &map, "key")?];
        let [certificate, key] = paths;
        Ok(Signer { host, certificate, key })
    }

    /// The host by name, where it is another one.
    pub fn peers(&self) -> Vec<String> {
        self.host.iter().cloned().collect()
    }

    /// Looks at its certificate.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub async fn look(&self, target: &Host) -> Result<Seen> {
        let host = target.peer(self.host_name(target.name()))?;
        let seen = look(&host, &self.certificate, SHOWN).await.map_err(|error| error.on(host.name()))?;
        let overlay = host.overlay();
        Ok(assume(seen, &self.certificate, &overlay))
    }

    /// Fetches its key; only where something has to be signed.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub async fn fetch_key(&self, target: &Host) -> Result<Seen> {
        let host = target.peer(self.host_name(target.name()))?;
        let seen = look(&host, &self.key, SHOWN).await.map_err(|error| error.on(host.name()))?;
        let overlay = host.overlay();
        Ok(hidden(assume(seen, &self.key, &overlay)))
    }

    /// The certificate that was seen.
    ///
    /// # Errors
    /// When it is missing, no certificate, no authority, or over.
    pub fn certificate(&self, target: &str, seen: &Seen, now: i64) -> Result<Content<Certificate>> {
        let path = &self.certificate;
        let found = content(path, seen, |text| Certificate::first(path, text));
        let found = found.map_err(|error| error.on(self.host_name(target)))?;
        match &found {
            Content::Absent => Err(self
                .refused(target, "cert.no_authority", format!("there is no authority `{path}`"))
                .hint("correct `authority`, or make one first with `cert::authority`")),
            Content::Known(certificate) if !certificate.authority => Err(self
                .refused(target, "cert.no_authority", format!("`{path}` is no authority: it may not sign others"))
                .hint("name the certificate of the authority")),
            Content::Known(certificate) if certificate.is_out_of_time(now) => Err(self
                .refused(
                    target,
                    "cert.expired",
                    format!(
                        "the authority `{path}` is valid from {} to {}",
                        day(certificate.not_before),
                        day(certificate.not_after)
                    ),
                )
                .hint("renew the authority first, or set the clock of your machine")),
            _ => Ok(found),
        }
    }

    /// The key that was seen, which must be that of `authority`.
    ///
    /// # Errors
    /// `cert.no_authority_key` when it is missing, `cert.other_key` when it belongs to another authority.
    pub fn signing_key(&self, target: &str, seen: &Seen, authority: &Certificate) -> Result<Content<Key>> {
        let path = &self.key;
        let found = content(path, seen, |text| Key::read(path, text));
        let found = found.map_err(|error| error.on(self.host_name(target)))?;
        match &found {
            Content::Absent => Err(self
                .refused(target, "cert.no_authority_key", format!("the authority's key `{path}` is not there"))
                .hint("name the host and path where it is in `authority`, or have the certificate issued where it is kept")),
            Content::Known(key) if !key.belongs_to(authority) => Err(self
                .refused(
                    target,
                    "cert.other_key",
                    format!("the key `{path}` does not belong to the authority `{}`", self.certificate),
                )
                .hint("name the key that belongs to it in `authority`")),
            _ => Ok(found),
        }
    }

    fn host_name<'a>(&'a self, target: &'a str) -> &'a str {
        self.host.as_deref().unwrap_or(target)
    }

    fn refused(&self, target: &str, code: &'static str, message: String) -> Error {
        Error::new(Kind::Refused, code, message).on(self.host_name(target))
    }
}

fn place(arguments: &Arguments, map: &BTreeMap<String, Value>, name: &str) -> Result<String> {
    match map.get(name) {
        Some(Value::String(text)) if text.starts_with('/') => path::clean(text),
        Some(_) => Err(wrong(arguments, name, "must be an absolute path")),
        None => Err(wrong(arguments, name, "must be given")),
    }
}

fn wrong(arguments: &Arguments, name: &str, how: &str) -> Error {
    let message = format!("`{name}` in option `authority` of `{}` {how}", arguments.function());
    Error::new(Kind::Usage, "cert.authority_option", message)
        .hint("write `authority: #{ host: h, certificate: \"/…/ca.pem\", key: \"/…/ca-key.pem\" }`")
}
