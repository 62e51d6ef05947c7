//! What is asked of a new certificate, and what one that is there lacks of it.

use std::net::IpAddr;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::signature::{Absent, Param, ParamKind};

use super::certificate::Certificate;

/// Clocks that are a little late shall accept a new certificate too.
pub(super) const BACKDATED: i64 = 5 * 60;

/// The option `names`.
pub(super) const NAMES: Param =
    Param::option("names", ParamKind::Strings, Absent::Strings(&[]), "The DNS names that it is for.");
/// The option `addresses`.
pub(super) const ADDRESSES: Param =
    Param::option("addresses", ParamKind::Strings, Absent::Strings(&[]), "The IP addresses that it is for.");

/// What serde takes where an op comes from the journal.
pub(super) fn recorded() -> bool {
    true
}

/// A random serial number, positive and of full length.
pub(super) fn serial() -> [u8; 16] {
    let mut serial: [u8; 16] = rand::random();
    serial[0] = (serial[0] & 0x7f) | 0x40;
    serial
}

/// What rcgen refused.
pub(super) fn made(error: rcgen::Error) -> Error {
    Error::new(Kind::Refused, "cert.make", "such a certificate cannot be made")
        .because(error)
        .hint("correct its options")
}

/// The option `days`.
pub(super) fn validity(arguments: &Arguments) -> Result<i64> {
    match arguments.integer("days")? {
        days @ 1..=36500 => Ok(days),
        days => Err(Error::new(Kind::Usage, "cert.days", format!("a certificate cannot be valid for {days} days"))
            .hint("write a number from 1 to 36500")),
    }
}

/// The option `names`: an address among them would never match.
pub(super) fn names(arguments: &Arguments) -> Result<Vec<String>> {
    let names = arguments.strings("names");
    let wrong = |name: &&String| {
        let letters = |letter: char| letter.is_ascii_alphanumeric() || "-_.*".contains(letter);
        name.parse::<IpAddr>().is_ok() || name.is_empty() || !name.chars().all(letters)
    };
    match names.iter().find(wrong) {
        Some(name) if name.parse::<IpAddr>().is_ok() => {
            Err(Error::new(Kind::Usage, "cert.name", format!("`{name}` is an address, not a name"))
                .hint("put it among `addresses`"))
        }
        Some(name) => Err(Error::new(Kind::Usage, "cert.name", format!("`{name}` is no DNS name"))
            .hint("write it in ASCII, without a port")),
        None => Ok(names),
    }
}

/// The option `addresses`.
pub(super) fn addresses(arguments: &Arguments) -> Result<Vec<IpAddr>> {
    let read = |text: String| {
        text.parse().map_err(|_| {
            Error::new(Kind::Usage, "cert.address", format!("`{text}` is no IP address"))
                .hint("put a name among `names`, and leave ports and prefixes out")
        })
    };
    arguments.strings("addresses").into_iter().map(read).collect()
}

/// The wanted names and addresses that a certificate is not for, each once. Case does not count in names.
pub(super) fn missing(certificate: &Certificate, names: &[String], addresses: &[IpAddr]) -> (Vec<String>, Vec<IpAddr>) {
    let mut lacked: Vec<String> = Vec::new();
    for name in names {
        let same = |other: &String| other.eq_ignore_ascii_case(name);
        if !certificate.names.iter().any(same) && !lacked.iter().any(same) {
            lacked.push(name.clone());
        }
    }
    let mut others: Vec<IpAddr> = Vec::new();
    for address in addresses {
        if !certificate.addresses.contains(address) && !others.contains(address) {
            others.push(*address);
        }
    }
    (lacked, others)
}
