//! The variables of a template, and what is wrong with those that a call gives it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::review::{Doubt, DoubtSort, Written};
use haengine_kernel::signature::nearest;
use regex::Regex;

use crate::file::render::{Shelf, compile};

/// The names that a template uses.
#[derive(Debug, Default, PartialEq)]
struct Variables {
    /// All of them.
    used: BTreeSet<String>,
    /// Those without which it cannot be filled in, whatever the others are.
    needed: BTreeSet<String>,
}

#[expect(clippy::unwrap_used, reason = "the test below compiles it")]
static TAG: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?s)\{#.*?#\}|\{%[-+]?\s*(\w+)\s*(.*?)\s*[-+]?%\}").unwrap());

/// Words after which a name need not be there.
#[expect(clippy::unwrap_used, reason = "the test below compiles it")]
static OPTIONAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b([A-Za-z_]\w*)\s*(?:is\s+(?:not\s+)?(?:un)?defined\b|\|\s*d(?:efault)?\b)").unwrap()
});

/// What is wrong with a call that fills in the template named by its argument `template` with the map `vars`.
pub fn review(written: &Written) -> Vec<Doubt> {
    let Some(name) = written.texts.get("template") else { return Vec::new() };
    let paths: Vec<_> = written.folders.iter().map(|folder| folder.join(name)).collect();
    let there = paths.iter().find(|path| written.files.contains_key(*path) || path.is_file());
    let here = Path::new(name);
    let path = there.or(paths.first()).map_or(here, |path| path.as_path());
    let shelf = Shelf { texts: written.files.clone(), reach: written.reach.clone() };
    match (variables(name, path, &shelf), written.keys.get("vars")) {
        (Err(error), _) => vec![Doubt { sort: DoubtSort::Template, argument: "template", key: None, error }],
        (Ok(Some(variables)), Some(given)) => compare(name, &variables, given),
        (Ok(_), _) => Vec::new(),
    }
}

fn compare(name: &str, variables: &Variables, given: &BTreeSet<String>) -> Vec<Doubt> {
    let mut unused: BTreeSet<&str> = given.difference(&variables.used).map(String::as_str).collect();
    let mut doubts = Vec::new();
    for lacking in variables.needed.difference(given) {
        let meant =
            nearest(lacking, unused.iter().copied()).filter(|near| near_enough(near, lacking)).map(str::to_owned);
        let error = Error::new(Kind::Usage, "file.template", format!("template `{name}` needs a variable `{lacking}`"));
        let error = match &meant {
            Some(_) => error.hint(format!("write `{lacking}`")),
            None => error.hint(format!("add `{lacking}: …` to the map")),
        };
        unused.retain(|one| Some(*one) != meant.as_deref());
        doubts.push(Doubt { sort: DoubtSort::Lacking, argument: "vars", key: meant, error });
    }
    // Several templates may be filled in from one map: only what looks like a slip is told.
    for key in unused {
        let free = variables.used.difference(given).map(String::as_str);
        if let Some(near) = nearest(key, free).filter(|near| near_enough(near, key)) {
            let error = Error::new(Kind::Usage, "file.template", format!("template `{name}` has no variable `{key}`"));
            let error = error.hint(format!("write `{near}`"));
            doubts.push(Doubt { sort: DoubtSort::Unused, argument: "vars", key: Some(key.to_owned()), error });
        }
    }
    doubts
}

/// Short names are near to each other by chance.
fn near_enough(one: &str, other: &str) -> bool {
    one.len().min(other.len()) >= 4
}

/// The names that a template uses; none where only filling it in can tell.
fn variables(name: &str, path: &Path, shelf: &Shelf) -> Result<Option<Variables>> {
    let source = shelf.source_of(name, path)?;
    let used = compile(name, path, &source)?;
    let Some(sure) = unconditional(&source) else { return Ok(None) };
    let optional: BTreeSet<&str> =
        OPTIONAL.captures_iter(&source).filter_map(|found| found.get(1)).map(|m| m.as_str()).collect();
    let mut needed = compile(name, path, &sure)?;
    needed.retain(|name| !optional.contains(name.as_str()));
    Ok(Some(Variables { used, needed }))
}

/// The template without what stands in conditions and loops, but with what loops go through; none for a template that is
/// made of several.
fn unconditional(source: &str) -> Option<String> {
    let (mut sure, mut depth, mut end) = (String::new(), 0_usize, 0);
    for tag in TAG.captures_iter(source) {
        let whole = tag.get(0)?;
        if depth == 0 {
            sure.push_str(&source[end..whole.start()]);
        }
        end = whole.end();
        let (word, rest) = (tag.get(1).map_or("#", |word| word.as_str()), tag.get(2).map_or("", |rest| rest.as_str()));
        match word {
            "#" => {}
            "for" | "if" => {
                if let ("for", 0, Some((_, list))) = (word, depth, rest.split_once(" in ")) {
                    sure.push_str(&format!("{{{{ {list} }}}}"));
                }
                depth += 1;
            }
            "endfor" | "endif" => depth = depth.checked_sub(1)?,
            "else" | "elif" => {}
            _ => return None,
        }
    }
    sure.push_str(&source[end..]);
    Some(sure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn of(source: &str) -> Option<Variables> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.j2");
        std::fs::write(&path, source).unwrap();
        variables("a.j2", &path, &Shelf::default()).unwrap()
    }

    #[test]
    fn what_stands_in_a_condition_is_not_needed() {
        let source = "{{ a }}{# {{ no }} #}{% for x in list %}{{ x }}{{ b }}{% endfor %}\
                      {% if c is defined %}{{ c }}{% else %}{{ d }}{% endif %}{{ e | default('x') }}";
        let wanted = Variables { used: set(&["a", "b", "c", "d", "e", "list"]), needed: set(&["a", "list"]) };
        assert_eq!(of(source), Some(wanted));
    }

    #[test]
    fn nothing_is_said_of_a_template_that_is_made_of_several() {
        assert_eq!(of("{% set a = b %}{{ a }}"), None);
        assert_eq!(of("{% include 'other.j2' %}"), None);
    }

    #[test]
    fn all_own_templates_can_be_read() {
        for name in crate::file::render::own_names() {
            let read = variables(name, Path::new("/nonexistent/none.j2"), &Shelf::default()).unwrap();
            assert!(read.is_some_and(|variables| !variables.used.is_empty()), "{name}");
        }
    }

    fn said(template: &str, given: &[&str]) -> Vec<String> {
        let mut written = Written::default();
        written.texts.insert("template", template.to_owned());
        written.keys.insert("vars", set(given));
        let said = |doubt: Doubt| {
            format!("{:?} {:?} {}; {}", doubt.sort, doubt.key, doubt.error, doubt.error.advice().unwrap_or("-"))
        };
        review(&written).into_iter().map(said).collect()
    }

    #[test]
    fn what_lacks_and_what_looks_like_a_slip_is_told() {
        let none: [&str; 0] = [];
        assert_eq!(said("chrony.conf.j2", &["servers", "unrelated"]), none);
        assert_eq!(
            said("chrony.conf.j2", &["server", "local_stratm"]),
            [
                "Lacking Some(\"server\") template `chrony.conf.j2` needs a variable `servers`; write `servers`",
                "Unused Some(\"local_stratm\") template `chrony.conf.j2` has no variable `local_stratm`; write `local_stratum`",
            ]
        );
        assert!(
            said("crony.conf.j2", &[])[0]
                .starts_with("Template None there is no template `crony.conf.j2`; write `chrony")
        );
    }
}
