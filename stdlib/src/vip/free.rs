//! `vip::free`: whether nobody has an address.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::signature::{Param, Signature};
use haengine_kernel::transport::Command;
use haengine_kernel::value::Value;

use super::holder::{ADDRESS, address, has};
use super::reach::{Closed, connect};

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Free {
    address: Ipv4Addr,
}

/// The kernel asks three times, a second each.
const ASKING: Duration = Duration::from_secs(5);
/// An answer that it remembers is trusted for some seconds before it asks again.
const REMEMBERED: Duration = Duration::from_secs(12);
/// After so long the kernel has asked again, whatever it remembered.
const FORGOTTEN: Duration = Duration::from_secs(50);
/// A port at which nobody listens.
const DISCARD: u16 = 9;

const NEIGHBOUR: &str = r#"while read -r address _ flags mac _; do
    if [ "$address" = "$1" ]; then echo "$flags $mac"; fi
done </proc/net/arp | head -n 1"#;

#[async_trait]
impl Read for Free {
    const NAME: &'static str = "vip.free";
    const ABOUT: &'static str = "Whether nobody on a host's segment has an address.

The host connects to it, for which its kernel asks the segment who has the address (ARP); that takes three seconds when nobody \
answers. No program is needed. The result is a map:

| name | what |
|---|---|
| `free` | true when nobody answered |
| `here` | true when the host itself has it |
| `mac` | who answered, or `()` |

An address that is in none of the host's own networks cannot be asked for, and is an error.";
    const SIGNATURE: Signature = Signature { positional: &[Param::hosts(), ADDRESS], options: &[] };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "An address that nobody has.",
            given: "ip addr replace 198.51.100.1/24 dev eth0",
            code: r#"vip::free(h, "198.51.100.77").free"#,
            gives: "true",
        },
        Example {
            about: "One that the host itself has.",
            given: "ip addr replace 198.51.100.1/24 dev eth0",
            code: r#"vip::free(h, "198.51.100.1")"#,
            gives: r#"{"free":false,"here":true,"mac":null}"#,
        },
    ];

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Free { address: address(arguments)? })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("vip::free", host, overlay)
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        if has(host, self.address).await? {
            return Ok(told(false, true, None));
        }
        let remembered = self.neighbour(host).await?.and_then(Neighbour::answered).is_some();
        let patience = if remembered { REMEMBERED } else { ASKING };
        let asked = Instant::now();
        let (is_there, answered) = loop {
            let answer = connect(host, &self.address.to_string(), DISCARD, patience).await?;
            let is_there = matches!(answer, Ok(_) | Err(Closed::Refused));
            let answered = self.neighbour(host).await?.map(Neighbour::answered);
            // One that went away a moment ago is still remembered, and nobody answers any more.
            let is_doubtful = remembered && !is_there && matches!(answered, Some(Some(_)));
            if !is_doubtful || asked.elapsed() > FORGOTTEN {
                break (is_there, answered);
            }
        };
        match answered {
            Some(Some(mac)) => Ok(told(false, false, Some(mac))),
            Some(None) => Ok(told(true, false, None)),
            None if is_there => Err(self.elsewhere().hint("choose one in the network of the hosts that shall have it")),
            None => Err(self.elsewhere().hint("correct the address, or the host's network")),
        }
    }
}

/// What the kernel's table of neighbours has for an address.
struct Neighbour {
    flags: String,
    mac: String,
}

impl Neighbour {
    /// Who answered; an entry that waits for an answer, or waited in vain, is of nobody.
    fn answered(self) -> Option<String> {
        let flags = u32::from_str_radix(self.flags.trim_start_matches("0x"), 16).unwrap_or_default();
        (flags & 2 != 0).then_some(self.mac)
    }
}

impl Free {
    async fn neighbour(&self, host: &Host) -> Result<Option<Neighbour>> {
        let said = host.ok(&Command::script(NEIGHBOUR).arg(self.address.to_string())).await?.text();
        Ok(said.trim().split_once(' ').map(|(flags, mac)| Neighbour { flags: flags.to_owned(), mac: mac.to_owned() }))
    }

    fn elsewhere(&self) -> Error {
        Error::new(Kind::Refused, "vip.elsewhere", format!("`{}` is in none of the host's own networks", self.address))
    }
}

fn told(free: bool, here: bool, mac: Option<String>) -> Value {
    Value::map([("free", free.into()), ("here", here.into()), ("mac", mac.map_or(Value::Null, Value::from))])
}
