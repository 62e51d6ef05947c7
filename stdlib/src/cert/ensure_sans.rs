//! `cert::ensure_sans`: an existing certificate is for more names.

use std::net::IpAddr;

use async_trait::async_trait;
use futures::future::try_join3;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::diff::Diff;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::overlay::{Effect, PlannedFile};
use haengine_kernel::remnant::Remains;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::text::Text;
use haengine_kernel::value::Unknown;
use serde::{Deserialize, Serialize};

use super::asked::{ADDRESSES, BACKDATED, NAMES, addresses, missing, names, recorded, serial};
use super::certificate::{Certificate, day, now};
use super::key::Key;
use super::pair::{Content, content, hidden};
use super::pem;
use super::signer::{AUTHORITY, Signer};
use super::tbs::Tbs;
use crate::file::look::{SHOWN, Seen, assume, look};
use crate::file::path;
use crate::file::place::{Before, Placement};

/// See [`ABOUT`](Op::ABOUT).
#[derive(Clone, Serialize, Deserialize)]
pub struct EnsureSans {
    certificate: String,
    key: Option<String>,
    authority: Signer,
    names: Vec<String>,
    addresses: Vec<IpAddr>,
    /// Set when the op comes from the journal: undo has nothing to ask the authority, which may be gone.
    #[serde(skip, default = "recorded")]
    recorded: bool,
}

/// What is there, and who would sign.
pub struct State {
    target: String,
    certificate: Seen,
    signing: Option<Signing>,
    now: i64,
}

/// What is asked only where something has to be signed.
struct Signing {
    key: Option<Seen>,
    authority: Seen,
    authority_key: Seen,
}

