//! `ssh::facts`: what a host is.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Param, Signature};
use haengine_kernel::transport::Command;
use haengine_kernel::value::Value;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Facts;

#[async_trait]
impl Read for Facts {
    const NAME: &'static str = "ssh.facts";
    const ABOUT: &'static str = "Tells what a host is, in one round trip.

The result is a map:

| name | what |
|---|---|
| `hostname` | its own name |
| `machine_id`, `boot_id` | of the installation, and of this boot |
| `os` | a map: `id` (`debian`), `version` (`12`), `name`, `family` (`debian`, `redhat`, `suse`, or the `id`) |
| `kernel`, `arch` | as `uname` says |
| `cpus`, `memory` | how many, and bytes |
| `addresses` | IPv4 then IPv6, without those of the loopback and link-local ones |
| `uptime` | seconds |
| `time` | nanoseconds since 1970, UTC |
| `clock_offset` | seconds by which its clock is ahead of yours; exact to half a round trip, to half a second where `date` tells no fractions |
| `init`, `systemd` | the name of the init; systemd's version, or `()` |
| `package_manager` | `apt`, `dnf`, `yum`, `zypper`, `apk`, `pacman`, or `()` |
| `selinux` | `enforcing`, `permissive` or `disabled` |
| `timezone` | `Europe/Berlin`, or `()` |

In a plan they are known only when run once a command or a package is planned on the host: take them before.";
    const SIGNATURE: Signature = Signature { positional: &[Param::hosts()], options: &[] };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Which package manager it has.",
            given: "",
            code: "ssh::facts(h).package_manager",
            gives: r#""apt""#,
        },
        Example {
            about: "Whether its clock is within half a second of yours.",
            given: "",
            code: "ssh::facts(h).clock_offset.abs() < 0.5",
            gives: "true",
        },
    ];
    const GIVES: Shape = Shape::Map(&[
        ("hostname", Shape::Anything),
        ("machine_id", Shape::Anything),
        ("boot_id", Shape::Anything),
        (
            "os",
            Shape::Map(&[
                ("id", Shape::String),
                ("version", Shape::Anything),
                ("family", Shape::String),
                ("name", Shape::Anything),
            ]),
        ),
        ("kernel", Shape::Anything),
        ("arch", Shape::Anything),
        ("cpus", Shape::Integer),
        ("memory", Shape::Integer),
        ("addresses", Shape::List(&Shape::String)),
        ("uptime", Shape::Float),
        ("time", Shape::Integer),
        ("clock_offset", Shape::Float),
        ("init", Shape::Anything),
        ("systemd", Shape::Anything),
        ("package_manager", Shape::Anything),
        ("selinux", Shape::Anything),
        ("timezone", Shape::Anything),
    ]);

    fn parse(_arguments: &Arguments) -> Result<Self> {
        Ok(Facts)
    }

    /// Planned files are no facts, but for the few from which facts are made.
    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        let sources = ["/etc/hostname", "/etc/localtime", "/etc/timezone", "/etc/machine-id", "/etc/os-release"];
        if overlay.opaque().is_none() && sources.iter().all(|path| overlay.file(path).is_none()) {
            return Foreseen::Real;
        }
        Foreseen::unless_touched("ssh::facts", host, overlay)
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        // Connecting would count as the way to the host and back, and spoil the comparison of the clocks.
        host.reach().await?;
        let asked = now();
        let said = host.ok(&Command::script(include_str!("facts.sh"))).await?.text();
        let answered = now();
        Said::new(&said).value((asked + answered) / 2).map_err(|error| error.on(host.name()))
    }
}

