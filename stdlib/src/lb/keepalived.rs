//! `lb::keepalived`: an address that moves between the hosts of a balancer.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::op::Example;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;

use super::program::{Balancing, OWNS, RELOAD_ON, TIMEOUT, Usual, VARS, path_of, template, unit_of};

/// See [`Balancing::ABOUT`].
#[derive(Clone)]
pub struct Keepalived;

impl Balancing for Keepalived {
    const NAME: &'static str = "lb.keepalived";
    const ABOUT: &'static str = "keepalived gives an address to one of several hosts, and to another when that one fails.

All hosts begin as `BACKUP` and none preempts, so the address stays where it is when a host comes back. Messages go \
from host to host (`peers`), not to the whole segment. With ten of them a second (`advert`), another host takes over \
less than half a second after the last one. A host gives the address up at once when

- the file `track_file` holds another number than 0: a drop-in of the balancer's unit writes it when the balancer stops;
- the program `check` fails `fall` times. It is run as root, once a second, and must belong to root, as the folders above it.

`keepalived -t` must accept the file. Then keepalived is started, or reloaded where it runs, which moves nothing.

**Undo** puts the file back and reloads, or stops what did not run.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("address", ParamKind::String, "The address, as `192.0.2.88/24`.")],
        options: &[
            Param::option("interface", ParamKind::String, Absent::Refused, "The interface that gets the address."),
            Param::option(
                "vrid",
                ParamKind::Integer,
                Absent::Integer(51),
                "The number that the hosts share, and nobody else on the segment.",
            ),
            Param::option(
                "priority",
                ParamKind::Integer,
                Absent::Integer(100),
                "1 to 254; each host has its own, the highest begins.",
            ),
            Param::option(
                "source",
                ParamKind::String,
                Absent::Means("()"),
                "This host's own address; needed with `peers`.",
            ),
            Param::option(
                "peers",
                ParamKind::Strings,
                Absent::Strings(&[]),
                "The other hosts' addresses; without them, messages go to all of the segment.",
            ),
            Param::option(
                "advert",
                ParamKind::Duration,
                Absent::Float(0.1),
                "How often the holder tells that it is there.",
            ),
            Param::option("check", ParamKind::Path, Absent::Means("()"), "The program that must succeed."),
            Param::option("fall", ParamKind::Integer, Absent::Integer(3), "How often in a row it may not."),
            Param::option("track_file", ParamKind::Path, Absent::Means("()"), "The file that must hold 0."),
            path_of("/etc/keepalived/keepalived.conf"),
            unit_of("keepalived"),
            template("keepalived.conf.j2"),
            VARS,
            RELOAD_ON,
            OWNS,
            TIMEOUT,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "An address for a host whose balancer says in a file whether it runs.",
            given: "mkdir -p /run/demo; echo 0 >/run/demo/nginx",
            code: r#"lb::keepalived(h, "198.51.100.88/24", #{ interface: "eth0", vrid: 61, track_file: "/run/demo/nginx" })"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "Another priority, while it runs: it is reloaded.",
            given: RUNNING,
            code: r#"lb::keepalived(h, "198.51.100.88/24", #{ interface: "eth0", vrid: 61, priority: 90, source: "198.51.100.1", peers: ["198.51.100.2"] })"#,
            gives: r#"{"changed":true}"#,
        },
    ];
    const USUAL: Usual = Usual { test: "keepalived -t -f %s", owns: &[] };

    fn names(arguments: &Arguments) -> Result<BTreeMap<String, Value>> {
        let address = arguments.string("address")?;
        let is_address = address.split_once('/').is_some_and(|(ip, prefix)| {
            ip.parse::<Ipv4Addr>().is_ok() && prefix.parse::<u8>().is_ok_and(|prefix| (1..=32).contains(&prefix))
        });
        if !is_address {
            return Err(wrong(format!("`{address}` is no IPv4 address with a prefix"), "write it as `192.0.2.88/24`"));
        }
        let peers = arguments.strings("peers");
        let source = arguments.opt_string("source");
        if !peers.is_empty() && source.is_none() {
            return Err(wrong(
                "`lb::keepalived` needs `source` beside `peers`".to_owned(),
                "name this host's own address",
            ));
        }
        let mut names = BTreeMap::from([
            ("address".to_owned(), Value::from(address)),
            ("interface".to_owned(), Value::from(arguments.string("interface")?)),
            ("vrid".to_owned(), Value::Integer(within(arguments, "vrid", 255)?)),
            ("priority".to_owned(), Value::Integer(within(arguments, "priority", 254)?)),
            ("fall".to_owned(), Value::Integer(within(arguments, "fall", 60)?)),
            ("advert".to_owned(), Value::from(advert(arguments)?)),
            ("peers".to_owned(), Value::List(peers.into_iter().map(Value::from).collect())),
        ]);
        names.extend(source.map(|source| ("source".to_owned(), Value::from(source))));
        for path in ["check", "track_file"] {
            names.extend(arguments.opt_string(path).map(|text| (path.to_owned(), Value::from(text))));
        }
        Ok(names)
    }
}

fn within(arguments: &Arguments, name: &str, most: i64) -> Result<i64> {
    let number = arguments.integer(name)?;
    if (1..=most).contains(&number) {
        return Ok(number);
    }
    Err(wrong(format!("`{name}` of `lb::keepalived` cannot be {number}"), format!("write a number from 1 to {most}")))
}

/// VRRP counts in hundredths of a second.
fn advert(arguments: &Arguments) -> Result<String> {
    let hundredths = arguments.duration("advert")?.as_millis() / 10;
    if (1..=4095).contains(&hundredths) {
        return Ok(format!("{}.{:02}", hundredths / 100, hundredths % 100));
    }
    Err(wrong("`advert` of `lb::keepalived` cannot be so".to_owned(), "write a time from 10ms to 40s"))
}

fn wrong(message: String, hint: impl Into<String>) -> Error {
    Error::new(Kind::Usage, "lb.keepalived", message).hint(hint.into())
}

/// One that runs, for the examples.
const RUNNING: &str = concat!(
    "printf 'vrrp_instance vip {\\n  state BACKUP\\n  interface eth0\\n  virtual_router_id 61\\n  priority 100\\n",
    "  virtual_ipaddress {\\n    198.51.100.88/24\\n  }\\n}\\n' >/etc/keepalived/keepalived.conf && systemctl start keepalived"
);
