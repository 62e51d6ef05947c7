//! `ssh::wait`: until a host answers, and something on it is there.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::transport::Command;
use haengine_kernel::value::Value;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// How long one look may take: a connection whose far end has gone does not say so.
const LOOK: Duration = Duration::from_secs(15);

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Wait {
    port: Option<u16>,
    address: Option<String>,
    path: Option<String>,
    unit: Option<String>,
    timeout: Duration,
}

#[async_trait]
impl Read for Wait {
    const NAME: &'static str = "ssh.wait";
    const ABOUT: &'static str = "Waits until a host answers, and what you name is there.

Without options it waits until the host answers a command. A connection that broke is made anew, so it also waits for a
host that restarts. With several options all of them must hold. The time counts as waited. A plan does not wait.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts()],
        options: &[
            Param::option(
                "port",
                ParamKind::Integer,
                Absent::Means("()"),
                "A TCP port that shall accept connections, seen from the host.",
            ),
            Param::option(
                "address",
                ParamKind::String,
                Absent::Means("()"),
                "Where that port is, if it is not the host's own.",
            ),
            Param::option("path", ParamKind::Path, Absent::Means("()"), "A path that shall be there."),
            Param::option("unit", ParamKind::String, Absent::Means("()"), "A unit of systemd that shall be active."),
            Param::option(
                "timeout",
                ParamKind::Duration,
                Absent::String("5m"),
                "How long to wait; then it is an error.",
            ),
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example { about: "Until the host answers.", given: "", code: "ssh::wait(h)", gives: "null" },
        Example {
            about: "Until its sshd accepts connections and a file is there.",
            given: "touch /run/demo.ready",
            code: r#"ssh::wait(h, #{ port: 22, path: "/run/demo.ready", timeout: "30s" })"#,
            gives: "null",
        },
        Example {
            about: "Until a unit is active.",
            given: "",
            code: r#"ssh::wait(h, #{ unit: "dbus.socket", timeout: 30 })"#,
            gives: "null",
        },
    ];

    fn parse(arguments: &Arguments) -> Result<Self> {
        let port = arguments.opt_integer("port").map(u16::try_from).transpose().ok().filter(|port| *port != Some(0));
        let Some(port) = port else {
            return Err(Error::new(Kind::Usage, "ssh.wait", "a port is a number from 1 to 65535"));
        };
        let address = arguments.opt_string("address");
        if address.is_some() && port.is_none() {
            return Err(Error::new(Kind::Usage, "ssh.wait", "`address` says where a port is, and there is no `port`")
                .hint("add `port`"));
        }
        let (path, unit) = (arguments.opt_string("path"), arguments.opt_string("unit"));
        let timeout = arguments.duration("timeout")?;
        Ok(Wait { port, address, path, unit, timeout })
    }

    fn foresee(&self, _host: &Host, _overlay: &Overlay) -> Foreseen {
        Foreseen::Known(Value::Null)
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let began = Instant::now();
        let Err(reason) = self.look(host, began).await? else { return Ok(Value::Null) };
        host.awaits(&self.what());
        host.waiting(self.until(host, began, reason)).await
    }
}

impl Wait {
    async fn until(&self, host: &Host, began: Instant, mut reason: Error) -> Result<Value> {
        loop {
            if began.elapsed() + PAUSE > self.timeout {
                return Err(self.late(reason));
            }
            host.pause(PAUSE).await?;
            match self.look(host, began).await? {
                Ok(()) => return Ok(Value::Null),
                Err(still) => reason = still,
            }
        }
    }

    /// One look: done, or why not yet. What no waiting mends is an error.
    async fn look(&self, host: &Host, began: Instant) -> Result<std::result::Result<(), Error>> {
        let left = self.timeout.saturating_sub(began.elapsed()).clamp(Duration::from_secs(1), LOOK);
        let looked = tokio::time::timeout(left, self.ask(host)).await;
        let error = match looked {
            Ok(Ok(())) => return Ok(Ok(())),
            Ok(Err(error)) => error,
            Err(_) => Error::new(Kind::Unreachable, "host.timeout", "the host does not answer").on(host.name()),
        };
        if error.kind() == Kind::Cancelled || error.code().starts_with("ssh.host_key") {
            return Err(error);
        }
        if error.code() != NOT_YET {
            host.disconnect().await;
        }
        Ok(Err(error))
    }

    async fn ask(&self, host: &Host) -> Result<()> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let command = Command::script(include_str!("wait.sh")).arg(text(&self.path)).arg(text(&self.unit));
        let said = host.ok(&command).await?.text();
        if !said.is_empty() {
            return Err(Error::new(Kind::Failed, NOT_YET, said));
        }
        self.knock(host).await
    }

    /// A service may listen on one of the host's addresses only.
    async fn knock(&self, host: &Host) -> Result<()> {
        let Some(port) = self.port else { return Ok(()) };
        let own = ["127.0.0.1".to_owned(), host.spec().address.clone()];
        let addresses = self.address.as_ref().map_or_else(|| own.to_vec(), |address| vec![address.clone()]);
        let mut refused = None;
        for address in addresses {
            match host.open_tcp(&address, port).await {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == Kind::Cancelled => return Err(error),
                Err(error) => refused = Some(error),
            }
        }
        let not_yet = Error::new(Kind::Failed, NOT_YET, format!("port {port} does not accept connections"));
        Err(match refused {
            Some(error) => not_yet.because(error),
            None => not_yet,
        })
    }

    fn what(&self) -> String {
        let port = self.port.map(|port| format!("port {port}"));
        let unit = self.unit.as_ref().map(|unit| format!("`{unit}`"));
        let path = self.path.as_ref().map(|path| format!("`{path}`"));
        let all: Vec<String> = [port, path, unit].into_iter().flatten().collect();
        if all.is_empty() { "an answer".to_owned() } else { all.join(", ") }
    }

    fn late(&self, reason: Error) -> Error {
        let kind = reason.kind();
        Error::new(kind, "ssh.wait", format!("waited {:?} in vain for {}", self.timeout, self.what()))
            .hint("give it more time with `timeout`, or look at the host")
            .because(reason)
    }
}

/// The host answers, but something is not there.
const NOT_YET: &str = "ssh.not_yet";
