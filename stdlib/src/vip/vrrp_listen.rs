//! `vip::vrrp_listen`: who else on the segment moves addresses between hosts.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::transport::{Command, Exit};
use haengine_kernel::value::Value;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct VrrpListen {
    seconds: u64,
}

const LISTEN: &str = include_str!("vrrp_listen.sh");
/// How long the host may take beyond the time that it listens.
const MARGIN: Duration = Duration::from_secs(10);

#[async_trait]
impl Read for VrrpListen {
    const NAME: &'static str = "vip.vrrp_listen";
    const ABOUT: &'static str = "Which numbers of VRRP are in use on the segments of a host.

The host listens with `perl` or `tcpdump`; one that has neither cannot know, which is an error, not an empty answer. Messages \
that two hosts send to each other alone (`unicast_peer`) are seen on these hosts only. The result is an array of maps, one for each \
sender and number:

| name | what |
|---|---|
| `vrid` | the number |
| `source` | who sends |
| `priority` | the highest that was heard |
| `version` | 2 or 3 |
| `addresses` | what is moved, where `perl` listened |";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts()],
        options: &[Param::option(
            "time",
            ParamKind::Duration,
            Absent::String("4s"),
            "How long it listens; senders repeat every second or so.",
        )],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Who uses a number; here nobody does.",
            given: "",
            code: r#"vip::vrrp_listen(h, #{ time: "1s" }).filter(|heard| heard.vrid == 250)"#,
            gives: "[]",
        },
        Example {
            about: "Which addresses are moved under a number.",
            given: SPEAKING,
            code: r#"vip::vrrp_listen(h, #{ time: "2s" }).filter(|heard| heard.vrid == 62)[0].addresses"#,
            gives: r#"["198.51.100.62"]"#,
        },
    ];

    fn parse(arguments: &Arguments) -> Result<Self> {
        let time = arguments.duration("time")?;
        Ok(VrrpListen { seconds: time.as_secs().max(1) })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("vip::vrrp_listen", host, overlay)
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let command = Command::script(LISTEN).arg(self.seconds.to_string());
        let command = command.deadline(Duration::from_secs(self.seconds) + MARGIN);
        let output = host.waiting(host.exec(&command)).await?;
        match output.exit {
            Exit::Status(0) => Ok(heard(&output.text())),
            Exit::Status(3) => {
                Err(Error::new(Kind::Failed, "vip.deaf", "there is neither `perl` nor `tcpdump` to listen with")
                    .hint("install `tcpdump`")
                    .on(host.name()))
            }
            _ => Err(Error::new(Kind::Failed, "vip.deaf", "the host cannot listen for VRRP")
                .because(String::from_utf8_lossy(&output.stderr).trim().to_owned())
                .hint("set `become: true` for the host in the inventory: it takes root's rights")
                .on(host.name())),
        }
    }
}

/// One for each sender and number; a priority of 0 is somebody's farewell.
fn heard(text: &str) -> Value {
    let mut senders: BTreeMap<(i64, &str), (i64, i64, &str)> = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [source, vrid, priority, version, addresses] = words.as_slice() else { continue };
        let (Ok(vrid), Ok(priority), Ok(version)) = (vrid.parse(), priority.parse(), version.parse()) else { continue };
        let sender = senders.entry((vrid, source)).or_insert((priority, version, addresses));
        sender.0 = sender.0.max(priority);
    }
    let told = senders.into_iter().map(|((vrid, source), (priority, version, addresses))| {
        let addresses = addresses.split(',').filter(|address| !address.is_empty()).map(Value::from).collect();
        Value::map([
            ("vrid", vrid.into()),
            ("source", source.into()),
            ("priority", priority.into()),
            ("version", version.into()),
            ("addresses", Value::List(addresses)),
        ])
    });
    Value::List(told.collect())
}

/// A host that moves an address, for the examples.
const SPEAKING: &str = concat!(
    "mkdir -p /opt/demo && printf 'vrrp_instance vip {\\n  state MASTER\\n  interface eth0\\n  virtual_router_id 62\\n  priority 100\\n",
    "  virtual_ipaddress {\\n    198.51.100.62/24\\n  }\\n}\\n' >/opt/demo/keepalived.conf && ",
    "systemd-run -q --unit=demo-vip keepalived -n -f /opt/demo/keepalived.conf -p /run/demo.pid -r /run/demo-vrrp.pid && ",
    "for _ in $(seq 200); do ip -o -4 addr show to 198.51.100.62/32 | grep -q . && break; sleep 0.1; done"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sender_is_told_once() {
        let said = "192.0.2.1 51 100 2 192.0.2.88\n192.0.2.1 51 0 2 192.0.2.88\n192.0.2.2 52 90 3 \nnoise\n";
        let wanted = serde_json::json!([
            {"vrid": 51, "source": "192.0.2.1", "priority": 100, "version": 2, "addresses": ["192.0.2.88"]},
            {"vrid": 52, "source": "192.0.2.2", "priority": 90, "version": 3, "addresses": []},
        ]);
        assert_eq!(heard(said).redacted(), wanted);
    }
}
