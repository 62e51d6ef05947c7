//! Results as lines for a person.

use std::fmt::Write;

use haengine_kernel::event::{Check, CheckFinding, CheckStatus, Status, Totals};
use haengine_kernel::harmless::{harmless, one_line};

use crate::report::Paint;
use crate::report::failure::indent;
use crate::report::group::Group;

/// Times below this are not worth a word.
const NOTABLE: f64 = 0.5;

/// One result of one or more hosts, with its diff where it shall be shown.
pub fn group(group: &Group, diffs: bool, paint: Paint) -> String {
    let change = &group.change;
    let hosts = one_line(&group.hosts.join(", "));
    let target = paint.cyan(&one_line(&change.target));
    let mut line = format!("  {hosts}: {} {target} {}", change.op, status(change.status, paint));
    if !change.summary.is_empty() {
        let _ = write!(line, ": {}", one_line(&change.summary));
    }
    if let Some(error) = &change.error {
        let _ = write!(line, ": {}", indent(&harmless(&error.message)));
    }
    if group.seconds >= NOTABLE {
        line.push_str(&paint.dim(&format!(" ({})", seconds(group.seconds))));
    }
    line.push('\n');
    for cause in change.error.iter().flat_map(|error| &error.causes) {
        let _ = writeln!(line, "    {} {}", paint.dim("because:"), indent(&harmless(cause)));
    }
    if let Some(text) = change.diff.as_ref().filter(|_| diffs) {
        line.push_str(&diff(text.text(), paint));
    }
    line
}

/// What became of a change, in a word.
fn status(status: Status, paint: Paint) -> String {
    match status {
        Status::Planned => paint.yellow("would change"),
        Status::Changed => paint.green("changed"),
        Status::Unchanged => paint.dim("unchanged"),
        Status::Skipped => paint.dim("skipped, done already"),
        Status::Failed => paint.red("failed"),
        Status::Unreachable => paint.red("unreachable"),
    }
}

/// A check in a line, with its findings below.
pub fn check(check: &Check, paint: Paint) -> String {
    let mark = match check.status {
        CheckStatus::Passed => paint.green("✓"),
        CheckStatus::Warning => paint.yellow("!"),
        CheckStatus::NotChecked => paint.yellow("?"),
        CheckStatus::Refused => paint.red("✗"),
    };
    let mut text = format!("  {mark} {}", one_line(&check.check));
    if !check.detail.is_empty() {
        let _ = write!(text, ": {}", one_line(&check.detail));
    }
    if check.recorded {
        text.push_str(&paint.dim(" (recorded before the first change)"));
    }
    if check.seconds >= NOTABLE {
        text.push_str(&paint.dim(&format!(" ({})", seconds(check.seconds))));
    }
    text.push('\n');
    check.findings.iter().for_each(|finding| text.push_str(&self::finding(finding, paint)));
    text
}

fn finding(finding: &CheckFinding, paint: Paint) -> String {
    let word = match finding.status {
        CheckStatus::Passed => String::new(),
        CheckStatus::Warning => paint.yellow("warning: "),
        CheckStatus::NotChecked => paint.yellow("not checked: "),
        CheckStatus::Refused => paint.red("refused: "),
    };
    let mut text = format!("      {word}{}\n", harmless(&finding.message).trim_end().replace('\n', "\n        "));
    if let Some(hint) = &finding.hint {
        let _ = writeln!(text, "        {} {}", paint.cyan("hint:"), one_line(hint));
    }
    // The place of a refusal is drawn with the error that follows from it.
    if let Some(place) = finding.place.as_ref().filter(|_| finding.status == CheckStatus::NotChecked) {
        let _ = writeln!(text, "        {}", paint.dim(&format!("at {}", one_line(place))));
    }
    text
}

/// So many checks that ended so.
pub fn checked(status: CheckStatus, count: u64) -> String {
    let word = match status {
        CheckStatus::Passed => "passed",
        CheckStatus::Warning if count == 1 => "with a warning",
        CheckStatus::Warning => "with warnings",
        CheckStatus::NotChecked => "not checked",
        CheckStatus::Refused => "refused",
    };
    format!("{count} {word}")
}

/// A unified diff, indented below its change.
pub fn diff(text: &str, paint: Paint) -> String {
    let mut lines = String::new();
    for line in harmless(text).lines() {
        let drawn = match line.as_bytes().first() {
            Some(b'+') => paint.green(line),
            Some(b'-') => paint.red(line),
            Some(b'@') => paint.cyan(line),
            _ => line.to_owned(),
        };
        let _ = writeln!(lines, "      {drawn}");
    }
    lines
}

/// A time span as a person says it: `42 ms`, `12 s`, `3 min 5 s`.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 0.1 => format!("{:.0} ms", s * 1000.0),
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s => format!("{:.0} min {:.0} s", (s / 60.0).floor(), s % 60.0),
    }
}

/// Bytes as a person says them: `12.3 MiB`.
pub fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}

/// The sums, in words: `3 changed, 12 unchanged`.
pub fn sums(totals: &Totals, changed: &str, paint: Paint) -> String {
    let done = format!("{} {changed}", totals.changed);
    let mut parts = vec![if totals.changed > 0 { paint.green(&done) } else { done }];
    parts.push(format!("{} unchanged", totals.ok));
    if totals.skipped > 0 {
        parts.push(format!("{} skipped", totals.skipped));
    }
    if totals.failed > 0 {
        parts.push(paint.red(&format!("{} failed", totals.failed)));
    }
    if totals.unreachable > 0 {
        parts.push(paint.red(&format!("{} unreachable", totals.unreachable)));
    }
    parts.join(", ")
}

/// The time of a run, in words.
pub fn took(totals: &Totals) -> String {
    let waited = if totals.waited >= NOTABLE {
        format!(", {} of it waiting for the hosts' own work", seconds(totals.waited))
    } else {
        String::new()
    };
    format!("in {}{waited}", seconds(totals.seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_one_says_them() {
        let said = [0.0042, 0.42, 9.9, 12.3, 185.0].map(seconds);
        assert_eq!(said, ["4 ms", "0.4 s", "9.9 s", "12 s", "3 min 5 s"]);
    }

    #[test]
    fn a_diff_is_indented_and_has_no_header() {
        let between = haengine_kernel::diff::Diff::between("a\n", "b\n").unwrap();
        assert_eq!(diff(between.text(), Paint::plain()), "      @@ -1 +1 @@\n      -a\n      +b\n");
    }

    /// A remark in SQL or Lua, and what `++ ` begins, look like the header of a diff once they are in one.
    #[test]
    fn a_diff_shows_every_line_that_changes() {
        let between = haengine_kernel::diff::Diff::between("-- DROP\n", "++ evil\n").unwrap();
        let shown = diff(between.text(), Paint::plain());
        assert_eq!(shown, "      @@ -1 +1 @@\n      --- DROP\n      +++ evil\n");
    }
}
