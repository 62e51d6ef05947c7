//! Phases, and what importers get of a recipe that has them: recipes define them, and the engine calls them.

use crate::docs::entry::{Entry, EntrySort, Field, Sample};
use crate::phases::{ACT, CHECKS, EXPECT, LOCK, LOOK, PARTS, PROVE, Phase};

/// What each phase is for, in the order in which they are played, and a recipe's lines.
const PHASES: [(&Phase, &str, &str); 7] = [
    (
        &LOOK,
        "Reads what the other phases need; they get what it gives as `found`.\n\nSteps in it are headings. It is played again once the \
         lock is held, and as a part of another recipe before its act.",
        r#"fn look(p) { #{ before: file::read(host("master1"), "/etc/motd") } }"#,
    ),
    (
        &EXPECT,
        "What a part will find once those before it are played; it asks no host.\n\n`earlier` is a list of `#{ name, parameters, found }`. \
         A run that finds something else stops before that part's act.",
        r#"fn expect(p, found, earlier) {
    for part in earlier { if part.name == "greeting" { found.before = part.parameters.text; } }
    found
}"#,
    ),
    (
        &CHECKS,
        "The checks that must hold before anything is touched, as `preflight` takes them.",
        r#"fn checks(p, found) { [check("there is no greeting", || found.before == "")] }"#,
    ),
    (
        &LOCK,
        "Keeps other runs away; a plan takes no lock.\n\nOnce it is held, `look` and `checks` are played again.",
        r#"fn lock(p, found) { k8s::lock(host("master1")); }"#,
    ),
    (
        &ACT,
        "Makes the changes; the one phase that a recipe must have.",
        r#"fn act(p, found) { step("greet", || log(found)); }"#,
    ),
    (
        &PROVE,
        "Verifies what `act` has made.",
        r#"fn prove(p, found) { verify("there are masters", || !group("masters").is_empty()); }"#,
    ),
    (
        &PARTS,
        "The recipes that a recipe of recipes is made of, with their parameters; it asks no host.\n\nAn imported recipe in phases has \
         `NAME::part(#{ … })`, which applies its `params()`, as `NAME::main(#{ … })` does.",
        r#"import "greeting" as greeting;

fn params() { #{} }

fn parts(p) { ["hello", "again"].map(|text| greeting::part(#{ text: text })) }"#,
    ),
];

/// The entries of all phases.
pub(super) fn phases() -> Vec<Entry> {
    PHASES.iter().map(|(phase, about, example)| entry(phase, about, example)).collect()
}

fn entry(phase: &Phase, about: &str, example: &str) -> Entry {
    Entry {
        name: phase.name.to_owned(),
        shape: phase.written(),
        sort: EntrySort::Phase,
        about: about.to_owned(),
        arguments: phase.takes.iter().map(|name| argument(name)).collect(),
        options: Vec::new(),
        examples: vec![Sample { about: String::new(), code: example.to_owned() }],
    }
}

fn argument(name: &str) -> Field {
    let (takes, about) = match name {
        "p" => ("a map", "The parameters."),
        "earlier" => ("an array", "The parts before this one."),
        _ => ("anything", "What `look` gives."),
    };
    Field { name: name.to_owned(), takes: takes.to_owned(), about: about.to_owned(), default: None }
}
