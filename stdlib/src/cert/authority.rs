//! `cert::authority`: a certificate authority of one's own.

use std::time::Duration;

use async_trait::async_trait;
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
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyUsagePurpose, date_time_ymd};
use serde::{Deserialize, Serialize};

use super::asked::{BACKDATED, made, serial, validity};
use super::certificate::{Certificate, DAY, day};
use super::key::{Algorithm, Key};
use super::pair::{Before, Content, Pair, State};
use super::tbs::Tbs;
use super::{name, pem};
use crate::file::path;

/// See [`ABOUT`](Op::ABOUT).
#[derive(Clone, Serialize, Deserialize)]
pub struct Authority {
    #[serde(flatten)]
    pair: Pair,
    common_name: String,
    organizations: Vec<String>,
    days: i64,
    algorithm: Algorithm,
}

/// The option `algorithm`.
pub(super) const ALGORITHM: Param = Param::option(
    "algorithm",
    ParamKind::Choice(Algorithm::WORDS),
    Absent::String("ecdsa-p256"),
    "The sort of a new key.",
);
/// The option `days`.
pub(super) const DAYS: Param =
    Param::option("days", ParamKind::Integer, Absent::Integer(3650), "For how many days it is valid.");

#[async_trait]
impl Op for Authority {
    const NAME: &'static str = "cert.authority";
    const ABOUT: &'static str = "A certificate authority: a key and its own certificate.

Where both are there, belong to each other, and are an authority whose time is not over, they stay, whatever their
subject is. Where only the key is there it gets a certificate. A certificate without its key, or with the key of
another one, is refused and never overwritten: everything that it signed depends on it.

The key gets mode `0o600`. In a plan the new files are known only when run.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts()],
        options: &[
            Param::option("certificate", ParamKind::Path, Absent::Refused, "The authority's certificate."),
            Param::option("key", ParamKind::Path, Absent::Refused, "Its key."),
            Param::option("common_name", ParamKind::String, Absent::Refused, "The name of a new one."),
            Param::option("organization", ParamKind::Strings, Absent::Strings(&[]), "Its organisations."),
            DAYS,
            ALGORITHM,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "The authority of a new cluster.",
            given: "mkdir -p /opt/demo/ssl",
            code: r#"cert::authority(h, #{ certificate: "/opt/demo/ssl/ca.pem", key: "/opt/demo/ssl/ca-key.pem", common_name: "demo", organization: ["example"] })"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "A key that is there gets a certificate.",
            given: "mkdir -p /opt/demo/ssl && openssl genrsa -traditional -out /opt/demo/ssl/ca-key.pem 2048 2>/dev/null && \
                    chmod 640 /opt/demo/ssl/ca-key.pem",
            code: r#"cert::authority(h, #{ certificate: "/opt/demo/ssl/ca.pem", key: "/opt/demo/ssl/ca-key.pem", common_name: "demo", days: 365 })"#,
            gives: r#"{"changed":true}"#,
        },
    ];

    type State = State;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let pair = Pair::new(path::of(arguments, "certificate")?, path::of(arguments, "key")?)?;
        Ok(vec![Authority {
            pair,
            common_name: arguments.string("common_name")?,
            organizations: arguments.strings("organization"),
            days: validity(arguments)?,
            algorithm: Algorithm::named(&arguments.string("algorithm")?),
        }])
    }

    fn target(&self) -> String {
        self.pair.certificate.clone()
    }

    fn uses(&self) -> Uses {
        self.pair.uses()
    }

    async fn observe(&self, host: &Host) -> Result<State> {
        self.pair.observe(host).await
    }

    fn plan(&self, state: &State) -> Result<Plan<Before>> {
        let (key, old) = match (self.pair.certificate(state)?, self.pair.key(state)?) {
            (Content::Known(certificate), Content::Known(key)) => {
                self.refuse_unusable(&certificate, &key, state.now)?;
                return Ok(Plan::Unchanged);
            }
            (Content::Known(_) | Content::Planned(_), Content::Absent) => return Err(self.no_key()),
            (Content::Absent, Content::Known(key)) => (key, true),
            (Content::Absent, Content::Absent) => (Key::generate(self.algorithm)?, false),
            (Content::Absent, Content::Planned(origin)) => return self.planned(state, origin),
            _ => return Ok(Plan::Unchanged),
        };
        let certificate = self.certificate(&key, state.now)?;
        let text = Text::Plain(pem::encode(&certificate.der));
        let new_key = (!old).then(|| Text::Secret(key.pem()));
        let (before, effects) = self.pair.plan(state, new_key, &text, &self.origin())?;
        let sort = if old { "with the key that is there".to_owned() } else { certificate.algorithm.clone() };
        let summary = format!("create, {}, {sort}, valid until {}", certificate.subject, day(certificate.not_after));
        let diff = Diff::between("", &certificate.facts());
        Ok(Plan::Change(Change { before, summary, diff, effects }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        self.pair.apply(host, before, keep).await
    }

    async fn revisit(&self, host: &Host, keep: &Keep) -> Result<State> {
        self.pair.revisit(host, keep).await
    }

    fn standing(&self, state: &State, before: &Before, keep: &Keep) -> Standing {
        self.pair.standing(state, before, keep)
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        self.pair.undo(host, before, keep).await
    }
}

impl Authority {
    /// A plan in which the key will come from an earlier step.
    fn planned(&self, state: &State, origin: String) -> Result<Plan<Before>> {
        let text = Text::Unknown(Unknown { origin });
        let (before, effects) = self.pair.plan(state, None, &text, &self.origin())?;
        let summary = format!("create, CN={}, with the planned key", self.common_name);
        Ok(Plan::Change(Change { before, summary, diff: None, effects }))
    }

    fn origin(&self) -> String {
        format!("the authority that `cert::authority` makes as `{}`", self.pair.certificate)
    }

    fn certificate(&self, key: &Key, now: i64) -> Result<Certificate> {
        let not_before = now - BACKDATED;
        let not_after = not_before + self.days * DAY;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = date_time_ymd(1970, 1, 1) + Duration::from_secs(not_before.unsigned_abs());
        params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(not_after.unsigned_abs());
        let template = params.self_signed(key.pair()).map_err(made)?;
        // The template has the key, the time and the extensions. Repeated organisations are beyond rcgen.
        let subject = name::write(&self.organizations, &self.common_name);
        let tbs = Tbs::of(&self.pair.certificate, template.der())?;
        let der =
            tbs.with_serial(&serial()).with_names(&subject, &subject).with_validity(not_before, not_after).sign(key)?;
        Certificate::parse(&self.pair.certificate, der)
    }

    fn refuse_unusable(&self, certificate: &Certificate, key: &Key, now: i64) -> Result<()> {
        let Pair { certificate: place, key: key_place } = &self.pair;
        let refused =
            |code, message: String, hint: &str| Err(Error::new(Kind::Refused, code, message).hint(hint.to_owned()));
        if !key.belongs_to(certificate) {
            return refused(
                "cert.other_key",
                format!("the key `{key_place}` does not belong to the certificate `{place}`"),
                "put the right key there, or move both away if nothing depends on them",
            );
        }
        if !certificate.authority {
            return refused(
                "cert.no_authority",
                format!("the certificate `{place}` is no authority: it may not sign others"),
                "name other paths",
            );
        }
        if certificate.not_after < now {
            return refused(
                "cert.expired",
                format!("the authority `{place}` ended on {}", day(certificate.not_after)),
                "renew it by hand: everything that it signed must follow",
            );
        }
        Ok(())
    }

    fn no_key(&self) -> Error {
        let Pair { certificate, key } = &self.pair;
        let message = format!("the authority `{certificate}` is there without its key `{key}`");
        Error::new(Kind::Refused, "cert.no_key", message)
            .hint("put its key back, or move the certificate away if nothing depends on it")
    }
}
