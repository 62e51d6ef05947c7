//! `vip::watch`: how a client fares, request by request.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::stream::{FuturesUnordered, StreamExt};
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;

use super::outage::{Asked, longest};
use super::request::{Place, ask, client};
use crate::cert::roots;
use crate::file::path;
use crate::file::read::Read as ReadFile;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Watch {
    place: Place,
    authority: ReadFile,
    every: Duration,
    time: Duration,
    timeout: Duration,
}

/// How many failed requests are told one by one.
const TOLD: usize = 500;

#[async_trait]
impl Read for Watch {
    const NAME: &'static str = "vip.watch";
    const ABOUT: &'static str = "How a client fares that asks again and again, each time over a new connection.

It connects from the host, checks the certificate with `authority`, and asks for the path; an answer with status 200 in time is a \
success. It is for drills: let `each` run it on one host while another one is disturbed. The result is a map:

| name | what |
|---|---|
| `requests` | how many there were |
| `failed` | an array of those that failed, the first 500: `at` (when it began, a time of UTC), `after` (the same in seconds since the first request), `seconds` (how long it took), `what` (`refused`, `timeout`, `unreachable`, `cut`, `tls`, or the answer's status), `open` (whether its connection stood by then) |
| `failures` | how many failed |
| `cut` | how many of them were open |
| `outage` | the longest time, in seconds, from the start of a request that found no connection to the start of the next one that succeeded |
| `disturbance` | the same, of all that failed |
| `slowest` | the longest time that a successful request took |";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("url", ParamKind::String, "`https://address:port/path`.")],
        options: &[
            Param::option("authority", ParamKind::Path, Absent::Refused, "A PEM file on the host with whom it trusts."),
            Param::option("rate", ParamKind::Integer, Absent::Integer(50), "How many requests begin each second."),
            Param::option("time", ParamKind::Duration, Absent::String("10s"), "How long it asks."),
            Param::option("timeout", ParamKind::Duration, Absent::String("200ms"), "How long a request may take."),
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "A server that answers.",
            given: SERVER,
            code: r#"vip::watch(h, "https://127.0.0.1:8443/", #{ authority: "/opt/demo/ca.pem", rate: 5, time: "1s", timeout: "2s" }).failures"#,
            gives: "0",
        },
        Example {
            about: "A port where nobody listens.",
            given: SERVER,
            code: r#"vip::watch(h, "https://127.0.0.1:1/", #{ authority: "/opt/demo/ca.pem", rate: 5, time: "1s" }).failed[0].what"#,
            gives: r#""refused""#,
        },
    ];

    fn parse(arguments: &Arguments) -> Result<Self> {
        let rate = arguments.integer("rate")?;
        if !(1..=1000).contains(&rate) {
            return Err(Error::new(Kind::Usage, "vip.rate", format!("`rate` cannot be {rate}"))
                .hint("write a number from 1 to 1000"));
        }
        Ok(Watch {
            place: Place::parse(&arguments.string("url")?)?,
            authority: ReadFile::of(path::of(arguments, "authority")?, false),
            every: Duration::from_secs(1) / u32::try_from(rate).unwrap_or(1),
            time: arguments.duration("time")?,
            timeout: arguments.duration("timeout")?,
        })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("vip::watch", host, overlay)
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let client = client(roots(host, &self.authority).await?)?;
        host.waiting(self.series(host, &client)).await
    }
}

impl Watch {
    /// Requests begin at an even pace, however long those before take.
    async fn series(&self, host: &Host, client: &tokio_rustls::TlsConnector) -> Result<Value> {
        let (began, since) = (jiff::Timestamp::now(), Instant::now());
        let mut ticks = tokio::time::interval(self.every);
        let mut running = FuturesUnordered::new();
        let mut asked = Vec::new();
        loop {
            tokio::select! {
                biased;
                Some(ended) = running.next(), if !running.is_empty() => asked.push(ended?),
                _ = ticks.tick(), if since.elapsed() < self.time => running.push(self.request(host, client, since)),
                else => break,
            }
        }
        asked.sort_by_key(|one: &Asked| one.at);
        Ok(told(&asked, since.elapsed(), began))
    }

    async fn request(&self, host: &Host, client: &tokio_rustls::TlsConnector, since: Instant) -> Result<Asked> {
        let at = since.elapsed();
        let failure = ask(host, &self.place, client, self.timeout).await?.err();
        Ok(Asked { at, took: since.elapsed().saturating_sub(at), failure })
    }
}

fn told(asked: &[Asked], end: Duration, began: jiff::Timestamp) -> Value {
    let failed: Vec<&Asked> = asked.iter().filter(|one| one.failure.is_some()).collect();
    let open = failed.iter().filter(|one| one.failure.as_ref().is_some_and(|failure| failure.open)).count();
    let slowest = asked.iter().filter(|one| one.failure.is_none()).map(|one| one.took).max().unwrap_or_default();
    let count = |number: usize| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    Value::map([
        ("requests", count(asked.len())),
        ("failures", count(failed.len())),
        ("failed", Value::List(failed.iter().take(TOLD).filter_map(|one| failure(one, began)).collect())),
        ("cut", count(open)),
        ("outage", Value::Float(longest(asked, end, |failure| !failure.open).as_secs_f64())),
        ("disturbance", Value::Float(longest(asked, end, |_| true).as_secs_f64())),
        ("slowest", Value::Float(slowest.as_secs_f64())),
    ])
}

fn failure(one: &Asked, began: jiff::Timestamp) -> Option<Value> {
    let failure = one.failure.as_ref()?;
    let at = began.checked_add(one.at).unwrap_or(began);
    Some(Value::map([
        ("at", format!("{at:.3}").into()),
        ("after", Value::Float(one.at.as_secs_f64())),
        ("seconds", Value::Float(one.took.as_secs_f64())),
        ("what", failure.what.as_str().into()),
        ("open", failure.open.into()),
    ]))
}

/// A server for the examples.
const SERVER: &str = concat!(
    "mkdir -p /opt/demo && cd /opt/demo && openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem ",
    "-days 3650 -subj /CN=demo 2>/dev/null && printf 'subjectAltName=IP:127.0.0.1' >ext && ",
    "openssl req -newkey rsa:2048 -nodes -keyout server-key.pem -subj /CN=server -out server.csr 2>/dev/null && ",
    "openssl x509 -req -in server.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 365 -extfile ext ",
    "-out server.pem 2>/dev/null && systemd-run -q --unit=demo-server openssl s_server -accept 8443 -cert ",
    "/opt/demo/server.pem -key /opt/demo/server-key.pem -quiet -www && ",
    "until openssl s_client -connect 127.0.0.1:8443 </dev/null >/dev/null 2>&1; do sleep 0.1; done"
);
