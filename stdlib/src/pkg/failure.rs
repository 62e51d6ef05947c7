//! Why a package manager did not do as it was told.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::redact::redact;
use haengine_kernel::transport::{Command, Exit, OUTPUT, read_all};

use super::observed::unknown_in;
use super::package::Manager;

/// Runs one of this module's scripts to its end and returns what it printed. It has a process group of its own, which
/// ends with an interruption; the time counts as waited.
pub(super) async fn run(host: &Host, manager: Manager, command: &Command) -> Result<String> {
    let ended = host.waiting(async {
        let stream = host.stream(command).await?;
        drop(stream.stdin);
        let broken = |error| Error::new(Kind::Unreachable, "pkg.stream", "the connection broke").because(error);
        let printed = tokio::try_join!(read_all(stream.stdout, OUTPUT), read_all(stream.stderr, OUTPUT));
        let (stdout, stderr) =
            printed.map_err(|cut| cut.explain(&format!("the output of {}", manager.program()), broken))?;
        Ok((stream.exit.await?, stdout, stderr))
    });
    let (exit, stdout, stderr) = ended.await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match exit {
        Exit::Status(0) => Ok(text(&stdout)),
        exit => Err(explain(manager, &exit, &text(&stdout), &text(&stderr)).on(host.name())),
    }
}

fn explain(manager: Manager, exit: &Exit, stdout: &str, stderr: &str) -> Error {
    let said = format!("{}\n{}", stdout.trim(), stderr.trim());
    let program = manager.program();
    let unknown = unknown_in(&said);
    let failed = |code, message: String| Error::new(Kind::Failed, code, message);
    let error = if *exit == Exit::Status(21) {
        failed("pkg.keep", "cannot keep what undo would need".to_owned())
            .hint("check free space below `/var/lib/haengine` on the host")
    } else if let Some(names) = said.lines().find_map(|line| line.strip_prefix("needed by: ")) {
        Error::new(Kind::Drift, "pkg.needed", format!("other packages need what was installed: {names}"))
            .hint("remove them first, then run undo again")
    } else if let Some(holder) = lock_holder(&said) {
        failed("pkg.locked", format!("{holder} holds the lock of the packages"))
            .hint("wait until it has ended, then run again")
    } else if said.contains("dpkg was interrupted") {
        failed("pkg.interrupted", "an earlier installation was interrupted".to_owned())
            .hint(format!("run `{}` on the host, then run again", manager.mend()))
    } else if !unknown.is_empty() {
        unknown_packages(&unknown)
    } else if *exit == Exit::Status(22) {
        failed("pkg.update", format!("`{program}` cannot bring its lists of packages up to date"))
            .hint("check the host's package sources and its way to them")
    } else {
        failed("pkg.failed", format!("`{program}` {exit}")).hint("look at what it said, then run again")
    };
    let end = last_lines(said.trim(), 10);
    if end.is_empty() { error } else { error.because(redact(&end)) }
}

/// The error for packages that no list has.
pub(super) fn unknown_packages(names: &[String]) -> Error {
    let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Error::new(Kind::Refused, "pkg.unknown", format!("the host's package sources do not have {names}"))
        .hint("correct the name, or add the source that has it, or set `update: \"always\"`")
}

/// `E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (unattended-upgr)`
fn lock_holder(said: &str) -> Option<String> {
    let line =
        said.lines().find(|line| line.contains("Could not get lock") || line.contains("Unable to acquire the dpkg"))?;
    let holder = line.split_once("held by ").map_or("another program", |(_, holder)| holder);
    Some(holder.trim_end_matches('.').to_owned())
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("(Reading database")).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: i32, stderr: &str) -> Error {
        explain(Manager::Apt, &Exit::Status(status), "", stderr)
    }

    #[test]
    fn complaints_have_their_own_errors() {
        let held = "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (unattended-upgr)";
        assert_eq!(said(100, held).message(), "process 812 (unattended-upgr) holds the lock of the packages");
        let interrupted =
            "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.";
        assert_eq!(said(100, interrupted).advice(), Some("run `dpkg --configure -a` on the host, then run again"));
        assert_eq!(said(100, "E: Unable to locate package x").code(), "pkg.unknown");
        assert_eq!(said(22, "Err: no network").code(), "pkg.update");
        assert_eq!(said(23, "needed by: a b").code(), "pkg.needed");
        let other = said(100, "E: Sub-process /usr/bin/dpkg returned an error code (1)\npassword: x");
        assert_eq!(other.message(), "`apt-get` ended with status 100");
        assert!(other.causes()[0].ends_with("password: ‹secret›"));
    }
}
