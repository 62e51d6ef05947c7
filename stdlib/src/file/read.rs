//! `file::read`: the content of a file.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::{Overlay, PlannedFile};
use haengine_kernel::read::{Foreseen, Read as Reading};
use haengine_kernel::secret::Secret;
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::text::Text;
use haengine_kernel::transport::Command;
use haengine_kernel::value::{Unknown, Value};

use crate::file::path;

const READ: &str = include_str!("read.sh");

/// A recipe works with configuration; what is larger is data.
const LIMIT: usize = 4 * 1024 * 1024;

/// The option `missing`, for reads.
pub const MISSING: Param = Param::option(
    "missing",
    ParamKind::Choice(&["error", "empty"]),
    Absent::String("error"),
    "What it means when nothing is there.",
);

/// The content of a file.
#[derive(Clone)]
pub struct Read {
    path: String,
    missing_is_empty: bool,
    secret: bool,
}

#[async_trait]
impl Reading for Read {
    const NAME: &'static str = "file.read";
    const ABOUT: &'static str = "The content of a text file.

It follows symbolic links. A file over 4 MiB, or one that is not UTF-8, is refused: fetch it with `ssh::download`.
In a plan it gives what the planned changes will have written. With `secret: true` the content is shown to nobody: it
can be handed on, to `file::put` or into a template.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("path", ParamKind::Path, "The file.")],
        options: &[
            MISSING,
            Param::option("secret", ParamKind::Boolean, Absent::Boolean(false), "Treat the content as a secret."),
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Read a file.",
            given: "printf 'a=1\\nb=2\\n' >/etc/demo.conf",
            code: r#"file::read(h, "/etc/demo.conf")"#,
            gives: r#""a=1\nb=2\n""#,
        },
        Example {
            about: "Read a file that need not be there.",
            given: "rm -f /etc/demo.conf",
            code: r#"file::read(h, "/etc/demo.conf", #{ missing: "empty" })"#,
            gives: r#""""#,
        },
    ];
    const GIVES: Shape = Shape::Text;

    fn parse(arguments: &Arguments) -> Result<Self> {
        let missing_is_empty = arguments.string("missing")? == "empty";
        let secret = arguments.boolean("secret")?;
        Ok(Read { path: path::of(arguments, "path")?, missing_is_empty, secret })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        let unknown = |origin: String| Foreseen::Unknown(Unknown { origin });
        match overlay.file(&self.path) {
            Some(PlannedFile::File(Text::Plain(text))) => Foreseen::Known(self.value(text.clone())),
            Some(PlannedFile::File(Text::Secret(secret))) => Foreseen::Known(Value::Secret(secret.clone())),
            Some(PlannedFile::File(Text::Unknown(origin))) => Foreseen::Unknown(origin.clone()),
            Some(PlannedFile::Placed(origin)) => unknown(origin.clone()),
            Some(PlannedFile::Absent) if self.missing_is_empty => Foreseen::Known(Value::from("")),
            Some(_) => unknown(format!("the planned `{}` on `{}`", self.path, host.name())),
            None => match overlay.opaque() {
                Some(origin) => unknown(format!("`{}` on `{}`, after {origin}", self.path, host.name())),
                None => Foreseen::Real,
            },
        }
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let path = &self.path;
        let output = host.exec(&Command::script(READ).arg(path).arg(LIMIT.to_string())).await?;
        let succeeded = output.success();
        let mut answer = output.stdout;
        let end = answer.iter().position(|byte| *byte == b'\n').filter(|_| succeeded);
        let Some(end) = end else {
            return Err(Error::new(Kind::Failed, "file.read", format!("`{path}` cannot be read"))
                .because(String::from_utf8_lossy(&output.stderr).trim().to_owned())
                .hint("set `become: true` for the host in the inventory, or log in as a user who may"));
        };
        let content = answer.split_off(end + 1);
        match String::from_utf8_lossy(&answer).trim_end() {
            "content" => self.text(content),
            "missing" if self.missing_is_empty => Ok(self.value(String::new())),
            "missing" => Err(missing(path)),
            other => Err(self.refused(other)),
        }
    }
}

impl Read {
    fn value(&self, text: String) -> Value {
        if self.secret { Value::Secret(Secret::new(text)) } else { Value::String(text) }
    }

    /// The read of this path, for verbs that look into a file: its content, which nobody is shown.
    pub fn of(path: String, missing_is_empty: bool) -> Read {
        Read { path, missing_is_empty, secret: true }
    }

    /// The file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether nothing there counts as an empty file.
    pub fn missing_is_empty(&self) -> bool {
        self.missing_is_empty
    }

    fn text(&self, content: Vec<u8>) -> Result<Value> {
        String::from_utf8(content).map(|text| self.value(text)).map_err(|_| {
            Error::new(Kind::Refused, "file.not_text", format!("`{}` is not UTF-8 text", self.path))
                .hint("fetch it with `ssh::download`, or look at it with a command on the host")
        })
    }

    fn refused(&self, answer: &str) -> Error {
        let path = &self.path;
        match answer.split_once(' ') {
            Some(("size", size)) => {
                Error::new(Kind::Refused, "file.too_big", format!("`{path}` has {size} bytes, more than 4 MiB"))
                    .hint("fetch it with `ssh::download`, or look at it with a command on the host")
            }
            Some(("sort", sort)) => Error::new(Kind::Refused, "file.not_a_file", format!("`{path}` is {sort}"))
                .hint("name a file; `file::find` lists a directory"),
            _ => {
                Error::new(Kind::Failed, "file.read", format!("`{path}` cannot be read")).hint("look at it on the host")
            }
        }
    }
}

/// Nothing is at a path that a read needs.
pub fn missing(path: &str) -> Error {
    Error::new(Kind::Refused, "file.missing", format!("there is no `{path}`"))
        .hint("correct the path, or write `missing: \"empty\"` where it need not be there")
}
