//! `node::repointed`: the files of a node once they name another API server.

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
use super::endpoint::Endpoint;
use super::in_files::Outcome;
use super::linked::{Linked, ask, found};
use super::mention::Mention;
use super::unit_files::UnitFiles;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Repointed {
    paths: Vec<String>,
    units: UnitFiles,
    change: Change,
}

const FILE: Shape = Shape::Map(&[
    ("path", Shape::String),
    ("links", Shape::List(&Shape::String)),
    ("text", Shape::Anything),
    ("becomes", Shape::Anything),
    ("changed", Shape::Boolean),
    ("kept", Mention::LIST),
    ("problem", Shape::Anything),
]);

#[async_trait]
impl Read for Repointed {
    const NAME: &'static str = "node.repointed";
    const ABOUT: &'static str = "The files of a node once they name another API server.

They are read in one round trip, and understood: units with their drop-ins and files of variables by systemd's rules and flags by
what they mean; kubeconfigs, files of CNI and all other documents of YAML and JSON by their values, variables by their words. An
endpoint counts as a whole, its port with it, however it is written: another port, a longer address, and what is known for
something else (who issues tokens, members of etcd, remarks) stay, byte for byte. `KUBERNETES_SERVICE_HOST` and `_PORT` change
together. Nothing is written.

The result is a list of maps, one for each file that names one of `old` or `new`:

| name | what |
|---|---|
| `path`, `links` | the file, and the links that lead to it |
| `changed` | whether it has to change |
| `text`, `becomes` | what is in it and what it becomes; `()` for one that stays |
| `kept` | where that still names the host of one of `old`: `path`, `line`, `word`, and `reason`, why that is right; `()` as reason where a person has to look |
| `problem` | why it is not understood, though it names the host of one of `old`; else `()` |

In a plan it is known only when run once a change is planned on the host: take it before.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new(
                "paths",
                ParamKind::Strings,
                "Files, folders with all below them, and patterns like `/home/*/.kube/config`; they need not be there.",
            ),
            Param::new("old", ParamKind::Strings, "The endpoints that shall not be named any more, `ADDRESS:PORT`."),
            Param::new("new", ParamKind::String, "The endpoint that is named instead, `ADDRESS:PORT`."),
        ],
        options: &[Param::option(
            "units",
            ParamKind::Map,
            Absent::Map,
            "Units by name, each with its files, as `node::survey` tells them.",
        )],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "Another port is another server.",
        given: "mkdir -p /opt/demo && printf 'OPTIONS=\"--master=https://192.0.2.1:6443 --etcd-servers=https://192.0.2.1:2379\"\\n' >/opt/demo/kube-proxy",
        code: r#"node::repointed(h, "/opt/demo/kube-proxy", "192.0.2.1:6443", "192.0.2.88:16443").map(|file| [file.becomes, file.kept[0].reason])[0]"#,
        gives: r#"["OPTIONS=\"--master=https://192.0.2.88:16443 --etcd-servers=https://192.0.2.1:2379\"\n", "a member of etcd"]"#,
    }];
    const GIVES: Shape = Shape::List(&FILE);

    fn parse(arguments: &Arguments) -> Result<Self> {
        let servers = arguments.strings("old").iter().map(|old| endpoint(old)).collect::<Result<Vec<_>>>()?;
        let server = Some(endpoint(&arguments.string("new")?)?);
        let units = UnitFiles::of_values(arguments.map("units"));
        Ok(Repointed {
            paths: arguments.strings("paths"),
            units,
            change: Change { servers, server, ..Change::default() },
        })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("node::repointed", host, overlay)
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let left = self.change.left();
        let words: Vec<String> = left.addresses.iter().map(ToString::to_string).chain(left.names).collect();
        let command = ask(&words, self.paths.iter().chain(self.units.paths()).cloned());
        let found = found(&host.ok(&command).await?.text())?;
        let outcomes = self.change.files(&found.files, &self.units, &found.hostname);
        let all = found.files.iter().zip(outcomes).filter_map(|(linked, outcome)| self.value(linked, outcome));
        Ok(Value::List(all.collect()))
    }
}

impl Repointed {
    /// A file as recipes see it; none where it names neither an old server nor the new one.
    fn value(&self, linked: &Linked, outcome: Outcome) -> Option<Value> {
        let (file, Outcome { becomes, kept, problem }) = (&linked.file, outcome);
        let text = file.text.as_deref().unwrap_or_default();
        let new = Change { servers: self.change.server.iter().cloned().collect(), ..Change::default() };
        let is_changed = becomes.is_some();
        if !is_changed && kept.is_empty() && problem.is_none() && new.mention(None, text).is_none() {
            return None;
        }
        let before = is_changed.then_some(text);
        Some(Value::map([
            ("path", Value::from(file.path.as_str())),
            ("links", Value::List(linked.links.iter().map(|link| Value::from(link.as_str())).collect())),
            ("changed", Value::Boolean(is_changed)),
            ("text", before.map_or(Value::Null, Value::from)),
            ("becomes", becomes.map_or(Value::Null, Value::from)),
            ("kept", Mention::values(&kept)),
            ("problem", problem.map_or(Value::Null, Value::from)),
        ]))
    }
}

/// An endpoint that names its host and its port, and nothing else.
pub(super) fn endpoint(text: &str) -> Result<Endpoint> {
    let unclear = || {
        Error::new(Kind::Usage, "node.endpoint", format!("`{text}` is no endpoint"))
            .hint("write ADDRESS:PORT, such as 192.168.2.88:16443")
    };
    let endpoint = Endpoint::parse(text).map_err(|_| unclear())?;
    let is_whole = endpoint.host.is_some() && endpoint.written_port.is_some();
    let is_alone = endpoint.scheme.is_none() && endpoint.path.is_empty();
    if is_whole && is_alone { Ok(endpoint) } else { Err(unclear()) }
}
