//! `vip::handover`: the holder of an address lets another host take it.

use std::net::Ipv4Addr;
use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::action::Action;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::read::Read;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::transport::{Command, Exit};
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};

use super::holder::{ADDRESS, address, has};
use crate::file::path;
use crate::file::read::Read as ReadFile;

/// See [`Action::ABOUT`].
#[derive(Clone, Serialize, Deserialize)]
pub struct Handover {
    address: Ipv4Addr,
    path: String,
    unit: String,
    /// Seconds.
    overlap: u64,
}

const START: &str = include_str!("handover_start.sh");
const HANDOVER: &str = include_str!("handover.sh");
/// How long the script takes beyond the overlap, and a margin.
const MARGIN: Duration = Duration::from_secs(30);

#[async_trait]
impl Action for Handover {
    const NAME: &'static str = "vip.handover";
    const ABOUT: &'static str = "The host that has an address lets another one take it, without a moment in which nobody serves it.

It is for planned work on a host: hand the address over first, then touch its API server. Where the host does not have \
the address, there is nothing to do. keepalived is told to give it up through the file that it tracks, as `lb::keepalived` sets it \
up, else by stopping its unit. Meanwhile the address stays on the host's loopback interface, so that clients who have not \
learned yet where it is are served by the balancer here as before. After `overlap` that ends, keepalived is there again \
as a backup, and connections that were begun here and still stand are cut.

When nobody takes the address, or the configuration lets this host take it back, it stays here, and that is an error.

What takes it back is a handover on the other host: where an address is, is nobody's configuration.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), ADDRESS],
        options: &[
            Param::option(
                "path",
                ParamKind::Path,
                Absent::String("/etc/keepalived/keepalived.conf"),
                "keepalived's configuration.",
            ),
            Param::option("unit", ParamKind::String, Absent::String("keepalived"), "Its unit."),
            Param::option(
                "overlap",
                ParamKind::Duration,
                Absent::String("6s"),
                "How long clients may take to learn where it is.",
            ),
        ],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "The other host takes it.",
        given: TWO,
        code: r#"vip::handover(h, "198.51.100.88", #{ path: "/opt/demo/one.conf", overlap: "1s" })"#,
        gives: "null",
    }];

    fn parse(arguments: &Arguments) -> Result<Self> {
        let path = arguments.string("path")?;
        Ok(Handover {
            address: address(arguments)?,
            path: path::clean(&path)?,
            unit: arguments.string("unit")?,
            overlap: arguments.duration("overlap")?.as_secs(),
        })
    }

    fn target(&self) -> String {
        self.address.to_string()
    }

    /// A host without the address has nothing to hand over.
    fn repeatable(&self) -> bool {
        true
    }

    async fn done(&self, host: &Host) -> Result<Option<bool>> {
        Ok(Some(!has(host, self.address).await?))
    }

    async fn perform(&self, host: &Host) -> Result<Value> {
        let file = match ReadFile::of(self.path.clone(), true).read(host).await? {
            Value::Secret(text) => tracked(text.expose()),
            _ => None,
        };
        let deadline = Duration::from_secs(self.overlap) + MARGIN;
        let command = Command::script(START)
            .arg(HANDOVER)
            .arg(self.address.to_string())
            .arg(file.unwrap_or_default())
            .arg(&self.unit)
            .arg(self.overlap.to_string())
            .deadline(deadline);
        let output = host.waiting(host.exec(&command)).await?;
        let error = match output.exit {
            Exit::Status(0 | 4) => return Ok(Value::Null),
            Exit::Status(5) => self.failed("nobody else took it").hint(
                "look at keepalived on the other hosts; where one takes it back, write `nopreempt` and `state BACKUP`",
            ),
            _ => self
                .failed("the host did not give it up")
                .because(String::from_utf8_lossy(&output.stderr).trim().to_owned())
                .hint("look at `journalctl -u keepalived` on the host"),
        };
        Err(error.on(host.name()))
    }
}

impl Handover {
    fn failed(&self, why: &str) -> Error {
        Error::new(Kind::Failed, "vip.handover", format!("`{}` is where it was: {why}", self.address))
    }
}

/// The file that a configuration of keepalived tracks.
fn tracked(text: &str) -> Option<String> {
    let lines = text.lines().map(str::trim).skip_while(|line| {
        let block = line.strip_prefix("vrrp_").unwrap_or(line);
        !(block.starts_with("track_file ") && block.ends_with('{') && block.split_whitespace().count() > 2)
    });
    let inside = lines.skip(1).take_while(|line| *line != "}");
    inside.filter_map(|line| line.strip_prefix("file ")).map(|file| file.trim().trim_matches('"').to_owned()).next()
}

/// Two hosts with keepalived, one of them in a network namespace of its own, for the example.
const TWO: &str = r#"mkdir -p /opt/demo
ip netns del demo 2>/dev/null
ip netns add demo && ip link add demo0 type veth peer name demo1 netns demo &&
ip addr add 198.51.100.1/24 dev demo0 && ip link set demo0 up &&
ip -n demo addr add 198.51.100.2/24 dev demo1 && ip -n demo link set demo1 up && ip -n demo link set lo up || exit 1
instance() {
    echo 'global_defs {'; echo '  vrrp_version 3'; echo '}'
    echo 'track_file balancer {'; echo "  file \"/run/demo-$1\""; echo '  weight 0'; echo '  init_file 0'; echo '}'
    echo 'vrrp_instance vip {'; echo '  state BACKUP'; echo '  nopreempt'; echo "  interface demo$2"
    echo '  virtual_router_id 61'; echo "  priority $3"; echo '  advert_int 0.1'; echo "  unicast_src_ip 198.51.100.$4"
    echo '  unicast_peer {'; echo "    198.51.100.$5"; echo '  }'; echo '  virtual_ipaddress {'
    echo '    198.51.100.88/24'; echo '  }'; echo '  track_file {'; echo '    balancer'; echo '  }'; echo '}'
}
instance one 0 100 1 2 >/opt/demo/one.conf
instance two 1 90 2 1 >/opt/demo/two.conf
systemd-run -q --unit=demo-one keepalived -n -f /opt/demo/one.conf -p /run/demo-one.pid -r /run/demo-one-vrrp.pid || exit 1
until ip -o -4 addr show dev demo0 to 198.51.100.88/32 | grep -q .; do sleep 0.1; done
systemd-run -q --unit=demo-two ip netns exec demo \
    keepalived -n -f /opt/demo/two.conf -p /run/demo-two.pid -r /run/demo-two-vrrp.pid
started=$(systemctl show -p InvocationID --value demo-two)
until journalctl "_SYSTEMD_INVOCATION_ID=$started" -o cat | grep -q 'Entering BACKUP STATE'; do sleep 0.1; done"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tracked_file_is_found() {
        let text = "global_defs {\n}\ntrack_file balancer {\n    file \"/run/balancer\"\n    weight 0\n}\nvrrp_instance vip {\n    track_file {\n        balancer\n    }\n}\n";
        assert_eq!(tracked(text).as_deref(), Some("/run/balancer"));
        assert_eq!(tracked(&text.replace("track_file b", "vrrp_track_file b")).as_deref(), Some("/run/balancer"));
        assert_eq!(tracked("vrrp_instance a {\n track_file {\n  b\n }\n}\n"), None);
    }
}
