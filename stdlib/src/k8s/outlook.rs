//! What keeps an object from being as it is waited for, and whether waiting can help.

use serde_json::Value as Json;

/// How often a container ends before nobody waits for it any longer.
const ENDS: u64 = 3;

/// Why a container will not start, whoever waits.
const NEVER: [&str; 2] = ["InvalidImageName", "ErrImageNeverPull"];

/// What keeps it.
#[derive(Debug, PartialEq, Eq)]
pub struct Outlook {
    /// In words.
    pub why: String,
    /// False where it cannot come to be any more.
    pub may_come: bool,
    /// The container whose log tells more.
    pub container: Option<String>,
}

impl Outlook {
    fn open(why: String) -> Outlook {
        Outlook { why, may_come: true, container: None }
    }

    fn never(why: String) -> Outlook {
        Outlook { why, may_come: false, container: None }
    }

    /// What an object of this kind says of itself. None where it says nothing.
    pub fn of(kind: &str, object: &Json) -> Option<Outlook> {
        match kind {
            "Pod" => of_pod(&object["status"]),
            "Job" => condition(object, "Failed", "True").map(|said| Outlook::never(format!("it has failed: {said}"))),
            "Deployment" => condition(object, "Progressing", "False")
                .map(|said| Outlook::never(format!("its pods do not come: {said}"))),
            _ => None,
        }
    }
}

fn of_pod(status: &Json) -> Option<Outlook> {
    let of = |list: &str| status[list].as_array().cloned().unwrap_or_default();
    let containers = [of("initContainerStatuses"), of("containerStatuses")].concat();
    if let Some(phase) = status["phase"].as_str().filter(|phase| ["Failed", "Succeeded"].contains(phase)) {
        let said = [&status["reason"], &status["message"]].map(|part| part.as_str().unwrap_or_default()).join(" ");
        let ended = containers.iter().find_map(|container| ended(container, &container["state"]["terminated"]));
        let why = ended.as_ref().map_or_else(|| said.trim().to_owned(), |ended| ended.why.clone());
        let why = format!("it has ended ({phase}), {why}").trim_end_matches(", ").to_owned();
        return Some(Outlook { container: ended.and_then(|ended| ended.container), ..Outlook::never(why) });
    }
    containers.iter().find_map(of_container).or_else(|| {
        let scheduled = status["conditions"].as_array()?.iter().find(|one| one["type"] == "PodScheduled")?;
        (scheduled["status"] == "False")
            .then(|| Outlook::open(format!("no node takes it: {}", scheduled["message"].as_str().unwrap_or("?"))))
    })
}

fn of_container(container: &Json) -> Option<Outlook> {
    let waiting = &container["state"]["waiting"];
    let reason = waiting["reason"].as_str()?;
    let name = container["name"].as_str().unwrap_or_default();
    let said = waiting["message"].as_str().unwrap_or_default();
    let why = format!("container `{name}` does not start: {reason}, {said}").trim_end_matches(", ").to_owned();
    if NEVER.contains(&reason) {
        return Some(Outlook::never(why));
    }
    if reason != "CrashLoopBackOff" {
        return Some(Outlook::open(why));
    }
    let times = container["restartCount"].as_u64().unwrap_or_default() + 1;
    let ended = ended(container, &container["lastState"]["terminated"])?;
    Some(Outlook { why: format!("{}, {times} times by now", ended.why), may_come: times < ENDS, ..ended })
}

/// How a container ended, unless it ended well.
fn ended(container: &Json, terminated: &Json) -> Option<Outlook> {
    let status = terminated["exitCode"].as_i64().filter(|status| *status != 0)?;
    let name = container["name"].as_str().unwrap_or_default();
    let reason = terminated["reason"].as_str().unwrap_or("Error");
    let why = format!("container `{name}` ends with status {status} ({reason})");
    Some(Outlook { container: Some(name.to_owned()), ..Outlook::never(why) })
}

/// What a condition says that has this status.
fn condition(object: &Json, name: &str, status: &str) -> Option<String> {
    let conditions = object["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|one| one["type"] == name && one["status"] == status)?;
    let said = [&found["reason"], &found["message"]].map(|part| part.as_str().unwrap_or_default());
    Some(said.join(" ").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(status: Json) -> Option<(String, bool)> {
        Outlook::of("Pod", &json!({ "status": status })).map(|outlook| (outlook.why, outlook.may_come))
    }

    fn waiting(reason: &str, message: &str) -> Json {
        json!({ "containerStatuses": [{ "name": "c", "state": { "waiting": { "reason": reason, "message": message } } }] })
    }

    #[test]
    fn what_may_still_come_is_told_and_waited_for() {
        assert_eq!(pod(json!({ "phase": "Pending" })), None);
        let told = |why: &str| Some((why.to_owned(), true));
        assert_eq!(
            pod(waiting("ImagePullBackOff", "no such image")),
            told("container `c` does not start: ImagePullBackOff, no such image")
        );
        let conditions = json!([{ "type": "PodScheduled", "status": "False", "message": "0/3 nodes are available" }]);
        assert_eq!(pod(json!({ "conditions": conditions })), told("no node takes it: 0/3 nodes are available"));
    }

    #[test]
    fn what_cannot_come_ends_the_waiting() {
        let never = |why: &str| Some((why.to_owned(), false));
        assert_eq!(pod(waiting("InvalidImageName", "")), never("container `c` does not start: InvalidImageName"));
        let crash = |restarts: u64| {
            let last = json!({ "terminated": { "exitCode": 2, "reason": "Error" } });
            let state = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
            json!({ "initContainerStatuses": [{ "name": "i", "restartCount": restarts, "state": state, "lastState": last }] })
        };
        assert_eq!(pod(crash(1)), Some(("container `i` ends with status 2 (Error), 2 times by now".to_owned(), true)));
        assert_eq!(pod(crash(2)), never("container `i` ends with status 2 (Error), 3 times by now"));
        assert_eq!(pod(json!({ "phase": "Failed", "reason": "Evicted" })), never("it has ended (Failed), Evicted"));
        assert_eq!(pod(json!({ "phase": "Succeeded" })), never("it has ended (Succeeded)"));
        let failed = json!({ "status": { "conditions": [
            { "type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "" } ] } });
        assert_eq!(Outlook::of("Job", &failed).unwrap().why, "it has failed: BackoffLimitExceeded");
        assert_eq!(Outlook::of("Node", &failed), None);
    }
}
