//! `file::stat`: what is at a path.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::{Overlay, PlannedFile};
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Param, ParamKind, Signature};
use haengine_kernel::value::{Unknown, Value};

use crate::file::look::{Above, Found, Seen, Sort, assume, look};
use crate::file::path;

/// What is at a path.
#[derive(Clone)]
pub struct Stat {
    path: String,
}

#[async_trait]
impl Read for Stat {
    const NAME: &'static str = "file.stat";
    const ABOUT: &'static str = "What is at a path.

A map with `exists`, and where something is there: `kind` (`file`, `directory`, `link`, `special`), `mode`, `owner`,
`group`, `uid`, `gid`, `size`, `modified` (seconds since 1970), for a file `sha256`, for a link `target`. A symbolic
link is not followed.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("path", ParamKind::Path, "Where to look.")],
        options: &[],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Nothing is there.",
            given: "rm -rf /opt/demo",
            code: r#"file::stat(h, "/opt/demo")"#,
            gives: r#"{"exists": false}"#,
        },
        Example {
            about: "The permissions of a file.",
            given: "mkdir -p /opt/demo; : >/opt/demo/key; chmod 600 /opt/demo/key",
            code: r#"file::stat(h, "/opt/demo/key").mode == 0o600"#,
            gives: "true",
        },
        Example {
            about: "Where a link leads.",
            given: "ln -sfn /usr/share /srv/share",
            code: r#"file::stat(h, "/srv/share").target"#,
            gives: r#""/usr/share""#,
        },
    ];
    const GIVES: Shape = Shape::Map(&[
        ("exists", Shape::Boolean),
        ("kind", Shape::String),
        ("mode", Shape::Integer),
        ("owner", Shape::String),
        ("group", Shape::String),
        ("uid", Shape::Integer),
        ("gid", Shape::Integer),
        ("size", Shape::Integer),
        ("modified", Shape::Integer),
        ("sha256", Shape::String),
        ("target", Shape::String),
    ]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Stat { path: path::of(arguments, "path")? })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        let unknown = |why: &str| Unknown { origin: format!("`{}` on `{}`, {why}", self.path, host.name()) };
        match overlay.file(&self.path) {
            Some(PlannedFile::Placed(origin)) => Foreseen::Unknown(unknown(&format!("after {origin}"))),
            Some(_) => {
                Foreseen::Known(planned(assume(nothing(), &self.path, overlay), unknown("after planned changes")))
            }
            None => match overlay.opaque() {
                Some(origin) => Foreseen::Unknown(unknown(&format!("after {origin}"))),
                None => Foreseen::Real,
            },
        }
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        Ok(match look(host, &self.path, 0).await?.found {
            Some(found) => map(&found),
            None => Value::map([("exists", Value::Boolean(false))]),
        })
    }
}

fn nothing() -> Seen {
    Seen::nothing(Above::There)
}

/// What a plan knows of a planned path: all but its numbers and times.
fn planned(seen: Seen, unknown: Unknown) -> Value {
    let Some(found) = &seen.found else { return Value::map([("exists", Value::Boolean(false))]) };
    let mut value = map(found);
    if let Value::Map(fields) = &mut value {
        let attributes: &[&str] = if seen.sure { &[] } else { &["mode", "owner", "group"] };
        let content: &[&str] =
            if found.sort == Sort::File && found.sha256.is_none() { &["size", "sha256"] } else { &[] };
        for name in ["uid", "gid", "modified"].iter().chain(attributes).chain(content) {
            fields.insert((*name).to_owned(), Value::Unknown(unknown.clone()));
        }
    }
    value
}

fn map(found: &Found) -> Value {
    let kind = match found.sort {
        Sort::File => "file",
        Sort::Directory => "directory",
        Sort::Link => "link",
        Sort::Special => "special",
    };
    let seconds = found.modified.split('.').next().and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
    let mut value = Value::map([
        ("exists", Value::Boolean(true)),
        ("kind", Value::from(kind)),
        ("mode", Value::Integer(i64::from(found.mode))),
        ("owner", Value::from(found.owner.as_str())),
        ("group", Value::from(found.group.as_str())),
        ("uid", Value::Integer(i64::from(found.uid))),
        ("gid", Value::Integer(i64::from(found.gid))),
        ("size", Value::Integer(i64::try_from(found.size).unwrap_or(i64::MAX))),
        ("modified", Value::Integer(seconds)),
    ]);
    if let Value::Map(fields) = &mut value {
        let texts = [("sha256", &found.sha256), ("target", &found.target)];
        fields
            .extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::String(text.clone()?)))));
    }
    value
}
