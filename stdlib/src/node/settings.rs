//! `node::settings`: how a unit's member of etcd is set up, whether it runs or not.

use std::collections::BTreeMap;
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
use haengine_kernel::value::Value;

use super::in_files::of_their_names;
use super::linked::{ask, found};
use super::member::Member;
use super::unit_files::UnitFiles;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Settings {
    unit: String,
    units: UnitFiles,
}

#[async_trait]
impl Read for Settings {
    const NAME: &'static str = "node.settings";
    const ABOUT: &'static str = "How a unit's member of etcd is set up, whether it runs or not.

Its files are read in one round trip, and understood by systemd's rules. Where `--config-file` names a file, which must be among the
unit's, etcd looks at nothing else; else a flag wins over the variable that stands for it.

The result is a map: `settings`, the values that are written somewhere, by the names of flags (what the file has for peers goes by
`peer-cert-file` and its like), and `problem`, why they are not understood, with file and line; else `()`.

In a plan it is known only when run once a change is planned on the host: take it before.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("unit", ParamKind::String, "etcd's unit, without `.service`.")],
        options: &[Param::option(
            "units",
            ParamKind::Map,
            Absent::Map,
            "Units by name, each with its files, as `node::survey` tells them: this one.",
        )],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "What a flag says, and not the variable beside it.",
        given: "mkdir -p /opt/demo && printf '[Service]\\nEnvironment=ETCD_NAME=a ETCD_DATA_DIR=/var/lib/demo\\nExecStart=/usr/bin/etcd --name b\\n' >/opt/demo/demo.service",
        code: r#"node::settings(h, "demo", #{ units: #{ demo: ["/opt/demo/demo.service"] } }).settings"#,
        gives: r#"{"data-dir":"/var/lib/demo","name":"b"}"#,
    }];
    const GIVES: Shape = Shape::Map(&[("settings", Shape::Anything), ("problem", Shape::Anything)]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Settings { unit: arguments.string("unit")?, units: UnitFiles::of_values(arguments.map("units")) })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("node::settings", host, overlay)
    }

    /// A host may be busy.
    fn patience(&self) -> Option<Duration> {
        Some(Duration::from_secs(300))
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let found = found(&host.ok(&ask(&[], self.units.paths().cloned())).await?.text())?;
        let files = of_their_names(&found.files, &self.units);
        let member = Member::read(&files, &self.units, &self.unit, &found.hostname);
        let (settings, problem) = match &member {
            Ok(member) => (member.settings(), Value::Null),
            Err(error) => (BTreeMap::new(), Value::from(error.message())),
        };
        let settings = settings.into_iter().map(|(name, value)| (name, Value::from(value)));
        Ok(Value::map([("settings", Value::Map(settings.collect())), ("problem", problem)]))
    }
}
