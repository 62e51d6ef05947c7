//! The reference that is made from the code.

#![allow(clippy::unwrap_used)]

mod toy;

use haengine_script::docs::{self, EntrySort};

#[test]
fn a_modules_page() {
    insta::assert_snapshot!(docs::page(&toy::module()));
}

#[test]
fn the_languages_page_has_all_functions() {
    let library = toy::library();
    let page = docs::language(&library);
    for entry in docs::all(&library) {
        let is_verb = matches!(entry.sort, EntrySort::State | EntrySort::Action | EntrySort::Read | EntrySort::Guard);
        assert_eq!(page.contains(&format!("\n## {}\n", entry.name)), !is_verb, "{}", entry.name);
        assert!(entry.summary().ends_with('.'), "{}: {}", entry.name, entry.summary());
        assert!(!entry.examples.is_empty(), "{} has no example", entry.name);
    }
    assert!(page.contains("| `batch` | an integer | `1` | How many hosts are worked on at once. |"));
}

#[test]
fn what_a_host_knows_is_read_from_its_comments() {
    let entry = docs::find(&toy::library(), "Host.vars").unwrap();
    assert_eq!(entry.about, "The host's variables, those of the inventory's top included.");
    assert_eq!((entry.shape.as_str(), entry.sort), ("host.vars", EntrySort::Property));
}

#[test]
fn entries_are_found_by_all_their_names() {
    let library = toy::library();
    let found = |name: &str| match docs::find(&library, name) {
        Ok(entry) => entry.name,
        Err(error) => format!("{error}; {}", error.advice().unwrap()),
    };
    assert_eq!(found("toy::set"), "toy::set");
    assert_eq!(found("toy.set"), "toy::set");
    assert_eq!(found("set"), "toy::set");
    assert_eq!(found("step"), "step");
    assert_eq!(found("or"), ".or");
    assert_eq!(found("param::host"), "param::host");
    assert_eq!(found("Host.name"), "Host.name");
    assert_eq!(found("toy::sett"), "there is no function or verb `toy::sett`; look up `toy::set`");
    assert_eq!(found("wait_untill"), "there is no function or verb `wait_untill`; look up `wait_until`");
    assert_eq!(
        found("zzzzzzzzzzzz"),
        "there is no function or verb `zzzzzzzzzzzz`; list all of them with `haengine doc`"
    );
}

#[test]
fn findings_are_found_by_their_codes() {
    let meaning = docs::meaning("check.unreachable").unwrap();
    assert_eq!(meaning.place, "check.html#checkunreachable");
    assert!(meaning.about.starts_with("A statement or a step is never reached"), "{}", meaning.about);
    let error = docs::meaning("check.unreachble").unwrap_err();
    assert_eq!(error.advice(), Some("look up `check.unreachable`"));
}

/// True for what the grammar of definitions allows in a line: a comment, a module's head, a function's declaration.
fn is_definition(line: &str) -> bool {
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let kind = |text: &str| text == "?" || word(text);
    let argument = |text: &str| text.split_once(": ").is_some_and(|(name, takes)| word(name) && kind(takes));
    let declared = || {
        let (head, gives) = line.strip_prefix("fn ")?.strip_suffix(';')?.rsplit_once(") -> ")?;
        let (name, arguments) = head.split_once('(')?;
        let named = word(name.strip_prefix("get ").unwrap_or(name));
        Some(named && kind(gives) && (arguments.is_empty() || arguments.split(", ").all(argument)))
    };
    let is_module = line.strip_prefix("module ").and_then(|rest| rest.strip_suffix(';')).is_some_and(word);
    line.is_empty() || line.starts_with("///") || is_module || declared() == Some(true)
}

#[test]
fn definitions_for_editors_have_everything() {
    let library = toy::library();
    let files = docs::definitions(&library);
    let text = |name: &str| files.iter().find(|(file, _)| file == name).map(|(_, text)| text.as_str()).unwrap();
    for name in ["toy.d.rhai", "param.d.rhai", "haengine.d.rhai"] {
        assert!(text(name).starts_with("module "), "{name}");
        text(name).lines().for_each(|line| assert!(is_definition(line), "{name}: {line}"));
    }
    // Phases are what recipes define themselves.
    for entry in docs::all(&library).into_iter().filter(|entry| entry.sort != EntrySort::Phase) {
        let (file, word) = match entry.name.rsplit_once("::") {
            Some((module, word)) => (format!("{module}.d.rhai"), word),
            None => ("haengine.d.rhai".to_owned(), entry.name.rsplit('.').next().unwrap()),
        };
        let declared = [format!("fn {word}("), format!("fn get {word}(")];
        assert!(text(&file).lines().any(|line| declared.iter().any(|start| line.starts_with(start))), "{}", entry.name);
    }
    insta::assert_snapshot!(text("toy.d.rhai"));
    assert!(text("__builtin__.d.rhai").contains("fn type_of(") && text("__static__.d.rhai").contains("fn to_upper("));
}
