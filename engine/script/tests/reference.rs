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
