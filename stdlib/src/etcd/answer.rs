//! What members answered, whichever program asked.
//!
//! etcdctl and the gateway that curl asks give the same messages in different clothes: names of fields differ in case,
//! and the gateway writes 64-bit numbers as texts. What is zero, false or empty is left out by both.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::redact::redact;
use serde_json::Value as Json;

/// All answers of one host's asking.
#[derive(Default)]
pub(super) struct Answers {
    by_curl: bool,
    answers: Vec<Answer>,
}

struct Answer {
    endpoint: usize,
    question: String,
    /// What the program said on its standard error.
    errors: String,
    status: i32,
    output: String,
}

/// What a member said of its health.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Healthy {
    pub(super) healthy: bool,
    /// Seconds.
    pub(super) took: Option<f64>,
    pub(super) problem: Option<String>,
}

/// What keeps a question from being answered.
pub(super) type Problem = String;

impl Answers {
    /// Reads what the script printed.
    pub(super) fn parse(text: &str) -> Result<Answers> {
        let mut records = text.split_terminator('\x1e');
        let by_curl = match records.next() {
            Some("etcdctl") => false,
            Some("curl") => true,
            _ => return Err(unclear(text)),
        };
        let answers = records.map(|record| Answer::parse(record).ok_or_else(|| unclear(record)));
        Ok(Answers { by_curl, answers: answers.collect::<Result<_>>()? })
    }

    /// What the endpoint of this number said of its health. `took` and a problem are the asking program's own.
    pub(super) fn health(&self, endpoint: usize) -> Healthy {
        match self.find(endpoint, "health") {
            Ok(answer) if self.by_curl => answer.health_by_curl(),
            Ok(answer) => answer.health_by_etcdctl(),
            Err(problem) => Healthy { problem: Some(problem), ..Healthy::default() },
        }
    }

    /// Its status: version, size, terms, leader.
    pub(super) fn status(&self, endpoint: usize) -> Result<Json, Problem> {
        let json = self.json(endpoint, "status")?;
        if self.by_curl { Ok(json) } else { json.get(0).map(|one| one["Status"].clone()).ok_or_else(String::new) }
    }

    /// The list of members as this endpoint knows it.
    pub(super) fn members(&self, endpoint: usize) -> Result<Json, Problem> {
        self.json(endpoint, "members")
    }

    /// All alarms of the cluster, as this endpoint knows them.
    pub(super) fn alarms(&self, endpoint: usize) -> Result<Json, Problem> {
        self.json(endpoint, "alarms")
    }

    /// What a member said that was told something. etcdctl does not answer everything in JSON: then it is nothing.
    pub(super) fn told(&self) -> Result<Json, Problem> {
        let answer = self.find(0, "told")?;
        let body = if self.by_curl { answer.body()?.0 } else { answer.output.as_str() };
        if answer.status != 0 {
            return Err(answer.said());
        }
        Ok(serde_json::from_str(body).unwrap_or_default())
    }

    fn json(&self, endpoint: usize, question: &str) -> Result<Json, Problem> {
        let answer = self.find(endpoint, question)?;
        let body = if self.by_curl { answer.body()?.0 } else { answer.output.as_str() };
        if answer.status != 0 {
            return Err(answer.said());
        }
        serde_json::from_str(body).map_err(|_| format!("its answer is not JSON: {}", redact(body)))
    }

    fn find(&self, endpoint: usize, question: &str) -> Result<&Answer, Problem> {
        let found = self.answers.iter().find(|answer| answer.endpoint == endpoint && answer.question == question);
        found.ok_or_else(|| "it was not asked".to_owned())
    }
}

impl Answer {
    fn parse(record: &str) -> Option<Answer> {
        let fields: Vec<&str> = record.split('\x1f').collect();
        let [endpoint, question, errors, status, output] = fields[..] else { return None };
        let (endpoint, status) = (endpoint.parse().ok()?, status.parse().ok()?);
        let text = |text: &str| text.trim().to_owned();
        Some(Answer { endpoint, question: text(question), errors: text(errors), status, output: text(output) })
    }

    fn health_by_etcdctl(&self) -> Healthy {
        let Some(said) = serde_json::from_str::<Json>(&self.output).ok().and_then(|said| said.get(0).cloned()) else {
            return Healthy { problem: Some(self.said()), ..Healthy::default() };
        };
        let problem = said["error"].as_str().map(|error| self.cause().unwrap_or_else(|| error.to_owned()));
        let took = said["took"].as_str().and_then(seconds);
        Healthy { healthy: said["health"] == true, took, problem }
    }

