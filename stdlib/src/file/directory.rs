//! `file::directory`: a directory with its permissions.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::overlay::{Effect, Overlay, PlannedFile};
use haengine_kernel::remnant::{Remains, Remnant};
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::transport::Command;
use serde::{Deserialize, Serialize};

use crate::file::look::{Above, Found, Seen, Sort, assume, attributes_effect, look, need_above};
use crate::file::owner::{GROUP, OWNER, Owner};
use crate::file::path;
use crate::file::place::{attributes, attributes_differ, attributes_of, kept};
use crate::file::succeed::succeed;

const MAKE: &str = concat!(include_str!("own.sh"), include_str!("area.sh"), include_str!("directory.sh"));
const REMOVE: &str = concat!(include_str!("own.sh"), include_str!("area.sh"), include_str!("directory_undo.sh"));
const NEW_MODE: u32 = 0o755;

/// A directory with its permissions.
#[derive(Clone, Serialize, Deserialize)]
pub struct Directory {
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<u32>,
    #[serde(flatten)]
    owner: Owner,
    #[serde(default)]
    parents: bool,
    /// Directories above this one that the same call makes before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    after: Vec<String>,
}

/// What undo needs to know of a directory.
#[derive(Serialize, Deserialize)]
pub struct Before {
    was: Option<Found>,
    /// How many directories above it are made with it.
    above: usize,
}

#[async_trait]
impl Op for Directory {
    const NAME: &'static str = "file.directory";
    const ABOUT: &'static str = "Makes sure that directories are there.

A new directory gets mode `0o755` and belongs to the login; an existing one keeps its mode and owner unless you name
others. The directory above must exist, or come earlier in the same list, or be made too with `parents: true`.

**Undo** removes a directory that the run made and that is empty by then. One with something else in it stays, and is named.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("paths", ParamKind::Paths, "The directory, or several.")],
        options: &[
            Param::option(
                "mode",
                ParamKind::Mode,
                Absent::Means("as it is; `0o755` for a new one"),
                "Permissions of the directory.",
            ),
            OWNER,
            GROUP,
            Param::option(
                "parents",
                ParamKind::Boolean,
                Absent::Boolean(false),
                "Make missing directories above it too.",
            ),
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Make a directory.",
            given: "rm -rf /opt/demo",
            code: r#"file::directory(h, "/opt/demo", #{ mode: 0o750 })"#,
            gives: "",
        },
        Example {
            about: "Make several, each below the one before.",
            given: "rm -rf /srv/demo",
            code: r#"file::directory(h, ["/srv/demo", "/srv/demo/cfg", "/srv/demo/logs"])"#,
            gives: "",
        },
        Example {
            about: "Make the directories above it too.",
            given: "rm -rf /opt/demo",
            code: r#"file::directory(h, "/opt/demo/a/b", #{ parents: true, group: "adm" })"#,
            gives: "",
        },
        Example {
            about: "Change the permissions of a directory that is there.",
            given: "mkdir -p /opt/demo; chmod 755 /opt/demo",
            code: r#"file::directory(h, "/opt/demo", #{ mode: 0o700 })"#,
            gives: "",
        },
    ];

    type State = Seen;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let paths = path::all_of(arguments, "paths")?;
        let parents = arguments.boolean("parents")?;
        let make = |(index, path): (usize, &String)| Directory {
            path: path.clone(),
            mode: arguments.opt_mode("mode"),
            owner: Owner::parse(arguments),
            parents,
            after: paths[..index].iter().filter(|earlier| path.starts_with(&format!("{earlier}/"))).cloned().collect(),
        };
        Ok(paths.iter().enumerate().map(make).collect())
    }

    fn target(&self) -> String {
        self.path.clone()
    }

    async fn observe(&self, host: &Host) -> Result<Seen> {
        look(host, &self.path, 0).await
    }

    fn assume(&self, seen: Seen, overlay: &Overlay) -> Seen {
        assume(seen, &self.path, overlay)
    }

    fn plan(&self, seen: &Seen) -> Result<Plan<Before>> {
        match &seen.found {
            Some(found) if found.sort == Sort::Directory => Ok(self.plan_attributes(seen, found)),
            Some(found) => Err(self.refuse(found)),
            None => self.plan_new(seen),
        }
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let command = match &before.was {
            Some(was) => {
                let mode = format!("{:05o}", self.mode.unwrap_or(was.mode));
                attributes(&self.path, &mode, &self.owner.spec(), "", was)
            }
            None => {
                let mode = format!("{:05o}", self.mode.unwrap_or(NEW_MODE));
                let exact = if self.mode.is_some() { "exact" } else { "" };
                let make = kept(Command::script(MAKE), &self.path, keep);
                make.args([&mode, &self.owner.spec(), exact, &before.above.to_string()])
            }
        };
        succeed(host, &command, &self.path).await.map(drop)
    }

    fn standing(&self, seen: &Seen, before: &Before, keep: &Keep) -> Standing {
        match (&before.was, &seen.found) {
            (None, None) if missing_above(seen) >= before.above => Standing::AsBefore,
            (None, None) => Standing::Ours,
            (Some(was), Some(found)) if was.same(found) => Standing::AsBefore,
            (Some(_), None) => Standing::Foreign("it is gone".to_owned()),
            // Whose it is, undo finds out, and takes away no other.
            (None, Some(_)) => Standing::Ours,
            (_, Some(found)) if found.sort != Sort::Directory => {
                Standing::Foreign(format!("it is now {}", found.sort.named()))
            }
            (Some(was), Some(found)) if keep.is_recorded() && was.inode != found.inode => {
                Standing::Foreign("it is another directory, which somebody else put there".to_owned())
            }
            (Some(was), Some(found)) => self.mixture(was, found),
        }
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        if let Some(was) = &before.was {
            succeed(host, &attributes_of(&self.path, was), &self.path).await?;
            return Ok(Remains::new());
        }
        let remove = kept(Command::script(REMOVE), &self.path, keep).arg(before.above.to_string());
        let said = succeed(host, &remove, &self.path).await?.text();
        Ok(said.lines().filter_map(|line| self.remnant(line)).collect())
    }
}

