//! `vip::probe`: whether a port is open, as a host sees it.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;

use super::reach::connect;
use crate::cert::endpoint_of;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Probe {
    address: String,
    port: u16,
    timeout: Duration,
}

#[async_trait]
impl Read for Probe {
    const NAME: &'static str = "vip.probe";
    const ABOUT: &'static str = "Whether a port is open, as a host sees it.

The result is a map:

| name | what |
|---|---|
| `state` | `open`; `refused`: somebody is there, and nobody listens; `timeout`: nobody answered; `unreachable`: nobody has the address, or no way leads there |
| `seconds` | how long it took to know |

Behind a balancer that does not let a backend reach itself, its own port is `timeout` while others see it `open`.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("endpoint", ParamKind::String, "`address:port`, as the host reaches it."),
        ],
        options: &[Param::option(
            "timeout",
            ParamKind::Duration,
            Absent::String("2s"),
            "After which time nobody answered.",
        )],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "A port where somebody listens.",
            given: "",
            code: r#"vip::probe(h, "127.0.0.1:22").state"#,
            gives: r#""open""#,
        },
        Example {
            about: "A port where nobody does.",
            given: "",
            code: r#"vip::probe(h, "127.0.0.1:1").state"#,
            gives: r#""refused""#,
        },
        Example {
            about: "An address behind which nobody answers.",
            given: "ip route replace 203.0.113.0/24 dev eth0",
            code: r#"vip::probe(h, "203.0.113.1:6443", #{ timeout: "300ms" }).state"#,
            gives: r#""timeout""#,
        },
    ];

    fn parse(arguments: &Arguments) -> Result<Self> {
        let (address, port) = endpoint_of(&arguments.string("endpoint")?)?;
        Ok(Probe { address, port, timeout: arguments.duration("timeout")? })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("vip::probe", host, overlay)
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let since = Instant::now();
        let state = match connect(host, &self.address, self.port, self.timeout).await? {
            Ok(_) => "open",
            Err(closed) => closed.word(),
        };
        Ok(Value::map([("state", state.into()), ("seconds", Value::Float(since.elapsed().as_secs_f64()))]))
    }
}
