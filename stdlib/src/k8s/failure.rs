//! What went wrong between us and an API server, in words that say what to do.

use std::error::Error as StdError;
use std::fmt::Write;

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::transport::{OUTPUT, too_much};
use http_body_util::LengthLimitError;
use kube::core::Status;
use tokio_rustls::rustls;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Where a request went.
pub struct Place<'a> {
    /// The server's address.
    pub server: &'a str,
    /// The kubeconfig.
    pub kubeconfig: &'a str,
    /// The client certificate, PEM.
    pub certificate: Option<&'a [u8]>,
    /// False when the kubeconfig has nobody to be.
    pub has_user: bool,
}

/// The error of a request.
pub fn explain(error: kube::Error, place: &Place<'_>) -> Error {
    match error {
        kube::Error::Api(status) => refusal(&status, place),
        error => on_the_way(&error, place),
    }
}

/// The server's own answer.
pub fn refusal(status: &Status, place: &Place<'_>) -> Error {
    let (server, said) = (place.server, status.message.trim());
    match status.code {
        401 => unauthorized(place),
        403 => {
            let hint = if place.has_user {
                "name a kubeconfig of an administrator with `kubeconfig`, or grant the right"
            } else {
                "name a kubeconfig with credentials with `kubeconfig`: this one has none"
            };
            Error::new(Kind::Refused, "k8s.forbidden", format!("{server} does not allow it: {said}")).hint(hint)
        }
        404 => Error::new(Kind::Failed, "k8s.missing", format!("{server} does not have it: {said}")),
        409 if status.reason == "AlreadyExists" => {
            Error::new(Kind::Failed, "k8s.exists", format!("{server} has it already: {said}"))
        }
        409 => Error::new(Kind::Failed, "k8s.conflict", format!("{server} sees a conflict: {said}")),
        400 | 422 => Error::new(Kind::Failed, "k8s.invalid", format!("{server} does not accept it: {said}")),
        code => Error::new(Kind::Failed, "k8s.api", format!("{server} answered with status {code}: {said}"))
            .hint("look at the log of its kube-apiserver"),
    }
}

/// Credentials that the server does not know.
pub fn unauthorized(place: &Place<'_>) -> Error {
    let (server, kubeconfig) = (place.server, place.kubeconfig);
    if let Some(when) = place.certificate.and_then(not_valid) {
        return Error::new(
            Kind::Failed,
            "k8s.certificate",
            format!("the client certificate in `{kubeconfig}` {when}, and {server} does not accept it"),
        )
        .hint("renew it, or name another kubeconfig with `kubeconfig`");
    }
    let error = Error::new(
        Kind::Failed,
        "k8s.unauthorized",
        format!("{server} does not know who `{kubeconfig}` says that we are"),
    );
    error.hint(if place.has_user {
        "check that its certificate or token is of this cluster, or name another kubeconfig with `kubeconfig`"
    } else {
        "name a kubeconfig with credentials with `kubeconfig`: this one has none"
    })
}

/// No answer in time.
pub fn silent(place: &Place<'_>, seconds: u64) -> Error {
    let message = format!("{} did not answer within {seconds} s", place.server);
    Error::new(Kind::Failed, "k8s.unreachable", message).hint("check that its kube-apiserver and etcd are well")
}

/// True when the same question may be answered a moment later.
pub fn may_pass(error: &Error) -> bool {
    matches!(error.code(), "k8s.unreachable" | "k8s.api" | "k8s.conflict" | "k8s.exists")
}

