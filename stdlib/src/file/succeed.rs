//! A script that must succeed, and what went wrong with its path.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::redact::redact;
use haengine_kernel::transport::{Command, Exit, Output, lacking};

/// Runs a script that must succeed.
///
/// # Errors
/// When it did not; of kind `Drift` when somebody else was faster.
pub async fn succeed(host: &Host, command: &Command, path: &str) -> Result<Output> {
    let output = host.exec(command).await?;
    if output.success() { Ok(output) } else { Err(failed(path, &output.exit, &output)) }
}

/// The error for how a script ended.
pub fn failed(path: &str, exit: &Exit, output: &Output) -> Error {
    let error = match exit {
        Exit::Status(76) => {
            Error::new(Kind::Drift, "file.overtaken", format!("somebody else changed `{path}` at the same time"))
                .hint("look at who writes to it, then run again; theirs is what is there")
        }
        Exit::Status(77) => Error::new(Kind::Failed, "file.mounted", format!("`{path}` is a mount of its own")).hint(
            "write to it as it is, with `in_place: true` of `file::put` and the like, or change it where it lies",
        ),
        Exit::Status(78) => Error::new(Kind::Failed, "file.not_kept", format!("`{path}` cannot be put back"))
            .hint("compare it with a copy of your own, put it back by hand, then run undo again"),
        Exit::Status(72) => Error::new(Kind::Failed, "file.owner", format!("`{path}` cannot get its owner"))
            .hint("name an owner and a group that the host has, as a user who may give files away"),
        Exit::Status(75) => Error::new(Kind::Failed, "file.keep", format!("the old `{path}` cannot be kept for undo"))
            .hint("set `become: true` for the host, or make room below `/var/lib/haengine`"),
        _ => Error::new(Kind::Failed, "file.write", format!("`{path}` cannot be changed"))
            .hint("look at the cause; without root's rights set `become: true` for the host"),
    };
    because(error, output)
}

/// The error with what the script said.
pub fn because(error: Error, output: &Output) -> Error {
    let said = redact(String::from_utf8_lossy(&output.stderr).trim());
    if said.is_empty() { error } else { marked(error, &said).because(said) }
}

/// The error with what the host lacks, where that is why.
fn lacks(error: Error, said: &str) -> Error {
    if let Some(hint) = lacking(said) { error.hint(hint) } else { error }
}

/// The error with the way out where even root may not, since the file or its folder bears a mark, and where the host lacks
/// something.
pub fn marked(error: Error, said: &str) -> Error {
    if !said.contains("Operation not permitted") {
        return lacks(error, said);
    }
    error.hint(
        "look with `lsattr -d` whether the file or its folder is marked as one that does not change, take the mark off \
         with `chattr -i -a`, and go on; without root's rights set `become: true` for the host",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_even_root_may_not_change_is_marked() {
        let output = |stderr: &str| Output { stdout: Vec::new(), stderr: stderr.into(), exit: Exit::Status(71) };
        let hint = |stderr: &str| {
            let output = output(stderr);
            failed("/etc/resolv.conf", &output.exit, &output).advice().unwrap_or_default().to_owned()
        };
        assert!(
            hint("mv: cannot move '/etc/resolv.conf.x' to '/etc/resolv.conf': Operation not permitted\n")
                .contains("chattr -i")
        );
        assert!(!hint("mv: cannot move 'x' to 'y': Read-only file system\n").contains("chattr"));
    }
}
