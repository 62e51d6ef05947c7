//! `vip::holder`: which hosts have an address.

use std::net::Ipv4Addr;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::signature::{Param, ParamKind, Signature};
use haengine_kernel::transport::Command;
use haengine_kernel::value::Value;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Holder {
    address: Ipv4Addr,
}

const HOLDER: &str = include_str!("holder.sh");

/// The argument that all verbs of an address take.
pub(super) const ADDRESS: Param = Param::new("address", ParamKind::String, "The address, without a prefix.");

#[async_trait]
impl Read for Holder {
    const NAME: &'static str = "vip.holder";
    const ABOUT: &'static str = "Whether a host has an address on one of its interfaces.

Asked of all hosts at once, it tells how many have it: it must be one. The loopback interface does not count. Where there is no \
`ip`, the kernel's own table tells.";
    const SIGNATURE: Signature = Signature { positional: &[Param::hosts(), ADDRESS], options: &[] };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Whether a host has the address.",
            given: "ip addr replace 198.51.100.11/32 dev eth0",
            code: r#"vip::holder(h, "198.51.100.11")"#,
            gives: "true",
        },
        Example {
            about: "Whether each of several has it.",
            given: "ip addr del 198.51.100.11/32 dev eth0 2>/dev/null || :",
            code: r#"vip::holder([h], "198.51.100.11").values()"#,
            gives: "[false]",
        },
    ];

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Holder { address: address(arguments)? })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("vip::holder", host, overlay)
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        has(host, self.address).await.map(Value::from)
    }
}

/// The argument of that name.
///
/// # Errors
/// `vip.address` when it is none.
pub(super) fn address(arguments: &Arguments) -> Result<Ipv4Addr> {
    let text = arguments.string("address")?;
    text.parse().map_err(|_| {
        Error::new(Kind::Usage, "vip.address", format!("`{text}` is no address of IPv4"))
            .hint("write it as `192.0.2.88`, without a prefix")
    })
}

/// True when one of the host's interfaces has the address.
pub(super) async fn has(host: &Host, address: Ipv4Addr) -> Result<bool> {
    let said = host.ok(&Command::script(HOLDER).arg(address.to_string())).await?;
    Ok(said.text().trim() == "yes")
}
