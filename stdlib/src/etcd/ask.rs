//! How members are asked: endpoints, certificates, and the program that asks.

use std::time::Duration;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::signature::{Absent, Param, ParamKind};
use haengine_kernel::transport::{Command, Exit};

use super::answer::Answers;

const ASK: &str = include_str!("ask.sh");

/// How long a host may take beyond the patience that it is told itself.
pub(super) const MARGIN: Duration = Duration::from_secs(15);

/// Of a member on the asking host itself.
const LOCAL: &str = "https://127.0.0.1:2379";

/// The options that all verbs of the module share.
pub(super) const OPTIONS: &[Param] = &[
    Param::option("endpoints", ParamKind::Strings, Absent::String(LOCAL), "Whom to ask, seen from the host."),
    Param::option(
        "authority",
        ParamKind::Path,
        Absent::Means("the usual places"),
        "The authority that signed the members.",
    ),
    Param::option(
        "certificate",
        ParamKind::Path,
        Absent::Means("the usual places"),
        "The certificate to show to the members.",
    ),
    Param::option("key", ParamKind::Path, Absent::Means("the usual places"), "Its key."),
    Param::option(
        "timeout",
        ParamKind::Duration,
        Absent::String("5s"),
        "How long an endpoint may take, in whole seconds.",
    ),
];

/// What a call says about how to ask.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) endpoints: Vec<String>,
    /// Authority, certificate and key; empty ones were not given.
    certificates: [String; 3],
    /// Seconds.
    patience: u64,
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
        let patience = arguments.duration("timeout")?.as_secs().max(1);
        Ok(Ask { endpoints, certificates, patience })
    }

    /// Asks every endpoint every question, all at once.
    pub(super) async fn ask(&self, host: &Host, questions: &str) -> Result<Answers> {
        let command = Command::script(ASK)
            .arg(self.patience.to_string())
            .args(&self.certificates)
            .arg(questions)
            .args(&self.endpoints)
            .deadline(Duration::from_secs(self.patience) + MARGIN);
        let output = host.exec(&command).await?;
        match output.exit {
            Exit::Status(20) => Err(no_program()),
            Exit::Status(21) => Err(no_certificates(&self.endpoints)),
            Exit::Status(22) => Err(unreadable(&output.text())),
            _ => Answers::parse(&output.ok(&command)?.text()),
        }
    }
}

/// An endpoint without a slash at its end.
fn checked(endpoint: &str) -> Result<String> {
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
