//! `node::releases`: which Kubernetes the programs in a folder are.

pub mod changing;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Param, ParamKind, Signature};
use haengine_kernel::transport::Command;
use haengine_kernel::value::Value;

use super::said::{Said, value};
use changing::{NEWEST, OLDEST, understood};

/// The programs that say which Kubernetes they are in this way.
const PROGRAMS: [&str; 5] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"];

const RELEASE: Shape = Shape::Map(&[
    ("version", Shape::String),
    ("minor", Shape::Integer),
    ("is_served", Shape::Boolean),
    ("flags", Shape::List(&Shape::String)),
]);

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Releases {
    folder: String,
}

#[async_trait]
impl Read for Releases {
    const NAME: &'static str = "node.releases";
    const ABOUT: &'static str = "Which Kubernetes the programs in a folder are, and which flags they take.

Asked are kube-apiserver, kube-controller-manager, kube-scheduler, kubelet and kube-proxy, those that are there and run. The \
result is a map by their names, of maps:

| name | what |
|---|---|
| `version` | `1.20.2` |
| `minor` | its second number, 20 |
| `is_served` | whether recipes serve it: from 1.20 to 1.36 |
| `flags` | of those flags that not every version has and that haengine's templates give, without dashes, the ones that this program takes |

Of 1.20 and 1.36 the flags are known; every other program is asked for its help.
In a plan it is known only when run once a change is planned on the host: take it before.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("folder", ParamKind::Path, "Where the programs are.")],
        options: &[],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "What to give a scheduler.",
        given: "mkdir -p /opt/demo && printf '#!/bin/sh\\ncase $1 in\\n--version) echo Kubernetes v1.23.4 ;;\\n\
                --help) echo \"      --log-dir string   Where logs go\" ;;\\nesac\\n' >/opt/demo/kube-scheduler && \
                chmod +x /opt/demo/kube-scheduler",
        code: r#"node::releases(h, "/opt/demo")["kube-scheduler"]"#,
        gives: r#"{"flags":["log-dir"],"is_served":true,"minor":23,"version":"1.23.4"}"#,
    }];
    const GIVES: Shape = Shape::Named(&RELEASE);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Releases { folder: arguments.string("folder")? })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("node::releases", host, overlay)
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let ends = [OLDEST, NEWEST].map(|end| end.to_string());
        let command = Command::script(include_str!("read.sh")).arg(&self.folder).args(ends).args(PROGRAMS);
        Ok(releases(&Said::new(&host.ok(&command).await?.text())))
    }
}

fn releases(said: &Said<'_>) -> Value {
    let told =
        PROGRAMS.iter().filter_map(|program| Some(((*program).to_owned(), release(program, said.lines(program))?)));
    Value::Map(told.collect())
}

fn release(program: &str, lines: &[&str]) -> Option<Value> {
    let version = value(lines, "version", ' ')?;
    let (major, minor) = numbers(version)?;
    let help: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("flag ")).collect();
    let flags = understood(program, minor, &help).into_iter().map(Value::from).collect();
    Some(Value::map([
        ("version", Value::from(version)),
        ("minor", Value::Integer(minor.into())),
        ("is_served", Value::Boolean(major == 1 && (OLDEST..=NEWEST).contains(&minor))),
        ("flags", Value::List(flags)),
    ]))
}

/// The first two numbers of a version.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests;
