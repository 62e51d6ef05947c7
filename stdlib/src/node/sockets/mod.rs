//! `node::sockets`: who listens on a host, and who is connected to whom.

mod table;

use std::collections::BTreeMap;
use std::net::SocketAddr;

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

use super::said::Said;
use table::Socket;

/// What is asked on a host.
pub(super) const LOOK: &str = include_str!("look.sh");

/// One end of a connection, or where somebody listens.
const END: Shape = Shape::Map(&[
    ("address", Shape::String),
    ("port", Shape::Integer),
    ("process", Shape::Integer),
    ("program", Shape::String),
    ("unit", Shape::Anything),
]);

/// Those who listen.
pub(super) const LISTENERS: Shape = Shape::List(&END);
/// Those who are connected.
pub(super) const CONNECTIONS: Shape = Shape::List(&END);

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Sockets {
    units: Vec<String>,
}

#[async_trait]
impl Read for Sockets {
    const NAME: &'static str = "node.sockets";
    const ABOUT: &'static str = "Who listens on a host, and who is connected to whom.

TCP over IPv4 and IPv6, as the kernel tells it. The result is a map of two lists, `listeners` and `connections`, of maps:

| name | what |
|---|---|
| `address`, `port` | where it listens; of a connection the other end |
| `process` | the number of the process; 0 where it is of another namespace |
| `program` | its name, which the kernel cuts after 15 characters; `a process` where nobody knows |
| `unit` | which of `units` has it as its main process; `()` for none |

In a plan it is known only when run once a change is planned on the host: take it before.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts()],
        options: &[Param::option(
            "units",
            ParamKind::Strings,
            Absent::Strings(&[]),
            "Units whose sockets are told by name.",
        )],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "Who holds a port.",
        given: "",
        code: "node::sockets(h).listeners.filter(|one| one.port == 22)[0].program",
        gives: r#""sshd""#,
    }];
    const GIVES: Shape = Shape::Map(&[("listeners", LISTENERS), ("connections", CONNECTIONS)]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Sockets { units: arguments.strings("units") })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("node::sockets", host, overlay)
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let (listeners, connections) =
            told(&Said::new(&host.ok(&Command::script(LOOK).args(self.units.clone())).await?.text()));
        Ok(Value::map([("listeners", listeners), ("connections", connections)]))
    }
}

/// Those who listen, and those who are connected.
pub(super) fn told(said: &Said<'_>) -> (Value, Value) {
    let sockets = table::all(said);
    let who = Who { names: names(said.lines("names")), units: mains(said.lines("mains")) };
    let list = |end: fn(&Socket) -> Option<SocketAddr>| {
        let ends = sockets.iter().filter_map(|socket| Some((socket.process, end(socket)?)));
        Value::List(ends.map(|(process, end)| who.value(process, end)).collect())
    };
    (list(|socket| socket.peer.is_none().then_some(socket.local)), list(|socket| socket.peer))
}

/// Processes by their numbers.
struct Who<'a> {
    names: BTreeMap<i64, &'a str>,
    units: BTreeMap<i64, &'a str>,
}

impl Who<'_> {
    fn value(&self, process: i64, end: SocketAddr) -> Value {
        Value::map([
            ("address", Value::from(end.ip().to_string())),
            ("port", Value::Integer(end.port().into())),
            ("process", Value::Integer(process)),
            ("program", Value::from(self.names.get(&process).copied().unwrap_or("a process"))),
            ("unit", self.units.get(&process).map_or(Value::Null, |unit| Value::from(*unit))),
        ])
    }
}

fn names<'a>(lines: &[&'a str]) -> BTreeMap<i64, &'a str> {
    let pairs = lines.iter().filter_map(|line| line.split_once(' '));
    pairs.filter_map(|(number, name)| Some((number.parse().ok()?, name))).collect()
}

/// `UNIT MainPID=NUMBER`.
fn mains<'a>(lines: &[&'a str]) -> BTreeMap<i64, &'a str> {
    let pairs = lines.iter().filter_map(|line| line.split_once(" MainPID="));
    pairs.filter_map(|(unit, number)| Some((number.parse().ok()?, unit))).filter(|(number, _)| *number != 0).collect()
}