impl Directory {
    fn plan_attributes(&self, seen: &Seen, found: &Found) -> Plan<Before> {
        let differs = seen.sure.then(|| attributes_differ(self.mode, &self.owner, found)).flatten();
        let Some(summary) = differs else { return Plan::Unchanged };
        let before = Before { was: Some(found.clone()), above: 0 };
        Plan::Change(Change { before, summary, diff: None, effects: self.effects(Some(found), 0) })
    }

    fn plan_new(&self, seen: &Seen) -> Result<Plan<Before>> {
        let above = match seen.above {
            Above::Missing(levels) => self.left_to_make(levels),
            _ => 0,
        };
        if !self.parents {
            need_above(&self.path, &if above == 0 { excused(seen) } else { seen.clone() })?;
        } else if seen.above == Above::Blocked {
            need_above(&self.path, seen)?;
        }
        let before = Before { was: None, above };
        Ok(Plan::Change(Change {
            before,
            summary: "create".to_owned(),
            diff: None,
            effects: self.effects(None, above),
        }))
    }

    /// `1 used`: something is in the folder above.
    fn remnant(&self, line: &str) -> Option<Remnant> {
        let (level, what) = line.split_once(' ')?;
        let path = path::ancestor(&self.path, level.parse().ok()?);
        let why = if what == "used" { "something that the run did not make is in it" } else { "somebody else made it" };
        Some(Remnant::left(path, why))
    }

    /// Of the missing levels above, those that an earlier path of the same call does not make.
    fn left_to_make(&self, levels: usize) -> usize {
        (1..=levels)
            .find(|up| self.after.iter().any(|earlier| earlier == path::ancestor(&self.path, *up)))
            .map_or(levels, |up| up - 1)
    }