#[async_trait]
impl Op for EnsureSans {
    const NAME: &'static str = "cert.ensure_sans";
    const ABOUT: &'static str = "An existing certificate is for these names and addresses too.

What it lacks is added by signing it again with the key of the authority that signed it. All else stays, byte for
byte: its key, its subject in its own encoding, its usages and other extensions, for how long it is valid (counted from
now), the certificates behind it in the same file, the file's mode and owner.

A certificate that is for all of them already stays, and the authority is not asked. Refused are a certificate that this
authority did not sign, one with another key than `key`, and one that cannot be made again exactly: with proofs of
transparency logs, or not in DER.

**Undo** puts the old one back.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("path", ParamKind::Path, "The certificate.")],
        options: &[
            Param::option(
                "key",
                ParamKind::Path,
                Absent::Means("not looked at"),
                "Its key, which must belong to it; it never changes.",
            ),
            AUTHORITY,
            NAMES,
            ADDRESSES,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "A server's certificate is for one more address.",
            given: SERVER,
            code: r#"cert::ensure_sans(h, "/opt/demo/server.pem", #{ key: "/opt/demo/server-key.pem", authority: #{ host: h, certificate: "/opt/demo/ca.pem", key: "/opt/demo/ca-key.pem" }, addresses: ["192.0.2.1", "192.0.2.2"] })"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "Names and addresses at once; the file keeps its permissions.",
            given: SERVER,
            code: r#"cert::ensure_sans(h, "/opt/demo/server.pem", #{ authority: #{ certificate: "/opt/demo/ca.pem", key: "/opt/demo/ca-key.pem" }, names: ["two.example"], addresses: ["2001:db8::1"] })"#,
            gives: r#"{"changed":true}"#,
        },
    ];

    type State = State;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let key = if arguments.has("key") { Some(path::of(arguments, "key")?) } else { None };
        Ok(vec![EnsureSans {
            certificate: path::of(arguments, "path")?,
            key,
            authority: Signer::parse(arguments)?,
            names: names(arguments)?,
            addresses: addresses(arguments)?,
            recorded: false,
        }])
    }

    fn target(&self) -> String {
        self.certificate.clone()
    }

    fn peers(&self) -> Vec<String> {
        self.authority.peers()
    }

    async fn observe(&self, host: &Host) -> Result<State> {
        let certificate = self.look(host, &self.certificate).await?;
        let mut state = State { target: host.name().to_owned(), certificate, signing: None, now: now() };
        let lacks = !matches!(self.lacking(&state), Ok(Lacking::Nothing));
        if !self.recorded && lacks && state.certificate.found.is_some() {
            state.signing = Some(self.look_at_signing(host).await?);
        }
        Ok(state)
    }

    fn plan(&self, state: &State) -> Result<Plan<Before>> {
        let (certificate, names, addresses) = match self.lacking(state)? {
            Lacking::Nothing => return Ok(Plan::Unchanged),
            Lacking::Planned(origin) => return self.planned(state, &format!("after {origin}")),
            Lacking::Names(certificate, names, addresses) => (certificate, names, addresses),
        };
        let Some(signing) = &state.signing else {
            return Err(Error::new(Kind::Local, "cert.not_asked", "the authority was not looked at"));
        };
        self.refuse_other_key(&certificate, signing)?;
        let Content::Known(authority) = self.authority.certificate(&state.target, &signing.authority, state.now)?
        else {
            return self.planned(state, "by an authority that is only planned");
        };
        if !certificate.is_signed_by(&authority) {
            return Err(self.other_authority(&certificate));
        }
        let key = self.authority.signing_key(&state.target, &signing.authority_key, &authority)?;
        let Content::Known(key) = key else {
            return self.planned(state, "with an authority's key that is only planned");
        };
        let lacking = (names.as_slice(), addresses.as_slice());
        let extended = self.extended(&certificate, (&authority, &key), lacking, state.now)?;
        let added: Vec<String> = names.into_iter().chain(addresses.iter().map(IpAddr::to_string)).collect();
        let text = state.certificate.text.as_ref().and_then(Text::shown).unwrap_or_default();
        let text = Text::Plain(pem::with_certificate(text, &extended.der));
        let summary = format!("add {}, valid until {}", added.join(", "), day(extended.not_after));
        self.change(state, &text, summary, Diff::between(&certificate.facts(), &extended.facts()))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        self.placement().apply(host, before, keep).await
    }

    async fn revisit(&self, host: &Host, keep: &Keep) -> Result<State> {
        let (target, certificate) = (host.name().to_owned(), self.placement().revisit(host, keep).await?);
        Ok(State { target, certificate, signing: None, now: now() })
    }

    fn standing(&self, state: &State, before: &Before, keep: &Keep) -> Standing {
        self.placement().standing(&state.certificate, before, keep)
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        self.placement().undo(host, before, keep).await
    }
}

/// What has to be added.
enum Lacking {
    Nothing,
    /// Only a run can know.
    Planned(String),
    /// To this certificate, these.
    Names(Box<Certificate>, Vec<String>, Vec<IpAddr>),
}

impl EnsureSans {
    async fn look(&self, host: &Host, path: &str) -> Result<Seen> {
        let seen = look(host, path, SHOWN).await?;
        Ok(assume(seen, path, &host.overlay()))
    }

    async fn look_at_signing(&self, host: &Host) -> Result<Signing> {
        let key = async {
            match &self.key {
                Some(path) => Ok(Some(hidden(self.look(host, path).await?))),
                None => Ok(None),
            }
        };
        let (authority, authority_key) = (self.authority.look(host), self.authority.fetch_key(host));
        let (key, authority, authority_key) = try_join3(key, authority, authority_key).await?;
        Ok(Signing { key, authority, authority_key })
    }

    fn lacking(&self, state: &State) -> Result<Lacking> {
        let path = &self.certificate;
        let certificate = match content(path, &state.certificate, |text| Certificate::first(path, text))? {
            Content::Known(certificate) => certificate,
            Content::Planned(origin) => return Ok(Lacking::Planned(origin)),
            Content::Absent => {
                return Err(Error::new(Kind::Refused, "cert.missing", format!("there is no certificate `{path}`"))
                    .hint("correct the path, or make one with `cert::issue`"));
            }
        };
        let (names, addresses) = missing(&certificate, &self.names, &self.addresses);
        if names.is_empty() && addresses.is_empty() {
            return Ok(Lacking::Nothing);
        }
        Ok(Lacking::Names(Box::new(certificate), names, addresses))
    }

