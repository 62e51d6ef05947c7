//! `node::with_flag`: the files of a unit once its program is given another value for a flag.

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

use super::in_files::of_their_names;
use super::linked::{Linked, ask, found};
use super::program::Program;
use super::unit_files::UnitFiles;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct WithFlag {
    unit: String,
    flag: String,
    value: String,
    units: UnitFiles,
}

/// What the files of a unit say for a flag, and what they become. It has no `Debug`: there may be secrets in them.
pub struct Flagged {
    /// The value that counts by the files as they are.
    pub was: String,
    /// The files that hold the value, by the names that the unit has for them, each with its text for the new one.
    pub becomes: Vec<(String, String)>,
}

const FILE: Shape = Shape::Map(&[("path", Shape::String), ("text", Shape::String), ("becomes", Shape::String)]);

#[async_trait]
impl Read for WithFlag {
    const NAME: &'static str = "node.with_flag";
    const ABOUT: &'static str = "The files of a unit once its program is given another value for a flag.

They are read in one round trip, and understood by systemd's rules: drop-ins, quotes, continued lines, files of variables. Of a flag that
is given twice the last counts, as for the program. The value changes where it is written: in a variable, unless somebody else reads it
there. Nothing is written.

The result is a map:

| name | what |
|---|---|
| `was` | the value by the files as they are; `()` where there is none |
| `files` | those that hold it, also where it stands there already: `path`, where links lead; `text`, what is in it; `becomes` |
| `problem` | why that cannot be, with file and line; else `()` |

In a plan it is known only when run once a change is planned on the host: take it before.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("unit", ParamKind::String, "The unit, without `.service`."),
            Param::new("flag", ParamKind::String, "The flag, without dashes."),
            Param::new("value", ParamKind::String, "Its value."),
        ],
        options: &[Param::option(
            "units",
            ParamKind::Map,
            Absent::Map,
            "Units by name, each with its files, as `node::survey` tells them: this one, and those that may share its files.",
        )],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "A flag in a file of variables.",
        given: "mkdir -p /opt/demo && printf '[Service]\\nEnvironmentFile=/opt/demo/api\\nExecStart=/usr/bin/kube-apiserver $OPTIONS\\n' >/opt/demo/api.service && printf 'OPTIONS=\"--etcd-servers=https://192.0.2.1:2379 --v=2\"\\n' >/opt/demo/api",
        code: r#"node::with_flag(h, "api", "etcd-servers", "https://192.0.2.88:12379", #{ units: #{ api: ["/opt/demo/api.service", "/opt/demo/api"] } }).files[0].becomes"#,
        gives: r#""OPTIONS=\"--etcd-servers=https://192.0.2.88:12379 --v=2\"\n""#,
    }];
    const GIVES: Shape =
        Shape::Map(&[("was", Shape::Anything), ("files", Shape::List(&FILE)), ("problem", Shape::Anything)]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(WithFlag {
            unit: arguments.string("unit")?,
            flag: arguments.string("flag")?,
            value: arguments.string("value")?,
            units: UnitFiles::of_values(arguments.map("units")),
        })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("node::with_flag", host, overlay)
    }

    /// A host may be busy.
    fn patience(&self) -> Option<Duration> {
        Some(Duration::from_secs(300))
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let command = ask(&[], self.units.paths().cloned());
        let found = found(&host.ok(&command).await?.text())?;
        let flagged = flagged(&found.files, &self.units, &found.hostname, &self.unit, &self.flag, &self.value);
        Ok(match flagged {
            Ok(flagged) => value(Value::from(flagged.was), files(&found.files, flagged.becomes), Value::Null),
            Err(error) => value(Value::Null, Vec::new(), Value::from(error.message())),
        })
    }
}

fn value(was: Value, files: Vec<Value>, problem: Value) -> Value {
    Value::map([("was", was), ("files", Value::List(files)), ("problem", problem)])
}

/// Files where they lie: what replaces one must not replace the link to it.
fn files(found: &[Linked], becomes: Vec<(String, String)>) -> Vec<Value> {
    let file = |(name, becomes): (String, String)| {
        let linked = found.iter().find(|linked| linked.names().any(|own| own == name))?;
        let text = linked.file.text.as_deref().unwrap_or_default();
        Some(Value::map([
            ("path", Value::from(linked.file.path.as_str())),
            ("text", Value::from(text)),
            ("becomes", Value::from(becomes)),
        ]))
    };
    becomes.into_iter().filter_map(file).collect()
}

