//! Runs the machine's own programs, and says what they said when they fail.

use std::{
    ffi::OsStr,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use crate::{Error, Result};

/// Where the machine's programs are. Root's shells do not always have the sbin folders on their path.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs `command` to its end and returns what it wrote.
///
/// # Errors
/// `lab.program` when it cannot be started or ends with another status than 0.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    feed(command, "")
}

/// Like [`run`], with `input` on the program's standard input.
pub(crate) fn feed(command: &mut Command, input: &str) -> Result<String> {
    let name = describe(command);
    let failed = |source| Error {
        source: Some(source),
        ..Error::new("lab.program", format!("cannot run `{name}`")).hint("install it, or run `haengine lab up` as root")
    };
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut pipe) = child.stdin.take() {
        // A program that ends without reading its input says why on stderr.
        let _ = pipe.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::new("lab.program", format!("`{name}` failed ({}): {}", output.status, last_lines(&said, 5))))
}

/// The last few lines of a program's complaint, as one line.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("; ")
}

/// Whether a program of this name can be run here.
pub(crate) fn exists(name: &str) -> bool {
    PATH.split(':').any(|folder| Path::new(folder).join(name).is_file())
}

/// A command of the machine's own, without the path and the locale of its caller.
pub(crate) fn command(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.env("PATH", PATH).env("LC_ALL", "C");
    command
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_quoted_with_its_complaint() {
        let error = run(command("sh").args(["-c", "echo one >&2; echo two >&2; exit 3"])).unwrap_err();
        assert_eq!(error.code, "lab.program");
        assert!(error.message.contains("exit status: 3): one; two"), "{error}");
    }

    #[test]
    fn input_reaches_the_program() {
        assert_eq!(feed(&mut command("cat"), "hello").unwrap(), "hello");
    }

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(exists("sh"));
        assert!(!exists("no-such-program-here"));
    }
}
