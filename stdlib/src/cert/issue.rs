//! `cert::issue`: a certificate with its key, signed by an authority.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::try_join;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::diff::Diff;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::remnant::Remains;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::text::Text;
use haengine_kernel::uses::Uses;
use haengine_kernel::value::Unknown;
use rcgen::{CertificateParams, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, SanType, date_time_ymd};
use serde::{Deserialize, Serialize};

use super::asked::{ADDRESSES, BACKDATED, NAMES, addresses, made, missing, names, recorded, serial, validity};
use super::authority::{ALGORITHM, DAYS};
use super::certificate::{Certificate, DAY, day};
use super::key::{Algorithm, Key};
use super::pair::{self, Before, Content, Pair};
use super::signer::{AUTHORITY, Signer};
use super::tbs::Tbs;
use super::usage::Usage;
use super::{name, pem};
use crate::file::look::Seen;
use crate::file::path;

/// See [`ABOUT`](Op::ABOUT).
#[derive(Clone, Serialize, Deserialize)]
pub struct Issue {
    #[serde(flatten)]
    pair: Pair,
    authority: Signer,
    common_name: String,
    organizations: Vec<String>,
    names: Vec<String>,
    addresses: Vec<IpAddr>,
    usages: Vec<Usage>,
    days: i64,
    renew_before: i64,
    algorithm: Algorithm,
    /// Set when the op comes from the journal: undo has nothing to ask the authority, which may be gone.
    #[serde(skip, default = "recorded")]
    recorded: bool,
}

/// What is there, and who would sign.
pub struct State {
    target: String,
    pair: pair::State,
    /// None in an undo.
    authority: Option<Seen>,
    /// None where nothing has to be signed.
    signing: Option<Seen>,
}

