//! Why a unit did not do as it was told.

use std::time::Duration;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::redact::redact;
use haengine_kernel::transport::{Command, Exit, Output};

/// How long a host may take beyond the patience that it is told itself.
const MARGIN: Duration = Duration::from_secs(30);

/// Runs one of this module's scripts that start or stop a unit; the time counts as waited.
pub(super) async fn act(host: &Host, unit: &str, what: &str, patience: u64, command: Command) -> Result<()> {
    let command = command.deadline(Duration::from_secs(patience) + MARGIN);
    let output = host.waiting(host.exec(&command)).await?;
    if output.success() { Ok(()) } else { Err(explain(unit, what, patience, &output).on(host.name())) }
}

/// The error of a unit, by how its script ended and what that printed.
pub(super) fn explain(unit: &str, what: &str, patience: u64, output: &Output) -> Error {
    let text = output.text();
    let (shown, journal) = text.split_once("\n\n").unwrap_or(("", ""));
    let said = String::from_utf8_lossy(&output.stderr);
    let (code, message) = match output.exit {
        Exit::Status(16) => ("service.record", "what links the unit gets cannot be recorded".to_owned()),
        Exit::Status(15) => ("service.not_ready", format!("`{unit}` runs, and was not ready within {patience} s")),
        Exit::Status(14) => ("service.timeout", format!("`{unit}` did not {what} within {patience} s")),
        Exit::Status(13) => ("service.failed", format!("`{unit}` did not {what}: {}", state(shown))),
        Exit::Status(12) => ("service.enable", format!("`{unit}` cannot be enabled")),
        Exit::Status(11) => ("service.reread", "systemd cannot read its unit files again".to_owned()),
        _ => ("service.failed", format!("`{unit}` did not {what}")),
    };
    let cause = if journal.trim().is_empty() { said.trim() } else { journal.trim() };
    let error = Error::new(Kind::Failed, code, message)
        .hint(format!("look at `journalctl -u {unit}` on the host, then run again"));
    if cause.is_empty() { error } else { error.because(redact(cause)) }
}

/// What `systemctl show` says of a property.
pub(super) fn property<'a>(shown: &'a str, name: &str) -> Option<&'a str> {
    shown.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

/// The state in systemd's own words: `failed, exit-code, status 1`.
fn state(shown: &str) -> String {
    let property = |name: &str| property(shown, name);
    let mut words = vec![property("ActiveState").unwrap_or("unknown").to_owned()];
    if property("Type") == Some("oneshot") && words[0] == "inactive" {
        words.push("a oneshot that ends is not running; use a timer, or set `RemainAfterExit=yes`".to_owned());
    }
    words.extend(property("Result").filter(|result| *result != "success").map(str::to_owned));
    words.extend(property("ExecMainStatus").filter(|status| *status != "0").map(|status| format!("status {status}")));
    words.extend(property("NRestarts").filter(|count| *count != "0").map(|count| format!("restarted {count} times")));
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_how_and_shows_the_journal_without_secrets() {
        let stdout = b"ActiveState=failed\nType=simple\nResult=exit-code\nExecMainStatus=3\nNRestarts=0\n\nbad line\npassword=abc\n";
        let output = Output { exit: Exit::Status(13), stdout: stdout.to_vec(), stderr: Vec::new() };
        let error = explain("a.service", "start", 90, &output);
        assert_eq!(error.message(), "`a.service` did not start: failed, exit-code, status 3");
        assert_eq!(error.causes(), ["bad line\npassword=‹secret›"]);
    }
}
