//! `file::find`: the paths below a directory.

use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::{Overlay, PlannedFile};
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::transport::{Command, lacking};
use haengine_kernel::value::{Unknown, Value};

use crate::file::path;
use crate::file::read::{MISSING, missing};

const FIND: &str = include_str!("find.sh");

/// The paths below a directory.
#[derive(Clone)]
pub struct Find {
    directory: String,
    depth: Option<i64>,
    kind: Option<String>,
    glob: String,
    contains: String,
    missing_is_empty: bool,
}

#[async_trait]
impl Read for Find {
    const NAME: &'static str = "file.find";
    const ABOUT: &'static str = "The paths below a directory, in order.

The directory itself is not among them, and symbolic links are not followed. All conditions must hold. The host needs
`find`, and `grep` for `contains`. What cannot be read is an error, never a missing path.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("directory", ParamKind::Path, "Where to look.")],
        options: &[
            Param::option(
                "name",
                ParamKind::String,
                Absent::String("*"),
                "A pattern for the last part of the path: `*.conf`.",
            ),
            Param::option(
                "contains",
                ParamKind::String,
                Absent::Means("()"),
                "A text that a file must hold, literally, on one line.",
            ),
            Param::option(
                "kind",
                ParamKind::Choice(&["file", "directory", "link"]),
                Absent::Means("any"),
                "What it must be.",
            ),
            Param::option(
                "depth",
                ParamKind::Integer,
                Absent::Means("any"),
                "How many levels down to look; 1 is the directory's own.",
            ),
            MISSING,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Every file that still names an old address.",
            given: "rm -rf /opt/demo; mkdir -p /opt/demo/a; echo 10.0.0.1 >/opt/demo/a/x; echo 10.0.0.1 >/opt/demo/y; echo 10.0.0.2 >/opt/demo/z",
            code: r#"file::find(h, "/opt/demo", #{ contains: "10.0.0.1" })"#,
            gives: r#"["/opt/demo/a/x", "/opt/demo/y"]"#,
        },
        Example {
            about: "The directories one level down.",
            given: "rm -rf /srv/demo; mkdir -p /srv/demo/a/b /srv/demo/c; : >/srv/demo/f",
            code: r#"file::find(h, "/srv/demo", #{ kind: "directory", depth: 1 })"#,
            gives: r#"["/srv/demo/a", "/srv/demo/c"]"#,
        },
        Example {
            about: "By name, where the directory need not be there.",
            given: "rm -rf /srv/demo",
            code: r#"file::find(h, "/srv/demo", #{ name: "*.conf", missing: "empty" })"#,
            gives: "[]",
        },
    ];
    const GIVES: Shape = Shape::List(&Shape::String);

    fn parse(arguments: &Arguments) -> Result<Self> {
        let (depth, contains) = (arguments.opt_integer("depth"), arguments.opt_string("contains").unwrap_or_default());
        if depth.is_some_and(|depth| depth < 1) || contains.contains('\n') {
            let message = format!("`{}` needs a `depth` from 1 up and a `contains` of one line", arguments.function());
            return Err(Error::new(Kind::Usage, "file.find", message).hint("correct the options"));
        }
        Ok(Find {
            directory: path::of(arguments, "directory")?,
            depth,
            kind: arguments.opt_string("kind"),
            glob: arguments.string("name")?,
            contains,
            missing_is_empty: arguments.string("missing")? == "empty",
        })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        let planned = overlay.file(&self.directory);
        if matches!(planned, Some(PlannedFile::Absent)) && self.missing_is_empty {
            return Foreseen::Known(Value::List(Vec::new()));
        }
        let origin = match overlay.opaque() {
            Some(origin) => format!("`{}` on `{}`, after {origin}", self.directory, host.name()),
            None if planned.is_some() || overlay.below(&self.directory).next().is_some() => {
                format!("the planned files in `{}` on `{}`", self.directory, host.name())
            }
            None => return Foreseen::Real,
        };
        Foreseen::Unknown(Unknown { origin })
    }

    /// A tree may have millions of files.
    fn patience(&self) -> Option<Duration> {
        Some(Duration::from_secs(600))
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let depth = self.depth.map(|depth| depth.to_string()).unwrap_or_default();
        let kind = self.kind.as_ref().map(|kind| kind[..1].to_owned()).unwrap_or_default();
        let command = Command::script(FIND).args([&self.directory, &depth, &kind, &self.glob, &self.contains]);
        let output = host.exec(&command).await?;
        if !output.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            let hint = "look at the cause; without root's rights set `become: true` for the host";
            return Err(Error::new(Kind::Failed, "file.find", format!("cannot look through `{}`", self.directory))
                .hint(lacking(&said).unwrap_or_else(|| hint.to_owned()))
                .because(said));
        }
        match output.stdout.strip_prefix(b"found\n") {
            Some(paths) => Ok(Value::List(listed(paths)?.into_iter().map(Value::String).collect())),
            None if self.missing_is_empty => Ok(Value::List(Vec::new())),
            None => Err(missing(&self.directory)),
        }
    }
}

fn listed(bytes: &[u8]) -> Result<Vec<String>> {
    let names = bytes.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let mut paths =
        names.map(|name| String::from_utf8(name.to_vec())).collect::<Result<Vec<_>, _>>().map_err(|error| {
            let message = format!("the name `{}` is not UTF-8", String::from_utf8_lossy(error.as_bytes()));
            Error::new(Kind::Refused, "file.not_text", message).hint("narrow the search with `name` or `depth`")
        })?;
    paths.sort();
    Ok(paths)
}