#[async_trait]
impl Op for Issue {
    const NAME: &'static str = "cert.issue";
    const ABOUT: &'static str = "A certificate with its key, signed by an authority.

What is there stays when it belongs to its key, is signed by this authority, has this subject, at least these names,
addresses and usages, and does not end within `renew_before` days. Otherwise a new one is issued; a key that is there
is used again. A new key gets mode `0o600`; existing files keep their mode and owner.

No certificate is valid for longer than its authority: one that would be ends with it, and the plan says so. One that is there
and outlives its authority is issued again.

The authority may be on the same host or on another one. Its key is fetched only when something has to be signed,
into the memory of your machine. A new certificate is valid from five minutes ago, for clocks that are late.

**Undo** puts both files back as they were.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("path", ParamKind::Path, "Where the certificate goes.")],
        options: &[
            Param::option("key", ParamKind::Path, Absent::Refused, "Where its key is, or goes."),
            AUTHORITY,
            Param::option("common_name", ParamKind::String, Absent::Refused, "The subject's common name."),
            Param::option("organizations", ParamKind::Strings, Absent::Strings(&[]), "The subject's organisations."),
            NAMES,
            ADDRESSES,
            Param::option(
                "usages",
                ParamKind::Strings,
                Absent::Strings(&["server", "client"]),
                "What it may be used for.",
            ),
            DAYS,
            Param::option(
                "renew_before",
                ParamKind::Integer,
                Absent::Integer(30),
                "How many days before its end it is issued anew.",
            ),
            ALGORITHM,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "A server's certificate from an authority on the same host.",
            given: CA,
            code: r#"cert::issue(h, "/opt/demo/server.pem", #{ key: "/opt/demo/server-key.pem", authority: #{ certificate: "/opt/demo/ca.pem", key: "/opt/demo/ca-key.pem" }, common_name: "server", names: ["demo.example"], addresses: ["192.0.2.1"] })"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "An administrator's certificate: the organisation is a group of the cluster.",
            given: CA,
            code: r#"cert::issue(h, "/opt/demo/admin.pem", #{ key: "/opt/demo/admin-key.pem", authority: #{ host: h, certificate: "/opt/demo/ca.pem", key: "/opt/demo/ca-key.pem" }, common_name: "admin", organizations: ["system:masters"], usages: ["client"], days: 365 })"#,
            gives: r#"{"changed":true}"#,
        },
    ];

    type State = State;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        Ok(vec![Issue {
            pair: Pair::new(path::of(arguments, "path")?, path::of(arguments, "key")?)?,
            authority: Signer::parse(arguments)?,
            common_name: arguments.string("common_name")?,
            organizations: arguments.strings("organizations"),
            names: names(arguments)?,
            addresses: addresses(arguments)?,
            usages: Usage::parse(&arguments.strings("usages"))?,
            days: validity(arguments)?,
            renew_before: arguments.integer("renew_before")?,
            algorithm: Algorithm::named(&arguments.string("algorithm")?),
            recorded: false,
        }])
    }

    fn target(&self) -> String {
        self.pair.certificate.clone()
    }

    fn peers(&self) -> Vec<String> {
        self.authority.peers()
    }

    fn uses(&self) -> Uses {
        self.pair.uses()
    }

    async fn observe(&self, host: &Host) -> Result<State> {
        let target = host.name().to_owned();
        if self.recorded {
            return Ok(State { target, pair: self.pair.observe(host).await?, authority: None, signing: None });
        }
        let (pair, authority) = try_join(self.pair.observe(host), self.authority.look(host)).await?;
        let mut state = State { target, pair, authority: Some(authority), signing: None };
        // What cannot be decided is refused by the plan, in the same words.
        if let Ok(Some(_)) = self.reason(&state) {
            state.signing = Some(self.authority.fetch_key(host).await?);
        }
        Ok(state)
    }

    fn plan(&self, state: &State) -> Result<Plan<Before>> {
        let Some(reason) = self.reason(state)? else { return Ok(Plan::Unchanged) };
        let (Content::Known(authority), Content::Known(signing)) = self.signer(state)? else {
            return self.planned(state, &reason);
        };
        let (key, old) = match self.pair.key(&state.pair)? {
            Content::Known(key) => (key, true),
            Content::Absent => (Key::generate(self.algorithm)?, false),
            Content::Planned(_) => return self.planned(state, &reason),
        };
        let certificate = self.certificate(&key, &authority, &signing, state.pair.now)?;
        let was = self.pair.certificate(&state.pair)?;
        let text = match (&was, state.pair.certificate.text.as_ref().and_then(Text::shown)) {
            // A chain behind it stays true when the same authority signs.
            (Content::Known(was), Some(text)) if was.is_signed_by(&authority) => {
                pem::with_certificate(text, &certificate.der)
            }
            _ => pem::encode(&certificate.der),
        };
        let new_key = (!old).then(|| Text::Secret(key.pem()));
        let (before, effects) = self.pair.plan(&state.pair, new_key, &Text::Plain(text), &self.origin())?;
        let was = if let Content::Known(was) = &was { was.facts() } else { String::new() };
        let with_it = if self.is_shortened(&certificate) { ", with its authority" } else { "" };
        let end = day(certificate.not_after);
        let summary = format!("issue, {}, valid until {end}{with_it}: {reason}", certificate.subject);
        let diff = Diff::between(&was, &certificate.facts());
        Ok(Plan::Change(Change { before, summary, diff, effects }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        self.pair.apply(host, before, keep).await
    }

    async fn revisit(&self, host: &Host, keep: &Keep) -> Result<State> {
        let (target, pair) = (host.name().to_owned(), self.pair.revisit(host, keep).await?);
        Ok(State { target, pair, authority: None, signing: None })
    }

    fn standing(&self, state: &State, before: &Before, keep: &Keep) -> Standing {
        self.pair.standing(&state.pair, before, keep)
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        self.pair.undo(host, before, keep).await
    }
}

impl Issue {
    /// Why a certificate must be issued; none where the one that is there will do.
    fn reason(&self, state: &State) -> Result<Option<String>> {
        let authority = self.authority_seen(state)?;
        let (certificate, issuer) = match (authority, self.pair.certificate(&state.pair)?) {
            (_, Content::Absent) => return Ok(Some("there is none".to_owned())),
            (Content::Known(authority), Content::Known(certificate)) => {
                if !certificate.is_signed_by(&authority) {
                    return Ok(Some(format!("it is not signed by `{}`", self.authority.certificate)));
                }
                (certificate, authority)
            }
            (_, Content::Planned(origin)) => return Ok(Some(format!("there will be {origin}"))),
            (Content::Planned(origin), _) => return Ok(Some(format!("its authority will be {origin}"))),
            (Content::Absent, _) => return Ok(Some("its authority is not there".to_owned())),
        };
        match self.pair.key(&state.pair)? {
            Content::Absent => return Ok(Some("its key is not there".to_owned())),
            Content::Planned(origin) => return Ok(Some(format!("its key will be {origin}"))),
            Content::Known(key) if !key.belongs_to(&certificate) => {
                return Ok(Some("its key is another one".to_owned()));
            }
            Content::Known(_) => {}
        }
        Ok(self.lack(&certificate, &issuer, state.pair.now))
    }

    /// What a certificate of this authority lacks.
    fn lack(&self, certificate: &Certificate, authority: &Certificate, now: i64) -> Option<String> {
        let same = |a: &[String], b: &[String]| a.len() == b.len() && a.iter().all(|item| b.contains(item));
        let subject = certificate.common_name.as_ref() == Some(&self.common_name)
            && same(&certificate.organizations, &self.organizations)
            && certificate.attributes == self.organizations.len() + 1;
        let (names, addresses) = missing(certificate, &self.names, &self.addresses);
        let lacks = names.into_iter().chain(addresses.iter().map(IpAddr::to_string)).next();
        let usage = self.usages.iter().find(|usage| {
            let any = certificate.usages.is_empty() || certificate.usages.iter().any(|found| found == "any");
            !any && !certificate.usages.iter().any(|found| found == usage.shown())
        });
        let (end, last) = (certificate.not_after, authority.not_after);
        match (lacks, usage) {
            _ if !subject => Some(format!("its subject is {}", certificate.subject)),
            (Some(lacks), _) => Some(format!("it lacks {lacks}")),
            (_, Some(usage)) => Some(format!("it is not for {}", usage.shown())),
            // It is worth nothing once its authority has ended, whatever it says itself.
            _ if end > last => Some(format!("the old one outlives its authority, which ends on {}", day(last))),
            // A new one would end with its authority as well.
            _ if end < last && end - now < self.renew_before.saturating_mul(DAY) => {
                Some(format!("the old one ends on {}", day(end)))
            }
            _ => None,
        }
    }

    /// Whether it ends notably before so many days, since its authority does.
    fn is_shortened(&self, certificate: &Certificate) -> bool {
        certificate.not_after - certificate.not_before < (self.days - 1) * DAY
    }

    fn authority_seen(&self, state: &State) -> Result<Content<Certificate>> {
        let Some(seen) = &state.authority else {
            return Err(Error::new(Kind::Local, "cert.not_asked", "the authority was not looked at"));
        };
        self.authority.certificate(&state.target, seen, state.pair.now)
    }

    fn signer(&self, state: &State) -> Result<(Content<Certificate>, Content<Key>)> {
        let Content::Known(authority) = self.authority_seen(state)? else {
            let origin = || "the authority".to_owned();
            return Ok((Content::Planned(origin()), Content::Planned(origin())));
        };
        let Some(seen) = &state.signing else {
            return Err(Error::new(Kind::Local, "cert.not_asked", "the authority's key was not asked for"));
        };
        let key = self.authority.signing_key(&state.target, seen, &authority)?;
        Ok((Content::Known(authority), key))
    }

    /// A plan in which the authority or the key will come from an earlier step.
    fn planned(&self, state: &State, reason: &str) -> Result<Plan<Before>> {
        let unknown = || Text::Unknown(Unknown { origin: self.origin() });
        let key = matches!(self.pair.key(&state.pair)?, Content::Absent).then(unknown);
        let (before, effects) = self.pair.plan(&state.pair, key, &unknown(), &self.origin())?;
        let summary = format!("issue, CN={}: {reason}", self.common_name);
        Ok(Plan::Change(Change { before, summary, diff: None, effects }))
    }

    fn origin(&self) -> String {
        format!("what `cert::issue` makes as `{}`", self.pair.certificate)
    }

    fn certificate(&self, key: &Key, authority: &Certificate, signing: &Key, now: i64) -> Result<Certificate> {
        let not_before = now - BACKDATED;
        let not_after = (not_before + self.days * DAY).min(authority.not_after);
        let mut params = CertificateParams::new(self.names.clone()).map_err(made)?;
        params.subject_alt_names.extend(self.addresses.iter().copied().map(SanType::IpAddress));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = self.usages.iter().map(|usage| usage.purpose()).collect();
        params.not_before = date_time_ymd(1970, 1, 1) + Duration::from_secs(not_before.unsigned_abs());
        params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(not_after.unsigned_abs());
        let mut issuer = CertificateParams::default();
        if let Some(identifier) = &authority.key_identifier {
            params.use_authority_key_identifier_extension = true;
            issuer.key_identifier_method = KeyIdMethod::PreSpecified(identifier.clone());
        }
        let template = params.signed_by(key.pair(), &Issuer::from_params(&issuer, signing.pair())).map_err(made)?;
        // The template has the key and the extensions; see the module for the names.
        let subject = name::write(&self.organizations, &self.common_name);
        let der = Tbs::of(&self.pair.certificate, template.der())?
            .with_serial(&serial())
            .with_names(&authority.subject_der, &subject)
            .with_validity(not_before, not_after)
            .sign(signing)?;
        Certificate::parse(&self.pair.certificate, der)
    }
}

/// An authority for the examples.
pub(super) const CA: &str = concat!(
    "mkdir -p /opt/demo && cd /opt/demo && openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem ",
    "-days 3650 -subj /O=example/CN=demo 2>/dev/null"
);
