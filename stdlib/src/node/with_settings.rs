//! `node::with_settings`: the files of a member of etcd once it is told something else, there or on another host.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;

use super::change::Change;
use super::identity::Identity;
use super::in_files::of_their_names;
use super::linked::{Found, Linked, ask, found};
use super::member::Member;
use super::text::changed;
use super::traced::Files;
use super::unit_files::UnitFiles;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct WithSettings {
    unit: String,
    settings: BTreeMap<String, String>,
    units: UnitFiles,
    /// From the member whose files they are to the one that shall have them; none where it is the same.
    change: Option<Change>,
}

const FILE: Shape = Shape::Map(&[
    ("path", Shape::String),
    ("mode", Shape::Integer),
    ("text", Shape::String),
    ("becomes", Shape::String),
]);

#[async_trait]
impl Read for WithSettings {
    const NAME: &'static str = "node.with_settings";
    const ABOUT: &'static str = "The files of a member of etcd once it is told something else, there or on another host.

They are read in one round trip, and understood by systemd's rules. A setting goes by the name of its flag, and changes where it
counts: in the file that `--config-file` names, which must be among the unit's files; else in the flag; else in the variable that stands
for the flag. With `old` and `new` they become the files of another host, whose address and name stand where the member's own did.
Nothing is written.

The result is a map:

| name | what |
|---|---|
| `was` | the settings' values by the files as they are; those that are written nowhere are left out |
| `files` | those that hold one of them, also where it stands there already; for another host, all: `path`, where links lead; `mode`; `text`, what is in it; `becomes` |
| `problem` | why that cannot be, with file and line; else `()` |

In a plan it is known only when run once a change is planned on the host: take it before.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("unit", ParamKind::String, "etcd's unit, without `.service`."),
            Param::new("settings", ParamKind::Map, "Values by the names of flags, without dashes."),
        ],
        options: &[
            Param::option(
                "units",
                ParamKind::Map,
                Absent::Map,
                "Units by name, each with its files, as `node::survey` tells them: this one, and those that may share its files.",
            ),
            Param::option(
                "old",
                ParamKind::Map,
                Absent::Map,
                "The host whose files they are: `address` and `names`, the member's name first.",
            ),
            Param::option("new", ParamKind::Map, Absent::Map, "The host that shall have them: `address` and `names`."),
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "A variable that stands for a flag.",
            given: DEMO,
            code: r#"node::with_settings(h, "demo", #{ "initial-cluster-state": "existing" }, #{ units: #{ demo: ["/opt/demo/demo.service", "/opt/demo/demo"] } }).files[0].becomes"#,
            gives: r#""ETCD_NAME=a\nETCD_LISTEN_PEER_URLS=http://192.0.2.1:2380\nETCD_INITIAL_CLUSTER_STATE=existing\n""#,
        },
        Example {
            about: "The same for another host.",
            given: DEMO,
            code: r#"node::with_settings(h, "demo", #{ "initial-cluster-state": "existing" }, #{ units: #{ demo: ["/opt/demo/demo.service", "/opt/demo/demo"] }, old: #{ address: "192.0.2.1", names: ["a"] }, "new": #{ address: "192.0.2.2", names: ["b"] } }).files[0].becomes"#,
            gives: r#""ETCD_NAME=b\nETCD_LISTEN_PEER_URLS=http://192.0.2.2:2380\nETCD_INITIAL_CLUSTER_STATE=existing\n""#,
        },
    ];
    const GIVES: Shape =
        Shape::Map(&[("was", Shape::Anything), ("files", Shape::List(&FILE)), ("problem", Shape::Anything)]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        let settings = arguments.map("settings").into_iter().map(setting).collect::<Result<_>>()?;
        let (old, new) = (arguments.map("old"), arguments.map("new"));
        let change = if old.is_empty() && new.is_empty() {
            None
        } else {
            let node = |name: &str, said| Identity::of_values("node::with_settings", name, said);
            Some(Change { old: node("old", &old)?, new: node("new", &new)?, ..Change::default() })
        };
        Ok(WithSettings {
            unit: arguments.string("unit")?,
            settings,
            units: UnitFiles::of_values(arguments.map("units")),
            change,
        })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("node::with_settings", host, overlay)
    }

    /// A host may be busy.
    fn patience(&self) -> Option<Duration> {
        Some(Duration::from_secs(300))
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let command = ask(&[], self.units.paths().cloned());
        let found = found(&host.ok(&command).await?.text())?;
        let given = of_their_names(&found.files, &self.units);
        Ok(match self.becomes(&found, given) {
            Ok((was, becomes)) => value(was, self.files(&found.files, &becomes), Value::Null),
            Err(error) => value(BTreeMap::new(), Vec::new(), Value::from(error.message())),
        })
    }
}

