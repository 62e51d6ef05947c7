//! What holds for every text: nothing changes unless it is asked, and then that alone.

#![allow(clippy::unwrap_used, reason = "what a test needs and does not get ends it")]

use haengine_stdlib::node::change::Change;
use haengine_stdlib::node::document::{Document, Node};
use haengine_stdlib::node::edit::Edit;
use haengine_stdlib::node::endpoint::{Endpoint, Host};
use haengine_stdlib::node::file::File;
use haengine_stdlib::node::kubeconfig::Kubeconfig;
use haengine_stdlib::node::linked::Linked;
use haengine_stdlib::node::mention::mention;
use haengine_stdlib::node::scalar::{Style, written};
use haengine_stdlib::node::subnet::Subnet;
use haengine_stdlib::node::unit_files::UnitFiles;
use proptest::prelude::*;
use serde_json::Value as Json;

/// Texts full of what YAML is made of.
const SIGNS: &str =
    "([ \\t\\n\\r:,#'\"\\-?&*!|>{}\\[\\]é\u{feff}]|[ab0]|: |- |\n  |\\r\\n|&a |\\*a|<<: |---\n|key: |!!str ){0,40}";

/// A value, quoted or not, as people write it.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "q[a-z0-9./:]{0,11}",
        "'[a-z #:é]{0,8}'",
        "\"[a-z #:é]{0,8}\"",
        "https://10\\.0\\.0\\.[1-9]:6443",
        Just(String::new())
    ]
}

/// A file of maps within maps, with remarks, odd indentation and line ends.
fn file() -> impl Strategy<Value = String> {
    let line = ("[a-z]{1,6}", 0usize..3, value(), "( # [a-zé]{0,6}|\t# x|  |)");
    (prop::collection::vec(line, 1..12), any::<bool>(), any::<bool>()).prop_map(|(lines, is_crlf, has_bom)| {
        let mut text = String::new();
        for (number, (key, kind, value, after)) in lines.into_iter().enumerate() {
            text += &match kind {
                0 => format!("{key}{number}: {value}{after}\n"),
                1 => format!("{key}{number}:\n   - {value}{after}\n   - inner:   {value}\n"),
                _ => format!("{key}{number}: {{ 'a': {value} , b: [ \"c\" ] }}{after}\n"),
            };
        }
        let text = if is_crlf { text.replace('\n', "\r\n") } else { text };
        if has_bom { format!("\u{feff}{text}") } else { text }
    })
}

/// A tree of texts: what a text says, without how it says it.
fn said(node: Node<'_>) -> Json {
    if node.is_map() {
        Json::Object(node.entries().into_iter().map(|(key, value)| (key.to_owned(), said(value))).collect())
    } else if node.is_list() {
        node.items().into_iter().map(said).collect()
    } else {
        node.text().into()
    }
}

fn tree(text: &str) -> Json {
    let document = Document::parse("f", text).unwrap();
    document.documents().map(said).collect()
}

/// What another reader of the same text makes of it.
fn as_serde(text: &str) -> Option<Json> {
    serde_saphyr::from_str::<Json>(text).ok().map(plain)
}

fn plain(value: Json) -> Json {
    match value {
        Json::Object(map) => Json::Object(map.into_iter().map(|(key, value)| (key, plain(value))).collect()),
        Json::Array(items) => items.into_iter().map(plain).collect(),
        Json::Null => Json::Null,
        other => Json::String(other.as_str().map_or_else(|| other.to_string(), str::to_owned)),
    }
}

/// Replaces each value once, and looks at all the others.
fn replace_each(text: &str, new: &str) {
    let Ok(document) = Document::parse("f", text) else { return };
    assert_eq!(Edit::of(&document).finish().unwrap(), text);
    for (number, node) in document.scalars().enumerate() {
        let mut edit = Edit::of(&document);
        let Ok(edited) = edit.set(node, new).and_then(|()| edit.finish()) else { continue };
        let after = Document::parse("f", &edited).unwrap();
        let others = |document: &Document| -> Vec<Option<String>> {
            let all = document.scalars().map(|node| node.text().map(str::to_owned)).enumerate();
            all.filter(|(other, _)| *other != number).map(|(_, text)| text).collect()
        };
        assert_eq!(after.scalars().nth(number).unwrap().text(), Some(new), "{text:?}");
        assert_eq!(others(&document), others(&after), "{text:?}");
        assert_eq!(edited[..node.range().start], text[..node.range().start]);
        assert!(edited.ends_with(&text[node.range().end..]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_ends_the_program(text in any::<String>(), signs in SIGNS) {
        for text in [text, signs] {
            drop(Document::parse("f", &text));
            drop(Kubeconfig::read("f", &text));
            drop(Endpoint::parse(&text));
            drop(Subnet::parse(&text));
            mention(&text, &[Host::parse("10.0.0.1").unwrap()]);
        }
    }

    #[test]
    fn one_value_changes_and_no_other(text in SIGNS, new in "[a-z0-9:/.'\"#\\[\\] ,{}é-]{1,12}") {
        replace_each(&text, &new);
    }

    #[test]
    fn files_are_read_as_others_read_them(text in file(), new in "[a-z0-9:/.-]{1,12}") {
        if let Ok(document) = Document::parse("f", &text) {
            let said = document.root().map(said);
            prop_assert_eq!(said, as_serde(&text), "{}", text);
        }
        replace_each(&text, &new);
    }

    #[test]
    fn one_server_is_repointed_and_no_other(text in file(), signs in SIGNS) {
        let at = |text: &str| Endpoint::parse(text).unwrap();
        let becomes = |text: &str| {
            let file = File { path: "/f".into(), mode: 0o644, text: Some(text.to_owned()), bytes: Vec::new() };
            let (servers, server) = (vec![at("10.0.0.1:6443")], Some(at("10.0.0.88:16443")));
            let files = [Linked { file, links: Vec::new() }];
            let change = Change { servers, server, ..Change::default() };
            let outcome = change.files(&files, &UnitFiles::default(), "h").remove(0);
            outcome.becomes.unwrap_or_else(|| text.to_owned())
        };
        let is_read = Document::parse("f", &text).is_ok();
        let new = if is_read { "https://10.0.0.88:16443" } else { "https://10.0.0.1:6443" };
        prop_assert_eq!(becomes(&text), text.replace("https://10.0.0.1:6443", new));
        prop_assert_eq!(becomes(&signs), signs);
    }

    #[test]
    fn what_is_written_reads_back(value in "[^\\x00-\\x1f\\x7f-\\x9f\\x{feff}\\x{2028}\\x{2029}]{0,16}", in_flow in any::<bool>()) {
        for style in [Style::Plain, Style::Single, Style::Double] {
            let written = written(&value, style, in_flow).unwrap();
            let text = if in_flow { format!("{{a: {written}, b: c}}") } else { format!("a: {written}\nb: c\n") };
            prop_assert_eq!(&tree(&text)[0]["a"], &Json::String(value.clone()), "{}", text);
            prop_assert_eq!(&tree(&text)[0]["b"], "c");
        }
    }

    #[test]
    fn endpoints_read_back(address in any::<std::net::IpAddr>(), port in any::<Option<u16>>(), is_url in any::<bool>()) {
        let scheme = is_url.then(|| "https".to_owned());
        let host = Host::parse(&address.to_string()).unwrap();
        let endpoint = Endpoint { scheme, host: Some(host), written_port: port, path: String::new() };
        prop_assert_eq!(Endpoint::parse(&endpoint.to_string()).unwrap(), endpoint);
    }
}
