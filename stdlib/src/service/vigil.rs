//! A vigil over the units of a node, beside something else that is waited for: what ends again and again never comes.

use std::collections::HashMap;
use std::time::Duration;

use haengine_kernel::error::Error;
use haengine_kernel::host::Host;
use haengine_kernel::transport::Command;

use super::failure;

/// What a node is made of; what others need comes first.
const UNITS: [&str; 6] = ["containerd", "docker", "crio", "etcd", "kube-apiserver", "kubelet"];

/// From one look to the next.
const LOOK: Duration = Duration::from_secs(2);

/// A unit may end for want of another one, and stay up once that is there.
const ENDS: u64 = 3;

/// Its first line is the command's name for a person.
const EXPLAIN: &str = "# Says why a unit ended.\nexport LC_ALL=C
systemctl show -p ActiveState,Type,Result,ExecMainStatus,NRestarts -- \"$1\"
echo
journalctl -q --no-pager -o cat -n 15 -u \"$1\"
exit 13";

/// What systemd says of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    unit: String,
    failed: bool,
    /// How often it was started again by itself.
    restarts: u64,
}

/// Gives why a unit of the node does not stay up, as soon as that is sure; as long as none is it gives nothing.
pub async fn vigil(host: &Host) -> Error {
    let mut first = HashMap::new();
    loop {
        // A host that does not answer for a moment says nothing of its units.
        for seen in look(host).await {
            let before = first.entry(seen.unit.clone()).or_insert_with(|| seen.clone());
            if seen.has_ended_since(before)
                && let Some(error) = explain(host, &seen.unit).await
            {
                return error;
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl Seen {
    /// What had failed before anybody waited may be of no use to the node; without its kubelet it is none.
    fn has_ended_since(&self, before: &Seen) -> bool {
        let has_failed = self.failed && (!before.failed || self.unit == "kubelet.service");
        has_failed || self.restarts >= before.restarts + ENDS
    }
}

async fn look(host: &Host) -> Vec<Seen> {
    let show = ["show", "-p", "Id,LoadState,ActiveState,NRestarts", "--"];
    let command = Command::new("systemctl").args(show).args(UNITS);
    host.exec(&command).await.map(|output| parse(&output.text())).unwrap_or_default()
}

/// Units are told one after the other, with an empty line between. Those that are not there are none.
fn parse(text: &str) -> Vec<Seen> {
    let seen = |block: &str| {
        let property = |name: &str| failure::property(block, name);
        let is_loaded = property("LoadState") == Some("loaded");
        is_loaded.then(|| Seen {
            unit: property("Id").unwrap_or_default().to_owned(),
            failed: property("ActiveState") == Some("failed"),
            // Before systemd 235 nobody counted.
            restarts: property("NRestarts").and_then(|count| count.parse().ok()).unwrap_or(0),
        })
    };
    text.split("\n\n").filter_map(seen).collect()
}

async fn explain(host: &Host, unit: &str) -> Option<Error> {
    let output = host.exec(&Command::script(EXPLAIN).arg(unit)).await.ok()?;
    Some(failure::explain(unit, "stay up", 0, &output).on(host.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_that_are_there_are_read_and_no_others() {
        let text = "Id=kubelet.service\nLoadState=loaded\nActiveState=activating\nNRestarts=4\n\n\
                    Id=docker.service\nLoadState=not-found\nActiveState=inactive\n\n\
                    Id=etcd.service\nLoadState=loaded\nActiveState=failed\n";
        let seen = |unit: &str, failed, restarts| Seen { unit: unit.to_owned(), failed, restarts };
        assert_eq!(parse(text), [seen("kubelet.service", false, 4), seen("etcd.service", true, 0)]);
        assert_eq!(parse(""), []);
    }

    #[test]
    fn what_ends_again_and_again_never_comes() {
        let seen = |unit: &str, failed, restarts| Seen { unit: format!("{unit}.service"), failed, restarts };
        let ended = |before: &Seen, now: &Seen| now.has_ended_since(before);
        assert!(!ended(&seen("kubelet", false, 4), &seen("kubelet", false, 6)), "it may stay up yet");
        assert!(ended(&seen("kubelet", false, 4), &seen("kubelet", false, 7)));
        assert!(ended(&seen("etcd", false, 0), &seen("etcd", true, 0)));
        assert!(!ended(&seen("docker", true, 0), &seen("docker", true, 0)), "of no use to the node");
        assert!(ended(&seen("kubelet", true, 0), &seen("kubelet", true, 0)));
    }
}
