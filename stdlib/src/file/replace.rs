//! `file::replace`: other words in a file.

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
use regex::NoExpand;
use serde::{Deserialize, Serialize};

use crate::file::edit::{self, hide, look_whole};
use crate::file::in_place::IN_PLACE;
use crate::file::look::{Seen, assume};
use crate::file::place::{Before, Placement, VALIDATE};

/// Other words in a file.
#[derive(Clone, Serialize, Deserialize)]
pub struct Replace {
    #[serde(flatten)]
    placement: Placement,
    pattern: String,
    replacement: Text,
    #[serde(default)]
    regex: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
}

#[async_trait]
impl Op for Replace {
    const NAME: &'static str = "file.replace";
    const ABOUT: &'static str = "Replaces every occurrence of a text in a file.

The pattern is meant literally unless `regex: true`; then `^` and `$` stand for the ends of a line, and `$1` or `${name}`
in the replacement for what a group matched. A file without the pattern stays as it is. Where a second run would
change the file again, the call is refused. Do not edit what an earlier step placed: place it once, as it shall be.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("path", ParamKind::Path, "The file."),
            Param::new("pattern", ParamKind::String, "What is replaced."),
            Param::new("replacement", ParamKind::Text, "What comes in its place."),
        ],
        options: &[
            Param::option(
                "regex",
                ParamKind::Boolean,
                Absent::Boolean(false),
                "Take the pattern as a regular expression.",
            ),
            Param::option(
                "count",
                ParamKind::Integer,
                Absent::Means("any"),
                "How often the pattern must occur, unless it does not occur at all; else the call is refused.",
            ),
            VALIDATE,
            IN_PLACE,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Point a client at another address.",
            given: "printf 'server: https://10.0.0.1:6443\\nname: a\\n' >/etc/demo.conf",
            code: r#"file::replace(h, "/etc/demo.conf", "https://10.0.0.1:6443", "https://10.0.0.9:6443", #{ count: 1 })"#,
            gives: "",
        },
        Example {
            about: "Change what follows a name.",
            given: "printf -- '--v=2\\n--node-ip=10.0.0.1\\n' >/etc/demo.flags; chmod 600 /etc/demo.flags",
            code: r#"file::replace(h, "/etc/demo.flags", "^(--node-ip)=.*$", "$1=10.0.0.2", #{ regex: true })"#,
            gives: "",
        },
        Example {
            about: "Nothing to replace.",
            given: "printf 'a\\n' >/etc/demo.conf",
            code: r#"file::replace(h, "/etc/demo.conf", "b", "c")"#,
            gives: "",
        },
    ];

    type State = Seen;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let (pattern, regex) = (arguments.string("pattern")?, arguments.boolean("regex")?);
        if pattern.is_empty() {
            let message = format!("`pattern` of `{}` is empty", arguments.function());
            return Err(Error::new(Kind::Usage, "file.pattern", message).hint("name what is replaced"));
        }
        if regex {
            edit::pattern(arguments.function(), "pattern", &pattern)?;
        }
        let count = arguments.opt_integer("count").map(|count| usize::try_from(count).unwrap_or(0));
        let replacement = arguments.text("replacement")?;
        Ok(vec![Replace {
            placement: Placement::edited(arguments)?.in_place(arguments)?,
            pattern,
            replacement,
            regex,
            count,
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
        let secret = matches!(self.replacement, Text::Secret(_));
        let hidden = secret.then(|| hide(seen));
        self.refuse_count(seen)?;
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

impl Replace {
    fn edit(&self, old: &str) -> Result<Option<String>> {
        let pattern = self.pattern()?;
        if !pattern.is_match(old) {
            return Ok(Some(old.to_owned()));
        }
        if matches!(self.replacement, Text::Unknown(_)) {
            return Ok(None);
        }
        let replacement = self.replacement.content()?;
        let new = if self.regex {
            pattern.replace_all(old, replacement.expose())
        } else {
            pattern.replace_all(old, NoExpand(replacement.expose()))
        };
        Ok(Some(new.into_owned()))
    }

    fn pattern(&self) -> Result<regex::Regex> {
        let text = if self.regex { self.pattern.clone() } else { regex::escape(&self.pattern) };
        edit::pattern("file::replace", "pattern", &text)
    }

    fn refuse_count(&self, seen: &Seen) -> Result<()> {
        let (Some(wanted), Some(Text::Plain(_) | Text::Secret(_))) = (self.count, &seen.text) else { return Ok(()) };
        let text = seen.text.as_ref().map(Text::content).transpose()?;
        let found = text.map_or(0, |text| self.pattern().map_or(0, |pattern| pattern.find_iter(text.expose()).count()));
        if found == 0 || found == wanted {
            return Ok(());
        }
        let message = format!("`{}` has the pattern {found} times, not {wanted}", self.placement.path);
        Err(Error::new(Kind::Refused, "file.count", message).hint("make `pattern` longer, or correct `count`"))
    }
}
