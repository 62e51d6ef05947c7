//! `etcd::metrics`: how fast the disks and the network of members are.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::redact::redact;
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Param, Signature};
use haengine_kernel::transport::{Command, Exit};
use haengine_kernel::value::Value;

use super::answer::unclear;
use super::ask::{Ask, MARGIN, OPTIONS, no_certificates, unreadable};
use super::health::DEMO;
use super::histogram::{Histogram, histograms};

const ASK: &str = concat!(include_str!("certificates.sh"), include_str!("metrics.sh"));

const FSYNC: &str = "etcd_disk_wal_fsync_duration_seconds";
const COMMIT: &str = "etcd_disk_backend_commit_duration_seconds";
const ROUND_TRIP: &str = "etcd_network_peer_round_trip_time_seconds";

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Metrics {
    endpoints: Vec<String>,
    /// Authority, certificate and key; empty ones were not given.
    certificates: [String; 3],
    /// Seconds.
    patience: u64,
}

#[async_trait]
impl Read for Metrics {
    const NAME: &'static str = "etcd.metrics";
    const ABOUT: &'static str = "How fast the disks and the network of members are, by their own measurements.

It is what a member tells at `/metrics`, at the URLs of its clients as at those of `--listen-metrics-urls`, since its last \
start. The host asks with `curl`; one that has none is refused.

The result is a list with a map for each endpoint, in the order of `endpoints`. One that does not tell it is in the list too: \
`problem` says why, and what it did not tell is `()`.

| name | what |
|---|---|
| `endpoint` | as it was asked |
| `problem` | why it does not tell, or `()` |
| `fsync_p99` | seconds which 99 of 100 writes of the log to the disk did not exceed |
| `commit_p99` | the same of the database's commits |
| `round_trips` | to each of the other members, a list of maps: `to`, its id, and `p99`, the same of answers on the network |

A figure is `()` while nothing was measured. Measured is in steps that double, so it is known no better than to a part of one.";
    const SIGNATURE: Signature = Signature { positional: &[Param::hosts()], options: OPTIONS };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Whether the disk of the member on the host was ever measured.",
            given: DEMO,
            code: r#"etcd::metrics(h, #{ endpoints: "http://127.0.0.1:2379" })[0].fsync_p99 > 0.0"#,
            gives: "true",
        },
        Example {
            about: "Which members do not tell; one that is alone has no round trips.",
            given: DEMO,
            code: r#"etcd::metrics(h, #{ endpoints: ["http://127.0.0.1:2379", "http://127.0.0.1:1"], timeout: "1s" })
    .map(|m| [m.problem != (), m.round_trips.len()])"#,
            gives: "[[false, 0], [true, 0]]",
        },
    ];
    const GIVES: Shape = Shape::List(&Shape::Map(&[
        ("endpoint", Shape::String),
        ("problem", Shape::Anything),
        ("fsync_p99", Shape::Anything),
        ("commit_p99", Shape::Anything),
        ("round_trips", Shape::List(&Shape::Map(&[("to", Shape::String), ("p99", Shape::Anything)]))),
    ]));

    fn parse(arguments: &Arguments) -> Result<Self> {
        let path = |name| arguments.opt_string(name).unwrap_or_default();
        Ok(Metrics {
            endpoints: Ask::parse(arguments)?.endpoints,
            certificates: [path("authority"), path("certificate"), path("key")],
            patience: arguments.duration("timeout")?.as_secs().max(1),
        })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("etcd::metrics", host, overlay)
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let command = Command::script(ASK)
            .arg(self.patience.to_string())
            .args(&self.certificates)
            .args(&self.endpoints)
            .deadline(Duration::from_secs(self.patience) + MARGIN);
        let output = host.exec(&command).await?;
        match output.exit {
            Exit::Status(20) => Err(no_curl()),
            Exit::Status(21) => Err(no_certificates(&self.endpoints)),
            Exit::Status(22) => Err(unreadable(&output.text())),
            _ => told(&output.ok(&command)?.text(), &self.endpoints),
        }
    }
}

fn no_curl() -> Error {
    Error::new(Kind::Refused, "etcd.no_curl", "the host has no `curl` to ask etcd for its metrics with")
        .hint("install it, or ask from a host that has it")
}