/// What the host said: `name value` lines, and files.
struct Said<'a> {
    lines: BTreeMap<&'a str, &'a str>,
    files: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Said<'a> {
    fn new(text: &'a str) -> Said<'a> {
        let mut said = Said { lines: BTreeMap::new(), files: BTreeMap::new() };
        let mut file = None;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("== ") {
                file = Some(name);
            } else if let Some(name) = file {
                said.files.entry(name).or_default().push(line);
            } else if let Some((name, value)) = line.split_once(' ') {
                // Of an answer of several lines the first counts.
                said.lines.entry(name).or_insert(value.trim());
            }
        }
        said
    }

    /// `middle` is the operator's time at which the host is taken to have answered.
    fn value(&self, middle: i64) -> Result<Value> {
        let time = (self.time("before")? + self.time("after")?) / 2;
        #[expect(clippy::cast_precision_loss, reason = "a difference of clocks is small, or need not be exact")]
        let offset = (time - middle) as f64 / 1e9;
        Ok(Value::map([
            ("hostname", self.text("hostname")),
            ("machine_id", self.text("machine_id")),
            ("boot_id", self.text("boot_id")),
            ("os", self.os()),
            ("kernel", self.text("kernel")),
            ("arch", self.text("arch")),
            ("cpus", Value::Integer(self.integer("cpus")?)),
            ("memory", Value::Integer(self.memory()?)),
            ("addresses", Value::List(self.addresses().into_iter().map(Value::from).collect())),
            ("uptime", Value::Float(self.uptime()?)),
            ("time", Value::Integer(time)),
            ("clock_offset", Value::Float(offset)),
            ("init", self.text("init")),
            ("systemd", self.systemd()),
            ("package_manager", self.text("package_manager")),
            ("selinux", Value::from(self.selinux())),
            ("timezone", self.timezone()),
        ]))
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.lines.get(name).copied().filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Value {
        self.get(name).map_or(Value::Null, Value::from)
    }

    fn integer(&self, name: &str) -> Result<i64> {
        self.get(name).and_then(|value| value.parse().ok()).ok_or_else(|| self.unclear(name))
    }

    /// Nanoseconds. busybox's `date` tells no fractions: it is as likely that half of the second is over as not.
    fn time(&self, name: &str) -> Result<i64> {
        let Some(seconds) = self.get(name).and_then(|value| value.strip_suffix("%N")) else {
            return self.integer(name);
        };
        let seconds: i64 = seconds.parse().map_err(|_| self.unclear(name))?;
        Ok(seconds.saturating_mul(1_000_000_000).saturating_add(500_000_000))
    }

    /// `MemTotal:   24576000 kB`.
    fn memory(&self) -> Result<i64> {
        let kib = self.get("memory").and_then(|line| line.split_whitespace().nth(1)?.parse::<i64>().ok());
        kib.map(|kib| kib * 1024).ok_or_else(|| self.unclear("memory"))
    }

    fn uptime(&self) -> Result<f64> {
        let seconds = self.get("uptime").and_then(|line| line.split_whitespace().next()?.parse().ok());
        seconds.ok_or_else(|| self.unclear("uptime"))
    }

    fn selinux(&self) -> &'static str {
        match self.get("selinux") {
            Some("1") => "enforcing",
            Some(_) => "permissive",
            None => "disabled",
        }
    }

    /// `systemd 252 (252.38-1~deb12u1)`.
    fn systemd(&self) -> Value {
        let version = self.get("systemd").and_then(|line| line.split_whitespace().nth(1));
        version.and_then(|word| word.parse().ok()).map_or(Value::Null, Value::Integer)
    }

    /// The part of a path behind `zoneinfo`, or a name.
    fn timezone(&self) -> Value {
        let zone = self.get("timezone").map(|path| path.split_once("zoneinfo/").map_or(path, |(_, zone)| zone));
        zone.map_or(Value::Null, Value::from)
    }

    fn os(&self) -> Value {
        let id = self.release("ID").unwrap_or_else(|| "linux".to_owned());
        let like = self.release("ID_LIKE").unwrap_or_default();
        let family = family(&id, &like).to_owned();
        let version = self.release("VERSION_ID").map_or(Value::Null, Value::from);
        let name = self.release("PRETTY_NAME").map_or(Value::Null, Value::from);
        Value::map([("id", id.into()), ("version", version), ("family", family.into()), ("name", name)])
    }

    fn release(&self, name: &str) -> Option<String> {
        let lines = self.files.get("os")?;
        let value = lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        Some(value.trim().trim_matches(['"', '\'']).to_owned())
    }

    fn addresses(&self) -> Vec<String> {
        let mut found = ipv4(self.files.get("ipv4").map_or(&[], Vec::as_slice));
        found.extend(ipv6(self.files.get("ipv6").map_or(&[], Vec::as_slice)));
        found
    }

    fn unclear(&self, name: &str) -> Error {
        let said = self.lines.get(name).copied().unwrap_or("nothing");
        Error::new(Kind::Failed, "ssh.facts", format!("the host's `{name}` is not clear: it said `{said}`"))
    }
}

