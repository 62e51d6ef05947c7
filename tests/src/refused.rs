//! What recipes refuse: with exit code 2, a message that names place and remedy, and nothing touched.

use crate::look::touched;
use crate::site::{Site, differences};

/// One reason to refuse.
pub struct Case {
    /// What is not as it should be.
    pub name: &'static str,
    /// The recipe, and its parameters.
    pub recipe: &'static str,
    /// See `recipe`.
    pub words: &'static [&'static str],
    /// Makes it so: a host and a script each, which says nothing.
    pub make: &'static [(&'static str, &'static str)],
    /// Takes it back.
    pub unmake: &'static [(&'static str, &'static str)],
    /// What the message names.
    pub says: &'static [&'static str],
}

/// Plays a case where nothing else would be refused.
pub fn play(site: &Site, case: &Case) {
    each(site, case.make);
    let before = touched(site);
    let words = [&["run", case.recipe, "-i", "site.yaml", "--json", "--yes"], case.words].concat();
    let run = site.haengine(&words);
    let after = touched(site);
    let run = run.ended_with(2);
    let said = format!("{}{}", run.out, run.errors);
    for words in case.says {
        assert!(said.contains(words), "it does not say `{words}`:\n{said}");
    }
    assert_eq!(differences(&before, &after), "", "it was refused and touched something");
    each(site, case.unmake);
}

fn each(site: &Site, scripts: &[(&str, &str)]) {
    for (host, script) in scripts {
        assert_eq!(site.on(host, &format!("{{ {script}; }} 2>&1")), "", "{script}");
    }
}
