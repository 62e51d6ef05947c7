//! `file::put`: a file with a given content.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Example, Op, Plan, Standing};
use haengine_kernel::overlay::Overlay;
use haengine_kernel::remnant::Remains;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::text::{Text, TextDigest};
use serde::{Deserialize, Serialize};

use crate::file::in_place::IN_PLACE;
use crate::file::look::{SHOWN, Seen, assume, look};
use crate::file::owner::{GROUP, OWNER};
use crate::file::place::{Before, MODE, Placement, VALIDATE};

/// A file with a given content.
#[derive(Clone, Serialize, Deserialize)]
pub struct Put {
    #[serde(flatten)]
    placement: Placement,
    content: Text,
    /// What the recipe made the content of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<TextDigest>,
}

const REPLACES: Param = Param::option(
    "replaces",
    ParamKind::Text,
    Absent::Means("anything"),
    "The text that the content was made of. Where the file holds another one by now, and not the content either, it is refused.",
);

#[async_trait]
impl Op for Put {
    const NAME: &'static str = "file.put";
    const ABOUT: &'static str = "Places a text as a file.

A new file gets mode `0o644`, or `0o600` where its content is a secret, and belongs to the login; an existing one keeps its
mode and owner unless you name others.
The file is never seen half written, unless `in_place: true` says that it must stay the same file: then it is written
into, as a file that is a mount of its own needs. Its directory must exist: create it with `file::directory`. A symbolic link is
refused: write to where it leads. A secret content never appears in a diff or in the journal. An
array of texts is put together; where a part is secret or known only when run, so is the whole.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("path", ParamKind::Path, "The file."),
            Param::new("content", ParamKind::Text, "What it shall hold."),
        ],
        options: &[MODE, OWNER, GROUP, VALIDATE, IN_PLACE, REPLACES],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Place a file that is not there yet.",
            given: "rm -f /etc/motd",
            code: r#"file::put(h, "/etc/motd", "hello\n")"#,
            gives: "",
        },
        Example {
            about: "Replace a file, with permissions and a group of its own.",
            given: "printf 'old\\n' >/etc/demo.conf; chmod 755 /etc/demo.conf; touch -d @1600000000.5 /etc/demo.conf",
            code: r#"file::put(h, "/etc/demo.conf", "new\n", #{ mode: 0o640, owner: "root", group: "adm" })"#,
            gives: "",
        },
        Example {
            about: "Change the permissions alone.",
            given: "mkdir -p /opt/demo; printf 'same\\n' >/opt/demo/same; chmod 644 /opt/demo/same",
            code: r#"file::put(h, "/opt/demo/same", "same\n", #{ mode: 0o600 })"#,
            gives: "",
        },
        Example {
            about: "Let a program look at the new file before it takes its place.",
            given: "mkdir -p /opt/demo; printf 'exit 1\\n' >/opt/demo/start.sh",
            code: r#"file::put(h, "/opt/demo/start.sh", "exit 0\n", #{ mode: 0o755, validate: "sh -n %s" })"#,
            gives: "",
        },
        Example {
            about: "Write into a file that must stay the same one, since it is mounted elsewhere or read through an open descriptor.",
            given: "printf 'old, and longer\\n' >/etc/demo.conf; chmod 640 /etc/demo.conf; touch -d @1600000000.5 /etc/demo.conf",
            code: r#"file::put(h, "/etc/demo.conf", "new\n", #{ in_place: true })"#,
            gives: "",
        },
        Example {
            about: "Replace a text by what was made of it, unless somebody edits it meanwhile.",
            given: "mkdir -p /opt/demo; printf 'one\\n' >/opt/demo/made_of",
            code: r#"file::put(h, "/opt/demo/made_of", "one\ntwo\n", #{ replaces: "one\n" })"#,
            gives: "",
        },
    ];

    type State = Seen;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let content = arguments.text("content")?;
        let placement = Placement::parse(arguments)?.in_place(arguments)?.holding(&content);
        let replaces = arguments.opt_text("replaces").and_then(|text| text.digest());
        Ok(vec![Put { placement, content, replaces }])
    }

    fn target(&self) -> String {
        self.placement.path.clone()
    }

    async fn observe(&self, host: &Host) -> Result<Seen> {
        // The old content serves the diff alone, and a secret has none.
        let limit = if self.content.shown().is_some() { SHOWN } else { 0 };
        look(host, &self.placement.path, limit).await
    }

    async fn revisit(&self, host: &Host, keep: &Keep) -> Result<Seen> {
        self.placement.revisit(host, keep).await
    }

    fn assume(&self, seen: Seen, overlay: &Overlay) -> Seen {
        assume(seen, &self.placement.path, overlay)
    }

    fn plan(&self, seen: &Seen) -> Result<Plan<Before>> {
        self.refuse_edited(seen)?;
        self.placement.plan(seen, &self.content)
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

impl Put {
    /// The content was made of a text that is there no more: to place it would undo somebody's edit.
    fn refuse_edited(&self, seen: &Seen) -> Result<()> {
        let Some(replaces) = &self.replaces else { return Ok(()) };
        let there = seen.found.as_ref().and_then(|found| found.sha256.as_ref());
        let is_there = |digest: &TextDigest| there == Some(&digest.sha256);
        if is_there(replaces) || self.content.digest().as_ref().is_some_and(is_there) {
            return Ok(());
        }
        let path = &self.placement.path;
        let message = match there {
            Some(_) => format!("`{path}` was changed after it was read, and would lose that"),
            None => format!("`{path}` is gone since it was read"),
        };
        Err(Error::new(Kind::Refused, "file.edited", message).hint("see who edits it, then run this again"))
    }
}
