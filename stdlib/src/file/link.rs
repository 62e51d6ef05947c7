//! `file::link`: a symbolic link.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::overlay::{Effect, Overlay, PlannedFile};
use haengine_kernel::remnant::Remains;
use haengine_kernel::signature::{Param, ParamKind, Signature};
use haengine_kernel::transport::Command;
use serde::{Deserialize, Serialize};

use crate::file::former;
use crate::file::look::{Found, Proof, Seen, Sort, assume, look, need_above, revisit};
use crate::file::path;
use crate::file::place::{RESTORE, kept, left_at};
use crate::file::succeed::succeed;

const LINK: &str = concat!(include_str!("own.sh"), include_str!("area.sh"), include_str!("link.sh"));

/// A symbolic link.
#[derive(Clone, Serialize, Deserialize)]
pub struct Link {
    path: String,
    target: String,
}

/// What undo needs to know of a link.
#[derive(Serialize, Deserialize)]
pub struct Before {
    was: Option<Found>,
}

impl Link {
    /// The link at `path` that leads to `target`.
    pub fn new(path: String, target: String) -> Link {
        Link { path, target }
    }
}

#[async_trait]
impl Op for Link {
    const NAME: &'static str = "file.link";
    const ABOUT: &'static str = "Makes sure that a symbolic link leads somewhere.

A link that leads elsewhere is turned in one step, so nobody finds it missing. A file or a directory in its place is
refused. The target need not exist; a relative one counts from the link's own directory.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("path", ParamKind::Path, "The link."),
            Param::new("target", ParamKind::String, "Where it leads."),
        ],
        options: &[],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Make a link.",
            given: "rm -rf /opt/demo; mkdir -p /opt/demo/v2",
            code: r#"file::link(h, "/opt/demo/current", "v2")"#,
            gives: "",
        },
        Example {
            about: "Turn a link to another version.",
            given: "rm -rf /opt/demo; mkdir -p /opt/demo/v1 /opt/demo/v2; ln -s v1 /opt/demo/current",
            code: r#"file::link(h, "/opt/demo/current", "v2")"#,
            gives: "",
        },
    ];

    type State = Seen;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let target = arguments.string("target")?;
        if target.is_empty() || target.contains('\0') {
            let message = format!("`target` of `{}` is no path", arguments.function());
            return Err(Error::new(Kind::Usage, "file.path", message).hint("name where the link leads"));
        }
        Ok(vec![Link { path: path::of(arguments, "path")?, target }])
    }

    fn target(&self) -> String {
        self.path.clone()
    }

    async fn observe(&self, host: &Host) -> Result<Seen> {
        look(host, &self.path, 0).await
    }

    async fn revisit(&self, host: &Host, keep: &Keep) -> Result<Seen> {
        revisit(host, &self.path, keep, &keep.name()).await
    }

    fn assume(&self, seen: Seen, overlay: &Overlay) -> Seen {
        assume(seen, &self.path, overlay)
    }

    fn plan(&self, seen: &Seen) -> Result<Plan<Before>> {
        let summary = match &seen.found {
            None => {
                need_above(&self.path, seen)?;
                format!("create → {}", self.target)
            }
            Some(Found { sort: Sort::Link, target: Some(target), .. }) if *target == self.target => {
                return Ok(Plan::Unchanged);
            }
            Some(Found { sort: Sort::Link, target, .. }) => {
                format!("{} → {}", target.as_deref().unwrap_or_default(), self.target)
            }
            Some(found) => {
                let message = format!("`{}` is {}", self.path, found.sort.named());
                return Err(Error::new(Kind::Refused, "file.not_a_link", message)
                    .hint("choose another path, or move it away by hand"));
            }
        };
        let effects = vec![Effect::File(self.path.clone(), PlannedFile::Link(self.target.clone()))];
        Ok(Plan::Change(Change { before: Before { was: seen.found.clone() }, summary, diff: None, effects }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let command = kept(Command::script(LINK), &self.path, keep).arg(age(before)).arg(&self.target);
        let was = before.was.as_ref().map(|was| {
            let inode = was.inode.unwrap_or_default();
            [format!("{inode} {} {}", was.uid, was.gid), was.target.clone().unwrap_or_default()]
        });
        succeed(host, &command.args(was.unwrap_or_default()), &self.path).await.map(drop)
    }

    fn standing(&self, seen: &Seen, before: &Before, keep: &Keep) -> Standing {
        let midway = seen.is_midway_in(keep);
        match (&before.was, &seen.found) {
            (None, None) if !midway => Standing::AsBefore,
            (Some(was), Some(found)) if was.same(found) && !midway => Standing::AsBefore,
            (None, None) => Standing::Ours,
            (Some(was), Some(found)) if was.same(found) => Standing::Ours,
            (_, Some(_)) if keep.is_recorded() && !keep.made && seen.trace.proof("link") != Proof::Ours => {
                Standing::Ours
            }
            (_, Some(found)) if found.target.as_ref() == Some(&self.target) => {
                if keep.is_recorded() && seen.trace.proof("link") != Proof::Ours {
                    return Standing::Foreign("it is another link, which somebody else put there".to_owned());
                }
                Standing::Ours
            }
            (_, Some(Found { target: Some(target), .. })) => Standing::Foreign(format!("it leads to `{target}`")),
            (_, Some(found)) => Standing::Foreign(format!("it is now {}", found.sort.named())),
            (Some(_), None) => Standing::Foreign("it is gone".to_owned()),
        }
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        if !keep.is_recorded() {
            former::restore(host, &self.path, keep, &keep.name(), before.was.is_some()).await?;
            return Ok(Remains::new());
        }
        let command = kept(Command::script(RESTORE), &self.path, keep).args(["link", age(before), &self.target]);
        if succeed(host, &command, &self.path).await?.text().contains("left") {
            return left_at(host, &self.path, before.was.as_ref()).await;
        }
        Ok(Remains::new())
    }
}

fn age(before: &Before) -> &'static str {
    if before.was.is_some() { "old" } else { "new" }
}
