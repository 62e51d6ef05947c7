//! What is in a certificate.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::value::Value;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Version};

use super::{name, pem, usage};

const COMMON_NAME: &str = "2.5.4.3";
const ORGANIZATION: &str = "2.5.4.10";

/// A certificate, read.
#[derive(Clone)]
pub struct Certificate {
    /// All of it, in DER.
    pub der: Vec<u8>,
    /// As RFC 4514 writes it.
    pub subject: String,
    /// The subject in DER.
    pub subject_der: Vec<u8>,
    /// How many attributes the subject has.
    pub attributes: usize,
    /// The subject's common name.
    pub common_name: Option<String>,
    /// The subject's organisations.
    pub organizations: Vec<String>,
    /// As RFC 4514 writes it.
    pub issuer: String,
    /// The issuer in DER.
    pub issuer_der: Vec<u8>,
    /// In hexadecimal.
    pub serial: String,
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970.
    pub not_after: i64,
    /// DNS names.
    pub names: Vec<String>,
    /// IP addresses.
    pub addresses: Vec<IpAddr>,
    /// Empty when it may be used for anything.
    pub usages: Vec<String>,
    /// True when it may sign others.
    pub authority: bool,
    /// The sort of its key: `rsa-2048`.
    pub algorithm: String,
    /// The key's identifier, where it says one.
    pub key_identifier: Option<Vec<u8>>,
    /// The public key alone.
    pub public_key_bits: Vec<u8>,
    /// SHA-256 of the public key with its algorithm.
    pub public_key: String,
    /// SHA-256 of all of it.
    pub fingerprint: String,
}

impl Certificate {
    /// The first certificate in a PEM text. `place` is for the message.
    ///
    /// # Errors
    /// `cert.not_pem` when there is none, `cert.unreadable` when it is broken.
    pub fn first(place: &str, text: &str) -> Result<Certificate> {
        let der = pem::certificate(text).ok_or_else(|| not_pem(place))?;
        Certificate::parse(place, der)
    }

    /// A certificate in DER.
    ///
    /// # Errors
    /// `cert.unreadable`.
    pub fn parse(place: &str, der: Vec<u8>) -> Result<Certificate> {
        let certificate = X509Certificate::from_der(&der).map_err(|error| unreadable(place).because(error.to_string()));
        let (_, read) = certificate?;
        let mut names = Vec::new();
        let mut addresses = Vec::new();
        let mut usages = Vec::new();
        let mut key_identifier = None;
        for extension in read.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(found) => {
                    for name in &found.general_names {
                        match name {
                            GeneralName::DNSName(name) => names.push((*name).to_owned()),
                            GeneralName::IPAddress(bytes) => addresses.extend(address(bytes)),
                            _ => {}
                        }
                    }
                }
                ParsedExtension::ExtendedKeyUsage(found) => usages = usage::shown(found),
                ParsedExtension::SubjectKeyIdentifier(found) => key_identifier = Some(found.0.to_vec()),
                _ => {}
            }
        }
        let subject = read.subject();
        Ok(Certificate {
            subject: name::text(subject),
            subject_der: subject.as_raw().to_vec(),
            attributes: subject.iter_attributes().count(),
            common_name: name::values(subject, COMMON_NAME).pop(),
            organizations: name::values(subject, ORGANIZATION),
            issuer: name::text(read.issuer()),
            issuer_der: read.issuer().as_raw().to_vec(),
            serial: hexadecimal(read.raw_serial()),
            not_before: read.validity().not_before.timestamp(),
            not_after: read.validity().not_after.timestamp(),
            names,
            addresses,
            usages,
            authority: is_authority(&read),
            algorithm: algorithm(read.public_key()),
            key_identifier,
            public_key_bits: read.public_key().subject_public_key.data.to_vec(),
            public_key: public_key(read.public_key()),
            fingerprint: hexadecimal(&Sha256::digest(&der)),
            der,
        })
    }

    /// True when it names this authority as its issuer and the authority's key made its signature.
    pub fn is_signed_by(&self, authority: &Certificate) -> bool {
        let parsed = (X509Certificate::from_der(&self.der), X509Certificate::from_der(&authority.der));
        let (Ok((_, this)), Ok((_, authority_read))) = parsed else { return false };
        self.issuer_der == authority.subject_der && this.verify_signature(Some(authority_read.public_key())).is_ok()
    }

    /// True when its time has not come or is over.
    pub fn is_out_of_time(&self, now: i64) -> bool {
        now < self.not_before || now > self.not_after
    }

    /// The result of the reads. `now` is in seconds since 1970.
    pub fn value(&self, now: i64) -> Value {
        let list = |texts: &[String]| Value::List(texts.iter().map(|text| Value::from(text.as_str())).collect());
        let addresses: Vec<String> = self.addresses.iter().map(IpAddr::to_string).collect();
        Value::map([
            ("subject", Value::from(self.subject.as_str())),
            ("common_name", self.common_name.as_deref().map_or(Value::Null, Value::from)),
            ("organizations", list(&self.organizations)),
            ("issuer", Value::from(self.issuer.as_str())),
            ("serial", Value::from(self.serial.as_str())),
            ("not_before", Value::from(time(self.not_before))),
            ("not_after", Value::from(time(self.not_after))),
            ("days_left", Value::Integer((self.not_after - now).div_euclid(DAY))),
            ("names", list(&self.names)),
            ("addresses", list(&addresses)),
            ("usages", list(&self.usages)),
            ("authority", Value::Boolean(self.authority)),
            ("algorithm", Value::from(self.algorithm.as_str())),
            ("fingerprint", Value::from(self.fingerprint.as_str())),
            ("public_key", Value::from(self.public_key.as_str())),
        ])
    }

    /// What a person wants to see of it before it is placed, one fact a line.
    pub fn facts(&self) -> String {
        let addresses = self.addresses.iter().map(IpAddr::to_string);
        let lists = [("name", self.names.clone()), ("address", addresses.collect()), ("usage", self.usages.clone())];
        let mut text = format!("subject: {}\nissuer: {}\n", self.subject, self.issuer);
        for (word, values) in lists {
            text.extend(values.iter().map(|value| format!("{word}: {value}\n")));
        }
        text.push_str(&format!("valid until: {}\n", day(self.not_after)));
        text
    }
}

