//! Where units and files of variables still name what a change leaves, and why that is right.

use std::net::Ipv6Addr;

use super::change::Change;
use super::hosts::same;
use super::identity::Identity;
use super::meant::Meant;
use super::mention::{Mention, shortened};
use super::naming::{Meaning, of_variable};
use super::service::Service;
use super::traced::{Edit, Files, Letter, Place, text};
use super::unit::Unit;

/// What the files name of what the change leaves, but for what the edits change.
pub(super) fn mentions(
    files: &Files,
    services: &[Service],
    change: &Change,
    meant: &[Meant<'_>],
    edits: &[Edit],
) -> Vec<Mention> {
    let (left, mut found) = (change.left(), Vec::new());
    let described = descriptions(files, services);
    for (file, path) in files.paths().enumerate() {
        let letters = files.letters(file);
        for place in occurrences(&letters, &left, |word| change.is_server(word)) {
            if edits.iter().any(|edit| edit.place.overlaps(place)) {
                continue;
            }
            let word = word(files.text(file), place);
            let reason =
                reason(files, services, &described, meant, edits, place, |meaning| change.reason(meaning, word));
            found.push(Mention { path: path.to_owned(), line: files.line(place), word: shortened(word), reason });
        }
    }
    found.dedup();
    found
}

/// Where one of the addresses and names stands as a whole.
fn occurrences(letters: &[Letter], old: &Identity, is_server: impl Fn(&str) -> bool) -> Vec<Place> {
    let mut found = Vec::new();
    for run in letters.split(|letter| !is_part_of_host(letter.char)) {
        let Some(first) = run.first() else { continue };
        let said = text(run);
        let is_old = |word: &str| {
            let address = word.parse().is_ok_and(|address| old.addresses.contains(&address));
            address || old.names.iter().any(|name| same(name, word))
        };
        if said.parse::<Ipv6Addr>().is_ok() && is_old(&said) || is_server(&said) {
            found.push(first.at.to(run[run.len() - 1].at));
            continue;
        }
        for part in run.split(|letter| letter.char == ':').filter(|part| is_old(&text(part))) {
            found.push(part[0].at.to(part[part.len() - 1].at));
        }
    }
    found
}

fn is_part_of_host(char: char) -> bool {
    char.is_ascii_alphanumeric() || ".-:_".contains(char)
}

/// Why a file may name it there; `why` is what the change itself says of something with that meaning.
fn reason(
    files: &Files,
    services: &[Service],
    described: &[Place],
    meant: &[Meant<'_>],
    edits: &[Edit],
    place: Place,
    why: impl Fn(Option<Meaning>) -> Option<&'static str>,
) -> Option<&'static str> {
    let mut uses = meant.iter().filter(|one| is_used(one.value, edits, place)).peekable();
    if uses.peek().is_some() {
        return all(uses.map(|one| why(one.meaning)));
    }
    if line(files.text(place.file), place).trim_start().starts_with(['#', ';']) {
        return Some("a remark");
    }
    if described.iter().any(|description| description.overlaps(place)) {
        return Some("a description");
    }
    of_variables(services, place).or_else(|| why(None))
}

/// Whether a value has letters from there, and keeps them: not where it is written in the place of its variable now.
fn is_used(value: &[Letter], edits: &[Edit], place: Place) -> bool {
    let is_replaced = |at: Place| edits.iter().any(|edit| edit.place.overlaps(at));
    let mut letters = value.iter().filter(|letter| letter.at.overlaps(place));
    letters.any(|letter| letter.through.is_none_or(|reference| !is_replaced(reference.place)))
}

/// Why a variable that is no flag's may name the old node.
fn of_variables(services: &[Service], place: Place) -> Option<&'static str> {
    let there = |value: &[Letter]| value.iter().any(|letter| letter.at.overlaps(place));
    for service in services {
        if let Some(variable) = service.environment.variables.values().find(|one| there(&one.value)) {
            return of_variable(&variable.name);
        }
        if service.environment.replaced.iter().any(|one| there(&one.value)) {
            return Some("a later assignment counts");
        }
    }
    None
}

/// The first of the reasons, if all are there.
fn all<'a>(reasons: impl Iterator<Item = Option<&'a str>>) -> Option<&'a str> {
    reasons.collect::<Option<Vec<_>>>()?.first().copied()
}

/// What the units say for people.
fn descriptions(files: &Files, services: &[Service]) -> Vec<Place> {
    let read = |service: &Service, path: &String| Unit::read(files, &service.name, &[path]).ok();
    let units = services.iter().flat_map(|service| service.paths.iter().filter_map(move |path| read(service, path)));
    let said = units.flat_map(|unit| unit.directives);
    let said = said.filter(|directive| ["Description", "Documentation"].contains(&directive.key.as_str()));
    said.map(|directive| directive.place).collect()
}

fn line(text: &str, place: Place) -> &str {
    let start = text[..place.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[place.end..].find('\n').map_or(text.len(), |at| place.end + at);
    &text[start..end]
}

/// The word around a place, as it is written.
fn word(text: &str, place: Place) -> &str {
    // A blank may have more than one byte.
    let start = text[..place.start].trim_end_matches(|sign: char| !sign.is_whitespace()).len();
    let end = text[place.end..].find(char::is_whitespace).map_or(text.len(), |at| place.end + at);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_and_addresses_count() {
        let mut files = Files::default();
        let text =
            "192.0.2.1 192.0.2.11 a192.0.2.1 [2001:DB8::0:1]:6443 =K8s-1: k8s-10 k8s-1.pem x_k8s-1 https://192.0.2.1/";
        let file = files.add("/a", text);
        let addresses = vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        let old = Identity { addresses, names: vec!["k8s-1".to_owned()] };
        let found =
            occurrences(&files.letters(file), &old, |_| false).into_iter().map(|place| &text[place.start..place.end]);
        assert_eq!(found.collect::<Vec<_>>(), ["192.0.2.1", "2001:DB8::0:1", "K8s-1", "192.0.2.1"]);
    }

    #[test]
    fn a_long_word_is_shortened() {
        let text = format!("a --b={} c", "x".repeat(100));
        let word = shortened(word(&text, Place { file: 0, start: 6, end: 7 }));
        assert_eq!(word, format!("--b={}…", "x".repeat(76)));
    }
    #[test]
    fn a_blank_of_several_bytes_ends_a_word() {
        let text = "#\u{3000}192.0.2.1\u{a0}b";
        assert_eq!(word(text, Place { file: 0, start: 4, end: 13 }), "192.0.2.1");
    }
}
