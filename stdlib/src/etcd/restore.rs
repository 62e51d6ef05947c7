//! `etcd::restore`: a data folder, made from a snapshot.

use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::action::Action;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::transport::{Command, Exit, Output};
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::add_member::{name, peer_urls};
use super::file;

/// See [`Action::ABOUT`].
#[derive(Clone, Serialize, Deserialize)]
pub struct Restore {
    snapshot: String,
    data: String,
    name: String,
    peer_urls: Vec<String>,
    initial_cluster: String,
    token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bump: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    patience: Duration,
}

const RESTORE: &str = concat!(include_str!("restored_print.sh"), include_str!("file.sh"), include_str!("restore.sh"));
const RESTORED: &str = concat!(include_str!("restored_print.sh"), include_str!("restored.sh"));

#[async_trait]
impl Action for Restore {
    const NAME: &'static str = "etcd.restore";
    const ABOUT: &'static str = "Makes the data folder of a member of etcd from a snapshot on the host.

Each member of the new cluster has its own made, from one and the same snapshot, with the same `initial_cluster` and the same new \
`token`; then they are started together. A data folder that is there is never touched (`etcd.exists`): stop etcd and move it \
away first. The new one is for its owner alone; it belongs to the owner of the folder that it is in, or to `owner`.

A cluster that was set back counts its revisions again from where the snapshot was: whoever watches it, as API servers, \
controllers and kubelets do, would believe that nothing happened. `bump` lets the revision go on further than the old \
cluster ever was (`1000000000` is usual), and ends all watches from before. Not every program can: that it did is told by the result, \
a map:

| name | what |
|---|---|
| `bumped` | whether the revision was raised; where not, restart everything that watches |
| `revision` | how far the new cluster is, where `etcdutl` or `etcdctl` is there to tell |

It is made by `etcdutl`, or by `etcdctl` where that still can (not from 3.6 on). Where a broken-off attempt made the folder from the \
same snapshot, and it was never used since, there is nothing to do, and the result is `()`.

Nothing takes it back. What was made stays: stop etcd and remove it.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("snapshot", ParamKind::Path, "The snapshot on the host.")],
        options: &[
            Param::option("data", ParamKind::Path, Absent::Refused, "The data folder, which is not there yet."),
            Param::option("name", ParamKind::String, Absent::Refused, "The member's `--name`."),
            Param::option("peer_urls", ParamKind::Strings, Absent::Refused, "Its `--initial-advertise-peer-urls`."),
            Param::option(
                "initial_cluster",
                ParamKind::String,
                Absent::Refused,
                "`--initial-cluster`: all members of the new cluster.",
            ),
            Param::option(
                "token",
                ParamKind::String,
                Absent::Refused,
                "`--initial-cluster-token`: one that the old cluster did not have.",
            ),
            Param::option(
                "bump",
                ParamKind::Integer,
                Absent::Means("the revision goes on where the snapshot was"),
                "By how much the revision is raised, where the program can.",
            ),
            Param::option(
                "owner",
                ParamKind::String,
                Absent::Means("the owner of the folder that it is in"),
                "`USER` or `USER:GROUP`.",
            ),
            Param::option("patience", ParamKind::Duration, Absent::String("15m"), "How long it may take."),
        ],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "The one member of a new cluster.",
        given: SNAPSHOT,
        code: r#"etcd::restore(h, "/var/tmp/demo.snapshot", #{ data: "/srv/demo-etcd", name: "demo", token: "demo-2",
    peer_urls: "http://localhost:2380", initial_cluster: "demo=http://localhost:2380" }).revision"#,
        gives: "2",
    }];
    const GIVES: Shape = Shape::Map(&[("bumped", Shape::Boolean), ("revision", Shape::Integer)]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        let data = arguments.string("data")?.trim_end_matches('/').to_owned();
        let bump = arguments.opt_integer("bump").filter(|bump| *bump != 0);
        if bump.is_some_and(|bump| bump < 0) {
            let error = Error::new(Kind::Usage, "etcd.bump", "a revision can only be raised");
            return Err(error.hint("write `bump: 1000000000`, or leave it out"));
        }
        Ok(Restore {
            snapshot: arguments.string("snapshot")?,
            data,
            name: name(arguments)?,
            peer_urls: peer_urls(arguments)?,
            initial_cluster: arguments.string("initial_cluster")?,
            token: arguments.string("token")?,
            bump,
            owner: arguments.opt_string("owner"),
            patience: arguments.duration("patience")?,
        })
    }

    fn target(&self) -> String {
        self.data.clone()
    }

    /// Of a folder that is there and was used, nobody can tell whose it is.
    async fn done(&self, host: &Host) -> Result<Option<bool>> {
        let command = Command::script(RESTORED).args([&self.snapshot, &self.data]).arg(self.wanted());
        Ok(match host.ok(&command.deadline(self.patience)).await?.text().trim() {
            "restored" => Some(true),
            "nothing" => Some(false),
            _ => None,
        })
    }

    async fn before(&self, host: &Host) -> Result<Json> {
        match file::exists(host, &self.data).await? {
            true => Err(file::taken(&self.data).on(host.name())),
            false => Ok(Json::Null),
        }
    }

    async fn perform(&self, host: &Host) -> Result<Value> {
        let command = Command::script(RESTORE)
            .args([&self.snapshot, &self.data, &self.name])
            .arg(self.peer_urls.join(","))
            .args([&self.initial_cluster, &self.token])
            .arg(self.bump.map_or(String::new(), |bump| bump.to_string()))
            .arg(self.owner.as_deref().unwrap_or_default())
            .arg(self.wanted())
            .deadline(self.patience);
        let output = host.waiting(host.exec(&command)).await?;
        if output.success() { Ok(self.told(&output.text())) } else { Err(self.failed(&output).on(host.name())) }
    }
}