/// Seconds of a day.
pub const DAY: i64 = 24 * 60 * 60;

/// A time as RFC 3339 writes it.
pub fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// The day of a time, UTC.
pub fn day(seconds: i64) -> String {
    time(seconds).chars().take("2026-01-31".len()).collect()
}

/// SHA-256 of a public key with its algorithm, in hexadecimal.
pub fn public_key(info: &SubjectPublicKeyInfo<'_>) -> String {
    hexadecimal(&Sha256::digest(info.raw))
}

/// Now, in seconds since 1970, by the operator's clock.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn not_pem(place: &str) -> Error {
    Error::new(Kind::Refused, "cert.not_pem", format!("`{place}` has no certificate in it"))
        .hint("name a PEM file that begins with `-----BEGIN CERTIFICATE-----`")
}

fn unreadable(place: &str) -> Error {
    Error::new(Kind::Refused, "cert.unreadable", format!("the certificate `{place}` cannot be read"))
        .hint("look at it on the host with `openssl x509 -noout -text`")
}

/// Version 1 has no place to say that it is an authority: self-signed ones count as such.
fn is_authority(read: &X509Certificate<'_>) -> bool {
    let old = read.version() == X509Version::V1 && read.subject().as_raw() == read.issuer().as_raw();
    let may_sign = read.key_usage().ok().flatten().is_none_or(|usage| usage.value.key_cert_sign());
    old || (read.is_ca() && may_sign)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes)));
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes)))).ok()
}

fn algorithm(key: &SubjectPublicKeyInfo<'_>) -> String {
    let number = key.algorithm.algorithm.to_id_string();
    let curve = || key.algorithm.parameters.as_ref()?.as_oid().ok().map(|oid| oid.to_id_string());
    match (key.parsed(), number.as_str()) {
        (Ok(PublicKey::RSA(key)), _) => format!("rsa-{}", key.key_size()),
        (_, "1.3.101.112") => "ed25519".to_owned(),
        (_, "1.2.840.10045.2.1") => match curve().as_deref() {
            Some("1.2.840.10045.3.1.7") => "ecdsa-p256".to_owned(),
            Some("1.3.132.0.34") => "ecdsa-p384".to_owned(),
            Some("1.3.132.0.35") => "ecdsa-p521".to_owned(),
            other => format!("ecdsa {}", other.unwrap_or("of its own curve")),
        },
        (_, number) => number.to_owned(),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
