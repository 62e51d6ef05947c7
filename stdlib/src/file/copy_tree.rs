//! `file::copy_tree`: a directory with all in it, from host to host.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::remnant::Remains;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::transport::Command;
use serde::{Deserialize, Serialize};

use super::tree::before::Before;
use super::tree::comparison::{Comparison, Placement};
use super::tree::entry::{Entry, Shape, parent};
use super::tree::glob::Globs;
use super::tree::manifest::{Keeps, Manifest, Root};
use super::tree::place::{Placed, discard, overtaken, place, take_back};
use super::tree::proofs::Proofs;
use super::tree::show::{diff, effects, size, summary, to_send};
use super::tree::state::State;
use super::tree::stream::Transfer;

const RECEIVE: &str = concat!(
    "# Receives a copy.\n",
    include_str!("area.sh"),
    include_str!("tree/stage.sh"),
    include_str!("tree/receive.sh")
);

/// See [`ABOUT`](Op::ABOUT).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CopyTree {
    source: String,
    from: String,
    to: String,
    exclude: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    only: Vec<String>,
    checksum: bool,
    /// Set when the op comes from the journal: undo has nothing to ask the source, which may be gone.
    #[serde(skip, default = "recorded")]
    recorded: bool,
}

fn recorded() -> bool {
    true
}

