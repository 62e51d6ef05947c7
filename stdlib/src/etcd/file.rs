//! Snapshots as files on a host, and why a script could not deal with one.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::redact::redact;
use haengine_kernel::transport::{Command, Exit, Output};

/// Whether something is at a path of the host.
pub(super) async fn exists(host: &Host, path: &str) -> Result<bool> {
    let command = Command::script(r#"[ ! -e "$1" ] && [ ! -L "$1" ]"#).arg(path);
    Ok(!host.exec(&command).await?.success())
}

/// What is there is never written over.
pub(super) fn taken(path: &str) -> Error {
    Error::new(Kind::Refused, "etcd.exists", format!("`{path}` is there already"))
        .hint("name another place, or move it away: nothing is written over")
}

/// What is no whole snapshot.
pub(super) fn not_whole(path: &str) -> Error {
    let message = format!("`{path}` does not end with the hash of what it holds: it is not a whole snapshot of etcd");
    Error::new(Kind::Failed, "etcd.not_whole", message).hint("take another one with `etcd::snapshot`")
}

/// Why a script ended that works on `path`.
pub(super) fn failed(code: &'static str, path: &str, output: &Output) -> Error {
    let folder = path.rsplit_once('/').map_or(path, |(folder, _)| folder);
    let error = |what: String, hint: &str| Error::new(Kind::Failed, code, what).hint(hint);
    let error = match output.exit {
        Exit::Status(30) => {
            error(format!("the folder `{folder}` is not there"), "make it first with `file::directory`")
        }
        Exit::Status(31) => return taken(path),
        Exit::Status(33) => {
            error(format!("`{path}` cannot be written"), "check free space and permissions on the host")
        }
        Exit::Status(34) => return not_whole(path),
        Exit::Status(35) => {
            error(format!("there is no snapshot `{path}`"), "correct the path, or bring it to the host first")
        }
        Exit::Status(36) => error(format!("`{path}` may not be read"), "set `become: true` for the host"),
        Exit::Status(37) => error(format!("`{path}` is encrypted"), "decrypt it first with `age --decrypt`"),
        Exit::Status(38) => error(format!("`{path}` cannot be given to its owner"), "check `owner`"),
        _ => error(
            format!("etcd's program {}", output.exit),
            "look at what it says, and at `journalctl -u etcd` on the member",
        ),
    };
    let said = complaint(&output.stderr);
    if said.is_empty() { error } else { error.because(redact(&said)) }
}

/// The last that a program said; its log, which is JSON, only where it said nothing else.
fn complaint(stderr: &[u8]) -> String {
    let said = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = said.lines().collect();
    let words: Vec<&str> = lines.iter().filter(|line| !line.starts_with('{')).copied().collect();
    let told = if words.is_empty() { &lines } else { &words };
    told[told.len().saturating_sub(5)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_ended_is_told_in_words() {
        let output = |status| Output {
            exit: Exit::Status(status),
            stdout: Vec::new(),
            stderr: b"{\"level\":\"warn\"}\nwhy\n".to_vec(),
        };
        let told = |status| failed("etcd.snapshot", "/srv/a/snapshot", &output(status));
        assert_eq!(told(30).message(), "the folder `/srv/a` is not there");
        assert_eq!((told(31).code(), told(34).code()), ("etcd.exists", "etcd.not_whole"));
        assert_eq!(
            (told(32).message(), told(32).causes()),
            ("etcd's program ended with status 32", vec!["why".to_owned()])
        );
    }
}
