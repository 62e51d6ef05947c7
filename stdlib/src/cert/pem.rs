//! PEM: blocks of base64 within a text.

use std::ops::Range;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

/// One block.
pub struct Block<'a> {
    /// What it says that it is: `CERTIFICATE`.
    pub label: &'a str,
    /// Where it is in the text, without the end of its last line.
    pub range: Range<usize>,
    /// What is in it; none where it is no plain base64, as in a key with a passphrase.
    pub der: Option<Zeroizing<Vec<u8>>>,
}

const CERTIFICATE: &str = "CERTIFICATE";

/// The blocks of a text, in its order.
pub fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(block) = next(text, at) {
        at = block.range.end;
        found.push(block);
    }
    found
}

fn next(text: &str, from: usize) -> Option<Block<'_>> {
    const BEGIN: &str = "-----BEGIN ";
    let start = from + text[from..].find(BEGIN)?;
    let rest = &text[start + BEGIN.len()..];
    let label = &rest[..rest.find("-----")?];
    let inner = &rest[label.len() + "-----".len()..];
    let end = format!("-----END {label}-----");
    let body = &inner[..inner.find(&end)?];
    let length = BEGIN.len() + label.len() + "-----".len() + body.len() + end.len();
    let base64: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
    let der = BASE64_STANDARD.decode(base64.as_bytes()).ok().map(Zeroizing::new);
    Some(Block { label, range: start..start + length, der })
}

/// The first certificate of a text, in DER.
pub fn certificate(text: &str) -> Option<Vec<u8>> {
    certificates(text).into_iter().next()
}

/// All certificates of a text, in DER.
pub fn certificates(text: &str) -> Vec<Vec<u8>> {
    let certificates = blocks(text).into_iter().filter(|block| block.label == CERTIFICATE);
    certificates.filter_map(|block| Some(block.der?.to_vec())).collect()
}

/// A certificate as a text.
pub fn encode(der: &[u8]) -> String {
    let base64 = BASE64_STANDARD.encode(der);
    let mut text = format!("-----BEGIN {CERTIFICATE}-----\n");
    for line in base64.as_bytes().chunks(64) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}

/// The text with another first certificate. What stands behind the old one stays; words before it, with which openssl
/// describes the certificate, would no longer be true and go.
pub fn with_certificate(text: &str, der: &[u8]) -> String {
    let blocks = blocks(text);
    let Some(old) = blocks.iter().find(|block| block.label == CERTIFICATE) else { return encode(der) };
    let before = if blocks[0].range == old.range { "" } else { &text[..old.range.start] };
    let behind = text[old.range.end..].trim_start_matches(['\r', '\n']);
    format!("{before}{}{behind}", encode(der))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_among_other_lines() {
        let text = "Certificate:\n    Data\n-----BEGIN CERTIFICATE-----\r\nAQ\r\nID\r\n-----END CERTIFICATE-----\r\nmore\n\
                    -----BEGIN X-----\n!\n-----END X-----\n-----BEGIN CERTIFICATE-----\nBA==\n-----END CERTIFICATE-----";
        let labels: Vec<&str> = blocks(text).iter().map(|block| block.label).collect();
        assert_eq!(labels, ["CERTIFICATE", "X", "CERTIFICATE"]);
        assert_eq!(certificates(text), [vec![1, 2, 3], vec![4]]);
        assert!(blocks(text)[1].der.is_none());
        assert!(blocks("-----BEGIN X-----\nAQID").is_empty());
    }

    #[test]
    fn the_first_certificate_is_replaced() {
        let new = encode(&[9; 60]);
        assert_eq!(certificate(&new).unwrap(), [9; 60]);
        let chain = format!("words\n{}{}# end\n", encode(&[1]), encode(&[2]));
        assert_eq!(with_certificate(&chain, &[9; 60]), format!("{new}{}# end\n", encode(&[2])));
        let key = "-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n";
        assert_eq!(with_certificate(&format!("{key}{}", encode(&[1])), &[9; 60]), format!("{key}{new}"));
        assert_eq!(with_certificate("", &[9; 60]), new);
    }
}
