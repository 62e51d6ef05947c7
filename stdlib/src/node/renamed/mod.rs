//! `node::renamed`: the files of a node as another one shall have them.
//!
//! | file | what |
//! |---|---|
//! | read.sh | the files as they are |
//! | identity | from which node to which one, and to which API server |

mod identity;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::secret::Secret;
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::transport::Command;
use haengine_kernel::value::Value;

use self::identity::change;
use super::change::Change;
use super::file::{File, files};
use super::identity::Identity;
use super::kubeconfig::{Kubeconfig, is_kubeconfig};
use super::mention::Mention;
use super::text::changed;
use super::traced::Files;
use super::unit_files::UnitFiles;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Renamed {
    paths: Vec<String>,
    units: UnitFiles,
    change: Change,
    certificate: Option<String>,
}

const FILE: Shape = Shape::Map(&[
    ("path", Shape::String),
    ("mode", Shape::Integer),
    ("is_text", Shape::Boolean),
    ("text", Shape::Anything),
    ("changed", Shape::Boolean),
    ("kept", Mention::LIST),
]);

#[async_trait]
impl Read for Renamed {
    const NAME: &'static str = "node.renamed";
    const ABOUT: &'static str = "The files of a node as another one shall have them.

They are read with what links lead to, and understood: units with their drop-ins and files of variables by systemd's rules and
flags by what they mean; kubeconfigs, components' configuration and etcd's own as YAML or JSON. The node's own address and name
become the new node's, and an API server of the cluster becomes the new node's own; all else stays, byte for byte. Nothing is
written. What is not understood is refused with file and line.

The result is a list of maps, one for each file that is there:

| name | what |
|---|---|
| `path`, `mode` | of the file |
| `text` | what the new node gets; a secret where only its owner may read it and nothing changes; `()` for what is no text, or has more than 1 MiB |
| `is_text`, `changed` | whether there is such a text, and whether it differs from what is there |
| `kept` | where that still names the old node: `path`, `line`, `word`, and `reason`, why that is right; `()` as reason where a person has to look |

In a plan it is known only when run once a change is planned on the host: take it before.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("paths", ParamKind::Strings, "Files that belong to no unit."),
            Param::new(
                "old",
                ParamKind::Map,
                "The node whose files they are: `address` and `names`, the node's name first.",
            ),
            Param::new("new", ParamKind::Map, "The node that shall have them: `address` and `names`."),
        ],
        options: &[
            Param::option(
                "units",
                ParamKind::Map,
                Absent::Map,
                "Units by name, each with its files, as `node::survey` tells them.",
            ),
            Param::option(
                "servers",
                ParamKind::Strings,
                Absent::Strings(&[]),
                "The API servers of the cluster, `ADDRESS:PORT`.",
            ),
            Param::option(
                "server",
                ParamKind::String,
                Absent::Means("port 6443 of `new`"),
                "The new node's own API server.",
            ),
            Param::option(
                "certificate",
                ParamKind::Path,
                Absent::Means("kubeconfigs log in as they did"),
                "Kubeconfigs log in with the certificate and the key in this file, and with nothing else.",
            ),
        ],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "A flag that is written in a file of variables.",
        given: "mkdir -p /opt/demo && printf '[Service]\\nEnvironmentFile=/opt/demo/kubelet\\nExecStart=/usr/bin/kubelet $OPTIONS\\n' >/opt/demo/kubelet.service && printf 'OPTIONS=\"--node-ip=192.0.2.1 --v=2\"\\n' >/opt/demo/kubelet",
        code: r#"node::renamed(h, [], #{ address: "192.0.2.1", names: ["node1"] }, #{ address: "192.0.2.2", names: ["node2"] }, #{ units: #{ "kubelet": ["/opt/demo/kubelet.service", "/opt/demo/kubelet"] } }).map(|file| file.text)[1]"#,
        gives: r#""OPTIONS=\"--node-ip=192.0.2.2 --v=2\"\n""#,
    }];
    const GIVES: Shape = Shape::List(&FILE);

    fn parse(arguments: &Arguments) -> Result<Self> {
        let node = |name: &str| Identity::of_values("node::renamed", name, &arguments.map(name));
        let (old, new) = (node("old")?, node("new")?);
        let server =
            arguments.opt_string("server").unwrap_or_else(|| SocketAddr::new(new.addresses[0], 6443).to_string());
        let change = change(old, new, &arguments.strings("servers"), &server)?;
        Ok(Renamed {
            paths: arguments.strings("paths"),
            units: UnitFiles::of_values(arguments.map("units")),
            change,
            certificate: arguments.opt_string("certificate"),
        })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("node::renamed", host, overlay)
    }

    /// It asks much, and a host may be busy.
    fn patience(&self) -> Option<Duration> {
        Some(Duration::from_secs(300))
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let mut paths = self.paths.clone();
        paths.extend(self.units.paths().cloned());
        let mut seen = std::collections::BTreeSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        if paths.is_empty() {
            return Ok(Value::List(Vec::new()));
        }
        let command = Command::script(include_str!("read.sh")).args(paths);
        let files = files(&host.ok(&command).await?.text())?;
        self.renamed(&files).map_err(|error| error.on(host.name()))
    }
}

impl Renamed {
    fn renamed(&self, files: &[File]) -> Result<Value> {
        let (texts, mut left) = self.of_units(files)?;
        let mut found = Vec::new();
        for file in files {
            let (text, kept) = if self.units.has(&file.path) && file.text.is_some() {
                let (of_file, others) = left.into_iter().partition(|kept: &Mention| kept.path == file.path);
                left = others;
                (texts.get(&file.path).or(file.text.as_ref()).cloned(), of_file)
            } else {
                let (text, kept) = changed(file, &self.change)?;
                (text.map(|text| self.logged_in(&file.path, text)).transpose()?, kept)
            };
            found.push(value(file, text, kept));
        }
        Ok(Value::List(found))
    }

    /// A kubeconfig as the new node logs in; any other text as it is.
    fn logged_in(&self, path: &str, text: String) -> Result<String> {
        match &self.certificate {
            Some(certificate) if is_kubeconfig(&text) => {
                Kubeconfig::read(path, &text)?.logging_in_with(path, &text, certificate)
            }
            _ => Ok(text),
        }
    }

    /// All units together: one variable may be of several.
    fn of_units(&self, files: &[File]) -> Result<(BTreeMap<String, String>, Vec<Mention>)> {
        let mut texts = Files::default();
        for file in files.iter().filter(|file| self.units.has(&file.path)) {
            if let Some(text) = &file.text {
                texts.add(&file.path, text);
            }
        }
        let hostname = self.change.old.names.last().map(String::as_str);
        let services = self.units.services(&texts, hostname).map(|(_, service)| service).collect::<Result<Vec<_>>>()?;
        let changed = self.change.units(&texts, &services)?;
        Ok((changed.texts.into_iter().collect(), changed.kept))
    }
}

fn value(file: &File, text: Option<String>, kept: Vec<Mention>) -> Value {
    let (is_text, changed) = (text.is_some(), text != file.text);
    let is_private = file.mode & 0o077 == 0 && !changed && kept.is_empty();
    let text = match text {
        Some(text) if is_private => Value::Secret(Secret::new(text)),
        Some(text) => Value::from(text),
        None => Value::Null,
    };
    Value::map([
        ("path", Value::from(file.path.as_str())),
        ("mode", Value::Integer(file.mode.into())),
        ("is_text", Value::Boolean(is_text)),
        ("text", text),
        ("changed", Value::Boolean(changed)),
        ("kept", Mention::values(&kept)),
    ])
}