impl Restore {
    /// What is wanted, so that another wish is not taken for done.
    fn wanted(&self) -> String {
        let Restore { name, peer_urls, initial_cluster, token, bump, .. } = self;
        let wish = serde_json::json!([name, peer_urls, initial_cluster, token, bump]).to_string();
        Sha256::digest(wish).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn told(&self, said: &str) -> Value {
        let (bump, status) = said.trim().split_once(' ').unwrap_or((said.trim(), ""));
        let bump: Option<i64> = bump.parse().ok();
        let status: Json = serde_json::from_str(status).unwrap_or_default();
        let revision = status["revision"].as_i64().map(|revision| revision + bump.unwrap_or_default());
        let known = [("bumped", Some(bump.is_some().into())), ("revision", revision.map(Value::Integer))];
        Value::Map(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    }

    fn failed(&self, output: &Output) -> Error {
        match output.exit {
            Exit::Status(20) => {
                let message = "the host has neither `etcdutl` nor an `etcdctl` that can restore a snapshot";
                Error::new(Kind::Refused, "etcd.no_program", message)
                    .hint("install `etcdutl`: `etcdctl` lost it with version 3.6")
            }
            Exit::Status(30 | 31 | 33 | 38) => file::failed("etcd.restore", &self.data, output),
            _ => file::failed("etcd.restore", &self.snapshot, output),
        }
    }
}

/// A snapshot of a cluster of one member with one key.
const SNAPSHOT: &str = concat!(
    "systemctl stop demo-etcd 2>/dev/null; rm -rf /run/demo-etcd /var/tmp/demo.snapshot\n",
    "systemd-run -q --unit=demo-etcd -p Type=notify etcd --name demo --data-dir /run/demo-etcd\n",
    "etcdctl put a b && etcdctl snapshot save /var/tmp/demo.snapshot && systemctl stop demo-etcd"
);

#[cfg(test)]
mod tests {
    use super::*;

    fn restore(bump: Option<i64>) -> Restore {
        let text = || String::new();
        Restore {
            snapshot: "/srv/snapshot".to_owned(),
            data: "/var/lib/etcd/data".to_owned(),
            name: text(),
            peer_urls: Vec::new(),
            initial_cluster: text(),
            token: text(),
            bump,
            owner: None,
            patience: Duration::from_secs(1),
        }
    }

    #[test]
    fn what_was_not_bumped_is_said() {
        let told = |said: &str| restore(Some(1000)).told(said).redacted().to_string();
        let status = r#"{"hash":1,"revision":7,"totalKey":3,"totalSize":4}"#;
        assert_eq!(told(&format!("1000 {status}\n")), r#"{"bumped":true,"revision":1007}"#);
        assert_eq!(told(&format!("none {status}\n")), r#"{"bumped":false,"revision":7}"#);
        assert_eq!(told("none \n"), r#"{"bumped":false}"#);
    }

    #[test]
    fn an_error_names_what_it_is_about() {
        let failed = |status| {
            restore(None).failed(&Output { exit: Exit::Status(status), stdout: Vec::new(), stderr: Vec::new() })
        };
        assert_eq!(failed(31).message(), "`/var/lib/etcd/data` is there already");
        assert_eq!(failed(37).message(), "`/srv/snapshot` is encrypted");
        assert_eq!(failed(20).code(), "etcd.no_program");
        assert_ne!(restore(None).wanted(), restore(Some(1)).wanted());
    }
}
