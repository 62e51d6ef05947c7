//! `cert::served`: the certificate that a server shows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};

use super::certificate::{Certificate, now};
use super::pem;
use crate::file::path;
use crate::file::read::Read as ReadFile;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Served {
    endpoint: String,
    address: String,
    port: u16,
    server_name: ServerName<'static>,
    authority: Option<ReadFile>,
    timeout: Duration,
}

#[async_trait]
impl Read for Served {
    const NAME: &'static str = "cert.served";
    const ABOUT: &'static str = "The certificate that a server shows to a host.

The connection starts at the host, so it is what that host sees of `address:port`. The result is that of
`cert::inspect`, and:

| name | what |
|---|---|
| `verified` | whether the authority signed it, for this name, its time is not over, and the server has its key |
| `problem` | why not, or `()` |

Without `authority` nothing is verified. A server that wants a client's certificate shows its own first, so it can be
looked at all the same. An endpoint that does not answer, or not with TLS, is an error.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("endpoint", ParamKind::String, "`address:port`, as the host reaches it."),
        ],
        options: &[
            Param::option(
                "authority",
                ParamKind::Path,
                Absent::Means("()"),
                "A PEM file on the host with whom it trusts.",
            ),
            Param::option(
                "server_name",
                ParamKind::String,
                Absent::Means("the address"),
                "The name or address that the certificate must be for.",
            ),
            Param::option("timeout", ParamKind::Duration, Absent::String("5s"), "How long it may take."),
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Whether a server's certificate is for its address and signed by the authority.",
            given: SERVER,
            code: r#"cert::served(h, "127.0.0.1:6443", #{ authority: "/opt/demo/ca.pem" }).verified"#,
            gives: "true",
        },
        Example {
            about: "Why it is not verified under another name.",
            given: SERVER,
            code: r#"cert::served(h, "127.0.0.1:6443", #{ authority: "/opt/demo/ca.pem", server_name: "two.example" }).problem"#,
            gives: r#""it is not for `two.example`""#,
        },
    ];
    const GIVES: Shape = Shape::Map(&[
        ("subject", Shape::String),
        ("common_name", Shape::Anything),
        ("organizations", Shape::List(&Shape::String)),
        ("issuer", Shape::String),
        ("serial", Shape::String),
        ("not_before", Shape::String),
        ("not_after", Shape::String),
        ("days_left", Shape::Integer),
        ("names", Shape::List(&Shape::String)),
        ("addresses", Shape::List(&Shape::String)),
        ("usages", Shape::List(&Shape::String)),
        ("authority", Shape::Boolean),
        ("algorithm", Shape::String),
        ("fingerprint", Shape::String),
        ("public_key", Shape::String),
        ("verified", Shape::Boolean),
        ("problem", Shape::Anything),
    ]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        let endpoint = arguments.string("endpoint")?;
        let (address, port) = endpoint_of(&endpoint)?;
        let name = arguments.opt_string("server_name").unwrap_or_else(|| address.clone());
        let server_name = ServerName::try_from(name.clone()).map_err(|_| {
            Error::new(Kind::Usage, "cert.server_name", format!("`{name}` is neither a name nor an address"))
                .hint("write the name that the certificate must be for")
        })?;
        let authority = if arguments.has("authority") { Some(path::of(arguments, "authority")?) } else { None };
        let authority = authority.map(|path| ReadFile::of(path, false));
        let timeout = arguments.duration("timeout")?;
        Ok(Served { endpoint, address, port, server_name, authority, timeout })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("cert::served", host, overlay)
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let roots = match &self.authority {
            Some(file) => Some(roots(host, file).await?),
            None => None,
        };
        let witness = Arc::new(Witness { provider: provider.clone(), seen: Mutex::default() });
        let shaken = tokio::time::timeout(self.timeout, self.shake_hands(host, &provider, &witness));
        let shaken = shaken.await.map_err(|_| self.silent())?;
        let seen = std::mem::take(&mut *witness.seen.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(first) = seen.chain.first() else {
            let error =
                Error::new(Kind::Failed, "cert.no_tls", format!("`{}` does not answer with TLS", self.endpoint))
                    .hint("correct the endpoint, or look at the server's log");
            return Err(match shaken {
                Ok(()) => error,
                Err(Ended::Connecting(why)) => why,
                Err(Ended::Shaking(why)) => error.because(why),
            });
        };
        let problem = self.problem(&seen, roots, provider)?;
        let mut value = Certificate::parse(&self.endpoint, first.to_vec())?.value(now());
        if let Value::Map(fields) = &mut value {
            fields.insert("verified".to_owned(), Value::Boolean(problem.is_none()));
            fields.insert("problem".to_owned(), problem.map_or(Value::Null, Value::from));
        }
        Ok(value)
    }
}

/// Why a handshake did not come to its end.
enum Ended {
    Connecting(Error),
    Shaking(std::io::Error),
}

impl Served {
    async fn shake_hands(
        &self,
        host: &Host,
        provider: &Arc<CryptoProvider>,
        witness: &Arc<Witness>,
    ) -> Result<(), Ended> {
        let config = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let config = config.map_err(|error| Ended::Shaking(std::io::Error::other(error)))?;
        let verifier = witness.clone();
        let config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        let stream = host.open_tcp(&self.address, self.port).await.map_err(Ended::Connecting)?;
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(self.server_name.clone(), stream).await.map(drop).map_err(Ended::Shaking)
    }

