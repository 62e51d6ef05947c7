//! `node::survey`: what a node is and does just now, in one round trip.
//!
//! | file | what |
//! |---|---|
//! | look.sh | the question |
//! | process | a program that runs: its flags, and who started it |
//! | unit | a unit as systemd sees it |
//! | installed, room | programs that are there; space, swap |

mod installed;
mod process;
mod room;
mod unit;

use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::transport::Command;
use haengine_kernel::value::Value;

use self::process::Process;
use self::unit::Unit;
use super::said::Said;
use super::sockets::{CONNECTIONS, LISTENERS, LOOK as SOCKETS, told};

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Survey {
    root: String,
    kubeconfig: String,
    units: Vec<String>,
}

const PROGRAM: Shape = Shape::Map(&[
    ("process", Shape::Integer),
    ("path", Shape::String),
    ("words", Shape::List(&Shape::String)),
    ("flags", Shape::Named(&Shape::String)),
    ("variables", Shape::Named(&Shape::String)),
    ("unit", Shape::Anything),
    ("container", Shape::Boolean),
]);

const UNIT: Shape = Shape::Map(&[
    ("loaded", Shape::Boolean),
    ("active", Shape::Boolean),
    ("state", Shape::String),
    ("enabled", Shape::Boolean),
    ("process", Shape::Integer),
    ("files", Shape::List(&Shape::String)),
]);

const INSTALLED: Shape = Shape::Map(&[("path", Shape::String), ("real", Shape::String), ("owner", Shape::Anything)]);

#[async_trait]
impl Read for Survey {
    const NAME: &'static str = "node.survey";
    const ABOUT: &'static str = "What a node is and does just now.

Programs are found by their processes, whoever started them: a unit, a static pod, a container. The result is a map:

| name | what |
|---|---|
| `programs` | by name (`kube-apiserver`, `kubelet`, `etcd`, …), each that runs: `process` (its number), `path`, `words` (what it was called with), `flags` (by name, without dashes; of one that is given twice the last), `variables` (of etcd: `ETCD_…`), `unit` (`kubelet.service`, or `()`), `container` (whether a runtime started it) |
| `units` | by name, those of Kubernetes, etcd and container runtimes, those of `units`, and those whose processes `programs` are: `loaded`, `active`, `state`, `enabled`, `process`, `files` (its own, drop-ins, files of variables) |
| `listeners`, `connections` | as [`node::sockets`](#nodesockets) tells them |
| `installed` | by name, what of a container runtime and its helpers is there: `path`, `real` (where links lead), `owner` (its package, or `()`) |
| `tools` | which of `etcdctl` and `curl` it has, to ask servers with |
| `plugins` | the folders with CNI plugins |
| `texts`, `certificates` | the files that the programs' flags, and then those files, name: those with PEM blocks, and the others |
| `size`, `free` | bytes below `root` without its logs, and bytes free there; `()` without `root` |
| `swaps` | whether it swaps |

A `program` of which several run is the one with the smallest number; `words` of the others are not told.
In a plan it is known only when run once a change is planned on the host: take it before.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts()],
        options: &[
            Param::option(
                "root",
                ParamKind::Path,
                Absent::Means("none"),
                "The folder of the cluster's files, whose size is told.",
            ),
            Param::option(
                "kubeconfig",
                ParamKind::Path,
                Absent::Means("none"),
                "A kubeconfig beside those that flags name.",
            ),
            Param::option("units", ParamKind::Strings, Absent::Strings(&[]), "Units that are looked at, too."),
        ],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "Whether a unit of one's own runs.",
        given: "",
        code: r#"node::survey(h, #{ units: ["ssh"] }).units["ssh"].active"#,
        gives: "true",
    }];
    const GIVES: Shape = Shape::Map(&[
        ("programs", Shape::Named(&PROGRAM)),
        ("units", Shape::Named(&UNIT)),
        ("listeners", LISTENERS),
        ("connections", CONNECTIONS),
        ("installed", Shape::Named(&INSTALLED)),
        ("tools", Shape::List(&Shape::String)),
        ("plugins", Shape::List(&Shape::String)),
        ("texts", Shape::List(&Shape::String)),
        ("certificates", Shape::List(&Shape::String)),
        ("size", Shape::Anything),
        ("free", Shape::Anything),
        ("swaps", Shape::Boolean),
    ]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Survey {
            root: arguments.opt_string("root").unwrap_or_default(),
            kubeconfig: arguments.opt_string("kubeconfig").unwrap_or_default(),
            units: arguments.strings("units"),
        })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("node::survey", host, overlay)
    }

    /// It asks much, and a host may be busy.
    fn patience(&self) -> Option<Duration> {
        Some(Duration::from_secs(300))
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let script = [include_str!("look.sh"), SOCKETS].concat();
        let command = Command::script(script).args([&self.root, &self.kubeconfig]).args(self.units.clone());
        Ok(picture(&Said::new(&host.ok(&command).await?.text())))
    }
}

fn picture(said: &Said<'_>) -> Value {
    let programs = programs(said);
    let (listeners, connections) = told(said);
    let named = |kind: &str| {
        let paths = said.lines("named").iter().filter_map(|line| line.strip_prefix(kind));
        Value::List(paths.map(Value::from).collect())
    };
    Value::map([
        ("programs", by_name(programs.iter().map(|one| (one.name.clone(), one.value())))),
        ("units", by_name(unit::all(said.lines("units")).iter().map(|(name, unit)| (name.clone(), Unit::value(unit))))),
        ("listeners", listeners),
        ("connections", connections),
        ("installed", by_name(installed::all(said.lines("programs")))),
        ("tools", Value::List(said.lines("tools").iter().map(|tool| Value::from(*tool)).collect())),
        ("plugins", Value::List(said.lines("cni").iter().map(|folder| Value::from(*folder)).collect())),
        ("texts", named("text ")),
        ("certificates", named("pem ")),
        ("size", room::size(said).map_or(Value::Null, Value::Integer)),
        ("free", room::free(said).map_or(Value::Null, Value::Integer)),
        ("swaps", Value::Boolean(!said.lines("swap").is_empty())),
    ])
}

/// The first of each name, which is the parent of others.
fn programs(said: &Said<'_>) -> Vec<Process> {
    let mut programs: Vec<Process> =
        said.processes().filter_map(|(number, lines)| Process::new(number, lines)).collect();
    programs.sort_by_key(|one| one.number);
    let mut seen = Vec::new();
    programs.retain(|one| {
        !seen.contains(&one.name) && {
            seen.push(one.name.clone());
            true
        }
    });
    programs
}

fn by_name(values: impl Iterator<Item = (String, Value)>) -> Value {
    Value::Map(values.collect())
}
