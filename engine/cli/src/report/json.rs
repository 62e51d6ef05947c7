//! Events as JSON, one object a line.

use haengine_kernel::event::{Event, Stamped};
use haengine_kernel::harmless::harmless_json;

use crate::report::{Out, Reporter};

/// Writes each event as it comes.
pub struct Json {
    out: Out,
    lines: String,
}

impl Json {
    /// Lines into `out`.
    pub fn new(out: Out) -> Json {
        Json { out, lines: String::new() }
    }
}

impl Reporter for Json {
    fn take(&mut self, event: Stamped) {
        self.lines.push_str(&line(&event));
    }

    fn flush(&mut self) {
        self.out.write(&self.lines);
        self.lines.clear();
    }
}

/// One event as a line.
pub fn line(event: &Stamped) -> String {
    let line = serde_json::to_string(event).unwrap_or_else(|error| unwritable(event, &error));
    format!("{}\n", harmless_json(&line))
}

/// A record with its name and the time, for what is listed rather than happens.
pub fn record(name: &str, record: &impl serde::Serialize) -> String {
    #[derive(serde::Serialize)]
    struct Named<'a, T> {
        event: &'a str,
        #[serde(flatten)]
        record: &'a T,
        time: jiff::Timestamp,
    }
    let named = Named { event: name, record, time: jiff::Timestamp::now() };
    let line = serde_json::to_string(&named).unwrap_or_else(|error| {
        serde_json::json!({ "event": "error", "message": format!("cannot write `{name}`: {error}") }).to_string()
    });
    format!("{}\n", harmless_json(&line))
}

/// No event of the kernel is unwritable; one that were must not vanish.
fn unwritable(event: &Stamped, error: &serde_json::Error) -> String {
    let what = if matches!(event.event, Event::RunFinished(_)) { "run_finished" } else { "error" };
    serde_json::json!({ "event": what, "time": event.time, "message": error.to_string() }).to_string()
}
