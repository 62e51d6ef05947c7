//! How members are asked: endpoints, certificates, and the program that asks.

use std::time::Duration;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::signature::{Absent, Param, ParamKind};
use haengine_kernel::transport::{Command, Exit, Output};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::answer::{Answers, Problem};

const ASK: &str = concat!(include_str!("certificates.sh"), include_str!("how.sh"), include_str!("ask.sh"));
const TELL: &str = concat!(include_str!("certificates.sh"), include_str!("how.sh"), include_str!("tell.sh"));

/// How long a host may take beyond the patience that it is told itself.
pub(super) const MARGIN: Duration = Duration::from_secs(15);

/// Of a member on the asking host itself.
const LOCAL: &str = "https://127.0.0.1:2379";

pub(super) const ENDPOINTS: Param =
    Param::option("endpoints", ParamKind::Strings, Absent::String(LOCAL), "Whom to ask, seen from the host.");
pub(super) const AUTHORITY: Param = Param::option(
    "authority",
    ParamKind::Path,
    Absent::Means("the usual places"),
    "The authority that signed the members.",
);
pub(super) const CERTIFICATE: Param = Param::option(
    "certificate",
    ParamKind::Path,
    Absent::Means("the usual places"),
    "The certificate to show to the members.",
);
pub(super) const KEY: Param = Param::option("key", ParamKind::Path, Absent::Means("the usual places"), "Its key.");
pub(super) const TIMEOUT: Param = Param::option(
    "timeout",
    ParamKind::Duration,
    Absent::String("5s"),
    "How long an endpoint may take, in whole seconds.",
);

/// The options that all verbs of the module share.
pub(super) const OPTIONS: &[Param] = &[ENDPOINTS, AUTHORITY, CERTIFICATE, KEY, TIMEOUT];

/// What a call says about how to ask.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Ask {
    pub(super) endpoints: Vec<String>,
    /// Authority, certificate and key; empty ones were not given.
    certificates: [String; 3],
    /// Seconds.
    timeout: u64,
}

/// Something to tell a member, in both programs' words.
pub(super) struct Told {
    /// Of the gateway.
    pub(super) path: &'static str,
    pub(super) body: Json,
    /// etcdctl's words for the same; none where it has no words for it.
    pub(super) words: Vec<String>,
}

impl Ask {
    pub(super) fn parse(arguments: &Arguments) -> Result<Ask> {
        let endpoints = arguments.strings("endpoints");
        let endpoints = endpoints.iter().map(|endpoint| checked(endpoint)).collect::<Result<Vec<_>>>()?;
        if endpoints.is_empty() {
            return Err(Error::new(
                Kind::Usage,
                "etcd.endpoint",
                format!("`{}` has nobody to ask", arguments.function()),
            )
            .hint("name an endpoint, or leave `endpoints` out"));
        }
        let path = |name| arguments.opt_string(name).unwrap_or_default();
        let certificates = [path("authority"), path("certificate"), path("key")];
        if certificates[1].is_empty() != certificates[2].is_empty() {
            let message = format!("`{}` got one of `certificate` and `key`", arguments.function());
            return Err(Error::new(Kind::Usage, "etcd.certificates", message).hint("name both, or none"));
        }
        let timeout = arguments.duration("timeout")?.as_secs().max(1);
        Ok(Ask { endpoints, certificates, timeout })
    }

    /// The same, asking others.
    pub(super) fn of(&self, endpoints: Vec<String>) -> Ask {
        Ask { endpoints, ..self.clone() }
    }

    /// The same, where an endpoint may take this long.
    pub(super) fn within(&self, patience: Duration) -> Ask {
        Ask { timeout: patience.as_secs().max(1), ..self.clone() }
    }

    /// How long an endpoint may take.
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// Asks every endpoint every question, all at once.
    pub(super) async fn ask(&self, host: &Host, questions: &str) -> Result<Answers> {
        if self.endpoints.is_empty() {
            return Ok(Answers::default());
        }
        let command = self.command(ASK, &self.endpoints).arg(questions).args(&self.endpoints);
        self.answers(host, &command).await
    }

    /// Tells one endpoint something, once; what it answers, or why nobody knows what it would have.
    pub(super) async fn tell(&self, host: &Host, endpoint: &str, told: Told) -> Result<Result<Json, Problem>> {
        let command = self
            .command(TELL, &[endpoint.to_owned()])
            .arg(if told.words.is_empty() { "curl" } else { "" })
            .args([endpoint, told.path])
            .arg(told.body.to_string())
            .args(told.words);
        Ok(self.answers(host, &command).await?.told())
    }

    /// A script that begins with `how.sh`.
    pub(super) fn command(&self, script: &str, endpoints: &[String]) -> Command {
        let has_tls = endpoints.iter().any(|endpoint| endpoint.starts_with("https://"));
        Command::script(script)
            .arg(self.timeout.to_string())
            .arg(if has_tls { "https" } else { "http" })
            .args(&self.certificates)
            .deadline(self.timeout() + MARGIN)
    }

    async fn answers(&self, host: &Host, command: &Command) -> Result<Answers> {
        let output = host.exec(command).await?;
        self.refused(&output)?;
        Answers::parse(&output.ok(command)?.text())
    }

    /// Why `how.sh` ended a script.
    pub(super) fn refused(&self, output: &Output) -> Result<()> {
        match output.exit {
            Exit::Status(20) => Err(no_program()),
            Exit::Status(21) => Err(no_certificates(&self.endpoints)),
            Exit::Status(22) => Err(unreadable(&output.text())),
            _ => Ok(()),
        }
    }
}

/// An endpoint without a slash at its end.
pub(super) fn checked(endpoint: &str) -> Result<String> {
    let rest = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    match rest.map(|rest| rest.trim_end_matches('/')) {
        Some(place) if !place.is_empty() && !place.contains(['/', ' ', ',']) => {
            Ok(endpoint.trim_end_matches('/').to_owned())
        }
        _ => Err(Error::new(Kind::Usage, "etcd.endpoint", format!("`{endpoint}` is no endpoint of etcd"))
            .hint("write it as `https://ADDRESS:2379`")),
    }
}

fn no_program() -> Error {
    Error::new(Kind::Refused, "etcd.no_program", "the host has neither `etcdctl` nor `curl` to ask etcd with")
        .hint("install one of them, or ask from a host that has it")
}

pub(super) fn no_certificates(endpoints: &[String]) -> Error {
    let message = format!("the host has no certificates in the usual places to ask `{}` with", endpoints.join(", "));
    Error::new(Kind::Refused, "etcd.no_certificates", message)
        .hint("name them with `authority`, `certificate` and `key`")
}

pub(super) fn unreadable(path: &str) -> Error {
    Error::new(Kind::Refused, "etcd.no_certificates", format!("`{path}` cannot be read"))
        .hint("correct the path; without root's rights set `become: true` for the host")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_scheme_and_place_and_nothing_else() {
        assert_eq!(checked("https://10.0.0.1:2379/").unwrap(), "https://10.0.0.1:2379");
        assert_eq!(checked("http://[fd00::1]:2379").unwrap(), "http://[fd00::1]:2379");
        for wrong in ["", "10.0.0.1:2379", "https://", "https://a/b", "https://a,https://b"] {
            assert_eq!(checked(wrong).unwrap_err().code(), "etcd.endpoint", "{wrong}");
        }
    }
}
