//! What each finding of `check` means: the sections of the book's page.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::signature::nearest;
use serde::Serialize;

/// The book's page, so that both say the same.
const PAGE: &str = include_str!("../../../../book/src/check.md");

/// What a finding means.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Meaning {
    /// Its code, as `check` prints it.
    pub code: String,
    /// What it means and what to do, in Markdown.
    pub about: String,
    /// Where it stands in the book.
    pub place: String,
}

impl Meaning {
    /// What it means, in one line.
    pub fn summary(&self) -> String {
        let first = self.about.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        first.split_inclusive(". ").next().unwrap_or_default().trim().to_owned()
    }
}

/// All findings, in the order of the book.
pub fn meanings() -> Vec<Meaning> {
    let sections = PAGE.split("\n## `").skip(1);
    let meaning = |section: &str| {
        let (code, about) = section.split_once("`\n")?;
        // mdBook makes an anchor of what is left of a heading without its signs.
        let anchor = code.replace('.', "");
        let place = format!("check.html#{anchor}");
        Some(Meaning { code: code.to_owned(), about: about.replace("rhai,ignore", "rhai").trim().to_owned(), place })
    };
    sections.filter_map(meaning).collect()
}

/// What the finding of this code means.
///
/// # Errors
/// `doc.unknown`, with the nearest code.
pub fn meaning(code: &str) -> Result<Meaning> {
    let all = meanings();
    if let Some(found) = all.iter().find(|meaning| meaning.code == code) {
        return Ok(found.clone());
    }
    let error = Error::new(Kind::Usage, "doc.unknown", format!("`check` has no finding `{code}`"));
    Err(match nearest(code, all.iter().map(|meaning| meaning.code.as_str())) {
        Some(near) => error.hint(format!("look up `{near}`")),
        None => error.hint("list all of them with `haengine doc`"),
    })
}
