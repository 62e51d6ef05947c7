//! What a certificate may be used for.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::signature::{nearest, quoted};
use rcgen::ExtendedKeyUsagePurpose;
use serde::{Deserialize, Serialize};
use x509_parser::extensions::ExtendedKeyUsage;

/// A usage that recipes ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Usage {
    /// To be served.
    Server,
    /// To log in with.
    Client,
}

impl Usage {
    const WORDS: [&str; 2] = ["server", "client"];

    /// The usages of these words.
    ///
    /// # Errors
    /// Of kind `Usage`, with the nearest word that is known.
    pub fn parse(words: &[String]) -> Result<Vec<Usage>> {
        words.iter().map(|word| Usage::named(word)).collect()
    }

    fn named(word: &str) -> Result<Usage> {
        match word {
            "server" | "server auth" => Ok(Usage::Server),
            "client" | "client auth" => Ok(Usage::Client),
            _ => {
                let near = nearest(word, Usage::WORDS).map_or_else(|| quoted(&Usage::WORDS), |near| quoted(&[near]));
                Err(Error::new(Kind::Usage, "cert.usage", format!("there is no usage `{word}`"))
                    .hint(format!("write {near}")))
            }
        }
    }

    /// As results of reads name it.
    pub fn shown(self) -> &'static str {
        match self {
            Usage::Server => "server auth",
            Usage::Client => "client auth",
        }
    }

    /// As rcgen names it.
    pub fn purpose(self) -> ExtendedKeyUsagePurpose {
        match self {
            Usage::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Usage::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }
    }
}

/// The usages of a certificate in words; others as their numbers.
pub fn shown(usages: &ExtendedKeyUsage<'_>) -> Vec<String> {
    let known = [
        (usages.any, "any"),
        (usages.server_auth, Usage::Server.shown()),
        (usages.client_auth, Usage::Client.shown()),
        (usages.code_signing, "code signing"),
        (usages.email_protection, "email protection"),
        (usages.time_stamping, "time stamping"),
        (usages.ocsp_signing, "ocsp signing"),
    ];
    let known = known.into_iter().filter(|(is, _)| *is).map(|(_, word)| word.to_owned());
    known.chain(usages.other.iter().map(|oid| oid.to_id_string())).collect()
}
