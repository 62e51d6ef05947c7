//! Distinguished names: as text (RFC 4514), and written.

use x509_parser::x509::{AttributeTypeAndValue, X509Name};
use yasna::models::ObjectIdentifier;

/// The short names that RFC 4514 gives, and two that everybody writes.
const SHORT: [(&str, &str); 11] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("2.5.4.5", "serialNumber"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

/// The name as RFC 4514 writes it: the last part first.
pub fn text(name: &X509Name<'_>) -> String {
    let parts = name.iter_rdn().map(|part| part.iter().map(attribute).collect::<Vec<_>>().join("+"));
    let mut parts: Vec<String> = parts.collect();
    parts.reverse();
    parts.join(",")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let number = attribute.attr_type().to_id_string();
    let short = SHORT.iter().find(|(known, _)| *known == number).map(|(_, short)| *short);
    match (short, attribute.as_str()) {
        (Some(short), Ok(value)) => format!("{short}={}", escaped(value)),
        (short, _) => {
            let hex: String = attribute.as_slice().iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{}=#{hex}", short.unwrap_or(&number))
        }
    }
}

fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut text = String::new();
    for (at, letter) in value.chars().enumerate() {
        match letter {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => text.extend(['\\', letter]),
            '#' | ' ' if at == 0 => text.extend(['\\', letter]),
            ' ' if at == last => text.extend(['\\', letter]),
            '\0' => text.push_str("\\00"),
            _ => text.push(letter),
        }
    }
    text
}

/// The texts of all attributes of one sort: `2.5.4.10` is an organisation. What is no text is left out.
pub fn values(name: &X509Name<'_>, number: &str) -> Vec<String> {
    let of_sort = name.iter_attributes().filter(|attribute| attribute.attr_type().to_id_string() == number);
    of_sort.filter_map(|attribute| attribute.as_str().ok().map(str::to_owned)).collect()
}

/// A new name in DER: its organisations, then its common name, each a part of its own.
pub fn write(organizations: &[String], common_name: &str) -> Vec<u8> {
    let organizations = organizations.iter().map(|organization| (10, organization.as_str()));
    yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            for (sort, value) in organizations.chain([(3, common_name)]) {
                writer.next().write_set(|writer| {
                    writer.next().write_sequence(|writer| {
                        writer.next().write_oid(&ObjectIdentifier::from_slice(&[2, 5, 4, sort]));
                        writer.next().write_utf8_string(value);
                    });
                });
            }
        });
    })
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::FromDer;

    use super::*;

    #[test]
    fn a_name_is_written_and_read() {
        let organizations = ["system:masters".to_owned(), "a, b".to_owned()];
        let der = write(&organizations, " #x+");
        let (_, name) = X509Name::from_der(&der).unwrap();
        assert_eq!(text(&name), r"CN=\ #x\+,O=a\, b,O=system:masters");
        assert_eq!(values(&name, "2.5.4.10"), organizations);
    }
}
