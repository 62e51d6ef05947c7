//! `file::absent`: nothing at a path.

use std::time::Duration;

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
use crate::file::look::{Found, Seen, Sort, assume, revisit, understand, understand_revisited};
use crate::file::path;
use crate::file::place::{kept, remains_of, seen_as};
use crate::file::succeed::succeed;

const LOOK_DEEP: &str =
    concat!("(\n", include_str!("look.sh"), ") || exit\n", include_str!("digest.sh"), include_str!("absent_look.sh"));
const REVISIT_DEEP: &str = concat!(
    include_str!("own.sh"),
    include_str!("area.sh"),
    include_str!("revisit.sh"),
    "(\n",
    include_str!("look.sh"),
    ") || exit\n",
    include_str!("digest.sh"),
    include_str!("absent_look.sh")
);
const REMOVE: &str = concat!(
    include_str!("own.sh"),
    include_str!("area.sh"),
    include_str!("digest.sh"),
    include_str!("carry.sh"),
    include_str!("remove.sh")
);
const BRING_BACK: &str =
    concat!(include_str!("own.sh"), include_str!("area.sh"), include_str!("carry.sh"), include_str!("bring_back.sh"));

/// What no recipe means to remove as a whole.
const SYSTEM: [&str; 44] = [
    "/",
    "/bin",
    "/boot",
    "/boot/efi",
    "/dev",
    "/etc",
    "/etc/pam.d",
    "/etc/ssh",
    "/etc/ssl",
    "/etc/systemd",
    "/home",
    "/lib",
    "/lib/systemd",
    "/lib32",
    "/lib64",
    "/libx32",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib/systemd",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/share",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/lib/dpkg",
    "/var/lib/rpm",
    "/var/log",
    "/var/run",
    "/var/spool",
];

/// What is not on a disk, or is our own.
const BELOW: [&str; 5] = ["/dev", "/proc", "/sys", "/run/haengine", "/var/lib/haengine"];

/// Nothing at a path.
#[derive(Clone, Serialize, Deserialize)]
pub struct Absent {
    path: String,
}

/// What was seen at a path that shall be empty.
pub struct State {
    seen: Seen,
    /// Something is mounted there or below.
    mounted: bool,
}

/// What undo needs to know of what was removed.
#[derive(Serialize, Deserialize)]
pub struct Before {
    was: Found,
}