fn family<'a>(id: &'a str, like: &str) -> &'a str {
    let is = |name: &str| id == name || like.split_whitespace().any(|word| word == name);
    match () {
        () if is("debian") || is("ubuntu") => "debian",
        () if is("rhel") || is("fedora") || is("centos") => "redhat",
        () if is("suse") || is("opensuse") || is("sles") => "suse",
        () => id,
    }
}

/// The addresses of this host in its table of routes: `|-- ADDRESS`, then `/32 host LOCAL`.
fn ipv4(lines: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut last = "";
    for line in lines.iter().map(|line| line.trim()) {
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address;
        } else if line == "/32 host LOCAL" && !last.starts_with("127.") && !found.iter().any(|known| known == last) {
            found.push(last.to_owned());
        }
    }
    found
}

/// Lines of 32 hexadecimal digits, index, length, scope, flags and interface; scope 00 is global.
fn ipv6(lines: &[&str]) -> Vec<String> {
    let global = |line: &&str| {
        let mut words = line.split_whitespace();
        let address = u128::from_str_radix(words.next()?, 16).ok()?;
        (words.nth(2)? == "00").then(|| Ipv6Addr::from(address).to_string())
    };
    lines.iter().filter_map(global).collect()
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "before 1000000000\nhostname m1\nmemory MemTotal:  2048 kB\nuptime 12.50 40.1\narch x86_64\ncpus 2
systemd systemd 252 (252.38)\n+PAM +AUDIT\ntimezone ../usr/share/zoneinfo/Europe/Berlin\nselinux 0\nafter 3000000000
== os\nPRETTY_NAME=\"Rocky Linux 9.4\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.4\"\n
== ipv6\n00000000000000000000000000000001 01 80 10 80       lo
fd000000000000000000000000000005 02 40 00 80     eth0\nfe800000000000000000000000000005 02 40 20 80     eth0
== ipv4\nMain:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 192.168.2.0
        /24 link UNICAST\n     |-- 192.168.2.5\n        /32 host LOCAL\nLocal:\n     |-- 192.168.2.5\n        /32 host LOCAL\n";

    #[test]
    fn what_a_host_says_becomes_facts() {
        let json = Said::new(SAID).value(1_500_000_000).unwrap().redacted();
        let wanted = serde_json::json!({
            "hostname": "m1", "machine_id": null, "boot_id": null, "kernel": null, "arch": "x86_64", "cpus": 2,
            "os": {"id": "rocky", "version": "9.4", "family": "redhat", "name": "Rocky Linux 9.4"},
            "memory": 2_097_152, "addresses": ["192.168.2.5", "fd00::5"], "uptime": 12.5, "time": 2_000_000_000,
            "clock_offset": 0.5, "init": null, "systemd": 252, "package_manager": null, "selinux": "permissive",
            "timezone": "Europe/Berlin",
        });
        assert_eq!(json, wanted);
    }

    #[test]
    fn an_unclear_answer_is_named() {
        let error = Said::new(&SAID.replace("cpus 2", "cpus many")).value(0).map(drop).unwrap_err();
        assert_eq!(error.to_string(), "the host's `cpus` is not clear: it said `many`");
    }
}
