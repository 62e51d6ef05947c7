//! A certificate that is another one in all but a few fields.
//!
//! What stays is copied byte for byte, so that a subject, an extension, or a string in an unusual encoding stays what it
//! was, whether or not anybody here understands it.

use std::net::IpAddr;

use haengine_kernel::error::{Error, Kind, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use yasna::{ASN1Result, Tag, TagClass, construct_der, parse_der};

use super::key::Key;

/// The part of a certificate that is signed, as its elements in DER.
pub struct Tbs {
    /// Version 3, explicitly: older ones have no extensions, which each certificate made here has.
    serial: Vec<u8>,
    issuer: Vec<u8>,
    validity: Vec<u8>,
    subject: Vec<u8>,
    public_key: Vec<u8>,
    /// The unique identifiers, which nobody uses.
    identifiers: Vec<Vec<u8>>,
    extensions: Vec<Vec<u8>>,
}

/// The object identifier of the subject's alternative names, in DER.
const ALTERNATIVE_NAMES: [u8; 5] = [0x06, 0x03, 0x55, 0x1d, 0x11];
/// Logs signed these about the old certificate: they would be false in the new one.
const ABOUT_ITSELF: [&[u8]; 2] = [
    &[0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02],
    &[0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x03],
];

impl Tbs {
    /// Of a certificate in DER. `place` is for the message.
    ///
    /// # Errors
    /// `cert.not_exact` when it cannot be taken apart and put together again.
    pub fn of(place: &str, der: &[u8]) -> Result<Tbs> {
        read(der).ok_or_else(|| {
            let message = format!("the certificate `{place}` is not DER, and could not be made again as it is");
            Error::new(Kind::Refused, "cert.not_exact", message)
                .hint("issue it anew with `cert::issue`, or with the tool that made it")
        })
    }

    /// The same with another serial number, at most 20 bytes.
    #[must_use]
    pub fn with_serial(self, serial: &[u8]) -> Tbs {
        Tbs { serial: construct_der(|writer| writer.write_bigint_bytes(serial, true)), ..self }
    }

    /// The same with another issuer and subject, in DER.
    #[must_use]
    pub fn with_names(self, issuer: &[u8], subject: &[u8]) -> Tbs {
        Tbs { issuer: issuer.to_vec(), subject: subject.to_vec(), ..self }
    }

    /// The same for another time, in seconds since 1970.
    #[must_use]
    pub fn with_validity(self, not_before: i64, not_after: i64) -> Tbs {
        let validity = construct_der(|writer| {
            writer.write_sequence(|writer| {
                for seconds in [not_before, not_after] {
                    let (tag, text) = time(seconds);
                    let tag = Tag { tag_class: TagClass::Universal, tag_number: tag };
                    writer.next().write_tagged_implicit(tag, |writer| writer.write_bytes(text.as_bytes()));
                }
            });
        });
        Tbs { validity, ..self }
    }

    /// The same with more alternative names, behind those that it has.
    ///
    /// # Errors
    /// `cert.not_exact` when the names that it has cannot be copied, or an extension speaks of the old certificate.
    pub fn with_more_names(self, place: &str, names: &[String], addresses: &[IpAddr]) -> Result<Tbs> {
        let starts = |extension: &Vec<u8>, number: &[u8]| {
            elements(extension).is_some_and(|parts| parts.first().is_some_and(|first| first == number))
        };
        let refused = |what: &str| {
            Error::new(Kind::Refused, "cert.not_exact", format!("the certificate `{place}` {what}"))
                .hint("issue it anew with `cert::issue`, or with the tool that made it")
        };
        if self.extensions.iter().any(|extension| ABOUT_ITSELF.iter().any(|number| starts(extension, number))) {
            return Err(refused("carries proofs of transparency logs, which would be false in another one"));
        }
        let added: Vec<Vec<u8>> = names.iter().map(|name| general_name(2, name.as_bytes())).collect();
        let added = added.into_iter().chain(addresses.iter().map(address));
        let mut extensions = self.extensions;
        match extensions.iter().position(|extension| starts(extension, &ALTERNATIVE_NAMES)) {
            Some(at) => {
                let longer = lengthened(&extensions[at], added.collect());
                extensions[at] = longer.ok_or_else(|| refused("has alternative names that cannot be copied"))?;
            }
            None => extensions.push(construct_der(|writer| {
                writer.write_sequence(|writer| {
                    writer.next().write_der(&ALTERNATIVE_NAMES);
                    writer.next().write_bytes(&sequence(&added.collect::<Vec<_>>()));
                });
            })),
        }
        Ok(Tbs { extensions, ..self })
    }

    /// The certificate, signed.
    ///
    /// # Errors
    /// When the key cannot sign it.
    pub fn sign(self, key: &Key) -> Result<Vec<u8>> {
        let algorithm = key.signature_algorithm()?;
        let version = construct_der(|writer| writer.write_tagged(Tag::context(0), |writer| writer.write_u8(2)));
        let extensions = construct_der(|writer| {
            writer.write_tagged(Tag::context(3), |writer| writer.write_der(&sequence(&self.extensions)));
        });
        let mut parts = vec![version, self.serial, algorithm.clone()];
        parts.extend([self.issuer, self.validity, self.subject, self.public_key]);
        parts.extend(self.identifiers);
        if !self.extensions.is_empty() {
            parts.push(extensions);
        }
        let signed = sequence(&parts);
        let signature = key.sign(&signed)?;
        let signature = construct_der(|writer| writer.write_bitvec_bytes(&signature, signature.len() * 8));
        Ok(sequence(&[signed, algorithm, signature]))
    }
}

/// A certificate taken apart; none when something is not as it should be.
fn read(der: &[u8]) -> Option<Tbs> {
    let mut parts = elements(elements(der)?.first()?)?;
    if parts.first()?.first() == Some(&0xa0) {
        parts.remove(0);
    }
    let extensions = match parts.last()?.first() {
        Some(0xa3) => inner_sequence(&parts.pop()?)?,
        _ => Vec::new(),
    };
    let mut parts = parts.into_iter();
    let mut next = || parts.next();
    let (serial, _algorithm) = (next()?, next()?);
    let (issuer, validity, subject, public_key) = (next()?, next()?, next()?, next()?);
    Some(Tbs { serial, issuer, validity, subject, public_key, identifiers: parts.collect(), extensions })
}

/// The elements of a sequence.
fn elements(der: &[u8]) -> Option<Vec<Vec<u8>>> {
    parse_der(der, |reader| collect(reader)).ok()
}

/// The elements of the sequence behind the tag of the extensions.
fn inner_sequence(der: &[u8]) -> Option<Vec<Vec<u8>>> {
    parse_der(der, |reader| reader.read_tagged(Tag::context(3), |reader| collect(reader))).ok()
}

fn collect(reader: yasna::BERReader<'_, '_>) -> ASN1Result<Vec<Vec<u8>>> {
    reader.collect_sequence_of(|reader| reader.read_der())
}

fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
    construct_der(|writer| {
        writer.write_sequence(|writer| elements.iter().for_each(|element| writer.next().write_der(element)));
    })
}

/// The extension of alternative names with more of them; whether it is critical stays.
fn lengthened(extension: &[u8], added: Vec<Vec<u8>>) -> Option<Vec<u8>> {
    let mut parts = elements(extension)?;
    let value = parts.pop()?;
    let names = parse_der(&value, |reader| reader.read_bytes()).ok()?;
    let mut names = elements(&names)?;
    names.extend(added);
    parts.push(construct_der(|writer| writer.write_bytes(&sequence(&names))));
    Some(sequence(&parts))
}

fn address(address: &IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => general_name(7, &address.octets()),
        IpAddr::V6(address) => general_name(7, &address.octets()),
    }
}

fn general_name(sort: u64, value: &[u8]) -> Vec<u8> {
    construct_der(|writer| writer.write_tagged_implicit(Tag::context(sort), |writer| writer.write_bytes(value)))
}

/// A time with its tag: from 2050 on the year has four digits.
fn time(seconds: i64) -> (u64, String) {
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).to_zoned(TimeZone::UTC);
    let (tag, form) = if time.year() < 2050 { (23, "%y%m%d%H%M%SZ") } else { (24, "%Y%m%d%H%M%SZ") };
    (tag, time.strftime(form).to_string())
}
