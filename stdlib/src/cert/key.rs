//! Private keys. They have no `Debug`, and are never shown.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::secret::Secret;
use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512, PKCS_ED25519, PKCS_RSA_SHA256,
    RsaKeySize, SigningKey,
};
use serde::{Deserialize, Serialize};

use super::certificate::Certificate;
use super::pem;

/// A private key.
pub struct Key {
    pair: KeyPair,
}

/// The sort of a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// NIST P-256.
    EcdsaP256,
    /// 2048 bits.
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    /// 4096 bits.
    #[serde(rename = "rsa-4096")]
    Rsa4096,
}

impl Algorithm {
    /// What recipes write.
    pub const WORDS: &'static [&'static str] = &["ecdsa-p256", "rsa-2048", "rsa-4096"];

    /// The algorithm of a word of [`WORDS`](Algorithm::WORDS); the first one for others.
    pub fn named(word: &str) -> Algorithm {
        match word {
            "rsa-2048" => Algorithm::Rsa2048,
            "rsa-4096" => Algorithm::Rsa4096,
            _ => Algorithm::EcdsaP256,
        }
    }
}

impl Key {
    /// A new key.
    ///
    /// # Errors
    /// When this machine cannot make one.
    pub fn generate(algorithm: Algorithm) -> Result<Key> {
        let pair = match algorithm {
            Algorithm::EcdsaP256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            Algorithm::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
            Algorithm::Rsa4096 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_4096),
        };
        let pair = pair.map_err(|error| {
            Error::new(Kind::Local, "cert.generate", "cannot generate a key on this machine").because(error)
        })?;
        Ok(Key { pair })
    }

    /// The private key in a text: PKCS#8, PKCS#1 or SEC1. `path` is for the message.
    ///
    /// # Errors
    /// `cert.key` when there is none, or it has a passphrase.
    pub fn read(path: &str, text: &str) -> Result<Key> {
        let refused =
            |message: String, hint: &str| Err(Error::new(Kind::Refused, "cert.key", message).hint(hint.to_owned()));
        let blocks = pem::blocks(text);
        let Some(block) = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")) else {
            return refused(format!("`{path}` has no private key in it"), "name the file that has the key, in PEM");
        };
        let body = &text[block.range.clone()];
        if block.label.starts_with("ENCRYPTED") || body.contains("ENCRYPTED") {
            return refused(format!("the key `{path}` has a passphrase"), "name a key without one");
        }
        // What rcgen says of it is left out: nobody knows what it quotes.
        match block.der.as_ref().map(|der| KeyPair::try_from(der.as_slice())) {
            Some(Ok(pair)) => Ok(Key { pair }),
            _ => refused(
                format!("the key `{path}` cannot be read"),
                "look at it with `openssl pkey`: RSA, P-256, P-384, P-521 and Ed25519 are known",
            ),
        }
    }

    /// The key as a text, in PKCS#8.
    pub fn pem(&self) -> Secret {
        Secret::new(self.pair.serialize_pem())
    }

    /// For rcgen.
    pub fn pair(&self) -> &KeyPair {
        &self.pair
    }

    /// True when the certificate was made for this key.
    pub fn belongs_to(&self, certificate: &Certificate) -> bool {
        self.pair.public_key_raw() == certificate.public_key_bits
    }

    /// The signature of a text.
    ///
    /// # Errors
    /// When this machine cannot sign.
    pub fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        self.pair
            .sign(bytes)
            .map_err(|error| Error::new(Kind::Local, "cert.sign", "cannot sign on this machine").because(error))
    }

    /// How it signs, as an `AlgorithmIdentifier` in DER.
    ///
    /// # Errors
    /// For keys that do not sign certificates here.
    pub fn signature_algorithm(&self) -> Result<Vec<u8>> {
        let algorithm = self.pair.algorithm();
        let (number, null): (&[u64], bool) = match () {
            () if algorithm == &PKCS_RSA_SHA256 => (&[1, 2, 840, 113_549, 1, 1, 11], true),
            () if algorithm == &PKCS_ECDSA_P256_SHA256 => (&[1, 2, 840, 10045, 4, 3, 2], false),
            () if algorithm == &PKCS_ECDSA_P384_SHA384 => (&[1, 2, 840, 10045, 4, 3, 3], false),
            () if algorithm == &PKCS_ECDSA_P521_SHA512 => (&[1, 2, 840, 10045, 4, 3, 4], false),
            () if algorithm == &PKCS_ED25519 => (&[1, 3, 101, 112], false),
            () => {
                return Err(Error::new(Kind::Refused, "cert.algorithm", "the authority's sort of key is not known")
                    .hint("use an authority with an RSA or ECDSA key"));
            }
        };
        Ok(yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_oid(&yasna::models::ObjectIdentifier::from_slice(number));
                if null {
                    writer.next().write_null();
                }
            });
        }))
    }
}