#[async_trait]
impl Op for CopyTree {
    const NAME: &'static str = "file.copy_tree";
    const ABOUT: &'static str = "Copies a directory with all in it from one host to others.

The source is named first, then its directory, then where the copy goes. Content, permissions, owners (by number), times,
links and hard links come along; devices, pipes and sockets do not, and of extended attributes only the users' own: a file with
capabilities comes without them, which a plan says. Give them with `ssh::run` and `setcap`. What the target has besides stays: nothing is ever
deleted. A directory that is there keeps what is in it, and the one that is copied into keeps its own permissions too.

Only what differs is sent. A file is the same if size and time are; if only the time differs, its hash decides. A tree
that is new appears whole, by one rename; in a tree that exists each file is replaced by one, and the old one is kept
for undo. A directory never takes the place of a file, nor a file that of a directory: such a copy is refused.

`exclude` leaves paths out, on both sides. A glob is matched against the path relative to the tree: `*` stands for
anything within a name, `**` for anything. `logs/*` leaves the directory `logs` there, and empty; `logs` leaves it out
with all in it; `**/*.tmp` finds such files at any depth. `only` chooses paths in the same way: nothing else is copied,
beside the directories above them.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::new("source", ParamKind::Host, "The host to copy from."),
            Param::new("from", ParamKind::Path, "The directory to copy."),
            Param::new("targets", ParamKind::Hosts, "Where the copy goes."),
            Param::new("to", ParamKind::Path, "The directory that becomes a copy; the one above it must exist."),
        ],
        options: &[
            Param::option(
                "exclude",
                ParamKind::Strings,
                Absent::Strings(&[]),
                "What to leave out: globs on paths relative to the tree.",
            ),
            Param::option(
                "only",
                ParamKind::Strings,
                Absent::Means("everything"),
                "What to copy: globs on paths relative to the tree.",
            ),
            Param::option(
                "checksum",
                ParamKind::Boolean,
                Absent::Boolean(false),
                "Compare contents even where size and time are equal.",
            ),
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Clones a directory without its logs and certificates of its own.",
            given: "mkdir -p /opt/demo/bin /opt/demo/logs /opt/demo/ssl /srv && echo 1 >/opt/demo/bin/tool && \
                    chmod 755 /opt/demo/bin/tool && echo x >/opt/demo/logs/a.log && echo k >/opt/demo/ssl/kubelet.key && \
                    ln -s bin/tool /opt/demo/tool",
            code: r#"file::copy_tree(h, "/opt/demo", h, "/srv/demo", #{ exclude: ["logs/*", "ssl/kubelet*"] })"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "Brings an older copy up to date; what else is there stays.",
            given: "mkdir -p /opt/demo/cfg /srv/demo/cfg && echo new >/opt/demo/cfg/a && echo old >/srv/demo/cfg/a && \
                    touch -d @1600000000 /srv/demo/cfg/a && \
                    echo own >/srv/demo/cfg/b && chmod 750 /srv/demo/cfg && mkdir /opt/demo/more && echo m >/opt/demo/more/m",
            code: r#"file::copy_tree(h, "/opt/demo", h, "/srv/demo")"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "Copies some programs out of a directory.",
            given: "mkdir -p /opt/demo/bin /srv && echo 1 >/opt/demo/bin/kubectl && echo 2 >/opt/demo/bin/kubelet && \
                    echo 3 >/opt/demo/bin/other",
            code: r#"file::copy_tree(h, "/opt/demo/bin", h, "/srv/bin", #{ only: ["kube*"] })"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "Compares contents, whatever size and time say.",
            given: "mkdir -p /opt/demo /srv/demo && echo abc >/opt/demo/a && echo xyz >/srv/demo/a && \
                    touch -d @1700000000 /opt/demo/a /srv/demo/a",
            code: r#"file::copy_tree(h, "/opt/demo", h, "/srv/demo", #{ checksum: true })"#,
            gives: r#"{"changed":true}"#,
        },
    ];

    type State = State;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let exclude = arguments.strings("exclude");
        let only = arguments.strings("only");
        Globs::parse(&exclude, &only)?;
        Ok(vec![CopyTree {
            source: arguments.string("source")?,
            from: normal(&arguments.string("from")?)?,
            to: normal(&arguments.string("to")?)?,
            exclude,
            only,
            checksum: arguments.boolean("checksum")?,
            recorded: false,
        }])
    }

    fn target(&self) -> String {
        self.to.clone()
    }

    fn peers(&self) -> Vec<String> {
        vec![self.source.clone()]
    }

    /// Where only times differ, hashes of whole trees decide.
    fn patience(&self) -> Duration {
        Duration::from_secs(3600)
    }

    async fn observe(&self, host: &Host) -> Result<State> {
        let left_out = Globs::parse(&self.exclude, &self.only)?;
        if self.recorded {
            return State::of_target(host, &self.to, &left_out, self.checksum).await;
        }
        let source = host.peer(&self.source)?;
        State::of_both((&source, &self.from), (host, &self.to), &left_out, self.checksum).await
    }

    fn plan(&self, state: &State) -> Result<Plan<Before>> {
        if state.same_host && self.from == self.to {
            return Ok(Plan::Unchanged);
        }
        let source = self.readable(state)?;
        let target = self.writable(state)?;
        let owners = target.owners();
        let Comparison { placements, conflicts, elsewhere } = Comparison::of(&source.entries, &target.entries, owners);
        if let Some(path) = conflicts.first() {
            return Err(self.conflict(path, conflicts.len()));
        }
        if placements.is_empty() {
            return Ok(Plan::Unchanged);
        }
        self.check_room(target, &placements, elsewhere.first())?;
        Ok(Plan::Change(Change {
            summary: summary(&placements, &source.capable),
            diff: diff(&placements),
            effects: effects(&placements, &self.source, &self.from, &self.to),
            before: Before { keeps: target.keeps.clone(), owners, placements, seat: target.seat() },
        }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        if before.sent().next().is_some() {
            self.stage(host, before, keep).await?;
        }
        match place(host, &self.to, before, keep).await? {
            Placed::Whole => Ok(()),
            Placed::Nothing => {
                discard(host, before, keep).await;
                Err(overtaken(&self.to))
            }
            Placed::Part => {
                let state = self.revisit(host, keep).await?;
                take_back(host, &self.to, before, keep, &state).await?;
                Err(overtaken(&self.to))
            }
        }
    }

    async fn revisit(&self, host: &Host, keep: &Keep) -> Result<State> {
        let left_out = Globs::parse(&self.exclude, &self.only)?;
        let mut state = State::of_target(host, &self.to, &left_out, self.checksum).await?;
        if keep.is_recorded() {
            let stage = state.target.keeps.folders(keep).1;
            state.proofs = Some(Proofs::read(host, &stage, &self.to).await?);
        }
        Ok(state)
    }

    fn standing(&self, state: &State, before: &Before, keep: &Keep) -> Standing {
        before.standing(state, keep)
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        let state = self.revisit(host, keep).await?;
        take_back(host, &self.to, before, keep, &state).await
    }
}

impl CopyTree {
    fn readable<'a>(&self, state: &'a State) -> Result<&'a Manifest> {
        let refuse = |code, message: String| Error::new(Kind::Refused, code, message).on(&self.source);
        let from = &self.from;
        let Some(source) = &state.source else {
            return Err(Error::new(Kind::Local, "file.no_source", "the source was not looked at"));
        };
        match source.root {
            Root::Directory => {}
            Root::Other => {
                return Err(refuse("file.no_directory", format!("`{from}` is not a directory"))
                    .hint("name the directory that holds it"));
            }
            Root::Absent | Root::Orphan => {
                return Err(refuse("file.missing", format!("`{from}` does not exist"))
                    .hint("correct the path, or create it in an earlier step"));
            }
        }
        if let Some(name) = source.unreadable_names.first() {
            return Err(refuse("file.name", format!("the name of `{from}/{name}` is not UTF-8"))
                .hint("rename it, or leave its directory out with `exclude`"));
        }
        Ok(source)
    }

    fn writable<'a>(&self, state: &'a State) -> Result<&'a Manifest> {
        let refuse = |code, message: String| Error::new(Kind::Refused, code, message);
        let to = &self.to;
        if state.same_host && below(to, &self.from) {
            return Err(refuse("file.into_itself", format!("`{to}` is inside `{}`", self.from))
                .hint("choose a target outside of the tree that is copied"));
        }
        match state.target.root {
            Root::Directory | Root::Absent => Ok(&state.target),
            Root::Other => Err(refuse("file.no_directory", format!("`{to}` is there and is not a directory"))
                .hint("move it away, or choose another target")),
            Root::Orphan => {
                let above = to.rsplit_once('/').map_or("/", |(above, _)| above);
                Err(refuse("file.no_parent", format!("the directory `{above}` does not exist"))
                    .hint(format!("create it first with `file::directory(hosts, \"{above}\")`")))
            }
        }
    }

    fn conflict(&self, path: &str, count: usize) -> Error {
        let more = if count > 1 { format!(", and {} more paths", count - 1) } else { String::new() };
        let place = join(&self.to, path);
        let message = format!("`{place}` is not the kind of thing that `{}` has there{more}", self.source);
        Error::new(Kind::Refused, "file.conflict", message).hint("move it away, or leave the path out with `exclude`")
    }

    fn check_room(&self, target: &Manifest, placements: &[Placement], elsewhere: Option<&String>) -> Result<()> {
        if let Some(path) = elsewhere {
            let place = join(&self.to, path);
            let message = format!("`{place}` is on another mount than `{}`", self.to);
            return Err(Error::new(Kind::Refused, "file.other_mount", message)
                .hint("leave it out with `exclude` and copy it with a call of its own"));
        }
        if target.keeps == Keeps::Nowhere {
            let message = format!("the login user has no place for kept files on the mount of `{}`", self.to);
            return Err(Error::new(Kind::Refused, "file.no_keep", message).hint("set `become: true` for the host"));
        }
        let sent = placements.iter().filter(|placement| placement.is_sent()).count() as u64;
        let needed = to_send(placements) + sent * 4096;
        match target.free {
            Some(free) if free < needed => {
                let message = format!("`{}` needs {}, and {} are free", self.to, size(needed), size(free));
                Err(Error::new(Kind::Refused, "file.no_space", message).hint("free space on the host"))
            }
            _ => Ok(()),
        }
    }

    /// Brings what differs into the staging folder, and makes sure that it is what was planned.
    async fn stage(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let source = host.peer(&self.source)?;
        let folder = before.folders(keep).0;
        let receive = Command::script(RECEIVE).arg(folder).arg(format!("{}.tree", keep.name())).arg(&self.to);
        let transfer = Transfer {
            source: (&source, &self.from),
            target: (host, &self.to),
            paths: before.sent().map(|placement| placement.path.as_str()).collect(),
            total: to_send(&before.placements),
        };
        let listing = transfer.pipe_into(&receive).await?;
        let arrived = Manifest::parse_entries(&listing).unwrap_or_default();
        let Err(error) = self.compare(before, &arrived) else { return Ok(()) };
        discard(host, before, keep).await;
        Err(error.on(&self.source))
    }

    /// A source may send what it likes: what is placed is what was planned, and nothing besides.
    fn compare(&self, before: &Before, arrived: &BTreeMap<String, Entry>) -> Result<()> {
        let wrong = before.sent().find(|placement| {
            let found = arrived.get(&placement.path);
            !found.is_some_and(|found| found.is(&placement.becomes, before.owners))
        });
        if let Some(wrong) = wrong {
            let message = format!("`{}` changed while it was copied", join(&self.from, &wrong.path));
            return Err(Error::new(Kind::Failed, "file.source_changed", message)
                .hint("stop what writes to it or leave it out with `exclude`, then run again"));
        }
        let Some(path) = uninvited(before, arrived) else { return Ok(()) };
        let message = format!("the host sends `{}` too, which was not asked for", join(&self.from, path));
        Err(Error::new(Kind::Failed, "file.not_asked_for", message)
            .hint("look at `tar` on the host: nothing of what it sent was placed"))
    }
}