    /// `/health` answers 503 where it says no, with the same body.
    fn health_by_curl(&self) -> Healthy {
        let (body, took) = match self.answered() {
            Ok((body, _, took)) => (body, Some(took)),
            Err(problem) => return Healthy { problem: Some(problem), ..Healthy::default() },
        };
        let said: Json = serde_json::from_str(body).unwrap_or_default();
        let healthy = said["health"] == "true";
        let reason = said["reason"].as_str().filter(|reason| !reason.is_empty());
        let problem = (!healthy).then(|| reason.unwrap_or("it says that it is not healthy").to_owned());
        Healthy { healthy, took, problem }
    }

    /// The body of an answer that is no error, and how long it took.
    fn body(&self) -> Result<(&str, f64), Problem> {
        let (body, code, took) = self.answered()?;
        if code == "200" {
            return Ok((body, took));
        }
        let said: Json = serde_json::from_str(body).unwrap_or_default();
        let message = said["message"].as_str().or(said["error"].as_str()).unwrap_or(body);
        Err(format!("it answered {code}: {}", redact(message)))
    }

    /// Body, HTTP's code and seconds: curl writes the latter two as a line of their own.
    fn answered(&self) -> Result<(&str, &str, f64), Problem> {
        let (body, line) = self.output.rsplit_once('\n').unwrap_or(("", &self.output));
        let (code, took) = line.split_once(' ').ok_or_else(|| self.said())?;
        let took = took.parse().map_err(|_| self.said())?;
        if self.status == 0 { Ok((body, code, took)) } else { Err(self.said()) }
    }

    /// Why the program failed, in as few words as it gives.
    fn said(&self) -> String {
        // curl says it in its first line, and how to read on in more of them.
        let curl = self.errors.lines().find(|line| line.starts_with("curl: "));
        let last = || curl.or(self.errors.lines().last()).map(|line| redact(line.trim_start_matches("Error: ")));
        let status = || format!("the program that asks it ended with status {}", self.status);
        self.cause().or_else(last).unwrap_or_else(status)
    }

    /// etcdctl logs what went wrong as JSON and then reports that the time is over, whatever it was.
    fn cause(&self) -> Option<String> {
        let logged = self.errors.lines().rev().find_map(|line| serde_json::from_str::<Json>(line).ok())?;
        let error = logged["error"].as_str()?;
        let told = ["transport: ", "desc = "].iter().find_map(|word| error.rsplit_once(word).map(|(_, told)| told));
        Some(redact(told.unwrap_or(error).trim_end_matches(['"', '\\'])))
    }
}

/// A number that may be written as a text; what is left out is zero.
pub(super) fn number(json: &Json, name: &str) -> u64 {
    let field = &json[name];
    field.as_u64().or_else(|| field.as_str()?.parse().ok()).unwrap_or(0)
}

/// An id as etcd prints it. None for zero, which is nobody's.
pub(super) fn id(json: &Json, name: &str) -> Option<String> {
    Some(number(json, name)).filter(|id| *id != 0).map(|id| format!("{id:x}"))
}

