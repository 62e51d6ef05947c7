//! `etcd::disarm`: a cluster goes on after an alarm.

use async_trait::async_trait;
use haengine_kernel::action::Action;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::alarms::{ALARMS, Alarm, RAISED, raised};
use super::ask::{AUTHORITY, Ask, CERTIFICATE, ENDPOINTS, KEY, TIMEOUT, Told};
use super::send::{decimal, words};

/// See [`Action::ABOUT`].
#[derive(Clone, Serialize, Deserialize)]
pub struct Disarm {
    #[serde(flatten)]
    ask: Ask,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alarm: Option<String>,
}

#[async_trait]
impl Action for Disarm {
    const NAME: &'static str = "etcd.disarm";
    const ABOUT: &'static str = "Ends alarms of a cluster of etcd, so that it accepts writes again.

First mend what they are about: after `NOSPACE` compact and `etcd::defragment`, or raise the quota; after `CORRUPT` replace the \
member. Else etcd raises them again, or goes on with data that differs. The result is a list of the alarms that were \
ended, as `etcd::alarms` gives them. Where none is raised, there is nothing to do. To end one sort while the other is raised \
too, the host needs `curl`: `etcdctl` ends them all.

Nothing takes it back: an alarm is raised by etcd, when there is a reason.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts()],
        options: &[
            ENDPOINTS,
            AUTHORITY,
            CERTIFICATE,
            KEY,
            TIMEOUT,
            Param::option(
                "alarm",
                ParamKind::Choice(&["NOSPACE", "CORRUPT"]),
                Absent::Means("all"),
                "Only alarms of this sort.",
            ),
        ],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "There is space again; who had none.",
        given: RAISED,
        code: r#"etcd::disarm(h, #{ endpoints: "http://127.0.0.1:2379", alarm: "NOSPACE" })[0].member"#,
        gives: r#""demo""#,
    }];
    const GIVES: Shape = ALARMS;

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Disarm { ask: Ask::parse(arguments)?, alarm: arguments.opt_string("alarm") })
    }

    fn target(&self) -> String {
        self.alarm.clone().unwrap_or_else(|| "alarms".to_owned())
    }

    async fn done(&self, host: &Host) -> Result<Option<bool>> {
        let all = raised(&self.ask, host).await?;
        Ok(Some(!all.iter().any(|alarm| self.is_meant(alarm))))
    }

    async fn perform(&self, host: &Host) -> Result<Value> {
        let all = raised(&self.ask, host).await?;
        let (meant, others): (Vec<Alarm>, Vec<Alarm>) = all.into_iter().partition(|alarm| self.is_meant(alarm));
        let mut problem = None;
        for alarm in &meant {
            problem = self.end(host, alarm, others.is_empty()).await?.or(problem);
        }
        // What counts is what is raised then, whatever was answered.
        if raised(&self.ask, host).await?.iter().any(|alarm| self.is_meant(alarm)) {
            return Err(still_raised(problem));
        }
        Ok(Value::List(meant.iter().map(Alarm::told).collect()))
    }
}

impl Disarm {
    fn is_meant(&self, alarm: &Alarm) -> bool {
        self.alarm.as_ref().is_none_or(|sort| *sort == alarm.alarm)
    }

    /// Ends an alarm at the first endpoint that does it; why none does.
    async fn end(&self, host: &Host, alarm: &Alarm, alone: bool) -> Result<Option<String>> {
        let mut problem = None;
        for endpoint in &self.ask.endpoints {
            match self.ask.tell(host, endpoint, told(alarm, alone)).await.map_err(|error| lacks_curl(error, alone))? {
                Ok(_) => return Ok(None),
                Err(said) => problem = Some(format!("{endpoint}: {said}")),
            }
        }
        Ok(problem)
    }
}

/// etcdctl has words for all alarms together only.
fn told(alarm: &Alarm, alone: bool) -> Told {
    let body = json!({ "action": "DEACTIVATE", "memberID": decimal(&alarm.member_id), "alarm": alarm.alarm });
    let words = if alone { words(&["alarm", "disarm"]) } else { Vec::new() };
    Told { path: "/v3/maintenance/alarm", body, words }
}

fn lacks_curl(error: Error, alone: bool) -> Error {
    if alone || error.code() != "etcd.no_program" {
        return error;
    }
    let message = "two sorts of alarms are raised, and the host has no `curl` to end one of them";
    Error::new(Kind::Refused, "etcd.no_program", message)
        .hint("leave `alarm` out to end all of them, or ask from a host that has `curl`")
}

fn still_raised(problem: Option<String>) -> Error {
    let error = Error::new(Kind::Failed, "etcd.alarm", "alarms of etcd are still raised")
        .hint("mend what they are about: `etcd::alarms` tells them");
    match problem {
        Some(problem) => error.because(problem),
        None => error,
    }
}