/// What one endpoint told: the lines of its histograms, or why there are none.
type Told<'a> = Result<&'a str, String>;

fn told(text: &str, endpoints: &[String]) -> Result<Value> {
    let mut answers = BTreeMap::new();
    for record in text.split_terminator('\x1e') {
        let (number, answer) = answer(record).ok_or_else(|| unclear(record))?;
        answers.insert(number, answer);
    }
    let each = endpoints.iter().enumerate().map(|(number, endpoint)| {
        let missing = || Err("it was not asked".to_owned());
        measured(endpoint, answers.remove(&number).unwrap_or_else(missing))
    });
    Ok(Value::List(each.collect()))
}

/// Of one record: the endpoint's number, and what it told.
fn answer(record: &str) -> Option<(usize, Told<'_>)> {
    let fields: Vec<&str> = record.split('\x1f').collect();
    let [number, errors, status, lines] = fields[..] else { return None };
    let status: i32 = status.parse().ok()?;
    let said = errors.lines().find(|line| line.starts_with("curl: ")).map(redact);
    let failed = || said.unwrap_or_else(|| format!("`curl` ended with status {status}"));
    let told = match (status, lines.trim()) {
        (0, "") => Err("it tells no measurements at `/metrics`".to_owned()),
        (0, lines) => Ok(lines),
        _ => Err(failed()),
    };
    Some((number.trim().parse().ok()?, told))
}

fn measured(endpoint: &str, told: Told<'_>) -> Value {
    let lines = told.as_ref().copied().unwrap_or_default();
    let alone = |name| seconds(histograms(lines, name, "").get("").and_then(Histogram::p99));
    let round_trips = histograms(lines, ROUND_TRIP, "To")
        .into_iter()
        .map(|(to, histogram)| Value::map([("to", Value::String(redact(&to))), ("p99", seconds(histogram.p99()))]));
    Value::map([
        ("endpoint", endpoint.into()),
        ("fsync_p99", alone(FSYNC)),
        ("commit_p99", alone(COMMIT)),
        ("round_trips", Value::List(round_trips.collect())),
        ("problem", told.err().map_or(Value::Null, Value::String)),
    ])
}

fn seconds(found: Option<f64>) -> Value {
    found.map_or(Value::Null, Value::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints() -> Vec<String> {
        ["http://a:2379", "http://b:2379", "http://c:2379"].map(str::to_owned).to_vec()
    }

    #[test]
    fn who_tells_is_told_apart_from_who_does_not() {
        let text = include_str!("histogram_3_4.txt");
        let refused = "curl: (7) Failed to connect to b port 2379: Connection refused";
        // Answers come in any order.
        let said = format!("1\x1f{refused}\n\x1f7\x1f\x1e2\x1f\x1f0\x1f\x1e0\x1f\x1f0\x1f{text}\x1e");
        let value = told(&said, &endpoints()).unwrap();
        assert!(Metrics::GIVES.holds(&value));
        let json = value.redacted();
        assert_eq!(json[0]["problem"], serde_json::Value::Null);
        assert!((json[0]["fsync_p99"].as_f64().unwrap() - 0.008).abs() < 1e-9, "{json}");
        assert_eq!(json[0]["commit_p99"], serde_json::Value::Null, "nobody told of commits");
        assert_eq!(json[0]["round_trips"][0]["to"], "6e3bd23ae5f1eae0");
        assert_eq!(json[0]["round_trips"][1]["p99"], serde_json::Value::Null);
        assert_eq!((&json[1]["problem"], &json[1]["fsync_p99"]), (&refused.into(), &serde_json::Value::Null));
        assert_eq!(json[2]["problem"], "it tells no measurements at `/metrics`");
    }

    #[test]
    fn an_answer_that_is_none_is_an_error_and_one_that_lacks_a_problem() {
        assert_eq!(told("0\x1ftorn\x1e", &endpoints()).err().map(|error| error.code()), Some("etcd.unclear"));
        let json = told("0\x1f\x1f22\x1f\x1e", &endpoints()).unwrap().redacted();
        assert_eq!(json[0]["problem"], "`curl` ended with status 22");
        assert_eq!(json[1]["problem"], "it was not asked");
    }
}
