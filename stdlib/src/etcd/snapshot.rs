//! `etcd::snapshot`: all that a cluster holds, in a file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::action::Action;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::transport::Command;
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::ask::{AUTHORITY, Ask, CERTIFICATE, ENDPOINTS, KEY, TIMEOUT};
use super::cluster::{Cluster, Member};
use super::file;
use super::flow::{Facts, Places, Print, Source, recipients};

/// See [`Action::ABOUT`].
#[derive(Clone, Serialize, Deserialize)]
pub struct Snapshot {
    #[serde(flatten)]
    ask: Ask,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    local: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    recipients: Vec<String>,
    patience: Duration,
}

const TAKE: &str = concat!(
    include_str!("certificates.sh"),
    include_str!("how.sh"),
    include_str!("file.sh"),
    include_str!("flow/take.sh")
);

/// A cluster of one member with one key.
const FILLED: &str = concat!(
    "systemctl stop demo-etcd 2>/dev/null; rm -rf /run/demo-etcd\n",
    "systemd-run -q --unit=demo-etcd -p Type=notify etcd --name demo --data-dir /run/demo-etcd\n",
    "etcdctl put a b"
);

#[async_trait]
impl Action for Snapshot {
    const NAME: &'static str = "etcd.snapshot";
    const ABOUT: &'static str = "Writes all that a cluster of etcd holds to a file, on the host, on your machine, or on both.

**It holds every Secret of the cluster in plain.** The file is for its owner alone (`0600`). With `recipients`, public keys of \
age (`age1…`), it is encrypted before it is written anywhere on your machine or at `to`; `age --decrypt` opens it. A host \
with `etcdctl` and without `to`, or with `recipients`, has it in plain for a moment in `/var/tmp`, for root alone.

It is taken from exactly one member: the first of the `endpoints` that is a voter, answers, and knows the leader. What came is \
compared with the SHA-256 that etcd ends a snapshot with. It is written beside its place, forced to disk, and then named, so it is \
never seen half done; what is at its place already is never written over (`etcd.exists`). The result is a map:

| name | what |
|---|---|
| `bytes`, `sha256` | of the file as it lies at its places |
| `member_id` | whose snapshot it is |
| `path`, `local` | where it is: on the host, on your machine |
| `revision`, `keys` | how far the cluster was, where `etcdutl` or `etcdctl` is there to tell |

A host without `etcdctl` takes it from the gateway by `curl`, through your machine. What needs to be restored also needs \
`etcdutl` or `etcdctl` on the host: see `etcd::restore`.

Nothing takes it back: a snapshot is kept.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts()],
        options: &[
            Param::option("to", ParamKind::Path, Absent::Means("not on the host"), "The file on the host."),
            Param::option(
                "local",
                ParamKind::LocalPlace,
                Absent::Means("not on your machine"),
                "The file on your machine; `{host}` stands for the host's name.",
            ),
            Param::option(
                "recipients",
                ParamKind::Strings,
                Absent::Strings(&[]),
                "Public keys of age; without them it is not encrypted.",
            ),
            ENDPOINTS,
            AUTHORITY,
            CERTIFICATE,
            KEY,
            TIMEOUT,
            Param::option("patience", ParamKind::Duration, Absent::String("15m"), "How long it may take."),
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "On the host, with what is known of it.",
            given: FILLED,
            code: r#"etcd::snapshot(h, #{ endpoints: "http://127.0.0.1:2379", to: "/var/tmp/demo.snapshot" }).revision"#,
            gives: "2",
        },
        Example {
            about: "On your machine, encrypted on its way.",
            given: super::health::DEMO,
            code: r#"etcd::snapshot(h, #{ endpoints: "http://127.0.0.1:2379", local: "demo-{host}.age",
    recipients: "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p" }).bytes > 24576"#,
            gives: "true",
        },
        Example {
            about: "On both.",
            given: super::health::DEMO,
            code: r#"etcd::snapshot(h, #{ endpoints: "http://127.0.0.1:2379", to: "/opt/demo.snapshot", local: "{host}.db" }).path"#,
            gives: r#""/opt/demo.snapshot""#,
        },
    ];
    const GIVES: Shape = Shape::Map(&[
        ("bytes", Shape::Integer),
        ("sha256", Shape::String),
        ("member_id", Shape::String),
        ("path", Shape::String),
        ("local", Shape::String),
        ("revision", Shape::Integer),
        ("keys", Shape::Integer),
    ]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        let to = arguments.opt_string("to");
        let local = arguments.opt_string("local").map(|_| arguments.local_place("local")).transpose()?;
        if to.is_none() && local.is_none() {
            let error = Error::new(Kind::Usage, "call.missing", "`etcd::snapshot` needs a place for the snapshot");
            return Err(error.hint("name `to`, a path on the host, or `local`, a path on your machine"));
        }
        let named = arguments.opt_string("local").unwrap_or_default();
        if let Some(folder) = [to.clone().unwrap_or_default(), named].iter().find(|place| place.ends_with('/')) {
            let error =
                Error::new(Kind::Usage, "etcd.place", format!("`{folder}` is a folder, and no place for a file"));
            return Err(error.hint("add the name that the snapshot shall have"));
        }
        let keys = arguments.strings("recipients");
        recipients(&keys)?;
        let (ask, patience) = (Ask::parse(arguments)?, arguments.duration("patience")?);
        Ok(Snapshot { ask, to, local, recipients: keys, patience })
    }

    fn target(&self) -> String {
        let local = || self.local.as_ref().map(|local| local.display().to_string());
        self.to.clone().or_else(local).unwrap_or_default()
    }

    /// Where nothing is at its places, nothing was done; of what is there nobody can tell whose it is.
    async fn done(&self, host: &Host) -> Result<Option<bool>> {
        Ok(if self.taken(host).await?.is_some() { None } else { Some(false) })
    }

    async fn before(&self, host: &Host) -> Result<Json> {
        self.is_free(host).await.map(|()| Json::Null)
    }

    async fn perform(&self, host: &Host) -> Result<Value> {
        self.is_free(host).await?;
        let cluster = Cluster::look(&self.ask, host).await?;
        let (member, endpoint) = self.source(&cluster)?;
        let work = tokio::time::timeout(self.patience, self.take(host, &endpoint));
        let taken = host.waiting(async { work.await.unwrap_or_else(|_| Err(self.late())) }).await;
        let (facts, print) = taken.map_err(|error| error.on(host.name()))?;
        Ok(self.told(host, &member, &facts, &print))
    }
}