/// A path that came and is neither one that was asked for nor a directory on the way to one.
fn uninvited<'a>(before: &Before, arrived: &'a BTreeMap<String, Entry>) -> Option<&'a String> {
    let mut ways = BTreeSet::from([""]);
    for placement in before.sent() {
        let mut way = parent(&placement.path);
        while ways.insert(way) {
            way = parent(way);
        }
    }
    let asked: BTreeSet<&str> = before.sent().map(|placement| placement.path.as_str()).collect();
    let is_way = |path: &str, entry: &Entry| entry.shape == Shape::Directory && ways.contains(path);
    let uninvited = arrived.iter().find(|(path, entry)| !asked.contains(path.as_str()) && !is_way(path, entry));
    uninvited.map(|(path, _)| path)
}

/// Without doubled and trailing slashes.
fn normal(path: &str) -> Result<String> {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
    if names.contains(&"..") {
        return Err(Error::new(Kind::Usage, "file.path", format!("the path `{path}` contains `..`"))
            .hint("write the path that is meant"));
    }
    Ok(format!("/{}", names.join("/")))
}

fn join(root: &str, path: &str) -> String {
    if path.is_empty() { root.to_owned() } else { format!("{}/{path}", root.trim_end_matches('/')) }
}

fn below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::tree::entry::Entry;
    use super::super::tree::entry::tests::{directory, file};
    use super::*;

    fn tree<const N: usize>(root: Root, entries: [(&str, Entry); N]) -> Manifest {
        let entries: BTreeMap<String, Entry> =
            entries.into_iter().map(|(path, entry)| (path.to_owned(), entry)).collect();
        let (keeps, free, capable) = (Keeps::System, Some(1 << 30), BTreeSet::new());
        Manifest { root, user: 0, keeps, free, capable, entries, unreadable_names: Vec::new() }
    }

    fn refused(change: impl FnOnce(&mut State)) -> &'static str {
        let op = CopyTree {
            source: "a".into(),
            from: "/from".into(),
            to: "/to".into(),
            exclude: Vec::new(),
            only: Vec::new(),
            checksum: false,
            recorded: false,
        };
        let source = Some(tree(Root::Directory, [("", directory()), ("x", file(1 << 20, 1))]));
        let mut state = State { source, target: tree(Root::Absent, []), same_host: false, proofs: None };
        assert!(matches!(op.plan(&state), Ok(Plan::Change(_))));
        change(&mut state);
        op.plan(&state).err().map(|error| error.code()).unwrap_or_default()
    }

    #[test]
    fn a_host_without_room_is_not_touched() {
        assert_eq!(refused(|state| state.target.free = Some(1 << 20)), "file.no_space");
        assert_eq!(refused(|state| state.target.keeps = Keeps::Nowhere), "file.no_keep");
    }

    #[test]
    fn what_lies_on_another_mount_cannot_appear_at_once() {
        let mounted = Entry { inode: (2, 1), ..file(1, 2) };
        let target = tree(Root::Directory, [("", directory()), ("x", mounted)]);
        assert_eq!(refused(|state| state.target = target), "file.other_mount");
    }

    #[test]
    fn a_name_that_is_no_text_is_refused() {
        assert_eq!(
            refused(|state| state.source.iter_mut().for_each(|source| source.unreadable_names.push("?".into()))),
            "file.name"
        );
    }
}