    /// Why the certificate that was seen is not to be trusted.
    fn problem(
        &self,
        seen: &Seen,
        roots: Option<RootCertStore>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Option<String>> {
        let Some(roots) = roots else { return Ok(Some("not checked, since no `authority` is named".to_owned())) };
        let Some((first, others)) = seen.chain.split_first() else { return Ok(None) };
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let verifier = verifier.map_err(|error| {
            Error::new(Kind::Local, "cert.verifier", "certificates cannot be verified on this machine").because(error)
        })?;
        let verdict = verifier.verify_server_cert(first, others, &self.server_name, &[], UnixTime::now());
        Ok(match verdict {
            Err(error) => Some(self.words(&error)),
            Ok(_) if seen.forged => Some("the server does not have its key".to_owned()),
            Ok(_) => None,
        })
    }

    fn words(&self, error: &TlsError) -> String {
        let TlsError::InvalidCertificate(error) = error else { return error.to_string() };
        match error {
            // An authority of the same name with another key.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "it is not signed by the authority".to_owned()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its time is over".to_owned(),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its time has not come".to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("it is not for `{}`", self.server_name.to_str())
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                "it is not for servers".to_owned()
            }
            other => other.to_string(),
        }
    }

    fn silent(&self) -> Error {
        let message = format!("`{}` did not answer within {} ms", self.endpoint, self.timeout.as_millis());
        Error::new(Kind::Failed, "cert.timeout", message).hint("raise `timeout`, or look at the server's log")
    }
}

/// The authorities in a host's file.
///
/// # Errors
/// When it cannot be read, or holds none.
pub(crate) async fn roots(host: &Host, file: &ReadFile) -> Result<RootCertStore> {
    let read = file.read(host).await?;
    let text = match &read {
        Value::Secret(text) => text.expose(),
        _ => "",
    };
    // The message for a file without any.
    Certificate::first(file.path(), text)?;
    let mut roots = RootCertStore::empty();
    for der in pem::certificates(text) {
        roots.add(CertificateDer::from(der)).map_err(|error| {
            let message = format!("a certificate in `{}` cannot be an authority", file.path());
            Error::new(Kind::Refused, "cert.no_authority", message)
                .because(error)
                .hint("look at it with `cert::inspect`")
        })?;
    }
    Ok(roots)
}

/// What a server showed.
#[derive(Default)]
struct Seen {
    chain: Vec<CertificateDer<'static>>,
    /// It could not prove that it has the key.
    forged: bool,
}

/// Takes every certificate, and remembers it: the verdict comes later, so that one that is not to be trusted can be
/// looked at too. Nothing is sent over the connection.
#[derive(Debug)]
struct Witness {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Seen>,
}

impl Witness {
    fn judge(&self, proof: Result<HandshakeSignatureValid, TlsError>) -> Result<HandshakeSignatureValid, TlsError> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).forged = proof.is_err();
        proof
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        first: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let chain = std::iter::once(first).chain(others).map(|found| found.clone().into_owned()).collect();
        // Until the proof comes there is none.
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen { chain, forged: true };
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        proof: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.judge(verify_tls12_signature(
            message,
            certificate,
            proof,
            &self.provider.signature_verification_algorithms,
        ))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        proof: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.judge(verify_tls13_signature(
            message,
            certificate,
            proof,
            &self.provider.signature_verification_algorithms,
        ))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seen").field("certificates", &self.chain.len()).finish()
    }
}

/// `192.0.2.1:6443`, `[2001:db8::1]:6443`, `name:6443`.
pub(crate) fn endpoint_of(text: &str) -> Result<(String, u16)> {
    let split = text.rsplit_once(':').and_then(|(address, port)| {
        let bare = address.strip_prefix('[').and_then(|address| address.strip_suffix(']'));
        let address = bare.unwrap_or(address);
        let unclear = address.is_empty() || (bare.is_none() && address.contains(':'));
        port.parse().ok().filter(|_| !unclear).map(|port| (address.to_owned(), port))
    });
    split.ok_or_else(|| {
        Error::new(Kind::Usage, "cert.endpoint", format!("`{text}` is no endpoint"))
            .hint("write `address:port`, and an IPv6 address in brackets")
    })
}

/// A server for the examples.
const SERVER: &str = concat!(
    "mkdir -p /opt/demo && cd /opt/demo && openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem ",
    "-days 3650 -subj /CN=demo 2>/dev/null && printf 'subjectAltName=DNS:one.example,IP:127.0.0.1' >ext && ",
    "openssl req -newkey rsa:2048 -nodes -keyout server-key.pem -subj /CN=server -out server.csr 2>/dev/null && ",
    "openssl x509 -req -in server.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 365 -extfile ext ",
    "-out server.pem 2>/dev/null && systemd-run -q --unit=demo-server openssl s_server -accept 6443 -cert ",
    "/opt/demo/server.pem -key /opt/demo/server-key.pem -quiet && ",
    "until openssl s_client -connect 127.0.0.1:6443 </dev/null >/dev/null 2>&1; do sleep 0.1; done"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_an_address_and_a_port() {
        assert_eq!(endpoint_of("a.example:6443").unwrap(), ("a.example".to_owned(), 6443));
        assert_eq!(endpoint_of("[::1]:1").unwrap(), ("::1".to_owned(), 1));
        for wrong in ["a", "a:", "a:70000", "::1:6443", ":1", "https://a"] {
            assert_eq!(endpoint_of(wrong).unwrap_err().code(), "cert.endpoint", "{wrong}");
        }
    }
}
