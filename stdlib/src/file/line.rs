//! `file::line`: one line of a file.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Example, Op, Plan, Standing};
use haengine_kernel::overlay::Overlay;
use haengine_kernel::remnant::Remains;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::text::Text;
use serde::{Deserialize, Serialize};

use crate::file::edit::{self, hide, look_whole};
use crate::file::in_place::IN_PLACE;
use crate::file::look::{Seen, assume};
use crate::file::place::{Before, Placement, VALIDATE};

/// One line of a file.
#[derive(Clone, Serialize, Deserialize)]
pub struct Line {
    #[serde(flatten)]
    placement: Placement,
    line: Text,
    present: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    matching: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<String>,
}

#[async_trait]
impl Op for Line {
    const NAME: &'static str = "file.line";
    const ABOUT: &'static str = "Makes sure that a file has a line, or has it not.

With `matching` or `prefix` the one other line that fits is replaced; where several fit, the call is refused. Where none
fits, the line is added at the end, or where `after` or `before` say. With `present: false` every line that equals it, or
that fits, is removed. Do not edit what an earlier step placed: place it once, as it shall be.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("path", ParamKind::Path, "The file."),
            Param::new("line", ParamKind::Text, "The line, without its end."),
        ],
        options: &[
            Param::option(
                "matching",
                ParamKind::String,
                Absent::Means("()"),
                "A regular expression for the line in its place.",
            ),
            Param::option(
                "prefix",
                ParamKind::String,
                Absent::Means("()"),
                "How the line in its place begins, literally.",
            ),
            Param::option(
                "after",
                ParamKind::String,
                Absent::Means("()"),
                "A regular expression; a new line follows its last match.",
            ),
            Param::option(
                "before",
                ParamKind::String,
                Absent::Means("()"),
                "A regular expression; a new line precedes its first match.",
            ),
            Param::option("present", ParamKind::Boolean, Absent::Boolean(true), "Whether the line shall be there."),
            VALIDATE,
            IN_PLACE,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Add a line.",
            given: "printf '127.0.0.1 localhost' >/etc/demo.hosts",
            code: r#"file::line(h, "/etc/demo.hosts", "10.0.0.9 api.demo")"#,
            gives: "",
        },
        Example {
            about: "Set an option, wherever it stands.",
            given: "printf 'Port 22\\nPermitRootLogin yes\\nX11Forwarding no\\n' >/etc/demo.conf; chmod 600 /etc/demo.conf",
            code: r#"file::line(h, "/etc/demo.conf", "PermitRootLogin no", #{ prefix: "PermitRootLogin " })"#,
            gives: "",
        },
        Example {
            about: "Add a line below another one.",
            given: "printf '[a]\\nx=1\\n[b]\\nx=1\\n' >/etc/demo.ini",
            code: r#"file::line(h, "/etc/demo.ini", "y=2", #{ after: "^\\[a\\]$" })"#,
            gives: "",
        },
        Example {
            about: "Take a line away.",
            given: "printf 'a\\nswap\\nb\\n' >/etc/demo.tab",
            code: r#"file::line(h, "/etc/demo.tab", "swap", #{ present: false })"#,
            gives: "",
        },
    ];

    type State = Seen;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let line = arguments.text("line")?;
        if matches!(&line, Text::Plain(_) | Text::Secret(_)) && line.content()?.expose().contains(['\n', '\r']) {
            let message = format!("`line` of `{}` has more than one line", arguments.function());
            return Err(Error::new(Kind::Usage, "file.line", message).hint("call it once for each line"));
        }
        refuse_pair(arguments, "matching", "prefix")?;
        refuse_pair(arguments, "after", "before")?;
        for option in ["matching", "after", "before"] {
            arguments.opt_string(option).map(|text| edit::pattern(arguments.function(), option, &text)).transpose()?;
        }
        let prefix = arguments.opt_string("prefix").map(|prefix| format!("^{}", regex::escape(&prefix)));
        Ok(vec![Line {
            placement: Placement::edited(arguments)?.in_place(arguments)?.holding(&line),
            line,
            present: arguments.boolean("present")?,
            matching: arguments.opt_string("matching").or(prefix),
            after: arguments.opt_string("after"),
            before: arguments.opt_string("before"),
        }])
    }

    fn target(&self) -> String {
        self.placement.path.clone()
    }

    async fn observe(&self, host: &Host) -> Result<Seen> {
        look_whole(host, &self.placement.path).await
    }

    async fn revisit(&self, host: &Host, keep: &Keep) -> Result<Seen> {
        self.placement.revisit(host, keep).await
    }

    fn assume(&self, seen: Seen, overlay: &Overlay) -> Seen {
        assume(seen, &self.placement.path, overlay)
    }

    fn plan(&self, seen: &Seen) -> Result<Plan<Before>> {
        if !self.present && seen.found.is_none() && seen.awaited.is_none() {
            return Ok(Plan::Unchanged);
        }
        let secret = matches!(self.line, Text::Secret(_));
        let hidden = secret.then(|| hide(seen));
        edit::plan(&self.placement, hidden.as_ref().unwrap_or(seen), |old| self.edit(old))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        self.placement.apply(host, before, keep).await
    }

    fn standing(&self, seen: &Seen, before: &Before, keep: &Keep) -> Standing {
        self.placement.standing(seen, before, keep)
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        self.placement.undo(host, before, keep).await
    }
}

