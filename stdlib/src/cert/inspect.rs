//! `cert::inspect`: what is in a certificate file.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::{Unknown, Value};

use super::certificate::{Certificate, now};
use super::kubeconfig::{self, Part};
use crate::file::path;
use crate::file::read::{MISSING, Read as ReadFile};

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Inspect {
    file: ReadFile,
    part: Part,
}

#[async_trait]
impl Read for Inspect {
    const NAME: &'static str = "cert.inspect";
    const ABOUT: &'static str = "What is in a certificate file.

The first certificate of a PEM file, or the one inside a kubeconfig. The result is a map:

| name | what |
|---|---|
| `subject`, `issuer` | as RFC 4514 writes them: `CN=admin,O=system:masters` |
| `common_name`, `organizations` | of the subject; `()` where it has no common name |
| `serial` | in hexadecimal |
| `not_before`, `not_after` | as RFC 3339 writes them |
| `days_left` | whole days from now, by your clock; negative once it is over |
| `names`, `addresses` | the DNS names and IP addresses that it is for |
| `usages` | `server auth`, `client auth`, …; empty when it may be used for anything |
| `authority` | whether it may sign others |
| `algorithm` | of its key: `rsa-2048`, `ecdsa-p256`, … |
| `fingerprint`, `public_key` | SHA-256 of all of it, and of its public key |

With `missing: \"empty\"` the result is `()` where there is no file.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("path", ParamKind::Path, "A PEM file, or a kubeconfig.")],
        options: &[
            Param::option(
                "part",
                ParamKind::Choice(&["client", "authority"]),
                Absent::String("client"),
                "Which certificate of a kubeconfig: the one to log in with, or the cluster's authority.",
            ),
            MISSING,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "For which names a server's certificate is.",
            given: "mkdir -p /opt/demo && cd /opt/demo && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
                    -keyout a.key -out a.pem -subj /O=demo/CN=server -addext subjectAltName=DNS:a.example,IP:192.0.2.1 \
                    2>/dev/null",
            code: r#"cert::inspect(h, "/opt/demo/a.pem").names"#,
            gives: r#"["a.example"]"#,
        },
        Example {
            about: "As whom a kubeconfig logs in.",
            given: "mkdir -p /opt/demo && cd /opt/demo && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
                    -keyout a.key -out a.pem -subj /O=system:masters/CN=admin 2>/dev/null && printf 'clusters: []\\nusers:\\n- \
                    name: admin\\n  user:\\n    client-certificate-data: %s\\n' \"$(base64 -w0 a.pem)\" >admin.kubeconfig",
            code: r#"cert::inspect(h, "/opt/demo/admin.kubeconfig").subject"#,
            gives: r#""CN=admin,O=system:masters""#,
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
    ]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        let missing_is_empty = arguments.string("missing")? == "empty";
        let authority = arguments.string("part")? == "authority";
        let file = ReadFile::of(path::of(arguments, "path")?, missing_is_empty);
        Ok(Inspect { file, part: if authority { Part::Authority } else { Part::Client } })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        match self.file.foresee(host, overlay) {
            Foreseen::Known(value) => self.value(&value).map_or_else(
                |_| {
                    let origin = format!("the planned `{}` on `{}`", self.file.path(), host.name());
                    Foreseen::Unknown(Unknown { origin })
                },
                Foreseen::Known,
            ),
            other => other,
        }
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        self.value(&self.file.read(host).await?)
    }
}

impl Inspect {
    /// Of the file's content. Nothing is what `missing` gives for no file.
    fn value(&self, content: &Value) -> Result<Value> {
        let path = self.file.path();
        let text = match content {
            Value::String(text) => text.as_str(),
            Value::Secret(secret) => secret.expose(),
            _ => "",
        };
        if text.is_empty() && self.file.missing_is_empty() {
            return Ok(Value::Null);
        }
        let certificate = if kubeconfig::is_kubeconfig(text) {
            Certificate::first(path, &kubeconfig::certificate(path, text, self.part)?)
        } else {
            Certificate::first(path, text)
        };
        Ok(certificate?.value(now()))
    }
}