impl Snapshot {
    fn local(&self, host: &Host) -> Option<PathBuf> {
        let local = self.local.as_ref()?;
        Some(PathBuf::from(local.to_string_lossy().replace("{host}", host.name())))
    }

    /// Which of its places is taken.
    async fn taken(&self, host: &Host) -> Result<Option<String>> {
        if let Some(local) = self.local(host).filter(|local| std::fs::symlink_metadata(local).is_ok()) {
            return Ok(Some(local.display().to_string()));
        }
        match &self.to {
            Some(path) if file::exists(host, path).await? => Ok(Some(path.clone())),
            _ => Ok(None),
        }
    }

    async fn is_free(&self, host: &Host) -> Result<()> {
        match self.taken(host).await? {
            Some(place) => Err(file::taken(&place).on(host.name())),
            None => Ok(()),
        }
    }

    /// The member that is asked, and where.
    fn source(&self, cluster: &Cluster) -> Result<(Member, String)> {
        let answers_at = |member: &&Member, endpoint: &String| {
            !member.learner
                && cluster.is_live(member)
                && member.status.as_ref().is_ok_and(|status| status.endpoint == *endpoint)
        };
        let found = self.ask.endpoints.iter().find_map(|endpoint| {
            let member = cluster.members.iter().find(|member| answers_at(member, endpoint))?;
            Some((member.clone(), endpoint.clone()))
        });
        found.ok_or_else(|| {
            Error::new(Kind::Failed, "etcd.unanswered", "no endpoint of etcd is a voter that knows its leader")
                .because(self.ask.endpoints.join(", "))
                .hint("look at `etcd::health` of all members")
        })
    }