    fn refuse_other_key(&self, certificate: &Certificate, signing: &Signing) -> Result<()> {
        let (Some(path), Some(seen)) = (&self.key, &signing.key) else { return Ok(()) };
        match content(path, seen, |text| Key::read(path, text))? {
            Content::Absent => Err(Error::new(Kind::Refused, "cert.no_key", format!("there is no key `{path}`"))
                .hint("correct the path, or leave `key` out")),
            Content::Known(key) if !key.belongs_to(certificate) => {
                let message = format!("the key `{path}` does not belong to the certificate `{}`", self.certificate);
                Err(Error::new(Kind::Refused, "cert.other_key", message)
                    .hint("name the key that belongs to it; a server could not use the two"))
            }
            _ => Ok(()),
        }
    }

    fn other_authority(&self, certificate: &Certificate) -> Error {
        let authority = &self.authority.certificate;
        let message = format!("the certificate `{}` is not signed by `{authority}`", self.certificate);
        Error::new(Kind::Refused, "cert.other_authority", message)
            .hint(format!("name the authority that signed it: {}", certificate.issuer))
    }

    fn extended(
        &self,
        certificate: &Certificate,
        (authority, key): (&Certificate, &Key),
        (names, addresses): (&[String], &[IpAddr]),
        now: i64,
    ) -> Result<Certificate> {
        let path = &self.certificate;
        let not_before = now - BACKDATED;
        let not_after = not_before + (certificate.not_after - certificate.not_before);
        // It is worth nothing once its authority has ended.
        let not_after = not_after.min(authority.not_after);
        let der = Tbs::of(path, &certificate.der)?
            .with_more_names(path, names, addresses)?
            .with_serial(&serial())
            .with_validity(not_before, not_after)
            .sign(key)?;
        Certificate::parse(path, der)
    }

    fn planned(&self, state: &State, why: &str) -> Result<Plan<Before>> {
        let wanted: Vec<String> =
            self.names.iter().cloned().chain(self.addresses.iter().map(IpAddr::to_string)).collect();
        let text = Text::Unknown(Unknown { origin: self.origin() });
        self.change(state, &text, format!("add what it lacks of {}, {why}", wanted.join(", ")), None)
    }

    fn change(&self, state: &State, text: &Text, summary: String, diff: Option<Diff>) -> Result<Plan<Before>> {
        let Plan::Change(change) = self.placement().plan(&state.certificate, text)? else { return Ok(Plan::Unchanged) };
        // The run will make another one, with a serial number of its own.
        let file = Effect::File(self.certificate.clone(), PlannedFile::Placed(self.origin()));
        let facts = change.effects.into_iter().filter(|effect| matches!(effect, Effect::Fact(..)));
        let effects = std::iter::once(file).chain(facts).collect();
        Ok(Plan::Change(Change { before: change.before, summary, diff, effects }))
    }

    fn origin(&self) -> String {
        format!("what `cert::ensure_sans` makes of `{}`", self.certificate)
    }

    fn placement(&self) -> Placement {
        Placement { path: self.certificate.clone(), ..Placement::default() }
    }
}

/// An authority, and a server's certificate by it.
const SERVER: &str = concat!(
    "mkdir -p /opt/demo && cd /opt/demo && openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem ",
    "-days 3650 -subj /O=example/CN=demo 2>/dev/null && printf 'subjectAltName=DNS:one.example,IP:192.0.2.1' >ext && ",
    "openssl req -newkey rsa:2048 -nodes -keyout server-key.pem -subj /O=a/O=b/CN=server -out server.csr 2>/dev/null && ",
    "openssl x509 -req -in server.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 365 -extfile ext ",
    "-out server.pem 2>/dev/null && rm server.csr ext && chmod 640 server.pem"
);