    fn refuse(&self, found: &Found) -> Error {
        let message = format!("`{}` is {}", self.path, found.sort.named());
        let error = Error::new(Kind::Refused, "file.not_a_directory", message);
        match &found.target {
            Some(target) => error.hint(format!("name the directory where it leads, `{target}`")),
            None => error.hint("choose another path, or move it away by hand"),
        }
    }

    fn effects(&self, found: Option<&Found>, above: usize) -> Vec<Effect> {
        let mode = self.mode.unwrap_or_else(|| found.map_or(NEW_MODE, |found| found.mode));
        let owner = self.owner.owner.as_deref().or(found.map(|found| found.owner.as_str())).unwrap_or("root");
        let group = self.owner.group.as_deref().or(found.map(|found| found.group.as_str())).unwrap_or("root");
        // A directory that stands may hold what was planned below it; the overlay keeps that.
        let made = (0..=above).rev().map(|up| path::ancestor(&self.path, up).to_owned());
        let mut effects: Vec<Effect> = made.map(|path| Effect::File(path, PlannedFile::Directory)).collect();
        effects.push(attributes_effect(&self.path, mode, owner, group));
        effects
    }

    fn mixture(&self, was: &Found, found: &Found) -> Standing {
        if ![was.mode, self.mode.unwrap_or(was.mode)].contains(&found.mode) {
            return Standing::Foreign(format!("its mode is {:04o}", found.mode));
        }
        if self.owner.fits(found) || (was.uid, was.gid) == (found.uid, found.gid) {
            return Standing::Ours;
        }
        Standing::Foreign(format!("its owner is {}:{}", found.owner, found.group))
    }
}

fn missing_above(seen: &Seen) -> usize {
    match seen.above {
        Above::Missing(levels) => levels,
        _ => 0,
    }
}

/// As seen, with the folder above there.
fn excused(seen: &Seen) -> Seen {
    let above = if matches!(seen.above, Above::Missing(_)) { Above::There } else { seen.above.clone() };
    Seen { above, ..seen.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(above: Above) -> Seen {
        Seen::nothing(above)
    }

    fn directory(path: &str, parents: bool, after: &[&str]) -> Directory {
        let after = after.iter().map(|path| (*path).to_owned()).collect();
        Directory { path: path.to_owned(), mode: None, owner: Owner::default(), parents, after }
    }

    fn above(directory: &Directory, levels: usize) -> usize {
        match directory.plan(&nothing(Above::Missing(levels))).unwrap() {
            Plan::Change(change) => change.before.above,
            Plan::Unchanged => panic!("unchanged"),
        }
    }

    #[test]
    fn a_missing_directory_above_is_named() {
        let error = directory("/opt/a/b/c", false, &[]).plan(&nothing(Above::Missing(2))).err().unwrap();
        assert_eq!(error.message(), "`/opt/a/b/c` needs the directory `/opt/a`");
        assert!(directory("/opt/a/b/c", false, &["/opt/a"]).plan(&nothing(Above::Missing(2))).is_err());
    }

    #[test]
    fn what_the_same_call_makes_before_is_not_made_again() {
        assert_eq!(above(&directory("/opt/a/b", false, &["/opt/a"]), 1), 0);
        assert_eq!(above(&directory("/opt/a/b/c", true, &["/opt/a"]), 2), 1);
        assert_eq!(above(&directory("/opt/a/b/c", true, &[]), 2), 2);
    }

    #[test]
    fn a_half_made_chain_is_ours() {
        let (op, keep) = (directory("/opt/a/b/c", true, &[]), Keep::new("r", 1));
        let before = Before { was: None, above: 2 };
        assert_eq!(op.standing(&nothing(Above::Missing(1)), &before, &keep), Standing::Ours);
        assert_eq!(op.standing(&nothing(Above::Missing(2)), &before, &keep), Standing::AsBefore);
    }
}