#[async_trait]
impl Op for Absent {
    const NAME: &'static str = "file.absent";
    const ABOUT: &'static str = "Makes sure that nothing is at a path.

A file, a link or a directory with all in it is moved to where the run keeps what it replaced, so undo brings it back as
it was. Directories of the system (`/`, `/etc`, `/usr/lib`, …), mount points and directories with mount points in them
are refused. For a directory the host needs `find`.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("paths", ParamKind::Paths, "What shall not be there, or several.")],
        options: &[],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Remove a file.",
            given: "printf 'old\\n' >/etc/demo.conf; chmod 600 /etc/demo.conf; touch -d @1600000000.25 /etc/demo.conf",
            code: r#"file::absent(h, "/etc/demo.conf")"#,
            gives: "",
        },
        Example {
            about: "Remove a directory with all in it, and a link.",
            given: "mkdir -p /opt/demo/sub; printf a >/opt/demo/sub/a; ln -s a /opt/demo/sub/b; chown 1:1 /opt/demo/sub; ln -sfn demo /opt/current",
            code: r#"file::absent(h, ["/opt/current", "/opt/demo"])"#,
            gives: "",
        },
        Example {
            about: "Nothing is there to begin with.",
            given: "rm -rf /srv/nothing",
            code: r#"file::absent(h, "/srv/nothing")"#,
            gives: "",
        },
    ];

    type State = State;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let paths = path::all_of(arguments, "paths")?;
        for path in &paths {
            refuse_system(path)?;
            refuse_nested(path, &paths)?;
        }
        Ok(paths.into_iter().map(|path| Absent { path }).collect())
    }

    fn target(&self) -> String {
        self.path.clone()
    }

    /// What goes is listed, and may be a large tree.
    fn patience(&self) -> Duration {
        Duration::from_secs(600)
    }

    async fn observe(&self, host: &Host) -> Result<State> {
        let path = &self.path;
        let output = host.exec(&Command::script(LOOK_DEEP).args([path, "0", &mount_name(path)])).await?;
        let seen = understand(path, &output)?;
        Ok(State::of(seen, &output.stdout, 2))
    }

    async fn revisit(&self, host: &Host, keep: &Keep) -> Result<State> {
        let path = &self.path;
        if !keep.is_recorded() {
            let State { seen, mounted } = self.observe(host).await?;
            let leftovers = revisit(host, path, keep, &keep.name()).await?.leftovers;
            return Ok(State { seen: Seen { leftovers, ..seen }, mounted });
        }
        let output = host.exec(&kept(Command::script(REVISIT_DEEP), path, keep).arg(mount_name(path))).await?;
        let said = output.stdout.clone();
        let seen = understand_revisited(path, output)?;
        Ok(State::of(seen, &said, 3))
    }

    fn assume(&self, state: State, overlay: &Overlay) -> State {
        State { seen: assume(state.seen, &self.path, overlay), ..state }
    }

    fn plan(&self, state: &State) -> Result<Plan<Before>> {
        let Some(was) = state.seen.found.clone() else { return Ok(Plan::Unchanged) };
        if state.mounted {
            let message = format!("something is mounted at or below `{}`", self.path);
            return Err(Error::new(Kind::Refused, "file.mounted", message).hint("unmount it first"));
        }
        let what = match was.sort {
            Sort::Directory => "a directory with all in it",
            sort => sort.named(),
        };
        Ok(Plan::Change(Change {
            summary: format!("remove {what}"),
            before: Before { was },
            diff: None,
            effects: vec![Effect::File(self.path.clone(), PlannedFile::Absent)],
        }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let was = &before.was;
        let (identity, hash) = seen_as(was);
        let (seen, what) = match was.sort {
            Sort::File => (identity, hash),
            Sort::Link => (identity, was.target.clone().unwrap_or_default()),
            // Its size and time are those of what is in it.
            Sort::Directory => {
                (identity.splitn(5, ' ').take(4).collect::<Vec<_>>().join(" "), was.sha256.clone().unwrap_or_default())
            }
            Sort::Special => (String::new(), String::new()),
        };
        let command = kept(Command::script(REMOVE), &self.path, keep).args([sort(was), &seen, &what]);
        succeed(host, &command, &self.path).await.map(drop)
    }

    fn standing(&self, state: &State, before: &Before, keep: &Keep) -> Standing {
        match &state.seen.found {
            None => Standing::Ours,
            Some(_) if state.seen.is_midway_in(keep) => Standing::Ours,
            Some(found) if found.same(&before.was) => Standing::AsBefore,
            // It was changed before the run could remove it.
            Some(_) if keep.is_recorded() && !keep.made && !state.seen.trace.kept => Standing::Ours,
            Some(found) => Standing::Foreign(format!("{} is there again", found.sort.named())),
        }
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        if !keep.is_recorded() {
            former::bring_back(host, &self.path, keep).await?;
            return Ok(Remains::new());
        }
        let command = kept(Command::script(BRING_BACK), &self.path, keep).arg(sort(&before.was));
        if !succeed(host, &command, &self.path).await?.text().contains("left") {
            return Ok(Remains::new());
        }
        let now = self.observe(host).await?.seen.found;
        Ok(remains_of(&self.path, Some(&before.was), now.as_ref()))
    }
}

impl State {
    /// Behind the first lines stands what only a directory has.
    fn of(mut seen: Seen, said: &[u8], lines: usize) -> State {
        let mut lines = said.split(|byte| *byte == b'\n').skip(lines).map(String::from_utf8_lossy);
        let Some(found) = seen.found.as_mut().filter(|found| found.sort == Sort::Directory) else {
            return State { seen, mounted: false };
        };
        let mounted = lines.next().as_deref() == Some("1");
        found.sha256 = lines.next().and_then(|line| line.split(' ').next().map(str::to_owned));
        State { seen, mounted }
    }
}

fn sort(was: &Found) -> &'static str {
    match was.sort {
        Sort::File => "file",
        Sort::Directory => "directory",
        Sort::Link => "link",
        Sort::Special => "special",
    }
}

fn refuse_system(path: &str) -> Result<()> {
    let below =
        BELOW.iter().any(|top| path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    if SYSTEM.contains(&path) || below {
        return Err(Error::new(Kind::Refused, "file.system", format!("`{path}` belongs to the system"))
            .hint("name what is below it and yours"));
    }
    Ok(())
}

/// One change of a call must not take away what another one is about.
fn refuse_nested(path: &str, paths: &[String]) -> Result<()> {
    match paths.iter().find(|other| path.starts_with(&format!("{other}/"))) {
        None => Ok(()),
        Some(outer) => Err(Error::new(Kind::Usage, "file.path", format!("`{path}` is removed with `{outer}`"))
            .hint(format!("leave `{path}` out"))),
    }
}

/// A path as the kernel writes it in its table of mounts.
fn mount_name(path: &str) -> String {
    path.replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011").replace('\n', "\\012")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_stays() {
        for path in ["/", "/etc", "/usr/lib", "/proc/1", "/var/lib/haengine/r"] {
            assert_eq!(refuse_system(path).unwrap_err().code(), "file.system", "{path}");
        }
        for path in ["/etc/motd", "/opt/kubernetes", "/develop", "/run/haengine-demo"] {
            assert!(refuse_system(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn a_path_within_another_is_refused() {
        let paths = ["/opt/a".to_owned(), "/opt/a/b".to_owned(), "/opt/ab".to_owned()];
        assert!(refuse_nested("/opt/a/b", &paths).is_err());
        assert!(refuse_nested("/opt/ab", &paths).is_ok() && refuse_nested("/opt/a", &paths).is_ok());
    }
}