fn on_the_way(error: &kube::Error, place: &Place<'_>) -> Error {
    let server = place.server;
    if let Some(own) = find::<Error>(error) {
        return ours(own, place);
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        let message = format!("the certificate of {server} is not accepted: {}", told(tls));
        return Error::new(Kind::Failed, "k8s.certificate", message).hint(advice(tls));
    }
    if find::<LengthLimitError>(error).is_some() {
        return too_much(&format!("an answer of {server}"), OUTPUT);
    }
    if matches!(error, kube::Error::RustlsTls(_) | kube::Error::InferKubeconfig(_)) {
        let message = format!("the certificates in `{}` cannot be used", place.kubeconfig);
        return Error::new(Kind::Refused, "k8s.kubeconfig", message)
            .hint("check certificate-authority, client-certificate and client-key in it")
            .because(chain(error));
    }
    unreachable(server, DEFAULT_ADVICE).because(chain(error))
}

const DEFAULT_ADVICE: &str = "check that its kube-apiserver runs, or name another server with `server`";

/// What the way through the host says. A host that is lost stays that.
fn ours(error: &Error, place: &Place<'_>) -> Error {
    match error.kind() {
        Kind::Cancelled => Error::cancelled(),
        Kind::Unreachable => {
            let lost = Error::new(Kind::Unreachable, error.code(), error.message());
            error.advice().into_iter().fold(lost, Error::hint)
        }
        _ => {
            let advice = if error.causes().is_empty() { error.advice() } else { None };
            let all = std::iter::once(error.message().to_owned()).chain(error.causes()).collect::<Vec<_>>().join(": ");
            unreachable(place.server, advice.unwrap_or(DEFAULT_ADVICE)).because(all)
        }
    }
}

fn unreachable(server: &str, advice: &str) -> Error {
    Error::new(Kind::Failed, "k8s.unreachable", format!("{server} cannot be reached")).hint(advice)
}

fn told(error: &rustls::Error) -> String {
    use rustls::CertificateError as Why;
    let rustls::Error::InvalidCertificate(why) = error else { return error.to_string() };
    match why {
        Why::UnknownIssuer | Why::BadSignature => "the kubeconfig's certificate authority did not issue it".to_owned(),
        Why::Expired | Why::ExpiredContext { .. } => "it has expired".to_owned(),
        Why::NotValidYet | Why::NotValidYetContext { .. } => "it is not valid yet".to_owned(),
        Why::NotValidForName | Why::NotValidForNameContext { .. } => "it does not name this address".to_owned(),
        other => other.to_string(),
    }
}

fn advice(error: &rustls::Error) -> &'static str {
    use rustls::CertificateError as Why;
    match error {
        rustls::Error::InvalidCertificate(Why::NotValidForName | Why::NotValidForNameContext { .. }) => {
            "extend the certificate with the address, or name a server that it names with `server`"
        }
        rustls::Error::InvalidCertificate(Why::UnknownIssuer | Why::BadSignature) => {
            "name the kubeconfig of this cluster with `kubeconfig`"
        }
        _ => "look at the server's certificate, and at the clocks",
    }
}

/// How a client certificate is not valid now, if so.
fn not_valid(pem: &[u8]) -> Option<String> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem).ok()?;
    let (_, certificate) = X509Certificate::from_der(&pem.contents).ok()?;
    let (validity, now) = (certificate.validity(), x509_parser::time::ASN1Time::now());
    if now > validity.not_after {
        return Some(format!("expired at {}", validity.not_after));
    }
    (now < validity.not_before).then(|| format!("is not valid before {}", validity.not_before))
}

/// The first error of a type among the causes.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    causes(error).into_iter().find_map(|cause| cause.downcast_ref())
}

/// An error of the operating system hides the one that it carries.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> Vec<&'a (dyn StdError + 'static)> {
    let (mut all, mut next) = (Vec::new(), Some(error));
    while let Some(cause) = next {
        all.push(cause);
        let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| cause.source());
    }
    all
}

/// All causes in one line, without the client's own wrapping.
fn chain(error: &kube::Error) -> String {
    let mut text = String::new();
    for cause in causes(error).into_iter().skip(1) {
        let said = cause.to_string();
        if !text.contains(&said) {
            let colon = if text.is_empty() { "" } else { ": " };
            let _ = write!(text, "{colon}{said}");
        }
    }
    if text.is_empty() { error.to_string() } else { text }
}