    /// Takes it from a member and puts it to its places.
    async fn take(&self, host: &Host, endpoint: &str) -> Result<(Facts, Print)> {
        // What is not encrypted goes straight to its place on the host.
        let direct = self.to.as_deref().filter(|_| self.recipients.is_empty());
        let command = self
            .ask
            .within(self.patience)
            .command(TAKE, &[endpoint.to_owned()])
            .arg(endpoint)
            .arg(direct.unwrap_or_default());
        let source = match Source::open(host, &command).await? {
            Ok(source) => source,
            Err(output) => {
                self.ask.refused(&output)?;
                return Err(file::failed("etcd.snapshot", self.to.as_deref().unwrap_or(endpoint), &output));
            }
        };
        let facts = source.facts.clone();
        let local = self.local(host);
        if direct.is_none() || facts.by_curl {
            let print = self.put(host, source, local.as_deref(), self.to.as_deref()).await?;
            return Ok((facts, print));
        }
        let output = source.end().await?;
        if !output.success() {
            return Err(file::failed("etcd.snapshot", direct.unwrap_or_default(), &output));
        }
        let print = Print { bytes: facts.bytes, sha256: facts.sha256.clone() };
        if let (Some(local), Some(path)) = (local, direct) {
            self.copy(host, path, &local, &print).await?;
        }
        Ok((facts, print))
    }

    /// Puts what comes to places, if it is whole.
    async fn put(&self, host: &Host, source: Source, local: Option<&Path>, path: Option<&str>) -> Result<Print> {
        let mut places = Places::begin(host, local, path, &self.recipients).await?;
        let (output, is_whole) = places.fill(host, source).await?;
        if !output.success() {
            return Err(file::failed("etcd.snapshot", path.unwrap_or("the snapshot"), &output));
        }
        if !is_whole {
            return Err(file::not_whole("the snapshot"));
        }
        places.place().await?.map_err(|output| file::failed("etcd.snapshot", path.unwrap_or_default(), &output))
    }

    /// Copies what lies on the host to the operator's machine.
    async fn copy(&self, host: &Host, path: &str, local: &Path, print: &Print) -> Result<()> {
        let command = Command::script("echo etcdctl\nexec cat -- \"$1\"").arg(path);
        let opened = Source::open(host, &command).await?;
        let source = opened.map_err(|output| file::failed("etcd.snapshot", path, &output))?;
        let copied = self.put(host, source, Some(local), None).await?;
        if copied == *print { Ok(()) } else { Err(file::not_whole(path)) }
    }

    fn told(&self, host: &Host, member: &Member, facts: &Facts, print: &Print) -> Value {
        let count = |count: Option<i64>| count.map(Value::Integer);
        let local = self.local(host).map(|local| Value::from(local.display().to_string()));
        let known = [
            ("bytes", i64::try_from(print.bytes).ok().map(Value::Integer)),
            ("sha256", Some(print.sha256.as_str().into())),
            ("member_id", Some(member.id.as_str().into())),
            ("path", self.to.as_deref().map(Value::from)),
            ("local", local),
            ("revision", count(facts.revision)),
            ("keys", count(facts.keys)),
        ];
        Value::Map(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    }

    fn late(&self) -> Error {
        let message = format!("the snapshot was not there after {} s", self.patience.as_secs());
        Error::new(Kind::Failed, "etcd.snapshot", message).hint("give it more `patience`")
    }
}