/// The seconds of one of Go's time spans: `1m2.5s`, `350µs`.
fn seconds(text: &str) -> Option<f64> {
    let (mut rest, mut sum) = (text, 0.0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let unit_end = rest[end..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |length| end + length);
        let factor = match &rest[end..unit_end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "µs" | "μs" | "us" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        sum += rest[..end].parse::<f64>().ok()? * factor;
        rest = &rest[unit_end..];
    }
    Some(sum)
}

pub(super) fn unclear(text: &str) -> Error {
    let shown: String = redact(text).chars().take(200).collect();
    Error::new(Kind::Failed, "etcd.unclear", format!("what the host says of etcd is not clear: `{shown}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(program: &str, records: &[[&str; 5]]) -> Answers {
        let records: String = records.iter().map(|fields| fields.join("\x1f") + "\x1e").collect();
        Answers::parse(&format!("{program}\x1e{records}")).unwrap()
    }

    #[test]
    fn a_healthy_member_tells_how_long_it_took() {
        let said = r#"[{"endpoint":"https://127.0.0.1:2379","health":true,"took":"1.606977ms"}]"#;
        let health = answers("etcdctl", &[["0", "health", "", "0", said]]).health(0);
        assert_eq!(health, Healthy { healthy: true, took: Some(1.606_977e-3), problem: None });
        let health = answers("curl", &[["0", "health", "", "0", "{\"health\":\"true\"}\n200 0.004"]]).health(0);
        assert_eq!(health, Healthy { healthy: true, took: Some(0.004), problem: None });
    }

    #[test]
    fn a_member_that_does_not_answer_tells_the_cause_and_not_that_time_is_over() {
        let log = r#"{"level":"warn","msg":"retrying of unary invoker failed","error":"rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = \"transport: Error while dialing dial tcp 127.0.0.1:1: connect: connection refused\""}"#;
        let errors =
            format!("{log}\nFailed to get the status of endpoint http://127.0.0.1:1 (context deadline exceeded)");
        let status = answers("etcdctl", &[["0", "status", &errors, "1", "[]"]]).status(0);
        assert_eq!(status.unwrap_err(), "Error while dialing dial tcp 127.0.0.1:1: connect: connection refused");
        let errors = "curl: (60) SSL certificate problem: unable to get local issuer certificate";
        let more =
            format!("{errors}\nMore details here: https://curl.se/docs/sslcerts.html\n\nhow to fix it, visit the page");
        let asked = answers("curl", &[["0", "health", &more, "60", "\n000 0.000"], ["0", "status", &more, "60", ""]]);
        assert_eq!(asked.health(0).problem.as_deref(), Some(errors));
        assert_eq!(asked.status(0).unwrap_err(), errors);
    }

    #[test]
    fn a_gateway_that_says_no_is_no_answer() {
        let body = "{\"error\":\"etcdserver: no leader\",\"message\":\"etcdserver: no leader\",\"code\":14}\n503 0.1";
        let asked = answers(
            "curl",
            &[["0", "members", "", "0", body], ["0", "health", "", "0", "{\"health\":\"false\"}\n503 0.1"]],
        );
        assert_eq!(asked.members(0).unwrap_err(), "it answered 503: etcdserver: no leader");
        assert_eq!(asked.health(0).problem.as_deref(), Some("it says that it is not healthy"));
        assert_eq!(asked.alarms(0).unwrap_err(), "it was not asked");
    }

    #[test]
    fn what_a_member_says_that_was_told_something() {
        let told = |program, fields: [&str; 3]| {
            let [errors, status, output] = fields;
            answers(program, &[["0", "told", errors, status, output]]).told()
        };
        // etcdctl 3.6 complains of what 3.3 needs, and does it all the same.
        let warns = r#"{"level":"warn","ts":"2026-11-30T22:29:06.364520Z","caller":"flags/flag.go:94","msg":"unrecognized environment variable","environment-variable":"ETCDCTL_API=3"}"#;
        let added = r#"{"header":{"cluster_id":7},"member":{"ID":1800631374584302421,"peerURLs":["http://b:2380"],"isLearner":true}}"#;
        let id_of = |json: &Json| id(&json["member"], "ID");
        for errors in ["", warns] {
            assert_eq!(id_of(&told("etcdctl", [errors, "0", added]).unwrap()).as_deref(), Some("18fd20b1ed854b55"));
        }
        assert_eq!(told("etcdctl", ["", "0", "Finished defragmenting etcd member[http://a:2379]"]), Ok(Json::Null));
        let no = "etcdserver: can only promote a learner member which is in sync with leader";
        let logs = r#"{"level":"warn","msg":"retrying of unary invoker failed","error":"rpc error: code = FailedPrecondition desc = WHY"}"#;
        let logs = logs.replace("WHY", no);
        for errors in [format!("{logs}\nError: {no}"), format!("{warns}\n{logs}\nError: {no}")] {
            assert_eq!(told("etcdctl", [&errors, "1", ""]), Err(no.to_owned()));
        }
        // The gateway of 3.4 and that of 3.6.
        let former = format!("{{\"error\":\"{no}\",\"message\":\"{no}\",\"code\":9}}\n412 0.002");
        assert_eq!(told("curl", ["", "0", &former]), Err(format!("it answered 412: {no}")));
        let newer = format!("{{\"code\":9,\"message\":\"{no}\"}}\n400 0.002");
        assert_eq!(told("curl", ["", "0", &newer]), Err(format!("it answered 400: {no}")));
        assert_eq!(told("curl", ["", "0", "{}\n200 0.007"]), Ok(serde_json::json!({})));
    }

    #[test]
    fn numbers_are_read_in_both_clothes() {
        let json = serde_json::json!({"a": 13_455_796_455_940_752_355_u64, "b": "443629905751424238"});
        assert_eq!(id(&json, "a").as_deref(), Some("babc9795b64f03e3"));
        assert_eq!(id(&json, "b").as_deref(), Some("628170c800dbcee"));
        assert_eq!((number(&json, "none"), id(&json, "none")), (0, None));
    }

    #[test]
    fn time_spans_of_go() {
        let about = |text: &str, wanted: f64| (seconds(text).unwrap() - wanted).abs() < 1e-9;
        assert!(about("1m2.5s", 62.5) && about("350µs", 350e-6) && about("1h0m0s", 3600.0));
        assert_eq!(seconds("soon"), None);
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        assert_eq!(Answers::parse("what?").err().map(|error| error.code()), Some("etcd.unclear"));
        assert_eq!(Answers::parse("curl\x1etorn").err().map(|error| error.code()), Some("etcd.unclear"));
    }
}