impl Line {
    fn edit(&self, old: &str) -> Result<Option<String>> {
        if matches!(self.line, Text::Unknown(_)) {
            return Ok(None);
        }
        let wanted = self.line.content()?;
        let wanted = wanted.expose();
        let fits = self.matching.as_ref().map(|text| edit::pattern("file::line", "matching", text)).transpose()?;
        let fits = |line: &str| fits.as_ref().is_some_and(|fits| fits.is_match(line));
        let mut lines: Vec<&str> = old.lines().collect();
        if self.present {
            self.place(&mut lines, wanted, fits)?;
        } else {
            lines.retain(|line| *line != wanted && !fits(line));
        }
        if lines.iter().copied().eq(old.lines()) {
            return Ok(Some(old.to_owned()));
        }
        Ok(Some(joined(&lines, old)))
    }

    fn place<'a>(&self, lines: &mut Vec<&'a str>, wanted: &'a str, fits: impl Fn(&str) -> bool) -> Result<()> {
        let others: Vec<usize> = (0..lines.len()).filter(|at| lines[*at] != wanted && fits(lines[*at])).collect();
        let there = lines.contains(&wanted);
        match others[..] {
            [] if there => {}
            [] => {
                let at = self.anchor(lines)?;
                lines.insert(at, wanted);
            }
            [at] if !there => lines[at] = wanted,
            _ => return Err(self.ambiguous(others.len() + usize::from(there))),
        }
        Ok(())
    }

    /// Before which line a new one comes.
    fn anchor(&self, lines: &[&str]) -> Result<usize> {
        let find = |text: &str, option| edit::pattern("file::line", option, text);
        let (at, text) = if let Some(text) = &self.after {
            let pattern = find(text, "after")?;
            (lines.iter().rposition(|line| pattern.is_match(line)).map(|at| at + 1), text)
        } else if let Some(text) = &self.before {
            let pattern = find(text, "before")?;
            (lines.iter().position(|line| pattern.is_match(line)), text)
        } else {
            return Ok(lines.len());
        };
        at.ok_or_else(|| {
            let message = format!("no line of `{}` fits `{text}`", self.placement.path);
            Error::new(Kind::Refused, "file.no_anchor", message).hint("correct `after` or `before`, or leave it out")
        })
    }

    fn ambiguous(&self, count: usize) -> Error {
        let message = format!("{count} lines of `{}` could be the one", self.placement.path);
        Error::new(Kind::Refused, "file.ambiguous", message).hint("make `matching` or `prefix` fit one line only")
    }
}

/// Lines as a text with the line ends of the old one; the last line gets its end.
fn joined(lines: &[&str], old: &str) -> String {
    let end = if old.contains("\r\n") { "\r\n" } else { "\n" };
    lines.iter().flat_map(|line| [*line, end]).collect()
}

fn refuse_pair(arguments: &Arguments, one: &str, other: &str) -> Result<()> {
    if !arguments.has(one) || !arguments.has(other) {
        return Ok(());
    }
    let message = format!("`{}` takes `{one}` or `{other}`, not both", arguments.function());
    Err(Error::new(Kind::Usage, "file.line", message).hint(format!("leave `{one}` or `{other}` out")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        let placement = Placement { path: "/etc/x".into(), ..Placement::default() };
        let line = Text::Plain(text.into());
        Line { placement, line, present: true, matching: None, after: None, before: None }
    }

    fn edited(line: &Line, old: &str) -> String {
        line.edit(old).unwrap().unwrap()
    }

    #[test]
    fn a_line_is_added_once() {
        assert_eq!(edited(&line("b"), "a"), "a\nb\n");
        assert_eq!(edited(&line("a"), "a"), "a");
        assert_eq!(edited(&line("b"), ""), "b\n");
        assert_eq!(edited(&line("b"), "a\r\nc\r\n"), "a\r\nc\r\nb\r\n");
    }

    #[test]
    fn the_line_that_fits_is_replaced_and_two_are_refused() {
        let set = Line { matching: Some("^x=".into()), ..line("x=2") };
        assert_eq!(edited(&set, "a\nx=1\nb\n"), "a\nx=2\nb\n");
        assert_eq!(edited(&set, "a\nx=2\nb\n"), "a\nx=2\nb\n");
        assert_eq!(set.edit("x=1\nx=3\n").unwrap_err().code(), "file.ambiguous");
        assert_eq!(set.edit("x=1\nx=2\n").unwrap_err().code(), "file.ambiguous");
    }

    #[test]
    fn a_new_line_stands_where_it_is_wanted() {
        assert_eq!(edited(&Line { after: Some("^a".into()), ..line("n") }, "a1\na2\nb\n"), "a1\na2\nn\nb\n");
        assert_eq!(edited(&Line { before: Some("^b".into()), ..line("n") }, "a\nb1\nb2\n"), "a\nn\nb1\nb2\n");
        let missing = Line { after: Some("^z".into()), ..line("n") };
        assert_eq!(missing.edit("a\n").unwrap_err().code(), "file.no_anchor");
        assert_eq!(edited(&missing, "a\nn\n"), "a\nn\n");
    }

    #[test]
    fn a_line_is_taken_away_wherever_it_stands() {
        let gone = Line { present: false, ..line("b") };
        assert_eq!(edited(&gone, "b\na\nb"), "a\n");
        assert_eq!(edited(&gone, "a"), "a");
    }
}
