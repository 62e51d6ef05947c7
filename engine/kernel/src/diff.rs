//! What changes in a text, shown without secrets.

use similar::TextDiff;

use crate::redact::redact;
use crate::secret::Known;

/// A unified diff, redacted.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Diff(String);

/// How much of one diff the journal keeps.
const JOURNALLED: usize = 16 * 1024;

impl Diff {
    /// The lines that differ between two texts, with three lines around them. Keys, tokens, passwords and private PEM
    /// blocks are replaced before the comparison is drawn; where only such a value differs, a line says so.
    pub fn between(before: &str, after: &str) -> Option<Diff> {
        if before == after {
            return None;
        }
        let (shown_before, shown_after) = (redact(before), redact(after));
        if shown_before == shown_after {
            return Some(Diff("  (only redacted values differ)\n".to_owned()));
        }
        let diff = TextDiff::from_lines(shown_before.as_str(), shown_after.as_str());
        Some(Diff(diff.unified_diff().context_radius(3).missing_newline_hint(true).to_string()))
    }

    /// The diff as the journal keeps it: of a long one the beginning, in whole lines, and a line that says so.
    #[must_use]
    pub fn journalled(&self) -> Diff {
        if self.0.len() <= JOURNALLED {
            return self.clone();
        }
        let mut end = 0;
        let kept = self.0.split_inclusive('\n').take_while(|line| {
            end += line.len();
            end <= JOURNALLED
        });
        let kept: String = kept.collect();
        Diff(format!("{kept}  (and {} bytes more)\n", self.0.len() - kept.len()))
    }

    /// Leaves known secrets out.
    pub(crate) fn hide(&mut self, known: &Known) {
        known.hide_in(&mut self.0);
    }

    /// The diff, one change a line.
    pub fn text(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_keeps_the_beginning_of_a_long_diff() {
        let long: String = (0..10_000).map(|number| format!("line {number}\n")).collect();
        let diff = Diff::between("", &long).unwrap();
        let kept = diff.journalled();
        assert!(kept.text().len() < JOURNALLED + 100, "{}", kept.text().len());
        assert!(kept.text().ends_with(" bytes more)\n") && kept.text().contains("+line 9\n"));
        let short = Diff::between("a\n", "b\n").unwrap();
        assert_eq!(short.journalled(), short);
    }

    #[test]
    fn a_change_of_a_secret_alone_is_said() {
        let diff = Diff::between("token: a\n", "token: b\n").unwrap();
        assert_eq!(diff.text(), "  (only redacted values differ)\n");
        assert_eq!(Diff::between("x\n", "x\n"), None);
    }
}