impl WithSettings {
    /// The settings as they are, and the texts of the files that matter, by the names that the unit has for them.
    fn becomes(&self, found: &Found, given: Files) -> Result<(BTreeMap<String, Value>, BTreeMap<String, String>)> {
        let member = Member::read(&given, &self.units, &self.unit, &found.hostname)?;
        let was = self.settings.keys().filter_map(|name| Some((name.clone(), Value::from(member.value(name)?))));
        let was = was.collect();
        let Some(change) = &self.change else { return Ok((was, member.with(&self.settings)?)) };

        let configuration = member.configuration().map(str::to_owned);
        let moved = self.moved(found, &given, change, configuration.as_deref())?;
        let member = Member::read(&moved, &self.units, &self.unit, &found.hostname)?;
        let with = member.with(&self.settings)?;
        let own = self.units.0.get(&self.unit).into_iter().flatten();
        let texts = own.filter_map(|path| {
            let text = with.get(path).cloned().or_else(|| Some(moved.text(moved.number(path)?).to_owned()));
            Some((path.clone(), text?))
        });
        Ok((was, texts.collect()))
    }

    /// The files as another host shall have them.
    fn moved(&self, found: &Found, given: &Files, change: &Change, configuration: Option<&str>) -> Result<Files> {
        let services = self.units.services(given, Some(&found.hostname)).filter_map(|(_, service)| service.ok());
        let services: Vec<_> = services.filter(|service| service.name == format!("{}.service", self.unit)).collect();
        let mut moved = given.clone();
        for (path, text) in change.units(given, &services)?.texts {
            moved.add(path, text);
        }
        let named = |linked: &&Linked| linked.names().any(|name| Some(name) == configuration);
        if let (Some(path), Some(linked)) = (configuration, found.files.iter().find(named))
            && let (Some(text), _) = changed(&linked.file, change)?
        {
            moved.add(path, text);
        }
        Ok(moved)
    }

    /// Files where they lie: what replaces one must not replace the link to it.
    fn files(&self, found: &[Linked], becomes: &BTreeMap<String, String>) -> Vec<Value> {
        let file = |linked: &Linked| {
            let becomes = linked.names().find_map(|name| becomes.get(name))?;
            // For another host it lies where the unit looks for it: the link is this host's.
            let own = linked.names().find(|name| self.change.is_some() && self.units.has(name));
            Some(Value::map([
                ("path", Value::from(own.unwrap_or(&linked.file.path))),
                ("mode", Value::Integer(linked.file.mode.into())),
                ("text", Value::from(linked.file.text.as_deref().unwrap_or_default())),
                ("becomes", Value::from(becomes.as_str())),
            ]))
        };
        found.iter().filter_map(file).collect()
    }
}

fn value(was: BTreeMap<String, Value>, files: Vec<Value>, problem: Value) -> Value {
    Value::map([("was", Value::Map(was)), ("files", Value::List(files)), ("problem", problem)])
}

/// A setting with its value as it is written: `true`, `8589934592`, `new`.
fn setting((name, value): (String, Value)) -> Result<(String, String)> {
    let text = match value {
        Value::String(text) => text,
        Value::Integer(number) => number.to_string(),
        Value::Boolean(yes) => yes.to_string(),
        _ => {
            let message = format!("the setting `{name}` of `node::with_settings` is no single value");
            return Err(Error::new(Kind::Usage, "call.type", message).hint("write it as a string"));
        }
    };
    Ok((name, text))
}

/// A member's unit, with its variables in a file.
const DEMO: &str = r"mkdir -p /opt/demo && printf '[Service]\nEnvironmentFile=/opt/demo/demo\nExecStart=/usr/bin/etcd\n' >/opt/demo/demo.service &&
printf 'ETCD_NAME=a\nETCD_LISTEN_PEER_URLS=http://192.0.2.1:2380\nETCD_INITIAL_CLUSTER_STATE=new\n' >/opt/demo/demo";
