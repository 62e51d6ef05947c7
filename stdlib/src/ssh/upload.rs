//! `ssh::upload`: files of the operator's machine, placed on a host.

use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::overlay::Overlay;
use haengine_kernel::remnant::Remains;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};

use super::sent::{self, Sent};
use super::sources::sources;
use crate::file::Directory;
use crate::file::owner::{GROUP, OWNER};
use crate::file::place::VALIDATE;

/// One file of an upload, or one folder that its files need.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "sort", rename_all = "snake_case")]
pub enum Upload {
    /// A file.
    File(Sent),
    /// A folder.
    Folder(Directory),
}

/// What is on the host.
pub enum State {
    /// In the place of a file.
    File(sent::State),
    /// In the place of a folder.
    Folder(<Directory as Op>::State),
}

/// What undo needs to know.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// Of a file.
    File(sent::Before),
    /// Of a folder.
    Folder(<Directory as Op>::Before),
}

#[async_trait]
impl Op for Upload {
    const NAME: &'static str = "ssh.upload";
    const ABOUT: &'static str = "Places files of your machine on hosts, of any size.

A local path is relative to the recipe's folder. A folder goes with all that is in it: each folder and file is one
change, and files that only the host has stay. Several paths, or a `path` that ends with `/`, go into that directory
under their own names. Files are compared by their hash first, so what is there already is not sent. A new file gets mode
`0o755` where yours is executable, else `0o644`, and belongs to the login; an existing one keeps its mode and owner unless
you name others. A file is never seen half sent. Texts are better placed with `file::put` or `file::template`, which show
what changes.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("local", ParamKind::LocalPaths, "A file or folder on your machine, or several."),
            Param::new("path", ParamKind::Path, "Where it goes."),
        ],
        options: &[
            Param::option(
                "mode",
                ParamKind::Mode,
                Absent::Means("as it is; that of your file for a new one"),
                "Permissions of the files.",
            ),
            OWNER,
            GROUP,
            VALIDATE,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Place a file that is not there yet.",
            given: "mkdir -p /opt/demo/bin && rm -f /opt/demo/bin/tool",
            code: r#"ssh::upload(h, "tool", "/opt/demo/bin/")"#,
            gives: "",
        },
        Example {
            about: "Replace a file, with permissions of its own, once it has proved to work.",
            given: "mkdir -p /opt/demo && printf '#!/bin/sh\\nexit 1\\n' > /opt/demo/tool && chmod 700 /opt/demo/tool",
            code: r#"ssh::upload(h, "tool", "/opt/demo/tool", #{ mode: 0o755, group: "adm", validate: "test -s %s" })"#,
            gives: "",
        },
        Example {
            about: "Several files into one directory, one of which is there.",
            given: "mkdir -p /opt/demo && printf 'old\\n' > /opt/demo/demo.j2",
            code: r#"ssh::upload(h, ["demo.j2", "tool"], "/opt/demo", #{ mode: 0o600 })"#,
            gives: "",
        },
        Example {
            about: "A folder with all that is in it.",
            given: "rm -rf /opt/demo",
            code: r#"ssh::upload(h, "folder", "/opt/demo")"#,
            gives: "",
        },
    ];

    type State = State;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let sources = sources(arguments)?;
        let mut ops = Vec::new();
        if !sources.folders.is_empty() {
            ops.extend(directories(arguments, &sources.folders)?.into_iter().map(Upload::Folder));
        }
        for source in sources.files {
            ops.push(Upload::File(Sent::new(arguments, source)?));
        }
        if ops.is_empty() {
            return Err(Error::new(Kind::Usage, "ssh.upload", "there is nothing to upload").hint("name a file"));
        }
        Ok(ops)
    }

    fn target(&self) -> String {
        match self {
            Upload::File(sent) => sent.target(),
            Upload::Folder(directory) => directory.target(),
        }
    }

    /// What is there is hashed, and may be large.
    fn patience(&self) -> Duration {
        Duration::from_secs(3600)
    }

    async fn observe(&self, host: &Host) -> Result<State> {
        match self {
            Upload::File(sent) => sent.observe(host).await.map(State::File),
            Upload::Folder(directory) => directory.observe(host).await.map(State::Folder),
        }
    }

    async fn revisit(&self, host: &Host, keep: &Keep) -> Result<State> {
        match self {
            Upload::File(sent) => sent.revisit(host, keep).await.map(State::File),
            Upload::Folder(directory) => directory.revisit(host, keep).await.map(State::Folder),
        }
    }

    fn assume(&self, state: State, overlay: &Overlay) -> State {
        match (self, state) {
            (Upload::File(sent), State::File(state)) => State::File(sent.assume(state, overlay)),
            (Upload::Folder(directory), State::Folder(state)) => State::Folder(directory.assume(state, overlay)),
            (_, state) => state,
        }
    }

    fn plan(&self, state: &State) -> Result<Plan<Before>> {
        match (self, state) {
            (Upload::File(sent), State::File(state)) => Ok(wrap(sent.plan(state)?, Before::File)),
            (Upload::Folder(directory), State::Folder(state)) => Ok(wrap(directory.plan(state)?, Before::Folder)),
            _ => Err(mixed()),
        }
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        match (self, before) {
            (Upload::File(sent), Before::File(before)) => sent.apply(host, before, keep).await,
            (Upload::Folder(directory), Before::Folder(before)) => directory.apply(host, before, keep).await,
            _ => Err(mixed()),
        }
    }

    fn standing(&self, state: &State, before: &Before, keep: &Keep) -> Standing {
        match (self, state, before) {
            (Upload::File(sent), State::File(state), Before::File(before)) => sent.standing(state, before, keep),
            (Upload::Folder(directory), State::Folder(state), Before::Folder(before)) => {
                directory.standing(state, before, keep)
            }
            _ => Standing::Foreign(mixed().to_string()),
        }
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        match (self, before) {
            (Upload::File(sent), Before::File(before)) => sent.undo(host, before, keep).await,
            (Upload::Folder(directory), Before::Folder(before)) => directory.undo(host, before, keep).await,
            _ => Err(mixed()),
        }
    }
}

/// As `file::directory` makes them: each may come below an earlier one.
fn directories(arguments: &Arguments, paths: &[String]) -> Result<Vec<Directory>> {
    let paths = Value::List(paths.iter().map(|path| Value::from(path.as_str())).collect());
    let owner = ["owner", "group"].into_iter().filter_map(|name| Some((name.to_owned(), arguments.get(name)?.clone())));
    let given =
        Arguments::check("ssh::upload", &Directory::SIGNATURE, vec![Value::Null, paths], Some(owner.collect()))?;
    Directory::parse(&given)
}

fn wrap<B>(plan: Plan<B>, before: impl FnOnce(B) -> Before) -> Plan<Before> {
    match plan {
        Plan::Unchanged => Plan::Unchanged,
        Plan::Change(change) => Plan::Change(Change {
            before: before(change.before),
            summary: change.summary,
            diff: change.diff,
            effects: change.effects,
        }),
    }
}

/// Only a journal that somebody wrote in could bring this about.
fn mixed() -> Error {
    Error::new(Kind::Local, "journal.record", "the record of an upload mixes a file and a folder")
}