/// What `unit` says for `flag`, and what its files become with another `value`. `hostname` is what `%H` stands for.
///
/// # Errors
/// A refusal with file and line where the unit is not understood, has no such flag, adds up what it is given several
/// times, or where another unit would get another value, too.
pub fn flagged(
    found: &[Linked],
    units: &UnitFiles,
    hostname: &str,
    unit: &str,
    flag: &str,
    value: &str,
) -> Result<Flagged> {
    let files = of_their_names(found, units);
    let (mut own, mut others) = (None, Vec::new());
    for (paths, service) in units.services(&files, Some(hostname)) {
        let program = service.and_then(|service| Program::of(&files, &service));
        if units.0.get(unit).is_some_and(|of_unit| of_unit == paths) {
            own = Some(program?);
        } else {
            others.push((paths, program));
        }
    }
    let missing = || Error::new(Kind::Refused, "node.unit", format!("no file of the unit `{unit}` is there"));
    let program = own.ok_or_else(missing)?;
    let mut understood = Vec::new();
    for (paths, other) in others {
        match other {
            Ok(other) => understood.push(other),
            Err(error) if paths.iter().any(|path| units.0[unit].contains(path)) => return Err(error),
            // It reads nothing that changes.
            Err(_) => {}
        }
    }
    let others: Vec<&Program> = understood.iter().collect();
    if let [.., last] = program.flags.given.iter().filter(|given| given.name == flag).collect::<Vec<_>>()[..]
        && program.flags.values(flag).len() > 1
    {
        let message = format!("`{}` adds up each `--{flag}` that it is given, and there are several", program.name);
        return Err(files.refused("node.flag", last.place, &message));
    }
    let mut becomes = program.set(&files, &others, flag, value)?;
    if becomes.is_empty() {
        becomes =
            program.written_in(&files, flag).map(|path| (path.to_owned(), files.text_at(path).to_owned())).collect();
    }
    Ok(Flagged { was: program.flags.value(flag).unwrap_or_default(), becomes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::file::File;

    const API: &str = "/etc/systemd/system/kube-apiserver.service";
    const VARIABLES: &str = "/opt/kubernetes/cfg/kube-apiserver.conf";
    const NEW: &str = "https://192.0.2.88:12379";

    fn linked(path: &str, text: &str, links: &[&str]) -> Linked {
        let file = File { path: path.to_owned(), mode: 0o644, text: Some(text.to_owned()), bytes: Vec::new() };
        Linked { file, links: links.iter().map(|link| (*link).to_owned()).collect() }
    }

    fn becomes(found: &[Linked], others: &[(&str, &str)]) -> Result<(String, Vec<(String, String)>)> {
        let own = found.iter().map(|linked| linked.file.path.clone());
        let paths: Vec<String> = own.filter(|path| others.iter().all(|(_, other)| path != other)).collect();
        let others =
            others.iter().map(|(name, file)| ((*name).to_owned(), vec![(*file).to_owned(), VARIABLES.to_owned()]));
        let units = UnitFiles([("kube-apiserver".to_owned(), paths)].into_iter().chain(others).collect());
        let flagged = flagged(found, &units, "m1", "kube-apiserver", "etcd-servers", NEW)?;
        Ok((flagged.was, flagged.becomes))
    }

    fn unit(line: &str) -> Linked {
        linked(API, &format!("[Service]\nEnvironmentFile=-{VARIABLES}\nExecStart={line}\n"), &[])
    }

    #[test]
    fn the_value_changes_where_it_is_written() {
        let there = |servers: &str| {
            linked(VARIABLES, &format!("# etcd\nOPTIONS=\"--v=2 \\\n--etcd-servers={servers}\"\n"), &[])
        };
        let unit = || unit("/usr/bin/kube-apiserver $OPTIONS");
        let (was, files) = becomes(&[unit(), there("https://a:2379,https://b:2379")], &[]).unwrap();
        assert_eq!(was, "https://a:2379,https://b:2379");
        let text = |servers: &str| there(servers).file.text.unwrap();
        assert_eq!(files, [(VARIABLES.to_owned(), text(NEW))]);
        // Whoever starts it again wants to know which file that was.
        assert_eq!(
            becomes(&[unit(), there(NEW)], &[]).unwrap(),
            (NEW.to_owned(), vec![(VARIABLES.to_owned(), text(NEW))])
        );
    }

    #[test]
    fn a_value_behind_a_blank_and_in_a_drop_in() {
        let drop_in = format!("{API}.d/10-etcd.conf");
        let line = |servers: &str| {
            format!("[Service]\nExecStart=\nExecStart=/usr/bin/kube-apiserver --etcd-servers '{servers}'\n")
        };
        let found = [
            unit("/usr/bin/kube-apiserver --etcd-servers=https://old:2379"),
            linked(&drop_in, &line("https://a:2379"), &[]),
        ];
        assert_eq!(becomes(&found, &[]).unwrap().1, [(drop_in, line(NEW))]);
    }

    #[test]
    fn what_cannot_change_alone_is_refused() {
        let message =
            |found: &[Linked], others: &[(&str, &str)]| becomes(found, others).unwrap_err().message().to_owned();
        let variables = linked(VARIABLES, "SERVERS=https://a:2379\n", &[]);
        let api = || unit("/usr/bin/kube-apiserver --etcd-servers=${SERVERS}");
        let other = "/etc/systemd/system/other.service";
        let script =
            linked(other, &format!("[Service]\nEnvironmentFile={VARIABLES}\nExecStart=/bin/sh -c 'echo'\n"), &[]);
        assert_eq!(
            message(&[unit("/usr/bin/kube-apiserver --etcd-servers=a \\\n --etcd-servers=b")], &[]),
            format!("{API}:4: `kube-apiserver` adds up each `--etcd-servers` that it is given, and there are several")
        );
        assert!(message(&[unit("/usr/bin/kube-apiserver --v=2")], &[]).contains("has no `--etcd-servers`"));
        assert_eq!(
            message(&[api(), variables, script], &[("other", other)]),
            format!("{other}:3: `sh` starts the program, and what it makes of its words only it can tell")
        );
        assert_eq!(message(&[], &[]), "no file of the unit `kube-apiserver` is there");
    }
}
